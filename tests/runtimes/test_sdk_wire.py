"""HTTP for the SDKs of platforms: what goes wrong with it, in words and without secrets."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.breaker import BREAKER
from bot.errors import RuntimeFailed
from bot.event import Finished, Notice, Text
from bot.runtimes import sdk_wire
from bot.runtimes.sdk_wire import Place
from tests.standins.wall import Wall

from .test_a2a_pass import pem

SECRET = "s3cret-of-acme"


@pytest.fixture(autouse=True)
def calm() -> Iterator[None]:
    yield
    BREAKER.forget()


def place(url: str = "https://acme.example") -> Place:
    return Place(url, "options.url in agents/coder.md", [SECRET])


async def fails(url: str) -> str:
    """Why it does, after so many tries that a platform which is away would be left alone."""
    http = sdk_wire.client(url, "options.url", private=True)
    for _ in range(3):
        with pytest.raises(RuntimeFailed) as caught, place(url).asked("the agent"):
            await http.get(url, timeout=sdk_wire.timeout())
    await http.aclose()
    return str(caught.value)


async def test_an_answer_that_is_far_too_large_is_no_silence() -> None:
    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * (17 << 20), content_type="application/json")

    async with Wall() as wall:
        wall.on("GET", "/", large)

        assert "answered with more than 16 MiB" in await fails(f"{wall.url}/")

    assert not BREAKER.troubles()


async def test_a_certificate_that_is_not_trusted_is_told_as_that(tmp_path: Path) -> None:
    pem(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    server = TestServer(web.Application(), host="localhost")
    await server.start_server(ssl=context)

    told = await fails(f"https://localhost:{server.port}/")

    await server.close()
    assert "cannot be trusted" in told
    assert "SSL_CERT_FILE" in told
    assert not BREAKER.troubles()


def test_a_secret_is_taken_out_before_words_are_cut() -> None:
    refused = httpx2.Response(400, json={"error": {"message": f"{'a' * 291}{SECRET}"}})

    assert SECRET[:5] not in str(place().refused(refused, "the agent"))


def test_what_a_platform_tells_has_none_of_our_secrets() -> None:
    events = [Text(SECRET), Notice(f"not {SECRET}", "warning"), Finished("failed", f"bad key {SECRET}", SECRET)]

    assert [place().masked(event) for event in events] == [Text("…"), Notice("not …", "warning"), Finished("failed", "bad key …", "…")]


async def test_where_it_asks_for_a_little_patience_it_is_asked_again() -> None:
    answers = [web.Response(status=429, headers={"Retry-After": "0.1"}), web.Response(text="good")]

    async def busy(_: web.Request) -> web.StreamResponse:
        return answers.pop(0)

    async with Wall() as wall:
        wall.on("GET", "/", busy)
        http = sdk_wire.client(f"{wall.url}/", "options.url", private=True)

        response = await http.get(f"{wall.url}/", timeout=sdk_wire.timeout())
        await http.aclose()

    assert response.text == "good"


async def test_much_patience_is_not_had() -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "3600"})

    async with Wall() as wall:
        wall.on("GET", "/", busy)
        http = sdk_wire.client(f"{wall.url}/", "options.url", private=True)

        response = await http.get(f"{wall.url}/", timeout=sdk_wire.timeout())
        await http.aclose()

    assert response.status_code == 429
