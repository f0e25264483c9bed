"""The Claude Code process: with an environment of its own, and gone with all its children when it is closed."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from claude_agent_sdk import ClaudeSDKError, CLIConnectionError, CLIJSONDecodeError, ProcessError, Transport

from bot.errors import Unavailable

LINE = 64 << 20  # bytes; a line holds a whole tool result, images too
PATIENCE = 0.7  # seconds for each polite way to end; after them comes SIGKILL
TAIL = 2000  # bytes of what the process last complained about
REMEDY = "install the wheel of claude-agent-sdk that brings it, or set options.cli_path to where it is"


class Process(Transport):
    """Carries the SDK's messages. The SDK's own transport hands down all of our environment, and cannot end what a tool began.

    `mark` is an entry of the environment that no other process has but those that this one begins.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], mark: str) -> None:
        self.command, self.folder, self.environment, self.mark = command, folder, environment, mark
        self.done, self.complaint = False, ""
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)

    async def connect(self) -> None:
        end_all(self.mark)  # of a process of ours that was killed; two would write to one transcript
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, env=self.environment, limit=LINE, start_new_session=True,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self._complaints,
            )  # fmt: skip
        except OSError as error:
            raise Unavailable(f"Claude Code cannot be started ({self.command[0]}: {error.strerror}); {REMEDY}.") from error

    @property
    def _pipe(self) -> asyncio.StreamWriter:
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            raise CLIConnectionError("the process is not there")
        return self._process.stdin

    async def write(self, data: str) -> None:
        try:
            self._pipe.write(data.encode())
            await self._pipe.drain()
        except (BrokenPipeError, ConnectionResetError, CLIConnectionError) as error:
            await self._ended()
            raise self._gone() from error

    def _gone(self) -> ClaudeSDKError:
        code = self._process.returncode if self._process else None
        return CLIConnectionError("the process is gone") if code is None else ProcessError("the process ended", exit_code=code)

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                if line.startswith(b"{"):  # some builds say other things too
                    yield json.loads(line)
        except ValueError as error:
            raise CLIJSONDecodeError("", error) from error  # without the line: it may hold anything
        if await self._process.wait():
            raise self._gone()

    async def end_input(self) -> None:
        with suppress(CLIConnectionError):
            self._pipe.close()

    def is_ready(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def close(self) -> None:
        """End it, politely if it has nothing to do any more: it then writes down what the session has cost."""
        if self._complaints.closed:
            return
        try:
            if self.done:
                await self.end_input()
                await self._ended()
            self._signal(signal.SIGTERM)
            await self._ended()
        finally:
            self.kill()
            self.complaint = self._last()
            self._complaints.close()
        if self._process is not None:
            await self._process.wait()

    async def _ended(self) -> None:
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """At once, and without waiting, so that a second cancellation cannot come between."""
        self._signal(signal.SIGKILL)
        end_all(self.mark)

    def _last(self) -> str:
        """The last line that it wrote to its standard error."""
        self._complaints.seek(max(0, self._complaints.seek(0, os.SEEK_END) - TAIL))
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def end_all(mark: str) -> None:
    """Kill every process with this entry in its environment: tools run in sessions of their own, and may outlive who began them.

    Where there is no /proc, what Claude Code itself ends on SIGTERM has to be enough.
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
