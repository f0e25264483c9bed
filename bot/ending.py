"""Tasks that are told to stop, and are waited for until they have."""

import asyncio
from typing import Any

CLOSING = 10.0  # seconds that a runtime may take to stop


async def stop(*tasks: "asyncio.Task[Any]") -> bool:
    """Whether all have stopped in time; waited for also where whoever waits is told to stop meanwhile: nobody else would know of them."""
    for task in tasks:
        task.cancel()
    ending = asyncio.create_task(asyncio.wait(tasks, timeout=CLOSING))
    try:
        _, left = await asyncio.shield(ending)
    except asyncio.CancelledError:
        await ending
        raise
    return not left
