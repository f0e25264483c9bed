"""The Claude Code process, as the SDK's transport."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from claude_agent_sdk import ClaudeSDKError, CLIConnectionError, ProcessError, Transport

from bot.errors import RuntimeFailed
from bot.runtimes.child import Child, Command

logging.getLogger("claude_agent_sdk._internal.query").setLevel(logging.CRITICAL)  # it would say, without a session, what the turn tells


class Process(Transport):
    """Carries the SDK's messages. The SDK's own transport hands down all of our environment, and cannot end what a tool began."""

    def __init__(self, command: Command) -> None:
        self.child = Child(command)
        self.done = False

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
                if message := read(line):
                    yield message
        except RuntimeFailed as error:
            raise CLIConnectionError(str(error)) from error
        await self.child.ended()
        if self.child.code or not self.done:  # the SDK would wait for what nobody says any more
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


def read(line: bytes) -> dict[str, Any] | None:
    """A message; None for what some builds say beside them."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
