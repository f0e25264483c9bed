"""A proxy that says, between the events of a stream, what nobody can read."""

from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

OURS = ("host", "content-length", "accept-encoding", "connection")


class Noisy:
    """`async with Noisy(url, b": odd\\n\\n") as proxy:` serves on loopback, at `proxy.url`. `made` is how often it made its noise."""

    def __init__(self, url: str, noise: bytes) -> None:
        self._there, self._noise, self.made, self.url = url, noise, 0, ""
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()
        await self._http.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OURS}
        asked = self._http.request(request.method, f"{self._there}{request.path_qs}", headers=headers, data=await request.read())
        async with asked as answer:
            kind = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
            if "event-stream" not in kind["Content-Type"]:
                return web.Response(body=await answer.read(), status=answer.status, headers=kind)
            response = web.StreamResponse(headers=kind)
            try:
                await response.prepare(request)
                async for line in answer.content:
                    await response.write(line if line.strip() else line + self._noise)
                    self.made += not line.strip()
            except ConnectionResetError:
                pass  # who has heard enough hangs up
            return response
