"""The policy for the network."""

import asyncio
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from bot import net

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "::127.0.0.1",
    "::ffff:0:10.0.0.1",
]
CLOUDS = ["168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]
NEVER = [*CLOUDS, "169.254.169.254", "fe80::1%eth0", "224.0.0.1", "0.0.0.0", "::", "::ffff:169.254.169.254"]


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_are_free(host: str) -> None:
    assert not net.barred(host, private=False)


@pytest.mark.parametrize("host", ["localhost", "localhost.", "a.localhost", "127.1", "0x7f.1", "2130706433", "::1"])
def test_a_proxy_is_not_sent_to_this_machine_by_any_name_for_it(host: str) -> None:
    assert "set options.private to true" in net.named(host, private=False)
    assert not net.named("platform.example", private=False)


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("https://elsewhere.example:8443/x?token=s3cret", "elsewhere.example:8443"),
        ("/login?token=s3cret", "somewhere else"),
        ("http://[::1", "somewhere else"),
        ("http://x:99999999/", "somewhere else"),
        ("http://<!channel>/", "somewhere else"),
    ],
)
def test_of_where_we_are_sent_on_to_only_the_host_is_told(location: str, there: str) -> None:
    assert net.onward(location) == there


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_need_the_files_word(host: str) -> None:
    assert "set options.private to true" in net.barred(host, private=False)
    assert not net.barred(host, private=True)


@pytest.mark.parametrize("host", NEVER)
def test_a_clouds_metadata_are_never_reached(host: str) -> None:
    assert "no agent's" in net.barred(host, private=True)


class Rebinding(AbstractResolver):
    """A name that leads somewhere else than it did."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[Any]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


async def test_a_name_that_leads_home_is_refused_when_the_connection_is_made() -> None:
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        for private, host in ((False, "agents.example"), (False, "127.0.0.1"), (True, "agents.example")):
            async with aiohttp.ClientSession(connector=net.connector(private, resolver=Rebinding())) as http:
                await asyncio.gather(http.get(f"http://{host}:{port}/"), return_exceptions=True)
    finally:
        await runner.cleanup()

    assert heard == ["/"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://there", "begins with https"),
        ("//there", "begins with https"),
        ("https://", "names a host"),
        ("https://me:secret@there", "credentials do not belong in an address"),
        ("https://[there", "this is no address"),
    ],
)
def test_what_is_no_address_is_told(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        net.checked(url)

    assert "secret" not in str(caught.value)


def test_variables_are_filled_in_by_name() -> None:
    assert net.filled("Bearer ${TOKEN}", {"TOKEN": " abc\n"}, "a.md: options.headers.X") == "Bearer abc"


@pytest.mark.parametrize(("value", "words"), [("", "needs the variable TOKEN: name it under `environment:`"), ("a\nb", "cannot be sent")])
def test_a_variable_that_does_not_do_is_told_without_its_value(value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        net.filled("Bearer ${TOKEN}", {"TOKEN": value}, "a.md: options.headers.X")


def test_secrets_are_taken_out_of_words() -> None:
    secrets = net.Secrets.of(["s3cret-key", "no"])

    assert secrets.mask("it said: no, not s3cret-key!") == "it said: no, not …!"
    assert "s3cret" not in repr(secrets)


async def test_a_crowd_does_not_ask_one_host_all_at_once() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*(net.pace("crowded.example") for _ in range(6)))

    assert loop.time() - begun >= 5 / net.RATE - 0.01


async def test_a_proxy_is_not_asked_for_what_we_would_not_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")

    with pytest.raises(net.Forbidden, match="private address"):
        net.session("https://10.0.0.1/", private=False)


async def test_what_ends_work_goes_before_those_who_wait() -> None:
    crowd = [asyncio.create_task(net.pace("busy.example")) for _ in range(100)]
    await asyncio.sleep(0)
    ended = False

    async with net.ending(0.2):
        await net.pace("busy.example")
        ended = True

    for task in crowd:
        task.cancel()
    assert ended
