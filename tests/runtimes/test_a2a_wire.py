"""HTTP for A2A: what it reads is the same as with httpx alone."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import net
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.httpx_wire import Wire


@asynccontextmanager
async def told(chunks: Sequence[bytes], **encoding: str) -> AsyncIterator[str]:
    """A server that answers everything with these chunks, and says which host was asked for."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Asked": request.host, **encoding})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=Wire(Pass(private=True))) as http:
        yield http


async def lines(url: str) -> list[str]:
    async with client() as http, http.stream("GET", url) as response:
        return [line async for line in response.aiter_lines()]


async def test_lines_come_whole_wherever_the_stream_was_cut() -> None:
    async with told([b"data: on", b"e\r", b"\n\r\ndata: t\xc3", b"\xbcr\n\nda", b"ta: end"]) as url:
        assert await lines(url) == ["data: one", "", "data: tür", "", "data: end"]


async def test_only_a_line_break_ends_a_line() -> None:
    async with told(["data: a\u2028b\x85c\n\n".encode()]) as url:
        assert await lines(url) == ["data: a\u2028b\x85c", "", ""]


async def test_a_compressed_stream_is_read() -> None:
    async with told([gzip.compress(b"data: small\n\n")], **{"Content-Encoding": "gzip"}) as url:
        assert await lines(url) == ["data: small", "", ""]


async def test_the_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with told([b"through"]) as url, client() as http:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("no_proxy", "")
        response = await http.get("http://agent.example/card")

    assert (response.headers["Asked"], response.text) == ("agent.example", "through")


async def test_a_host_that_needs_no_proxy_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with told([b"direct"]) as url, client() as http:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")

        assert (await http.get(url)).text == "direct"


async def test_a_proxy_that_is_not_there_is_a_connection_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")

    async with client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("http://agent.example/")


async def test_a_server_without_tls_is_told_as_such() -> None:
    async with told([b""]) as url, client() as http:
        with pytest.raises(httpx.ConnectError, match="SSL"):
            await http.get(url.replace("http:", "https:"))


async def test_a_crowd_does_not_ask_one_host_all_at_once() -> None:
    loop = asyncio.get_running_loop()
    async with told([b"yes"]) as url, client() as http:
        begun = loop.time()
        await asyncio.gather(*(http.get(url) for _ in range(6)))

    assert loop.time() - begun >= 5 / net.RATE - 0.01
