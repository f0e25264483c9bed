"""Hears each event of one request once, over all connections: by its id, or by its place where all are told again."""

from collections.abc import AsyncGenerator, AsyncIterator

from bot.runtimes.feed import Raw
from bot.runtimes.http_profile import Stream


class Ear:
    """`heard` are so many events."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self.heard = 0
        self._ids: set[str] = set()
        self._before: set[str] = set()  # those of earlier connections: within one, two events may share theirs
        self._last, self._place = "", 0

    def again(self) -> dict[str, str]:
        """The headers that say what was heard already."""
        assert self.stream
        self._place = 0 if self.stream.replays else self.heard
        self._before |= self._ids
        return {self.stream.cursor: self._last} if self.stream.cursor and self._last else {}

    async def fresh(self, raws: AsyncIterator[Raw]) -> AsyncGenerator[Raw, None]:
        async for raw in raws:
            self._place += 1
            if raw.id in self._before or (not raw.id and self._place <= self.heard):
                continue
            self._ids |= {raw.id} - {""}
            self._last, self.heard = raw.id or self._last, self.heard + 1
            yield raw
