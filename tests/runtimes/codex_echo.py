"""A server on a Unix socket that says back what it hears, begun as Codex's is: `codex_echo.py --listen unix://PATH`."""

import sys

from aiohttp import web


async def echo(request: web.Request) -> web.WebSocketResponse:
    line = web.WebSocketResponse()
    await line.prepare(request)
    async for message in line:
        await line.send_str(str(message.data))
    return line


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/", echo)
    web.run_app(app, path=sys.argv[-1].removeprefix("unix://"), print=None)
