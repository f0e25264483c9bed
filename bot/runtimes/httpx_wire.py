"""HTTP for SDKs that are built upon httpx, upon aiohttp, which holds a thousand open streams in far less memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import httpx
from yarl import URL

from bot import net
from bot.breaker import BREAKER, Down
from bot.runtimes.httpx_pass import Pass

IDLE = 1.0  # seconds for which a connection is kept that nobody uses: shorter than servers do, lest one hangs up just when we send
OWN = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # httpx has said them already, or means not to
AWAY = (httpx.ConnectError, httpx.ConnectTimeout)


class TooMuch(httpx.RemoteProtocolError):
    """More was sent than anybody would read."""

    def __init__(self) -> None:
        super().__init__(f"more than {net.LARGEST >> 20} MiB at once")


class Wire(httpx.AsyncBaseTransport):
    """The transport under an `httpx.AsyncClient`, which still does redirects, decoding and headers."""

    def __init__(self, given: Pass) -> None:
        self._trust, self._given = given.trust(), given
        self._straight, self._around = _session(given.private), _session(True)  # a proxy may be in our own network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for tries in range(net.TRIES):
            if not self._given.local:  # a server of our own is no stranger
                await net.pace(net.host_of(str(request.url)))
            reply = await self._reply(request)
            wait = net.asked_to_wait(reply.headers) if reply.status_code == httpx.codes.TOO_MANY_REQUESTS else None
            if wait is None or wait > net.PATIENCE or tries + 1 == net.TRIES:
                break
            await reply.aclose()
            await asyncio.sleep(wait + net.pause(tries))  # nothing was done yet, so that asking again does it once
        return reply

    def reply(self, body: "Body") -> "Reply":
        """The answer that is read."""
        return Reply(body)

    async def _reply(self, request: httpx.Request) -> "Reply":
        try:
            with BREAKER.through(net.host_of(str(request.url))):
                return self.reply(Body(await self._sent(request)))
        except Down as error:
            raise error.__cause__ or error from None

    async def _sent(self, request: httpx.Request) -> aiohttp.ClientResponse:
        """Raises Down where nobody was reached, and otherwise what httpx would."""
        way = "" if self._given.local else net.proxy(str(request.url))
        silence = request.extensions["timeout"]["read"]
        connect = min(silence or net.CONNECTING, net.CONNECTING)
        try:
            if way and (why := net.named(request.url.host, self._given.private)):
                raise net.Forbidden(why)
            return await (self._around if way else self._straight).request(
                request.method, URL(str(request.url), encoded=True), headers=request.headers.multi_items(), data=await request.aread(),
                allow_redirects=False, timeout=aiohttp.ClientTimeout(total=None, connect=connect, sock_read=silence),
                ssl=self._trust, **_proxied(way),
            )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            told = _told(error)
            if isinstance(told, AWAY) and not isinstance(error, aiohttp.ClientSSLError):
                raise Down(str(told)) from told
            raise told from error

    async def aclose(self) -> None:
        try:
            await self._straight.close()
        finally:  # whoever is in a hurry leaves no other open
            await self._around.close()


def _session(private: bool) -> aiohttp.ClientSession:
    connector = net.connector(private, keepalive_timeout=IDLE)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, skip_auto_headers=OWN)


def _proxied(way: str | None) -> dict[str, Any]:
    if not way:
        return {}
    proxy = httpx.URL(way if "://" in way else f"http://{way}")
    auth = aiohttp.BasicAuth(proxy.username, proxy.password) if proxy.username else None
    return {"proxy": str(proxy.copy_with(username=None, password=None)), "proxy_auth": auth}


class Body(httpx.AsyncByteStream):
    """What is read of an answer."""

    def __init__(self, heard: aiohttp.ClientResponse) -> None:
        self.heard = heard

    async def more(self) -> bytes:
        """What has come, as soon as something has; empty at the end."""
        try:
            return await self.heard.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise _told(error) from error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await self.more():
                yield chunk
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        self.heard.close()


class Reply(httpx.Response):
    """An answer whose lines are read straight from the wire: httpx has six generators in between, and holds what was sent."""

    def __init__(self, body: Body) -> None:
        super().__init__(body.heard.status, headers=list(body.heard.raw_headers), stream=body)
        self.body = body

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Unpacked. Only a stream may go on for ever, but not in one line."""
        size, stream = 0, "text/event-stream" in self.headers.get("content-type", "")
        async for chunk in super().aiter_bytes(chunk_size):
            ended = chunk.rfind(b"\n") if stream else -1
            size = len(chunk) - ended - 1 if ended >= 0 else size + len(chunk)
            if size > net.LARGEST:
                raise TooMuch
            yield chunk

    def aiter_lines(self) -> AsyncIterator[str]:
        """Closed, it closes the answer."""
        if "content-encoding" in self.headers:
            return _lines(partial(anext, self.aiter_bytes(), b""), self.aclose)
        return _lines(self.body.more, self.body.aclose)


async def _lines(more: Callable[[], Awaitable[bytes]], close: Callable[[], Awaitable[None]]) -> AsyncIterator[str]:
    held, seen = bytearray(), 0
    try:
        while chunk := await more():
            held += chunk
            while (end := held.find(b"\n", seen)) >= 0:
                line, seen = held[:end].decode("utf-8", "replace"), 0
                del held[: end + 1]
                yield line.removesuffix("\r")
                del line
            seen = len(held)
            if seen > net.LARGEST:
                raise TooMuch
            del chunk  # while the agent is silent nothing is held
        yield held.decode("utf-8", "replace")
    finally:
        await close()


def _told(error: Exception) -> httpx.RequestError:
    """The same in httpx's words."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return httpx.ConnectError(str(error.certificate_error))
        case aiohttp.ClientConnectorError(os_error=net.Forbidden()) | net.Forbidden():
            return httpx.UnsupportedProtocol(str(error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error))
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(str(error.os_error))
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout(str(error))
        case TimeoutError():
            return httpx.ReadTimeout(str(error))
        case aiohttp.ClientHttpProxyError():
            return httpx.ProxyError(str(error))
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return httpx.UnsupportedProtocol(str(error))
        case OSError():
            return httpx.ReadError(str(error))
        case _:
            return httpx.RemoteProtocolError(str(error))
