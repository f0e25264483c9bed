"""The Claude Code process, as the SDK's transport."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from claude_agent_sdk import ClaudeSDKError, CLIConnectionError, CLIJSONDecodeError, ProcessError, Transport

from bot.errors import RuntimeFailed
from bot.runtimes.child import Child, Command

REMEDY = "install the wheel of claude-agent-sdk that brings it, or set options.cli_path to where it is"


class Process(Transport):
    """Carries the SDK's messages. The SDK's own transport hands down all of our environment, and cannot end what a tool began."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], mark: str) -> None:
        self.child = Child(Command("Claude Code", command, folder, environment, mark, REMEDY))
        self.done = False

    @property
    def complaint(self) -> str:
        return self.child.complaint

    async def connect(self) -> None:
        await self.child.start()

    async def write(self, data: str) -> None:
        try:
            await self.child.write(data)
        except RuntimeFailed as error:
            raise self._gone() from error

    def _gone(self) -> ClaudeSDKError:
        code = self.child.code
        return CLIConnectionError("the process is gone") if code is None else ProcessError("the process ended", exit_code=code)

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        try:
            async for line in self.child.lines():
                if line.startswith(b"{"):  # some builds say other things too
                    yield json.loads(line)
        except (ValueError, RuntimeFailed) as error:
            raise CLIJSONDecodeError("", error) from error  # without the line: it may hold anything
        await self.child.ended()
        if self.child.code:
            raise self._gone()

    async def end_input(self) -> None:
        await self.child.mute()

    def is_ready(self) -> bool:
        return self.child.pid > 0 and self.child.code is None

    async def close(self) -> None:
        """End it, politely if it has nothing to do any more: it then writes down what the session has cost."""
        await self.child.close(politely=self.done)

    def kill(self) -> None:
        self.child.kill()
