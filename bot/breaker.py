"""Platforms that do not answer are left alone for a while, so that nobody waits for them in vain; and it is said since when."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot import clock
from bot.errors import RuntimeFailed, Unavailable

FAILURES = 3  # one after the other, until it is left alone
PAUSE, LONGEST = 15.0, 300.0  # seconds; it doubles with each try that fails
TRYING = 10.0  # seconds in which one that tries it again is connected, or never


class Down(Unavailable):
    """Nobody answered: what counts against a platform. What it answers, be it an error, does not."""


class Left(Down):
    """It was not even asked, because it is left alone until `again` (Unix seconds)."""

    def __init__(self, words: str, again: float) -> None:
        super().__init__(words)
        self.again = again


@dataclass(slots=True)
class Place:
    """A host. `since` and `again` are Unix seconds; `since` is 0 while it answers."""

    host: str
    failures: int = 0
    since: float = 0.0
    again: float = 0.0
    pause: float = PAUSE
    now: Callable[[], float] = clock.now

    @property
    def words(self) -> str:
        again = f"trying again at {at(self.again)}" if self.again > self.now() else "whoever asks next tries again"
        return f"{self.host} does not answer since {at(self.since)}; {again}."


class Breaker:
    """All places of this process."""

    def __init__(self, now: Callable[[], float] = clock.now) -> None:
        self.now = now
        self._places: dict[str, Place] = {}

    def troubles(self) -> list[Place]:
        """The places that are left alone now."""
        return [place for place in self._places.values() if place.again]

    def forget(self) -> None:
        """What was known of all places."""
        self._places.clear()

    @contextmanager
    def through(self, host: str) -> Iterator[None]:
        """Around one request. Raises Left, without asking, while the host is left alone; also while one who tries it may be connecting."""
        place = self._places.setdefault(host, Place(host, now=self.now))
        if self.now() < place.again <= self.now() + LONGEST:  # a clock may be set back
            raise Left(place.words, place.again)
        if place.again:
            place.again = self.now() + TRYING
        try:
            yield
        except Down:
            self._failed(place)
            raise
        except RuntimeFailed:
            self._places.pop(host, None)
            raise
        else:
            self._places.pop(host, None)

    def _failed(self, place: Place) -> None:
        place.failures += 1
        place.since = place.since or self.now()
        if place.failures >= FAILURES:
            place.again = self.now() + place.pause
            place.pause = min(place.pause * 2, LONGEST)


def at(seconds: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(seconds))


BREAKER = Breaker()
"""The one of this process."""
