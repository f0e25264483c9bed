"""A command that is run for a workspace: it ends with all that it began, and what it says is heard line by line."""

import asyncio
import os
import re
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Hear = Callable[[str], Awaitable[None]]
PIECE = 1 << 16
ENDS = re.compile(rb"[\r\n]")
LAST = 12  # lines that are kept, for whoever has to know why it failed


@dataclass(frozen=True, slots=True)
class Command:
    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    seconds: float = 3600.0


class Broke(Exception):
    """It ended badly. `said` is the end of what it wrote; `code` is None where its time was over, or it was never begun."""

    def __init__(self, code: int | None, said: str) -> None:
        self.code, self.said = code, said
        super().__init__(said)


async def nobody(_: str) -> None: ...


async def run(command: Command, hear: Hear = nobody) -> str:
    """What it wrote last. Raises Broke."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command.words, cwd=command.folder, env=command.environment, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        raise Broke(None, f"{command.words[0]} cannot be started: {error.strerror}") from error
    assert process.stdout is not None
    kept: deque[str] = deque(maxlen=LAST)
    listening = asyncio.create_task(_listen(process.stdout, kept, hear))
    try:
        async with asyncio.timeout(command.seconds):
            code = await process.wait()
        _end(process)
        await listening
    except TimeoutError as error:
        raise Broke(None, "\n".join([*kept, f"It took longer than {command.seconds / 60:g} minutes, so it was ended."])) from error
    finally:
        _end(process)
        listening.cancel()
        await asyncio.wait([listening])
        await process.wait()
    said = "\n".join(kept)
    if code:
        raise Broke(code, said)
    return said


def _end(process: asyncio.subprocess.Process) -> None:
    """What it began goes with it, also where it has ended by itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _listen(pipe: asyncio.StreamReader, kept: deque[str], hear: Hear) -> None:
    rest = b""
    while piece := await pipe.read(PIECE):
        *lines, rest = ENDS.split(rest + piece)
        rest = rest[-PIECE:]
        for line in filter(None, [line.decode(errors="replace").strip() for line in [*lines]]):
            kept.append(line[:1000])
            await hear(line[:1000])
    if last := rest.decode(errors="replace").strip():
        kept.append(last[:1000])
