"""How soon it is there, and what it takes when nothing happens."""

import asyncio
from contextlib import AsyncExitStack

from benchmarks.rows import Row, share
from benchmarks.stage import BARE, OURS, Stage, bot, stage


async def measure(quick: bool) -> list[Row]:
    first, second, bare = [], [], []
    for _ in range(1 if quick else 3):
        async with stage() as here, stage() as there:
            bare.append(await _start(there, BARE))
            first.append(await _start(here))
            second.append(await _start(here))
    names, sizes = ("first", "second"), await _memory(2 if quick else 10)
    bare_size = _size(*sizes.pop())
    return [
        Row("start until connected, first, with its database", f"{share(first, 50):.2f} s", f"{share(bare, 50):.2f} s"),
        Row("start until connected, second", f"{share(second, 50):.2f} s", f"{share(bare, 50):.2f} s"),
        *[Row(f"memory when idle, {name} start, RSS / PSS", _size(*size), bare_size) for name, size in zip(names, sizes, strict=True)],
    ]


def _size(rss: float, pss: float) -> str:
    return f"{rss:.0f} / {pss:.0f} MiB"


async def _start(place: Stage, arguments: tuple[str, ...] = OURS) -> float:
    async with bot(place, arguments) as started:
        return started.start


async def _memory(seconds: float) -> list[tuple[float, float]]:
    """Of ours after a first and after a second start, and of the bare one, so many seconds after they have connected."""
    async with AsyncExitStack() as stack:
        fresh, used, there = [await stack.enter_async_context(stage()) for _ in range(3)]
        await _start(used)
        started = [await stack.enter_async_context(bot(place, which)) for place, which in ((fresh, OURS), (used, OURS), (there, BARE))]
        await asyncio.sleep(seconds)
        return [each.memory() for each in started]
