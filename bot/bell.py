"""The bell at our HTTP port: whoever works for us for long rings it when something has happened, and nobody has to hold the line."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PATH = "/push"
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
        self._ropes: dict[bytes, Rope] = {}

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

    def rung(self, headers: Mapping[str, str]) -> bool:
        """Whether somebody waits for this. What came along is not even read: it is looked up where it cannot be forged."""
        marks = (_mark(headers.get(name, "").removeprefix("Bearer ")) for name in TOKENS)
        rope = next((self._ropes[mark] for mark in marks if mark in self._ropes), None)
        if rope:
            rope.pull()
        return rope is not None


def _mark(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()  # how long a look-up takes says nothing of the token
