"""What is served over HTTP to whoever runs the bot: is it alive, is it ready, what does it count."""

import errno
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web

from bot.bell import PATH, Bell
from bot.breaker import BREAKER
from bot.errors import ConfigError
from bot.ops.health import Health

FIGURES = "text/plain; version=1.0.0; charset=utf-8"


class Server:
    """`routes` may be added to until it is started."""

    def __init__(self, health: Health, figures: Callable[[], Awaitable[bytes]]) -> None:
        self.health, self.figures = health, figures
        self.routes: list[web.RouteDef] = [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._counted),
        ]
        self._runner: web.AppRunner | None = None
        self.port = 0

    def hang(self, bell: Bell) -> None:
        """Let others ring, where somebody has said how they reach us."""

        async def rung(request: web.Request) -> web.Response:
            return web.Response(status=204 if await bell.rung(request.headers) else 404)

        self.routes += [web.post(PATH, rung)] if bell.url else []

    async def start(self, host: str, port: int) -> None:
        """Raises ConfigError where the port cannot be had."""
        app = web.Application()
        app.add_routes(self.routes)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise ConfigError(_refused(host, port, error)) from error
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _alive(self, _: web.Request) -> web.Response:
        broken = self.health.broken
        away = {"left_alone": words} if (words := [place.words for place in BREAKER.troubles()]) else {}
        return web.json_response({"alive": not broken, "broken": broken, **away}, status=503 if broken else 200)

    async def _ready(self, _: web.Request) -> web.Response:
        missing = await self.health.missing()
        return web.json_response({"ready": not missing, "missing": missing}, status=503 if missing else 200)

    async def _counted(self, _: web.Request) -> web.Response:
        return web.Response(body=await self.figures(), headers={"Content-Type": FIGURES})


async def left_alone(port: int) -> list[str]:
    """The platforms that the bot, which runs on this machine and serves there, leaves alone now; none where it does not run."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as http, http.get(f"http://127.0.0.1:{port}/healthz") as reply:
            found = await reply.json()
    except (aiohttp.ClientError, OSError, ValueError):
        return []
    return list(found.get("left_alone", []))


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"HTTP_PORT: port {port} is taken, perhaps by another frontdesk; name a free one, or 0 to serve nothing"
    return f"HTTP_PORT: nothing can be served on {host}:{port} ({error.strerror}); correct HTTP_HOST and HTTP_PORT, or set HTTP_PORT=0"
