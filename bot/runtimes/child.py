"""A harness's process on this machine: an environment of its own, and gone with all that it began when it is closed."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.errors import RuntimeFailed, Unavailable

LINE = 64 << 20  # bytes; a line holds a whole tool result, images too
PATIENCE = 0.7  # seconds for each polite way to end; after them comes SIGKILL
TAIL = 2000  # bytes of what the process last complained about
WEIGH = 2.0  # seconds between two looks at its memory


@dataclass(frozen=True, slots=True)
class Command:
    """What is begun, and `name`, as people call it. `remedy` is what to do where it cannot be begun.

    `mark` is an entry of the environment that no other process has but those that this one begins. `memory` in bytes, of all
    of them together; 0 where there is no limit.
    """

    name: str
    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    mark: str
    remedy: str
    memory: int = 0


class Child:
    """One process. `broken` says why it was ended, where that was our doing."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.complaint = self.broken = ""
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        self._scales: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises Unavailable."""
        end_all(self.command.mark)  # of a process of ours that was killed; two would write to one transcript
        given = self.command
        try:
            self._process = await asyncio.create_subprocess_exec(
                *given.words, cwd=given.folder, env={**given.environment, **dict([given.mark.split("=", 1)])}, limit=LINE,
                start_new_session=True, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self._complaints,
            )  # fmt: skip
        except OSError as error:
            raise Unavailable(f"{given.name} cannot be started ({given.words[0]}: {error.strerror}); {given.remedy}.") from error
        if given.memory:
            self._scales = asyncio.create_task(self._weigh(given.memory), name=f"scales-{self._process.pid}")

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs, or never ran."""
        return self._process.returncode if self._process else None

    async def write(self, text: str) -> None:
        """Raises RuntimeFailed where nobody reads any more."""
        pipe = self._process.stdin if self._process else None
        try:
            if pipe is None or pipe.is_closing():
                raise BrokenPipeError
            pipe.write(text.encode())
            await pipe.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            await self.ended()
            raise RuntimeFailed(self.why()) from error

    async def lines(self) -> AsyncIterator[bytes]:
        """What it says, until it says nothing more. Raises RuntimeFailed for a line that is too long."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                yield line
        except ValueError as error:
            self.broken = f"{self.command.name} said more than {LINE >> 20} MiB in one line, so it was ended."
            raise RuntimeFailed(self.broken) from error

    async def mute(self) -> None:
        """Say nothing more to it: the polite way to end it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def ended(self) -> bool:
        """Whether it ends in a moment."""
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._process.wait()
        return self.code is not None

    async def close(self, *, politely: bool = False) -> None:
        if self._complaints.closed:
            return
        try:
            if politely:
                await self.mute()
                await self.ended()
            self._signal(signal.SIGTERM)
            await self.ended()
        finally:
            self.kill()
            self.complaint = self.last()
            self._complaints.close()
        if self._process is not None:
            await self._process.wait()

    def kill(self) -> None:
        """At once, and without waiting, so that a second cancellation cannot come between."""
        if self._scales:
            self._scales.cancel()
        self._signal(signal.SIGKILL)
        end_all(self.command.mark)

    def why(self) -> str:
        """Why it is not there any more, in words."""
        name, said = self.command.name, (self.complaint or self.last() or "nothing")[:300]
        if self.broken:
            return self.broken
        if self.code is None:
            return f"{name} has gone in the middle of its work. It said: {said}"
        if self.code < 0:
            return f"{name} was killed (signal {-self.code}); often that is a machine that has no memory left. Say how to go on."
        return f"{name} ended by itself with code {self.code}. It said: {said}"

    def last(self) -> str:
        """The last line that it wrote to its standard error."""
        if self._complaints.closed:
            return self.complaint
        self._complaints.seek(max(0, self._complaints.seek(0, os.SEEK_END) - TAIL))
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _weigh(self, limit: int) -> None:
        while True:
            await asyncio.sleep(WEIGH)
            if sum(map(_memory, family(self.pid))) > limit:
                self.broken = f"{self.command.name} used more than {limit >> 20} MiB of memory, so it was ended."
                return self._signal(signal.SIGKILL)


def end_all(mark: str) -> None:
    """Kill every process with this entry in its environment: tools run in sessions of their own, and may outlive who began them.

    Where there is no /proc, what the harness itself ends on SIGTERM has to be enough.
    """
    for _ in range(3):  # what is killed may have begun another just before
        found = list(_marked(mark.encode()))
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _marked(mark: bytes) -> Iterator[int]:
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environment.read_bytes().split(b"\0"):
                yield int(environment.parent.name)


def family(pid: int) -> Iterator[int]:
    """A process and all that it began, as far as /proc tells."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from family(int(child))


def _memory(pid: int) -> int:
    """In bytes; 0 where it has gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
