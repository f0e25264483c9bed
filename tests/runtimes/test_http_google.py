"""Google's credentials, against a stand-in for its token endpoint."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.errors import Unavailable
from bot.runtimes.http_google import Signed


class Tokens:
    """Each token that it gives is good for an hour, unless it is `short`."""

    def __init__(self) -> None:
        self.given, self.status, self.short, self.url = 0, 200, False, ""

    async def token(self, request: web.Request) -> web.Response:
        assert (await request.post())["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        self.given += 1
        if self.status != 200:
            return web.json_response({"error": "invalid_grant"}, status=self.status)
        return web.json_response({"access_token": f"token-{self.given}", "expires_in": 1 if self.short else 3600, "token_type": "Bearer"})


@pytest.fixture
async def tokens() -> AsyncIterator[Tokens]:
    tokens, app = Tokens(), web.Application()
    app.router.add_post("/token", tokens.token)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tokens.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield tokens
    await runner.cleanup()


def key(tokens: Tokens) -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    given = {"type": "service_account", "client_email": "bot@acme.example", "private_key": pem, "private_key_id": "k1"}
    return json.dumps({**given, "token_uri": tokens.url, "project_id": "acme"})


async def test_a_token_is_had_once_while_it_is_good(tokens: Tokens) -> None:
    signed = Signed(key(tokens))

    assert [await signed.token(), await signed.token()] == ["token-1", "token-1"]


async def test_one_that_expires_is_had_anew(tokens: Tokens) -> None:
    tokens.short = True
    signed = Signed(key(tokens))

    assert [await signed.token(), await signed.token()] == ["token-1", "token-2"]


async def test_a_refusal_is_told_without_the_key(tokens: Tokens) -> None:
    tokens.status = 400

    with pytest.raises(Unavailable, match=r"Google does not let us in \(RefreshError\): .* this machine's clock") as caught:
        await Signed(key(tokens)).token()

    assert "PRIVATE KEY" not in str(caught.value)


@pytest.mark.parametrize("given", ["{half", "/nowhere/key.json", "{}"])
async def test_what_is_no_key_is_told(given: str) -> None:
    with pytest.raises(Unavailable, match=r"look at options\.key"):
        await Signed(given).token()
