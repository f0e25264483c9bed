"""Waits for what nobody tells of."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T | Awaitable[T]], seconds: float = 10.0) -> T:
    """What the condition gives, once that is true."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            value: T = await found if isawaitable(found) else found
            if value:
                return value
            await asyncio.sleep(0.01)
