"""The bell at our HTTP port: whoever works for us for long rings it when something has happened, and nobody has to hold the line."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bot.errors import StoreFailed

PATH = "/push"
MOST = 50  # rings in one second of which other replicas are told: anybody may ring
TOKENS = ("X-A2A-Notification-Token", "Authorization")


@dataclass(slots=True)
class Rope:
    """One who waits for it. Whoever is to ring needs `url` and `token`; `known` says that they have done so."""

    url: str
    token: str = field(repr=False)
    known: bool = False
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def pull(self) -> None:
        self.known = True
        self._rung.set()

    async def heard(self, seconds: float) -> None:
        """Return as soon as it has rung since the last time, or when so many seconds are over: somebody may have forgotten to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


class Bell:
    """`url` is where others reach our HTTP port; without one nobody can ring."""

    def __init__(self, url: str = "") -> None:
        self.url = url.rstrip("/")
        self.others: Callable[[str], Awaitable[None]] | None = None
        """How other replicas are told of a ring for which nobody waits here."""
        self._ropes: dict[str, Rope] = {}
        self._second, self._told = 0, 0

    @contextmanager
    def hung(self, token: str) -> Iterator[Rope | None]:
        """A rope, as long as the block lasts; None where nobody could reach it."""
        if not self.url:
            yield None
            return
        self._ropes[_mark(token)] = rope = Rope(self.url + PATH, token)
        try:
            yield rope
        finally:
            self._ropes.pop(_mark(token), None)

    async def rung(self, headers: Mapping[str, str]) -> bool:
        """Whether somebody waits for this, or may, elsewhere. What came along is not read: it is looked up where it cannot be forged."""
        marks = [_mark(token.removeprefix("Bearer ")) for name in TOKENS if (token := headers.get(name))]
        if any(map(self.pull, marks)):
            return True
        if not self.others or not marks or self._crowded():
            return False
        try:
            await asyncio.gather(*map(self.others, marks))
        except StoreFailed:
            return False
        return True

    def pull(self, mark: str) -> bool:
        """Whether somebody waits here for what has this mark."""
        if rope := self._ropes.get(mark):
            rope.pull()
        return rope is not None

    def _crowded(self) -> bool:
        second = int(time.monotonic())
        self._second, self._told = second, self._told + 1 if second == self._second else 1
        return self._told > MOST


def _mark(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()  # how long a look-up takes says nothing of the token
