"""What a task tells, as a runtime tells it; and the task's end, wherever the hearing ends."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from bot.event import Event

WAITING = 100  # events that nobody has taken yet; then whoever tells waits


async def telling(
    work: Callable[[MemoryObjectSendStream[Event]], Coroutine[Any, Any, None]],
    name: str,
    leave: Callable[["asyncio.Task[None]"], Awaitable[None]] | None = None,
) -> AsyncGenerator[Event, None]:
    """`work` is given where to tell, and closes that when it is over. Raises what it raises; closing this cancels it, and waits.

    `leave` is what is done before that, as long as somebody could still hear.
    """
    tell, told = anyio.create_memory_object_stream[Event](WAITING)
    task = asyncio.create_task(work(tell), name=name)
    try:
        async for event in told:
            yield event
        await task
    finally:
        try:
            if leave:
                await leave(task)
        finally:
            task.cancel()
            try:
                await asyncio.wait([task])
            finally:
                told.close()
        _ = task.cancelled() or task.exception()  # nobody is left to hear it


def drop(tell: MemoryObjectSendStream[Event], event: Event) -> None:
    """Tell it if there is still somebody to tell; never wait."""
    with suppress(anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
        tell.send_nowait(event)
