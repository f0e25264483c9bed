"""The one writer of a workspace: keeps every message of ours equal to its newest view, within Slack's limits, last words first."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from bot.errors import StoreFailed
from bot.slack.budget import Budget
from bot.slack.limits import APPEND, EDITS, POST, START, STOP, UPDATE, keys, paid
from bot.slack.view import View

log = logging.getLogger(__name__)
TRIES = 8  # of a message at which something broke that is neither Slack nor the database
PATIENCE = 1.0  # seconds that a last word may wait for its edit
GLANCE = 1.0  # seconds that people have to look at a message until it changes, unless it is for the last time
AT_ONCE = 50  # writes that are on their way: of more, each would reach Slack long after its call was counted
HOLD = 3.0  # seconds for which nothing tells of progress while there is no room for edits: what ends sooner takes one message
KEEP = {UPDATE: (0, 1, 2), POST: (0, 60, 90), "": (0, 3, 4)}  # by rank: what is left of a budget for what ranks higher; "": of a channel's
KEEP |= dict.fromkeys((START, APPEND, STOP), (0, 0, 0))
OPEN = int(EDITS.minute)  # messages that tell of progress at the same time: each can change once a minute, and all can end in one


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
    methods: tuple[str, ...] = ()  # what has been paid for
    context: Context = field(default_factory=copy_context)  # a write belongs to the turn that asked for it, in traces too


class Writer:
    """`send` makes one message look like a view, and raises Refused; `exists` says whether it stands in its thread already.

    `methods` are those that are called for a view where that is not just a post or an edit.
    """

    def __init__(
        self, send: Callable[[str, View], Awaitable[None]], exists: Callable[[str], bool], channel: Callable[[str], str], budget: Budget,
        methods: Callable[[str, View], tuple[str, ...]],
    ) -> None:  # fmt: skip
        self._send, self._exists, self._channel, self.budget, self._methods = send, exists, channel, budget, methods
        self._wants: dict[str, Want] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._said: dict[str, float] = {}
        self._dropped: set[str] = set()  # what is on its way, and nobody follows any more
        self._open: set[str] = set()  # messages that tell of progress, and have to be ended still
        self._until: dict[tuple[str, int], float] = {}  # when a budget may have something for this rank again
        self._changed = asyncio.Event()
        self._quiet = asyncio.Condition()

    def want(self, slot: str, view: View) -> None:
        """Ask for a view. Returns at once; a view that was still waiting is replaced and keeps its place; a last word takes the last."""
        old = self._wants.get(slot)
        self._dropped.discard(slot)
        since = old.since if old and (view.rank or not old.view.rank) else time.monotonic()
        self._wants[slot] = Want(view, since)
        self._changed.set()

    def takes(self, slot: str) -> bool:
        """Whether progress can be told there: it stands there already, or there is room for one more that tells of it."""
        return slot in self._open or self._exists(slot) or slot in self._sending or len(self._open) < OPEN // self.budget.replicas

    def sending(self, slot: str) -> bool:
        return slot in self._sending

    def left(self, prefix: str) -> dict[str, View]:
        """What waits still of these slots."""
        return {slot: want.view for slot, want in self._wants.items() if slot.startswith(prefix)}

    def move(self, slot: str, to: str, view: View) -> None:
        """What waits goes on under another name."""
        want = self._wants.pop(slot, None) or Want(view, time.monotonic())
        self._wants[to] = want
        if slot in self._open:
            self._open.add(to)

    def forget(self, prefix: str) -> None:
        """Nobody follows these slots any more."""
        self.hurry(prefix)
        for slot in [slot for slot in self._wants if slot.startswith(prefix)]:
            del self._wants[slot]
        self._open = {slot for slot in self._open if not slot.startswith(prefix)}
        self._dropped |= {slot for slot in self._sending if slot.startswith(prefix)}
        self._changed.set()

    def hurry(self, prefix: str) -> None:
        """What is asked for next is for the last time."""
        for slot in [slot for slot in self._said if slot.startswith(prefix)]:
            del self._said[slot]

    @property
    def waiting(self) -> int:
        return len(self._wants)

    def crowded(self, slot: str) -> bool:
        """Whether the last word of this message would stand there sooner as a message of its own than as an edit."""
        words = [(self._channel(each), self._exists(each)) for each, want in self._wants.items() if want.view.rank == 0]
        edit = self.budget.delay(UPDATE, sum(there for _, there in words))
        if edit <= PATIENCE:
            return False
        channel = self._channel(slot)
        new = sum(not there for _, there in words)
        here = sum(not there and where == channel for where, there in words)
        return max(self.budget.delay(POST, new), self.budget.delay(f"{POST}:{channel}", here)) < edit

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
                delay = await self._start_all()
                await self._rest(delay)
        finally:
            for task in self._sending.values():
                task.cancel()

    async def _rest(self, delay: float | None) -> None:
        """Until something has changed. Not by `wait_for`, which in Python 3.11 forgets that it was cancelled where both come together."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._changed.wait()

    async def _start_all(self) -> float | None:
        """Start whatever may be sent now; seconds until more may be."""
        waits = []
        for slot in sorted((slot for slot in self._wants if slot not in self._sending), key=lambda slot: self._order(slot)):
            if len(self._sending) >= AT_ONCE:
                break
            wait = await self._wait(slot)
            if wait:
                waits.append(wait)
            elif wait == 0 and (want := self._wants.pop(slot, None)):
                self._start(slot, want)
        return min(waits, default=None)

    def _start(self, slot: str, want: Want) -> None:
        if want.view.rank:
            self._said[slot] = time.monotonic()
        new = not self._exists(slot)
        ends = want.view.rank < (1 if new else 2)
        (self._open.discard if ends else self._open.add)(slot)
        work = self._deliver(slot, want, new)
        self._sending[slot] = asyncio.create_task(work, name=f"write-{slot}", context=want.context)

    def _order(self, slot: str) -> tuple[int, float]:
        """What ranks higher first, and of that the message which people have seen unchanged for longest."""
        want = self._wants[slot]
        return (want.view.rank, self._said.get(slot, want.since) if want.view.rank else want.since)

    async def _wait(self, slot: str) -> float | None:
        """Seconds until this may be sent; 0 for now, and then its call has been taken. None: not before something else has changed."""
        want, now, new = self._wants.get(slot), time.monotonic(), not self._exists(slot)
        if want is None or (want.view.rank and not self.takes(slot)):
            return None
        glance = self._said.get(slot, 0.0) + GLANCE if want.view.rank and not new else 0.0
        brief = want.since + HOLD if new and want.view.rank and self.budget.room(UPDATE) < 1 else 0.0
        if (wait := max(want.not_before, glance, brief) - now) > 0:
            return wait
        want.methods = self._methods(slot, want.view) or (POST if new else UPDATE,)
        channel = self._channel(slot)
        needed = [(key, _keep(key, want.view.rank)) for method in want.methods for key in reversed(keys(method, channel))]
        if (wait := max(self._until.get((key, keep), 0.0) for key, keep in needed) - now) > 0:
            return wait
        if (wait := max(self.budget.delay(key, keep) for key, keep in needed)) > 0:  # before any is taken, which would be lost
            return wait
        for key, keep in needed:
            if wait := await self.budget.take(key, keep, len(self._wants)):
                self._until[key, keep] = time.monotonic() + wait
                return wait
        return 0.0

    async def _deliver(self, slot: str, want: Want, new: bool) -> None:
        paid.set(want.methods)
        try:
            outcomes = await asyncio.gather(self._send(slot, want.view), return_exceptions=True)
            if isinstance(failed := outcomes[0], Refused):
                self._again(slot, want, new, failed)
            elif isinstance(failed, Exception):
                log.error("not_sent", exc_info=failed, extra={"action": "not_sent", "slot": slot})
                lasts = isinstance(failed, StoreFailed) or want.tries < TRIES
                self._again(slot, want, new, Refused(type(failed).__name__, 1.0 if lasts else None))
        finally:
            del self._sending[slot]
            self._dropped.discard(slot)
            self._changed.set()
            async with self._quiet:
                self._quiet.notify_all()

    def _again(self, slot: str, want: Want, new: bool, refused: Refused) -> None:
        """What was refused for now is said later, unless there is something newer; progress is dropped."""
        log.warning("refused", extra={"action": "refused", "slot": slot, "error": refused.error, "after": refused.after})
        if slot in self._dropped:
            self._open.discard(slot)
            return
        if refused.after is None or (want.view.rank > 1 and not new):
            return
        newer, pause = self._wants.get(slot), max(refused.after, min(2.0**want.tries, 16.0))
        view = newer.view if newer else want.view
        self._wants[slot] = Want(view, want.since, want.tries + 1, time.monotonic() + pause, context=want.context)


def _keep(key: str, rank: int) -> int:
    return KEEP.get(key, KEEP[""])[min(rank, 2)]
