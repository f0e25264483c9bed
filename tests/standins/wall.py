"""A server that does what a test says, request by request: for platforms that misbehave, and for those with an API of their own."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.standins.site import Site

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SSE = {"Content-Type": "text/event-stream"}


class Wall(Site):
    """`async with Wall() as wall:` serves on loopback. `on` says what is done at a path; `asked` are the requests that came."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._handlers: dict[tuple[str, str], list[Handler]] = {}
        self.app = web.Application()
        self.app.router.add_route("*", "/{path:.*}", self._answer)

    def on(self, verb: str, path: str, *handlers: Handler) -> None:
        """One after the other; the last for all that come then."""
        self._handlers[verb, path] = list(handlers)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, body))
        self.headers.append(dict(request.headers))
        handlers = self._handlers.get((request.method, request.path), [missing])
        return await (handlers.pop(0) if len(handlers) > 1 else handlers[0])(request)


async def missing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


def says(data: Any, status: int = 200, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(data, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return handler


def streams(*pieces: str | bytes, kind: str = "text/event-stream", cut: bool = False) -> Handler:
    """Tells these pieces; `cut` then breaks the connection."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece if isinstance(piece, bytes) else piece.encode())
        if cut and request.transport:
            request.transport.abort()
        return response

    return handler
