"""Who listens in this process, and what is served of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from aiohttp.web import RouteDef

from bot.bell import Bell
from bot.errors import ConfigError, StoreFailed
from bot.ops.ear import Ears
from bot.ops.health import Health, Look
from bot.ops.server import Server
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.ops.metrics import Metrics
    from bot.ops.traces import Traces

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass(frozen=True, slots=True)
class Sights:
    """What can be looked at: whatever may be wrong, the share of Slack's limits that is used, and how many of our messages wait.

    `counted` gives the open questions and the replicas.
    """

    looks: Mapping[str, Look]
    used: Callable[[], Mapping[str, float]]
    waiting: Callable[[], int]
    counted: Callable[[], Awaitable[tuple[int, int]]]


class Watch:
    """Without HTTP_PORT and without a collector nobody listens, and nothing of it is loaded."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigError where traces are wanted, and cannot be had."""
        self.settings, self.leaving = settings, False
        self.metrics: Metrics | None = import_module("bot.ops.metrics").Metrics() if settings.http_port else None
        self.traces: Traces | None = _traces() if settings.environment.get(COLLECTOR) else None
        self.ears = Ears(*(ear for ear in (self.metrics, self.traces) if ear))
        self.looks: dict[str, Look] = {"process": self._going}
        self.health = Health(self.looks)
        self.server: Server | None = None

    async def start(self, sights: Sights, bell: Bell, routes: Sequence[RouteDef] = ()) -> None:
        """Raises ConfigError where the port cannot be had."""
        if metrics := self.metrics:

            async def figures() -> bytes:
                metrics.look(sights.used(), sights.waiting())
                with suppress(StoreFailed):  # what this process knows is told all the same
                    metrics.count(*await sights.counted())
                return metrics.text()

            self.looks.update(sights.looks)
            self.server = Server(self.health, figures)
            self.server.hang(bell)
            self.server.routes += routes
            await self.server.start(self.settings.http_host, self.settings.http_port)

    async def _going(self) -> str:
        return "it is going away" if self.leaving else ""

    async def close(self) -> None:
        if self.server:
            await self.server.close()
        if self.traces:
            await asyncio.to_thread(self.traces.close)


def _traces() -> "Traces":
    try:
        made: Traces = import_module("bot.ops.traces").Traces()
    except ModuleNotFoundError as error:
        raise ConfigError(f"{COLLECTOR} is set, but there is no {error.name}; install it with: pip install 'frontdesk[otel]'") from error
    return made
