"""What has changed in the stand-in, for whoever waits or watches."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self, TypeVar

T = TypeVar("T")
Json = dict[str, Any]

# Conditions may also look at things outside the stand-in, whose changes nobody tells us: look again after this many seconds.
AGAIN = 0.02


class Watch:
    """The changes from now on, as small dicts `{"kind": …}`; the oldest are dropped for a watcher that is too slow."""

    def __init__(self, size: int) -> None:
        self._waiting: deque[Json] = deque(maxlen=size)
        self._ready = asyncio.Event()
        self._closed = False

    def push(self, change: Json) -> None:
        self._waiting.append(change)
        self._ready.set()

    def close(self) -> None:
        self._closed = True
        self._ready.set()

    @property
    def closed(self) -> bool:
        return self._closed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Json:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._waiting.popleft()


class Feed:
    """Tells each change to the watchers, and wakes those who wait for a condition."""

    def __init__(self, again: float = AGAIN) -> None:
        self._again = again
        self._waiters: set[asyncio.Future[None]] = set()
        self._watches: set[Watch] = set()

    def tell(self, kind: str, **facts: Any) -> None:
        """Something changed; `facts` are few and small: ids, and the thing itself where a page would show it."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        if not self._watches:
            return
        change = {"kind": kind, **facts}
        for watch in [each for each in self._watches if each.closed]:
            self._watches.discard(watch)
        for watch in self._watches:
            watch.push(change)

    def watch(self, size: int) -> Watch:
        watch = Watch(size)
        self._watches.add(watch)
        return watch

    def close(self) -> None:
        for watch in self._watches:
            watch.close()
        self._watches.clear()

    async def until(self, condition: Callable[[], T], seconds: float, picture: Callable[[], str]) -> T:
        """Wait till the condition holds, and return its value; a LookupError in it counts as *not yet*."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := attempt(condition)):
                    await self._changed()
                return value
        except TimeoutError:
            raise TimeoutError(f"not within {seconds} s; {picture()}") from None

    async def _changed(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait((waiter,), timeout=self._again)
        finally:
            self._waiters.discard(waiter)


def attempt(condition: Callable[[], T]) -> T | None:
    try:
        return condition()
    except LookupError:
        return None
