"""A door before a server: it passes everything on, and makes the trouble that a test asks for."""

from contextlib import suppress

import aiohttp
from aiohttp import web

from tests.standins.site import Site

BETWEEN = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding"})


class Front(Site):
    """`async with Front(url) as front:` serves on loopback. `noise` comes before each stream; `refuse` answers in the server's place."""

    def __init__(self, url: str) -> None:
        self.behind, self.noise = url, b""
        self.answer: tuple[int, bytes, dict[str, str]] | None = None
        self.app = web.Application(client_max_size=1 << 26)
        self.app.router.add_route("*", "/{path:.*}", self._passed)
        self._wires: set[aiohttp.ClientResponse] = set()

    async def up(self, port: int = 0) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)
        await super().up(port)

    def refuse(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answer everything with this, from now on."""
        self.answer = status, body, headers

    async def down(self) -> None:
        """Nobody answers any more, and all connections break."""
        for wire in self._wires:
            wire.close()
        await super().down()
        await self._http.close()

    async def _passed(self, request: web.Request) -> web.StreamResponse:
        if self.answer:
            status, body, headers = self.answer
            return web.Response(status=status, body=body, headers=headers)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in BETWEEN}
        async with self._http.request(request.method, self.behind + request.path_qs, data=await request.read(), headers=headers) as heard:
            self._wires.add(heard)
            told = {name: value for name, value in heard.headers.items() if name.lower() not in BETWEEN}
            response = web.StreamResponse(status=heard.status, headers=told)
            await response.prepare(request)
            if heard.content_type == "text/event-stream":
                await response.write(self.noise)
            with suppress(aiohttp.ClientError, ConnectionError):
                await self._streamed(heard, response)
                return response
        if request.transport:
            request.transport.abort()
        return response

    async def _streamed(self, heard: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        async for chunk in heard.content.iter_any():
            await response.write(chunk)
