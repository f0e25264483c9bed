"""What may still be called of Slack: what is left of each limit, and who gets it, here and in all replicas."""

import asyncio
import logging
import random
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from bot.errors import StoreFailed
from bot.slack.limits import LIMITS, MINUTE, Taken, keys, limit, paid

log = logging.getLogger(__name__)
SPREAD = 0.2  # seconds by which replicas that wait for the same budget come apart


class Budget(Protocol):
    """How much may be called still, of each key. `replicas` is how many processes there are that call."""

    replicas: int

    async def take(self, key: str, keep: int = 0, need: int = 1) -> float:
        """Take one call, and leave `keep` for others: 0 when taken, else the seconds to wait. `need`: how many wait for one here."""
        ...

    def delay(self, key: str, before: int = 0) -> float:
        """Seconds until a call can be made for which so many are made before, as far as is known."""
        ...

    def room(self, key: str) -> float:
        """How many calls can be made at once, as far as is known; below 1 where even the next has to wait."""
        ...

    def pace(self, key: str, keep: int) -> float:
        """Seconds to wait so that what is left, but `keep`, lasts until there is more; 0 while at least half is left."""
        ...

    async def pause(self, key: str, seconds: float) -> None:
        """Slack has asked for a pause."""
        ...

    @property
    def used(self) -> Mapping[str, float]:
        """The share of each method's calls that this process has made in the last minute."""
        ...


class Local:
    """Implements Budget, for one process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self.replicas = now, 1
        self._taken: defaultdict[str, Taken] = defaultdict(tuple)
        self._made: defaultdict[str, deque[float]] = defaultdict(deque)

    async def take(self, key: str, keep: int = 0, need: int = 1) -> float:
        if (wait := self.delay(key, keep)) > 1e-6:
            return wait
        self._taken[key] = limit(key).take(self._taken[key], self._now())
        self._count(key)
        return 0.0

    def delay(self, key: str, before: int = 0) -> float:
        return limit(key).wait(self._taken[key], self._now(), before)

    def room(self, key: str) -> float:
        return limit(key).room(self._taken[key], self._now())

    def pace(self, key: str, keep: int) -> float:
        left, made = int(self.room(key)), self._made[key]
        if not made or 2 * left >= limit(key).most:
            return 0.0
        return max(made[-1] + self.delay(key, left) / max(left - keep, 1) - self._now(), 0.0)

    async def pause(self, key: str, seconds: float) -> None:
        self._taken[key] = limit(key).pause(self._taken[key], self._now(), seconds)

    @property
    def used(self) -> Mapping[str, float]:
        return {key: self._recent(key) / allowed.most for key, allowed in LIMITS.items() if key in self._made}

    def _count(self, key: str) -> None:
        self._recent(key)
        self._made[key].append(self._now())

    def _recent(self, key: str) -> int:
        made = self._made[key]
        while made and made[0] <= self._now() - MINUTE:
            made.popleft()
        return len(made)


Step = Callable[[Taken, float], Taken | None]
"""From what was taken, and the moment, to what is taken then; None where nothing more can be."""


class Shared(Local):
    """Implements Budget, for all replicas on one database. While that is away, each goes by what it last knew.

    With `only`, the database has no more than those keys: what the same process has to know after a new start.
    `row(key, step)` puts what `step` makes of it in place of what was taken, nobody else meanwhile; what is there now, and the moment.
    """

    def __init__(
        self, row: Callable[[str, Step], Awaitable[tuple[Taken, float]]], now: Callable[[], float] = time.monotonic,
        only: Collection[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(now)
        self._row, self._only = row, only
        self._next: dict[tuple[str, int], float] = {}  # when it is our turn to ask again, of each key and what it leaves
        self._away = True  # as it is until it was opened
        self._alone = asyncio.Lock()  # one row at a time: who holds one and waits for another may be waited for

    async def take(self, key: str, keep: int = 0, need: int = 1) -> float:
        waits = [0.0]

        def step(taken: Taken, now: float) -> Taken | None:
            waits.append(limit(key).wait(taken, now, keep))  # it may be run twice
            return None if waits[-1] else limit(key).take(taken, now)

        if not await self._step(key, step):
            return await super().take(key, keep, need)
        later = random.expovariate(max(need, 1)) * SPREAD  # who needs more looks again sooner: each gets its share
        if waits[-1]:
            return waits[-1] + later
        self._count(key)
        if self.replicas > 1 and (wait := super().delay(key, keep)):
            self._next[key, keep] = self._now() + wait + later  # who knows best when there is one again has no start over the others
        return 0.0

    def delay(self, key: str, before: int = 0) -> float:
        return max(super().delay(key, before), self._next.get((key, before), 0.0) - self._now())

    async def pause(self, key: str, seconds: float) -> None:
        if not await self._step(key, lambda taken, now: limit(key).pause(taken, now, seconds)):
            await super().pause(key, seconds)

    async def _step(self, key: str, step: Step) -> bool:
        """Whether the database has taken it."""
        if self._only and key not in self._only:
            return False
        try:
            async with self._alone:
                taken, now = await self._row(key, step)
        except StoreFailed as error:
            if not self._away:
                log.warning("limits_not_shared", extra={"action": "limits_not_shared", "error": str(error)})
            self._away = True
            return False
        self._away = False
        self._taken[key] = tuple(at - now + self._now() for at in taken)
        return True


class Gate:
    """Lets calls through in the order in which they came, each when its method may be called."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._rows: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def enter(self, method: str, channel: str = "") -> None:
        if method in (before := paid.get()):
            at = before.index(method)
            paid.set(before[:at] + before[at + 1 :])
            return
        for key in reversed(keys(method, channel)):
            async with self._rows[key]:
                await self._take(key)

    async def _take(self, key: str) -> None:
        while True:
            if not (wait := await self.budget.take(key)):
                return
            await asyncio.sleep(wait)
