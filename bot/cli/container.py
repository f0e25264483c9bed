"""frontdesk shim: this process as the inside of a container, in which a desk elsewhere runs our harnesses."""

import asyncio
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress

from bot.runtimes import runtime_of
from bot.settings import Settings
from bot.shim.server import Shim

TOKEN = "SHIM_TOKEN"
LOOK = 10.0  # seconds between two looks whether anybody needs it
Verb = Callable[..., ArgumentParser]


def verbs(verb: Verb) -> None:
    """The command for it."""
    shim = verb("shim", _shim, "run harnesses for a desk that is elsewhere, as inside of a container")
    shim.add_argument("--port", type=int, default=8080, help="where it listens (8080, as AgentCore wants it); 0 takes one that is free")
    shim.add_argument("--idle-minutes", type=float, default=0, metavar="MINUTES", help="end when nobody has needed it for so long (never)")


def _shim(settings: Settings, given: Namespace) -> None:
    asyncio.run(serve(settings, given.port, given.idle_minutes * 60))


def made(settings: Settings) -> Shim:
    """The token is for the desk, and for no harness. Raises ConfigError."""
    environment = {name: value for name, value in settings.environment.items() if name != TOKEN}
    return Shim(settings.environment.get(TOKEN, ""), settings.sessions_dir, runtime_of, environment)


async def serve(settings: Settings, port: int, idle: float = 0.0) -> None:
    """Until SIGTERM or SIGINT, or nobody has needed it for so many seconds; then all that runs in it is stopped."""
    asked, shim = asyncio.Event(), made(settings)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, asked.set)
    await shim.start(settings.http_host, port)
    print(f"listening on {settings.http_host}:{shim.port}", flush=True)
    while not asked.is_set() and not (idle and shim.idle > idle):
        with suppress(TimeoutError):
            async with asyncio.timeout(min(idle or LOOK, LOOK)):
                await asked.wait()
    await shim.close()
