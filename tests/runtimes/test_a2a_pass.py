"""As whom we come to an A2A agent, and whom we believe: tokens, certificates, addresses, signatures."""

import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from a2a.types import AgentCard, AgentInterface
from a2a.utils.signing import create_agent_card_signer
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.agent import parse
from bot.errors import ConfigError, Unavailable
from bot.runtimes import a2a_card, runtime_of
from tests.runtimes.a2a_turns import all_of, answer, run, turn
from tests.standins.a2a_agent import Agent
from tests.standins.tokens import bearer, giving

SECRETS = {"ID": "desk", "SECRET": "sesame-open"}


async def test_a_token_is_fetched_once_and_used_for_all(tmp_path: Path) -> None:
    async with giving(bearer("t0ken")) as (tokens, oauth), Agent(token="t0ken") as agent:
        for number in range(1, 4):
            events = await all_of(run(agent.url, turn(tmp_path, "!say in", number, environment=SECRETS), oauth=oauth))
            assert answer(events) == "in"

    assert tokens.asked == [("Basic ZGVzazpzZXNhbWUtb3Blbg==", {"grant_type": "client_credentials", "scope": "a2a.call"})]


async def test_a_token_that_is_not_taken_any_more_is_fetched_anew(tmp_path: Path) -> None:
    async with giving(bearer("old"), bearer("new")) as (tokens, oauth), Agent(token="new") as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!say in", environment=SECRETS), oauth=oauth))

    assert answer(events) == "in"
    assert len(tokens.asked) == 2
    assert len(agent.letters) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (web.Response(status=401), "gives us no token .HTTP 401.: check options.oauth"),
        ({"error": "no"}, "its answer has none. Is options.oauth.url"),
        (web.Response(text="<html>"), "its answer has none"),
        (bearer("line\nbreak"), "its answer has none"),
    ],
    ids=["refused", "without", "page", "odd"],
)
async def test_a_server_that_gives_no_token_is_told_without_the_secret(tmp_path: Path, given: Any, words: str) -> None:
    async with giving(given) as (_, oauth), Agent(token="t0ken") as agent:
        with pytest.raises(Unavailable, match=words) as raised:
            await all_of(run(agent.url, turn(tmp_path, "!say in", environment=SECRETS), oauth=oauth))

    assert "sesame" not in str(raised.value)


async def test_an_agent_that_never_takes_the_token_is_told(tmp_path: Path) -> None:
    async with giving(bearer("a"), bearer("b")) as (tokens, oauth), Agent(token="other") as agent:
        with pytest.raises(Unavailable, match=r"HTTP 401.*options.oauth"):
            await all_of(run(agent.url, turn(tmp_path, "!say in", environment=SECRETS), oauth=oauth))

    assert len(tokens.asked) == 2


