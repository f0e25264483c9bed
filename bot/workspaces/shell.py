"""A command that is run for a workspace: it ends with all that it began, and what it says is heard line by line."""

import asyncio
import os
import re
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot import processes

Hear = Callable[[str], Awaitable[None]]
PIECE = 1 << 16
ENDS = re.compile(rb"[\r\n]")
REST = 5.0  # seconds for what was said last to be heard
LAST = 12  # lines that are kept, for whoever has to know why it failed


@dataclass(frozen=True, slots=True)
class Command:
    """`mark` is an entry of the environment by which all that it begins is known; `memory` in bytes for all of it, 0 for any."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    seconds: float = 3600.0
    mark: str = ""
    memory: int = 0


class Broke(Exception):
    """It ended badly. `said` is the end of what it wrote; `code` is None where its time was over, or it was never begun."""

    def __init__(self, code: int | None, said: str) -> None:
        self.code, self.said = code, said
        super().__init__(said)


async def nobody(_: str) -> None: ...


async def run(command: Command, hear: Hear = nobody) -> str:
    """What it wrote last. Raises Broke."""
    out, into = os.pipe()  # of our own: asyncio's would be waited for, and what the command left behind may hold it
    with ExitStack() as unread:
        unread.callback(os.close, out)
        process = await _begun(command, into)
        unread.pop_all()
    kept: deque[str] = deque(maxlen=LAST)
    listening = asyncio.create_task(_listen(out, kept, hear))
    weighing = asyncio.create_task(_weigh(process, command))
    try:
        async with asyncio.timeout(command.seconds):
            code = await process.wait()
        _end(process, command)
        await asyncio.wait([listening], timeout=REST)
    except TimeoutError as error:
        raise Broke(None, "\n".join([*kept, f"It took longer than {command.seconds / 60:g} minutes, so it was ended."])) from error
    finally:
        _end(process, command)
        heavy = weighing.done()
        await _cancel(listening, weighing)
        await process.wait()
    if heavy:
        raise Broke(None, "\n".join([*kept, f"It used more than {command.memory >> 20} MiB of memory, so it was ended."]))
    said = "\n".join(kept)
    if code:
        raise Broke(code, said)
    return said


async def _begun(command: Command, into: int) -> asyncio.subprocess.Process:
    """Raises Broke."""
    try:
        return await asyncio.create_subprocess_exec(
            *command.words, cwd=command.folder, env={**command.environment, **_entry(command.mark)}, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=into, stderr=into,
        )  # fmt: skip
    except OSError as error:
        raise Broke(None, f"{command.words[0]} cannot be started: {error.strerror}") from error
    finally:
        os.close(into)


def _entry(mark: str) -> Mapping[str, str]:
    return dict([mark.split("=", 1)]) if mark else {}


def _end(process: asyncio.subprocess.Process, command: Command) -> None:
    """What it began goes with it, also where it has ended by itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if command.mark:
        processes.end_all(command.mark)


async def _weigh(process: asyncio.subprocess.Process, command: Command) -> None:
    """Until it is too heavy, and is ended for that."""
    while not command.memory or processes.used(process.pid, command.mark) <= command.memory:  # noqa: ASYNC110  (nobody tells)
        await asyncio.sleep(processes.WEIGH)
    _end(process, command)


async def _cancel(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _listen(out: int, kept: deque[str], hear: Hear) -> None:
    pipe = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(pipe), os.fdopen(out, "rb", 0))
    with closing(transport):
        await _hear(pipe, kept, hear)


async def _hear(pipe: asyncio.StreamReader, kept: deque[str], hear: Hear) -> None:
    rest = b""
    while piece := await pipe.read(PIECE):
        *lines, rest = ENDS.split(rest + piece)
        rest = rest[-PIECE:]
        for line in filter(None, [line.decode(errors="replace").strip() for line in [*lines]]):
            kept.append(line[:1000])
            await hear(line[:1000])
    if last := rest.decode(errors="replace").strip():
        kept.append(last[:1000])
