"""Locks between sessions and between processes: a file, which the system lets go of when its process ends."""

import asyncio
import fcntl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

LOOK = 0.02  # seconds between two tries


@asynccontextmanager
async def held(file: Path, seconds: float, *, shared: bool = False) -> AsyncIterator[None]:
    """Only one has it at a time, or any number of those that only share it. Raises TimeoutError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    with file.open("a") as opened:
        while not _taken(opened.fileno(), shared):
            if time.monotonic() > end:
                raise TimeoutError(f"{file} is held by another")
            await asyncio.sleep(LOOK)
        yield


@contextmanager
def free(file: Path) -> Iterator[bool]:
    """Whether nobody has it; nobody gets it until the block is left."""
    with file.open("a") as opened:
        yield _taken(opened.fileno(), False)


def _taken(file: int, shared: bool) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