def pem(folder: Path, name: str, signed: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None) -> Any:
    """A certificate with its key, and their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(signed[0].subject if signed else who).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=signed is None, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(signed[1] if signed else key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return certificate, key


@asynccontextmanager
async def guarded(folder: Path, agent: Agent) -> AsyncIterator[str]:
    """The agent behind a door that only opens to those who show a certificate of our authority."""
    authority = pem(folder, "authority")
    pem(folder, "server", authority)
    pem(folder, "client", authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "authority.crt")
    context.verify_mode = ssl.CERT_REQUIRED

    async def card(request: web.Request) -> web.Response:
        face = {"url": f"{agent.url}/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        return web.json_response({"name": "x", "supportedInterfaces": [face], "capabilities": {"streaming": True}})

    app = web.Application()
    app.router.add_get("/{path:.*}", card)
    server = TestServer(app, host="localhost")
    await server.start_server(ssl=context)
    try:
        yield f"https://localhost:{server.port}"
    finally:
        await server.close()


async def test_a_certificate_opens_the_door(tmp_path: Path) -> None:
    async with Agent() as agent, guarded(tmp_path, agent) as url:
        tls = {"certificate": f"{tmp_path}/client.crt", "key": f"{tmp_path}/client.key", "authority": f"{tmp_path}/authority.crt"}
        events = await all_of(run(url, turn(tmp_path, "!say in"), tls=tls, endpoint=agent.url))
        with pytest.raises(Unavailable, match="cannot be trusted"):
            await all_of(run(url, turn(tmp_path, "!say in"), endpoint=agent.url))
        with pytest.raises(Unavailable, match=r"options.tls cannot be used .No such file"):
            await all_of(run(url, turn(tmp_path, "!say in"), tls={"certificate": "nowhere", "key": "nowhere"}, endpoint=agent.url))

    assert answer(events) == "in"


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
async def test_an_address_of_our_own_network_has_to_be_meant(tmp_path: Path, address: str) -> None:
    async with Agent() as agent:
        with pytest.raises(Unavailable, match=r"private address.*options.private.*agents/remote.md"):
            await all_of(run(agent.url.replace("127.0.0.1", address), turn(tmp_path, "!say in"), private=False))

    assert not agent.calls


async def test_a_card_does_not_lead_to_an_address_that_was_not_meant(tmp_path: Path) -> None:
    async with Agent() as agent:
        with pytest.raises(Unavailable, match="it leads to an address that is no agent's"):
            await all_of(run(agent.url, turn(tmp_path, "!say in"), endpoint="http://169.254.169.254/latest"))


def keys() -> tuple[bytes, str]:
    """A private key to sign with, and the public one as it stands in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(*kinds), public.decode()


async def test_a_card_counts_only_if_it_is_signed_by_whom_the_file_names(tmp_path: Path) -> None:
    private, public = keys()
    _, another = keys()
    sign = create_agent_card_signer(private, {"kid": "1", "alg": "ES256", "jku": None, "typ": "JOSE"})
    async with Agent(signed=sign) as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!say in"), signed_by=public))
        with pytest.raises(Unavailable, match=r"not signed with the key of options.signed_by"):
            await all_of(run(agent.url, turn(tmp_path, "!say in"), signed_by=another))

    def changed(card: AgentCard) -> AgentCard:
        card = sign(card)
        card.supported_interfaces[0].url += "elsewhere"
        return card

    for signed in (changed, None):
        async with Agent(signed=signed) as agent:
            with pytest.raises(Unavailable, match=r"not signed with the key of options.signed_by"):
                await all_of(run(agent.url, turn(tmp_path, "!say in"), signed_by=public))

    assert answer(events) == "in"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{url: 'https://x.test', oauth: {url: 'https://t.test', client: me, secret: hunter2}}", "name the variable that holds the secret"),
        ("{url: 'https://x.test', oauth: {url: t.test, client: me, secret: $S}}", "options.oauth.url: an address begins with https://"),
        ("{url: 'https://x.test', tls: {certificate: a}}", "options.tls.key: is missing"),
        ("{url: 'https://x.test', signed_by: abc}", "write the public key in PEM"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_key(options: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        runtime_of(parse("remote", f"---\ndescription: x\nruntime: a2a\noptions: {options}\n---\n"))


@pytest.mark.parametrize(
    ("url", "secret", "private", "words"),
    [
        ("https://other.example/a2a", True, False, "sends our credentials to other.example"),
        ("http://agent.example/a2a", True, False, "wants our credentials without encryption"),
        ("http://10.0.0.5:8500/v1", False, True, "leads into your network, to 10.0.0.5"),
    ],
)
def test_a_card_leads_neither_credentials_nor_us_where_the_file_does_not(url: str, secret: bool, private: bool, words: str) -> None:
    face = AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version="1.0")
    card = AgentCard(supported_interfaces=[face])

    with pytest.raises(Unavailable, match=words):
        a2a_card.check(card, "https://agent.example", "", secret=secret, private=private)

    a2a_card.check(card, "https://agent.example", url, secret=secret, private=private)
