"""A harness's process on this machine: an environment of its own, and gone with all that it began when it is closed."""

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot import processes
from bot.errors import RuntimeFailed, Unavailable
from bot.processes import Known, end_all, family, known, still, used

LINE = 64 << 20  # bytes; a line holds a whole tool result, images too
PATIENCE = 0.7  # seconds for each polite way to end; after them comes SIGKILL
TAIL = 2000  # bytes of what the process last complained about
LOGIN = re.compile(r"\blog(ged)?[ -]?in\b|\bsign(ed)?[ -]?in\b|\bauthenticated?\b|api[ _-]?key", re.IGNORECASE)
KEY = "Put its key into frontdesk's environment, and name it under `environment:` in the agent's file."
LOUD = 8 << 20  # bytes of complaints, of which more are forgotten


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
    """One process. `broken` says why it was ended, where that was our doing; `left`, that what it has begun may outlive it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.complaint = self.broken = ""
        self.left = False
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (closed with the process)
        self._scales: asyncio.Task[None] | None = None
        self._began: set[Known] = set()

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
        self.weigh()

    def weigh(self) -> None:
        """From now on look at what it uses."""
        self._scales = asyncio.create_task(self._weigh(self.command.memory), name=f"scales-{self.pid}")

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
        """What it says, until it says nothing more. Raises RuntimeFailed for a line that is too long, and ends it."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                yield line
        except ValueError as error:
            self.broken = f"{self.command.name} said more than {LINE >> 20} MiB in one line, so it was ended."
            self.kill()
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
        self._learn()
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
            await self.ended()  # also where whoever closes it is cancelled: it has been killed, and is soon gone

    def kill(self) -> None:
        """At once, and without waiting, so that a second cancellation cannot come between."""
        if self._complaints.closed:
            return  # it was killed when it was closed
        if self._scales:
            self._scales.cancel()
        self._learn()
        self._signal(signal.SIGKILL)
        if not self.left:
            end_all(self.command.mark, self._began)

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

    def unfit(self, why: str = "") -> str:
        """Why it never came to its work, in words with the remedy; `why` is what is known of one that has not ended by itself."""
        if self.broken or self.code is None or self.code < 0:
            return why or self.why()
        said = self.complaint or self.last()
        if LOGIN.search(said):
            return f"{self.why()}\n{KEY}"
        other = "" if self.code or said else " to know how it is begun here, or another program"
        return f"{self.why()}\nPerhaps it is too old{other}; {self.command.remedy}."

    def slow(self, seconds: float) -> str:
        """Why it is not waited for any more, in words with the remedy."""
        said = f" It said: {last}" if (last := self.last()[:300]) else ""
        return f"{self.command.name} did not start within {seconds:g} seconds; allow it more in options.start_seconds.{said}"

    def last(self) -> str:
        """The last line that it wrote to its standard error."""
        if self._complaints.closed:
            return self.complaint
        lines = self._end().replace(b"\0", b"").decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _learn(self) -> None:
        """What it has begun is its own also once nothing else tells so: its mark can be dropped, and who began it may end."""
        first = [self.pid] if self.pid and self.code is None else []
        self._began = known({pid for one in (*first, *still(self._began)) for pid in family(one)})

    async def _weigh(self, limit: int) -> None:
        while True:
            await asyncio.sleep(processes.WEIGH)
            self._learn()
            self._forget()
            if self.code is not None:  # what it began may hold its pipes, and would go on with nobody to end it
                return self.kill()
            if limit and used(self.pid, self.command.mark) > limit:
                self.broken = f"{self.command.name} used more than {limit >> 20} MiB of memory, so it was ended."
                return self.kill()

    def _forget(self) -> None:
        """All but the end of what it complained of, where that fills the disk."""
        if os.fstat(self._complaints.fileno()).st_blocks * 512 > LOUD:
            end = self._end()
            self._complaints.seek(0)
            self._complaints.truncate()
            self._complaints.write(end)

    def _end(self) -> bytes:
        self._complaints.seek(max(0, self._complaints.seek(0, os.SEEK_END) - TAIL))
        return self._complaints.read()
