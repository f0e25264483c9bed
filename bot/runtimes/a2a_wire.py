"""HTTP for A2A: httpx as the SDK wants it, upon aiohttp, which holds a thousand open streams in far less memory."""

import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

CONNECTING = 10.0  # seconds: however long an agent may think, the connection is there soon or never
IDLE = 1.0  # seconds for which a connection is kept that nobody uses: shorter than servers do, lest one hangs up just when we send
OWN = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # httpx has said them already, or means not to


class Wire(httpx.AsyncBaseTransport):
    """The transport under an `httpx.AsyncClient`, which still does redirects, decoding and headers."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        connector = aiohttp.TCPConnector(ssl=trust, limit=0, keepalive_timeout=IDLE)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, skip_auto_headers=OWN
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        silence = request.extensions["timeout"]["read"]
        connect = min(silence or CONNECTING, CONNECTING)
        try:
            heard = await self._session.request(
                request.method, URL(str(request.url), encoded=True), headers=request.headers.multi_items(), data=await request.aread(),
                allow_redirects=False, timeout=aiohttp.ClientTimeout(total=None, connect=connect, sock_read=silence), **_proxy(request.url),
            )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            raise _told(error) from error
        return Reply(Body(heard))

    async def aclose(self) -> None:
        await self._session.close()


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

    async def lines(self) -> AsyncIterator[str]:
        held, seen = bytearray(), 0
        try:
            while chunk := await self.more():
                held += chunk
                while (end := held.find(b"\n", seen)) >= 0:
                    line, seen = held[:end].decode("utf-8", "replace"), 0
                    del held[: end + 1]
                    yield line.removesuffix("\r")
                    del line
                seen = len(held)
                del chunk  # while the agent is silent nothing is held
            yield held.decode("utf-8", "replace")
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        self.heard.close()


class Reply(httpx.Response):
    """An answer whose lines are read straight from the wire: httpx has six generators in between, and holds what was sent."""

    def __init__(self, body: Body) -> None:
        super().__init__(body.heard.status, headers=list(body.heard.raw_headers), stream=body)
        self.body = body

    def aiter_lines(self) -> AsyncIterator[str]:
        """Closed, it closes the answer."""
        return super().aiter_lines() if "content-encoding" in self.headers else self.body.lines()


def _proxy(url: httpx.URL) -> dict[str, Any]:
    """The proxy that the environment names for this address."""
    proxies = {} if proxy_bypass(url.host) else getproxies()
    if not (named := proxies.get(url.scheme) or proxies.get("all")):
        return {}
    proxy = httpx.URL(named if "://" in named else f"http://{named}")
    auth = aiohttp.BasicAuth(proxy.username, proxy.password) if proxy.username else None
    return {"proxy": str(proxy.copy_with(username=None, password=None)), "proxy_auth": auth}


def _told(error: Exception) -> httpx.RequestError:
    """The same in httpx's words."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return httpx.ConnectError(str(error.certificate_error))
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
