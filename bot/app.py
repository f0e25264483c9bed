"""Puts it together: the only file that knows every class by name."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from bot import logs
from bot.agent import Agent, conflicts
from bot.dispatch import Desk
from bot.engine.local import LocalEngine
from bot.errors import BotError, StoreFailed
from bot.runtimes import runtime_of
from bot.settings import Settings
from bot.slack.connect import Connection, web
from bot.slack.directory import Directory
from bot.slack.listeners import Listeners
from bot.slack.surface import SlackSurface
from bot.store.files import Agents
from bot.store.sql import SqlStore
from bot.turn import House, Turns

log = logging.getLogger(__name__)
RETRY = 20.0  # seconds until names are looked up again
CLOCK = 2.0  # seconds between two looks at the questions' times


class Frontdesk:
    """One process of the bot. `start` returns when it is connected."""

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        self.settings = settings
        self.files = Agents(settings.agents_dir)
        self.store = SqlStore(settings.database_url)
        client = web(settings, http)
        self.directory = Directory(client)
        self.surface = SlackSurface(client, self.store, self.directory, settings.file_megabytes)
        house = House(settings.sessions_dir, settings.environment, settings.hold_minutes * 60)
        self.turns = Turns(self.agent, runtime_of, self.store, self.surface, house)
        self.engine = LocalEngine(self.turns.run)
        self.desk = Desk(lambda: self._agents, self.store, self.surface, self.engine)
        self.listeners = Listeners(self.desk, self.store, self.store, self.surface, self.directory, self.resolve)
        self.slack = Connection(settings, client, self.listeners)
        self._agents: Sequence[Agent] = ()
        self._again = 0.0  # when names are to be looked up again, because Slack did not tell
        self._tasks: list[asyncio.Task[None]] = []

    def agent(self, name: str) -> Agent:
        return self.desk.agent(name)

    async def start(self) -> None:
        """Raises ConfigError or StoreFailed, in one sentence, where it cannot."""
        self.files.load()
        await self.slack.greet()
        await self.store.open()
        await self.resolve()
        self._tasks = [asyncio.create_task(work) for work in (self.surface.run(), self._clock(), self.files.watch(self.resolve))]
        await self.listeners.recover()
        await self.desk.recover()
        await self.slack.open()
        log.info("connected", extra={"action": "connected", "agents": len(self._agents)})

    async def resolve(self) -> None:
        """The agents as they are now, with names of channels and groups replaced by ids."""
        files = self.files.agents
        try:
            await self.directory.resolve({name for agent in files for name in agent.names()})
        except BotError as error:
            log.warning(str(error), extra={"action": "names_not_resolved"})
            self._again = time.monotonic() + RETRY
        self._agents = tuple(agent.resolved(self.directory.ids) for agent in files)
        for problem in conflicts(self._agents):
            log.warning(problem, extra={"action": "agent_problem"})

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK)
            with contextlib.suppress(StoreFailed):
                await self.desk.expire(time.time())
            if self._again and time.monotonic() > self._again:
                self._again = 0.0
                await self.resolve()

    async def stop(self, seconds: float = 0.0) -> None:
        """Stop hearing, let what runs finish within this time, leave the rest to the next process."""
        await self.slack.close()
        await self.listeners.close()
        self.turns.leaving = True
        await self.engine.close(seconds)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.store.close_all()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Frontdesk]:
    """The bot, connected, until the block is left."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        desk = Frontdesk(settings, http)
        try:
            await desk.start()
            yield desk
        finally:
            await desk.stop(settings.drain_seconds)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then drain."""
    logs.begin(settings)
    asked = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, asked.set)
    async with running(settings):
        await asked.wait()
        log.info("draining", extra={"action": "draining"})
