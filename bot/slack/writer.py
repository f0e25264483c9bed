"""The one writer of a workspace: keeps every message of ours equal to its newest view, within Slack's limits, last words first."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.slack.view import View

log = logging.getLogger(__name__)
WINDOW = 60.0
TRIES = 8  # of a message at which something broke that is not Slack
# https://docs.slack.dev/apis/web-api/rate-limits: tier 3 is 50 a minute; posting is one a second in a channel, with short bursts.
UPDATES, PROGRESS, POSTS, BURST = 46, 26, 1.0, 8
ROOM = (UPDATES, 36, 26)  # edits in a minute by rank: what is left of them is kept for what ranks higher
PATIENCE = 1.0  # seconds that a last word may wait for its edit


class Refused(Exception):
    """Slack said no. `after` seconds later it may say yes; None: never."""

    def __init__(self, error: str, after: float | None = None) -> None:
        super().__init__(error)
        self.error, self.after = error, after


@dataclass(slots=True)
class Want:
    """What a message is to look like, and since when it has been waiting."""

    view: View
    since: float
    tries: int = 0
    not_before: float = 0.0


@dataclass
class Budget:
    """How much may be said still: edits of the workspace in any minute, posts in a channel in any second, and pauses Slack asked for."""

    updates: deque[float] = field(default_factory=deque)
    progress: float = 0.0
    posts: dict[str, float] = field(default_factory=dict)
    pauses: dict[str, float] = field(default_factory=dict)

    def wait(self, channel: str, rank: int, new: bool, now: float) -> float:
        """Seconds until this may be sent; 0 for now."""
        pause = self.pauses.get("post" if new else "update", 0) - now
        if new:
            return max(pause, self.posts.get(channel, now) - now - (BURST - 1) / POSTS, 0)
        while self.updates and self.updates[0] <= now - WINDOW:
            self.updates.popleft()
        room = ROOM[min(rank, 2)]
        full = self.updates[-room] + WINDOW - now if len(self.updates) >= room else 0.0
        paced = self.progress - now - 5 * WINDOW / PROGRESS if rank > 1 else 0.0
        return max(pause, full, paced, 0)

    def spend(self, channel: str, rank: int, new: bool, now: float) -> None:
        if new:
            self.posts[channel] = max(self.posts.get(channel, now), now) + 1 / POSTS
            return
        self.updates.append(now)
        if rank > 1:
            self.progress = max(self.progress, now) + WINDOW / PROGRESS

    def pause(self, new: bool, until: float) -> None:
        self.pauses["post" if new else "update"] = until


class Writer:
    """`send` makes one message look like a view, and raises Refused; `exists` says whether it stands in its thread already."""

    def __init__(self, send: Callable[[str, View], Awaitable[None]], exists: Callable[[str], bool], channel: Callable[[str], str]) -> None:
        self._send, self._exists, self._channel = send, exists, channel
        self._wants: dict[str, Want] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._quiet = asyncio.Condition()
        self.budget = Budget()

    def want(self, slot: str, view: View) -> None:
        """Ask for a view. Returns at once; a view that was still waiting is replaced, and keeps its place."""
        old = self._wants.get(slot)
        self._wants[slot] = Want(view, old.since if old else time.monotonic())
        self._changed.set()

    def forget(self, prefix: str) -> None:
        """Nobody follows these slots any more."""
        for slot in [slot for slot in self._wants if slot.startswith(prefix)]:
            del self._wants[slot]

    @property
    def crowded(self) -> bool:
        """Whether there is no room for one more edit soon, be it a last word."""
        waiting = sum(want.view.rank == 0 and self._exists(slot) for slot, want in self._wants.items())
        return self.budget.wait("", 0, False, time.monotonic()) > PATIENCE or len(self.budget.updates) + waiting >= UPDATES

    async def settled(self, prefix: str, rank: int = 2) -> None:
        """Wait until nothing is left to say of these slots, or nothing that is as pressing as this."""

        def quiet() -> bool:
            waiting = (slot for slot, want in self._wants.items() if want.view.rank <= rank)
            return not any(slot.startswith(prefix) for slot in (*waiting, *self._sending))

        async with self._quiet:
            await self._quiet.wait_for(quiet)

    async def run(self) -> None:
        """Send what is wanted, for ever."""
        try:
            while True:
                self._changed.clear()
                delay = self._start_all(time.monotonic())
                try:
                    async with asyncio.timeout(delay):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        finally:
            for task in self._sending.values():
                task.cancel()

    def _start_all(self, now: float) -> float | None:
        """Start whatever may be sent now; seconds until more may be."""
        waits = []
        for slot in sorted((slot for slot in self._wants if slot not in self._sending), key=lambda slot: self._order(slot)):
            want, channel, new = self._wants[slot], self._channel(slot), not self._exists(slot)
            rank = want.view.rank
            if wait := max(self.budget.wait(channel, rank, new, now), want.not_before - now):
                waits.append(wait)
                continue
            self.budget.spend(channel, rank, new, now)
            del self._wants[slot]
            self._sending[slot] = asyncio.create_task(self._deliver(slot, want, new), name=f"write-{slot}")
        return min(waits, default=None)

    def _order(self, slot: str) -> tuple[int, float]:
        want = self._wants[slot]
        return (want.view.rank, want.since)

    async def _deliver(self, slot: str, want: Want, new: bool) -> None:
        try:
            outcomes = await asyncio.gather(self._send(slot, want.view), return_exceptions=True)
            if isinstance(failed := outcomes[0], Refused):
                self._again(slot, want, new, failed)
            elif isinstance(failed, Exception):
                log.error("not_sent", exc_info=failed, extra={"action": "not_sent", "slot": slot})
                self._again(slot, want, new, Refused(type(failed).__name__, 1.0 if want.tries < TRIES else None))
        finally:
            del self._sending[slot]
            self._changed.set()
            async with self._quiet:
                self._quiet.notify_all()

    def _again(self, slot: str, want: Want, new: bool, refused: Refused) -> None:
        """What was refused for now is said later, unless there is something newer; progress is dropped."""
        log.warning("refused", extra={"action": "refused", "slot": slot, "error": refused.error, "after": refused.after})
        if refused.after is None:
            return
        now = time.monotonic()
        if refused.error == "ratelimited":
            self.budget.pause(new, now + refused.after)
        if want.view.rank > 1 and not new:
            return
        newer = self._wants.get(slot)
        self._wants[slot] = Want(
            newer.view if newer else want.view, want.since, want.tries + 1, now + refused.after * min(2**want.tries, 16)
        )
