"""The line before the turns: who may run now, and who is next where too many want to."""

import asyncio
import time
from bisect import insort
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import islice

AGAIN = 5.0  # seconds between two looks at one's place
BESIDE = 8  # of what has no place in the line, and may run where room is left
RECENT = 20  # turns from whose length the time to wait is guessed


@dataclass(frozen=True, slots=True)
class Limits:
    """How many turns may run at once in this process: in all, and for one person. An agent's file says how many of that agent."""

    turns: int = 1000
    person: int = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A turn that wants to run, `asked` for then (Unix seconds).

    `most` is how many of its agent may run at once, 0 for any number; what has `begun` waits for nobody.
    """

    session_id: str
    agent: str
    person: str
    channel: str
    most: int = 0
    begun: bool = False
    asked: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """How many are before one in the line, and about how many seconds that takes; 0 where nobody can tell."""

    ahead: int
    seconds: float


class Line:
    """Channels take turns, so that a flood in one does not keep the others waiting; within a channel, who asked first is served first.

    When one comes here says nothing: names and files may have to be looked up before.
    """

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits or Limits(), clock
        self._running: dict[Ticket, float] = {}
        self._busy: Counter[tuple[str, str]] = Counter()  # how many run of an agent, and for a person
        self._waiting: dict[str, list[Ticket]] = {}  # by channel; the first in the dict is the next whose turn it is
        self._ready: dict[str, asyncio.Event] = {}  # by session
        self._beside: list[asyncio.Event] = []
        self._lengths: deque[float] = deque(maxlen=RECENT)

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._ready)

    def waits(self, session_id: str) -> bool:
        """Whether the session stands in the line."""
        return session_id in self._ready

    @asynccontextmanager
    async def stand(self, ticket: Ticket) -> AsyncIterator[AsyncGenerator[Place, None]]:
        """Gives one's places in the line, until one may run; that right is given back when the block is left."""
        if ticket.begun:
            self._start(ticket)
        else:
            insort(self._waiting.setdefault(ticket.channel, []), ticket, key=lambda each: each.asked)
            self._ready[ticket.session_id] = asyncio.Event()
            self._admit()
        places = self._places(ticket)
        try:
            yield places
        finally:
            await places.aclose()
            self._leave(ticket)

    @contextmanager
    def beside(self) -> Iterator[asyncio.Event | None]:
        """Room that nobody in the line needs, until the event is set: then somebody does. None where there is none."""
        if self._ready or len(self._beside) >= BESIDE or self.running + len(self._beside) >= self.limits.turns:
            yield None
            return
        self._beside.append(needed := asyncio.Event())
        try:
            yield needed
        finally:
            self._beside.remove(needed)

    async def _places(self, ticket: Ticket) -> AsyncGenerator[Place, None]:
        told = None
        while ticket not in self._running:
            if (place := self._place(ticket)) != told:
                yield (told := place)
            try:
                async with asyncio.timeout(AGAIN):
                    await self._ready[ticket.session_id].wait()
            except TimeoutError:
                pass

    def _leave(self, ticket: Ticket) -> None:
        if ticket in self._running:
            self._lengths.append(self.clock() - self._running.pop(ticket))
            self._busy.subtract(_counted(ticket))
        else:
            self._out(ticket)
        self._admit()

    def _start(self, ticket: Ticket) -> None:
        self._running[ticket] = self.clock()
        for needed in self._beside[: max(self.running + len(self._beside) - self.limits.turns, 0)]:
            needed.set()
        self._busy.update(_counted(ticket))

    def _out(self, ticket: Ticket) -> None:
        """Take it out of the line; its channel is the last to be asked from now on."""
        queue = self._waiting.pop(ticket.channel)
        queue.remove(ticket)
        if queue:
            self._waiting[ticket.channel] = queue
        self._ready.pop(ticket.session_id).set()

    def _admit(self) -> None:
        while ticket := next(self._fitting(), None):
            self._start(ticket)
            self._out(ticket)

    def _fitting(self) -> Iterator[Ticket]:
        """Of each channel the first that may run now, in the order of the channels."""
        if len(self._running) >= self.limits.turns:
            return
        for queue in self._waiting.values():
            yield from islice(filter(self._may, queue), 1)

    def _may(self, ticket: Ticket) -> bool:
        alike, mine = (self._busy[key] for key in _counted(ticket))
        return mine < self.limits.person and (not ticket.most or alike < ticket.most)

    def _place(self, ticket: Ticket) -> Place:
        before = self._waiting[ticket.channel].index(ticket)
        ahead, turn = before, 1
        for channel, queue in self._waiting.items():
            if channel == ticket.channel:
                turn = 0
            else:
                ahead += min(len(queue), before + turn)
        usual = sum(self._lengths) / len(self._lengths) if self._lengths else 0.0
        return Place(ahead, coarse(usual * (ahead + 1) / max(len(self._running), 1)))


def coarse(seconds: float) -> float:
    """As exact as a guess can be: each other one is told, kept and shown."""
    step = 5.0 if seconds < 60 else 60.0
    return seconds // step * step


def _counted(ticket: Ticket) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("agent", ticket.agent), ("person", ticket.person)
