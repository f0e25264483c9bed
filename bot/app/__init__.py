"""Puts it together: the only file that knows every class by name.

app/check.py   what is wrong with agents, beside what their files show
app/ready.py   whether agents and the database can serve
app/better.py  what happened as agents are told it, and what they find in it
app/lent.py    what turns are lent, put together
app/lab.py     where agents' files are tried
app/workshop.py  where agents are made and changed, put together
app/shelf.py   where agents' files are
app/changes.py  the same where git looks after them
app/rehearsal.py  agents tried that are none yet
app/upkeep.py  old things taken away, and a copy of what is kept
"""

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import aiohttp

from bot import clock, logs
from bot.agent import Agent
from bot.app import check, lent
from bot.app.better import Better
from bot.app.workshop import Workshop
from bot.bell import Bell
from bot.dispatch import Desk
from bot.engine.local import LocalEngine
from bot.errors import BotError, StoreFailed
from bot.fired import Fired
from bot.glance import Condition, Glances
from bot.journal import Delivery
from bot.line import Limits, Line
from bot.ops.health import Health, Look
from bot.ops.watch import Sights, Watch
from bot.ports import Runtime
from bot.route import conflicts
from bot.runtimes import RUNTIMES, runtime_of
from bot.settings import Settings
from bot.slack import parse
from bot.slack.attention import Attention
from bot.slack.budget import Shared
from bot.slack.catchup import CatchUp
from bot.slack.connect import Connection, web
from bot.slack.directory import Directory
from bot.slack.door import Door
from bot.slack.home import Homes
from bot.slack.limits import HISTORY, REPLIES
from bot.slack.listeners import Listeners
from bot.slack.surface import SlackSurface
from bot.slack.trying import Trying
from bot.store import figures, prune, replicas
from bot.store.budget import Budgets
from bot.store.database import CONNECT
from bot.store.files import Agents
from bot.store.glances import SqlSight
from bot.store.schedules import Schedules
from bot.store.sql import SqlStore
from bot.timetable import Timetable
from bot.triggers.schedule import Scheduler
from bot.triggers.webhook import Webhooks
from bot.turn import House, Turns

if TYPE_CHECKING:
    from bot.engine.procrastinate import ProcrastinateEngine

log = logging.getLogger(__name__)
RETRY = 20.0  # seconds until names are looked up again
TIDY = 3600.0  # seconds between two times
CLOCK = 2.0  # seconds between two looks at the questions' times


@dataclass(frozen=True, slots=True)
class Parts:
    """What a desk works with. The playground brings its own, to look on."""

    files: Agents
    store: SqlStore
    runtime: Callable[[Agent], Runtime] = runtime_of


