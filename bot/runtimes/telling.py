"""What a task tells, as a runtime tells it; and the task's end, wherever the hearing ends."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event

T = TypeVar("T")
WAITING = 100  # events that nobody has taken yet; then whoever tells waits


async def telling(
    work: Callable[[MemoryObjectSendStream[T]], Coroutine[Any, Any, None]],
    name: str,
    leave: Callable[["asyncio.Task[None]"], Awaitable[None]] | None = None,
) -> AsyncGenerator[T, None]:
    """`work` is given where to tell, and closes that when it is over. Raises what it raises; closing this cancels it, and waits.

    One that has closed it already may end in peace. `leave` is what is done before that, as long as somebody could still hear.
    """
    tell, told = anyio.create_memory_object_stream[T](WAITING)
    task = asyncio.create_task(work(tell), name=name)
    try:
        async for event in told:
            yield event
        await task
    finally:
        try:
            if leave:
                await leave(task)
            if not told.statistics().open_send_streams:
                await asyncio.wait([task])
        finally:
            task.cancel()
            try:
                await asyncio.wait([task])
            finally:
                told.close()
        _ = task.cancelled() or task.exception()  # nobody is left to hear it


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """It goes on as long as this lasts; where it fails, so does this: nobody would hear of it elsewhere."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work, name=name)
            yield
            task.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


@contextmanager
def underway(begun: Callable[[], bool]) -> Iterator[None]:
    """Around a turn: Unavailable, after which another runtime may be tried, is only raised while nothing has begun."""
    try:
        yield
    except Unavailable as error:
        if begun():
            raise RuntimeFailed(str(error)) from error
        raise


def drop(tell: MemoryObjectSendStream[Event], event: Event) -> None:
    """Tell it if there is still somebody to tell; never wait."""
    with suppress(anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
        tell.send_nowait(event)
