"""How often Slack may be called: a budget for each method, and what is left of it kept for what matters more."""

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from bot.errors import StoreFailed

WINDOW = 60.0
UPDATE, POST, SESSION, TEXT = "chat.update", "chat.postMessage", "agents.sessions.setStatus", "assistant.threads.setStatus"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
SPREAD = 0.2  # seconds by which replicas that wait for the same budget come apart
paid: ContextVar[str] = ContextVar("paid", default="")
"""The method whose turn the caller has waited for already."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, and `minute` more in every minute. Slack counts both together in any minute of its own."""

    minute: float
    burst: int

    @property
    def gap(self) -> float:
        return WINDOW / self.minute


# https://docs.slack.dev/apis/web-api/rate-limits: 20, 50 and 100 calls a minute in tiers 2 to 4. We stay a little under.
TIER_2, TIER_3, TIER_4, SPECIAL = Rate(11, 8), Rate(33, 16), Rate(58, 40), Rate(400, 190)
CHANNEL = Rate(60, 9)  # posts in one channel: one a second, "short bursts tolerated"
RATES: Mapping[str, Rate] = {
    UPDATE: Rate(46, 3),  # used to the full all the time, so there is little for bursts: a last word that finds no room is a new message
    POST: Rate(100, 195),  # answers come in bursts
    SESSION: Rate(29, 20),
    TEXT: SPECIAL,
    "auth.test": Rate(100, 490),
    "users.info": Rate(28, 70),  # a crowd comes at once, and is known from then on; so are its channels
    "conversations.info": Rate(13, 36),
    **dict.fromkeys((START, STOP, "conversations.list", "usergroups.list", "usergroups.users.list", "reactions.remove"), TIER_2),
    **dict.fromkeys(("apps.connections.open", "chat.delete", "conversations.open", "users.conversations", "reactions.add"), TIER_3),
    "conversations.history": Rate(29, 19),  # after a time without a socket all conversations are read
    "conversations.replies": Rate(24, 24),
    **dict.fromkeys(("chat.postEphemeral", APPEND, "views.open", "views.publish"), TIER_4),
    **dict.fromkeys(("files.getUploadURLExternal", "files.completeUploadExternal"), TIER_4),
    **dict.fromkeys(("assistant.threads.setTitle", "assistant.threads.setSuggestedPrompts"), TIER_4),
}


def lines(method: str, channel: str = "") -> list[tuple[str, Rate]]:
    """The budgets that a call needs; what is not known is thought to be rare."""
    whole = (method, RATES.get(method, TIER_2))
    return [whole, (f"{POST}:{channel}", CHANNEL)] if method == POST else [whole]


class Budget(Protocol):
    """How much may be called still, of each key. `replicas` is how many processes there are that call."""

    replicas: int

    async def take(self, key: str, rate: Rate, keep: int = 0, need: int = 1) -> float:
        """Take one call, and leave `keep` for others: 0 when taken, else the seconds to wait. `need`: how many wait for one here."""
        ...

    def room(self, key: str, rate: Rate) -> float:
        """How many calls can be made at once, as far as is known; below 0 where even the next has to wait."""
        ...

    def pause(self, key: str, rate: Rate, seconds: float) -> None:
        """Slack has asked for a pause."""
        ...

    @property
    def used(self) -> Mapping[str, float]:
        """The share of each method's calls that this process has made in the last minute."""
        ...


class Local:
    """Implements Budget, for one process. What is kept of a key is when all that was taken of it will be made up for (GCRA)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self.replicas = now, 1
        self._due: dict[str, float] = {}
        self._paused: dict[str, float] = {}
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)

    async def take(self, key: str, rate: Rate, keep: int = 0, need: int = 1) -> float:
        now = self._now()
        due = max(self._due.get(key, now), now)
        if (wait := max(due - now - (rate.burst - 1 - keep) * rate.gap, self._paused.get(key, now) - now)) > 1e-6:
            return wait
        self._due[key] = due + rate.gap
        self._count(key)
        return 0.0

    def room(self, key: str, rate: Rate) -> float:
        ahead = max(self._due.get(key, 0.0) - self._now(), 0.0) / rate.gap
        paused = max(self._paused.get(key, 0.0) - self._now(), 0.0) / rate.gap
        return min(rate.burst - ahead, 1 - paused if paused else rate.burst)

    def pause(self, key: str, rate: Rate, seconds: float) -> None:
        self._paused[key] = max(self._paused.get(key, 0.0), self._now() + seconds)

    @property
    def used(self) -> Mapping[str, float]:
        return {key: self._recent(key) / (RATES[key].minute + RATES[key].burst) for key in RATES if key in self._taken}

    def _count(self, key: str) -> None:
        self._recent(key)
        self._taken[key].append(self._now())

    def _recent(self, key: str) -> int:
        taken = self._taken[key]
        while taken and taken[0] <= self._now() - WINDOW:
            taken.popleft()
        return len(taken)


class Shared(Local):
    """Implements Budget, for all replicas on one database. While that is away, each goes by what it last knew.

    `gauge(key, per_minute, burst, keep)` takes one there: the seconds to wait, and how many seconds all that was taken is ahead.
    """

    def __init__(self, gauge: Callable[[str, float, int, int], Awaitable[tuple[float, float]]]) -> None:
        super().__init__()
        self._gauge = gauge
        self._alone = asyncio.Lock()  # one row at a time: who holds one and waits for another may be waited for

    async def take(self, key: str, rate: Rate, keep: int = 0, need: int = 1) -> float:
        if (paused := self._paused.get(key, 0.0) - self._now()) > 0:
            return paused
        try:
            async with self._alone:
                wait, ahead = await self._gauge(key, rate.minute, rate.burst, keep)
        except StoreFailed:
            return await super().take(key, rate, keep, need)
        self._due[key] = self._now() + ahead
        if wait > 0:
            return wait + random.expovariate(max(need, 1)) * SPREAD  # who needs more looks again sooner: each gets its share
        self._count(key)
        return 0.0


class Gate:
    """Lets calls through in the order in which they came, each when its method may be called."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._rows: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def enter(self, method: str, channel: str = "") -> None:
        if paid.get() == method:
            paid.set("")
            return
        for key, rate in reversed(lines(method, channel)):
            async with self._rows[key]:
                await self._take(key, rate)

    async def _take(self, key: str, rate: Rate) -> None:
        while True:
            if not (wait := await self.budget.take(key, rate)):
                return
            await asyncio.sleep(wait)