class Frontdesk:
    """One process of the bot. `start` returns when it is connected."""

    def __init__(self, settings: Settings, http: aiohttp.ClientSession, parts: Parts | None = None) -> None:
        self.settings = settings
        parts = parts or Parts(Agents(settings.agents_dir), SqlStore(settings.database_url))
        self.files, self.store = parts.files, parts.store
        self.problems: list[str] = []  # what is wrong with agents whose files are right
        self.watch, self.lent = Watch(settings), lent.Lent(settings)
        ears = self.watch.ears
        shared = Shared(Budgets(self.store.db).row, only=() if self.store.shared else (HISTORY, REPLIES))
        store, client = ears.store(self.store), web(settings, http, self._called, shared)
        self.directory = Directory(client)
        self.surface = SlackSurface(client, store, self.directory, settings.file_megabytes)
        self.better = Better(self.store.db, self.agent, self.surface.beside, self._begin, settings.environment, self.files)
        self.lent.tools.board = self.better.board
        line = Line(Limits(settings.turns_at_once, settings.turns_per_person))
        house = House(settings.sessions_dir, settings.environment, settings.hold_minutes * 60, line, (*self.lent.aids, *self.better.aids))
        self.turns = Turns(self.agent, ears.runtime(parts.runtime), store, ears.surface(self.surface), house)
        self.engine = engine(self.store, self.turns, self.lent.bell)
        self.desk = Desk(lambda: self._agents, store, self.surface, self.engine, tuple(RUNTIMES))
        plans = self.lent.tools.plans = Schedules(self.store.db)
        self.scheduler = Scheduler(lambda: self._agents, plans, self._fire, lambda: not self._different)
        timetable = Timetable(lambda: self._agents, plans, self._fire, self.surface.beside.public)
        self.workshop = Workshop(settings, self.desk, self.surface.beside, self._take, self.lent, parts, line, self.better.board)
        deciding, self.better.board.changes = self.workshop.deciding, self.workshop.proposing
        self.homes = Homes(client, Glances(lambda: self._agents, SqlSight(self.store.db), self._health, deciding.more), self.directory)
        self.trying = Trying(self.desk, self.surface.beside, self.store)
        self.listeners = Listeners(
            self.desk, store, store, self.surface, self.directory, self.resolve, timetable, self.workshop.making, self.homes,
            self.better.board, self.trying, deciding,
        )  # fmt: skip
        self.webhooks = Webhooks(lambda: self._agents, self._take, settings.environment, int(settings.webhook_megabytes * (1 << 20)))
        handlers = {**self.listeners.handlers, **self.webhooks.handlers, **self.better.board.handlers, **self.trying.handlers}
        self.door = Door(store, handlers | self.workshop.proposing.handlers, self.listeners.answer, self.listeners.amiss)
        self.slack = Connection(settings, client, self.directory, ears.receive(self.door.receive, parse.kind))
        catchup = CatchUp(client, self.directory, self.door.keep, self.store)
        self.attention = self.slack.attention = Attention(catchup, store, store, self.slack.renew, self.door.gate, settings.catch_up_hours)
        self._agents: Sequence[Agent] = ()
        self._resolving = asyncio.Lock()  # what Slack told later must not give way to what it told before
        self._again = 0.0  # when names are to be looked up again, because Slack did not tell
        self._tidied = -TIDY  # when what was dealt with long ago was last taken out of the database
        self._different = False  # whether another replica has other agents
        self._tasks: list[asyncio.Task[None]] = []

    def agent(self, name: str) -> Agent:
        return self.desk.agent(name)

    async def start(self) -> None:
        """Raises ConfigError or StoreFailed, in one sentence, where it cannot."""
        await self.watch.start(self._sights(), self.lent.bell, [*self.webhooks.routes, *self.lent.routes])
        self.files.load()
        await self.slack.greet()
        await self.store.open()
        await self._beat(first=True)
        await self.resolve()
        await self.attention.start()
        works = {
            "surface": self.surface.run(), "clock": self._clock(), "files": self._watch(), "life": self._live(),
            "attention": self.attention.run(), "schedules": self.scheduler.run(), "homes": self.homes.run(),
            "proposals": self.workshop.proposing.run(), "socket": self.slack.run(),
        }  # fmt: skip
        self._tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
        for task in [*self._tasks, *await self.engine.open()]:
            self.watch.health.guard(task)
        await self.door.adopt()
        await self.desk.recover()
        await self.slack.open()
        log.info("connected", extra={"action": "connected", "agents": len(self._agents)})

    async def _fire(self, fired: Fired) -> None:
        await self.door.fire(fired)

    async def _begin(self, delivery: Delivery) -> None:
        await self.door.begin(delivery)

    async def _take(self, delivery: Delivery) -> bool:
        return await self.door.take(delivery)

    def _called(self, method: str, outcome: str, seconds: float) -> None:
        self.watch.ears.called(method, outcome, seconds)
        self.attention.called(method, outcome, seconds)

    async def _beat(self, *, first: bool = False) -> None:
        """Show life, and agree on the time with the other replicas. Raises StoreFailed."""
        different = await replicas.beat(self.store.db, self.store.replica, self.files.version, first=first)
        if different and not self._different:
            words = "A replica beside this one has other agents' files: the answers depend on who hears. Give all the same folder."
            log.error(words, extra={"action": "agents_differ"})
        self._different = bool(different)
        if self.store.shared:
            self.surface.writer.budget.replicas = max(await replicas.alive(self.store.db), 1)

    async def _live(self) -> None:
        """Signs of life, and care for what those left who gave none any more."""
        while True:
            await asyncio.sleep(replicas.BEAT)
            with contextlib.suppress(StoreFailed):
                await self._beat()
                await self.door.adopt()

    def _sights(self) -> Sights:
        db, writer = self.store.db, self.surface.writer
        looks: dict[str, Look] = {
            "slack": self.slack.trouble,
            "database": partial(figures.reach, db),
            "migrations": partial(figures.schema, db),
        }
        return Sights(looks, lambda: writer.budget.used, lambda: writer.waiting, partial(figures.counted, db))

    async def _health(self) -> Condition:
        missing = await Health(self._sights().looks).missing()
        return missing, [*self.files.problems, *self.problems], await replicas.alive(self.store.db)

    async def resolve(self) -> None:
        """The agents as they are now, with names of channels and groups replaced by ids."""
        async with self._resolving:
            files = self.files.agents
            try:
                await self.directory.resolve({name for agent in files for name in agent.names()})
            except BotError as error:
                log.warning(str(error), extra={"action": "names_not_resolved"})
                self._again = time.monotonic() + RETRY
            self._agents = tuple(agent.resolved(self.directory.ids) for agent in files)

    async def _watch(self) -> None:
        await self._examine()  # only now: loading the runtimes takes a while, and nobody has to wait for it
        await self.files.watch(self._changed)

    async def _changed(self) -> None:
        await self.resolve()
        await self._examine()

    async def _examine(self) -> None:
        """Log what is wrong that was not wrong before."""
        found = [*await check.mistakes(self.files.agents, self.files.folder), *map(self.directory.written, conflicts(self._agents))]
        problems = [problem for problem in found if problem not in self.files.problems]
        for problem in problems:
            if problem not in self.problems:
                log.warning(problem, extra={"action": "agent_problem"})
        self.problems = problems

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK)
            with contextlib.suppress(StoreFailed):
                await self.desk.questions.expire(clock.now())
            await self._tidy()
            if self._again and time.monotonic() > self._again:
                self._again = 0.0
                await self.resolve()

    async def _tidy(self) -> None:
        if time.monotonic() > self._tidied + TIDY:
            self._tidied = time.monotonic()
            with contextlib.suppress(StoreFailed):
                await prune.delivered(self.store.db, clock.now() - prune.AGAIN)
            await lent.tidied(self.settings)

    async def stop(self, seconds: float = 0.0) -> None:
        """Begin nothing more, let what runs finish within this time, leave the rest to the next process.

        It hears on meanwhile: Slack sends a click only once, and the answer may be what a turn waits for.
        """
        self.watch.leaving = self.turns.leaving = True
        await self.engine.close(seconds)
        await self.lent.close()
        await self.slack.close()
        await self.door.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        with contextlib.suppress(StoreFailed):
            await replicas.leave(self.store.db, self.store.replica)
        await self.store.close_all()
        await self.watch.close()


def engine(store: SqlStore, turns: Turns, bell: Bell) -> "LocalEngine | ProcrastinateEngine":
    """Where others share the database they share the work."""
    if not store.shared:
        return LocalEngine(turns.run)
    told = {name: str(value) for name, value in CONNECT.items()}
    url = store.db.url.set(drivername="postgresql").update_query_dict(told).render_as_string(hide_password=False)
    return import_module("bot.engine.procrastinate").ProcrastinateEngine(url, turns.run, bell)  # type: ignore[no-any-return]


@asynccontextmanager
async def running(settings: Settings, parts: Parts | None = None) -> AsyncIterator[Frontdesk]:
    """The bot, connected, until the block is left."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        desk = Frontdesk(settings, http, parts)
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
        gc.freeze()  # what is loaded by now stays: to look through it for garbage stops everything for 50 ms and more
        await asked.wait()
        log.info("draining", extra={"action": "draining"})
