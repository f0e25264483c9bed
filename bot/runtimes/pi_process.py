"""Pi's process: commands go in, records come out, each a line of JSON."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from bot.errors import RuntimeFailed, Unavailable
from bot.runtimes.child import PATIENCE, Child
from bot.runtimes.claude_words import short

Json = dict[str, Any]
NODE = re.compile(r"Node\.js v(\d\S*)")


class Process:
    """Raises RuntimeFailed where it has gone; `start` raises Unavailable."""

    def __init__(self, child: Child, seconds: float, file: str) -> None:
        self.child, self.seconds, self.file = child, seconds, file
        self.records = self._records()

    async def start(self) -> tuple[Json, list[Json]]:
        """How its session stands, and what was said in it. Without our extension nobody would be asked, so that has to be there."""
        await self.child.start()
        try:
            async with asyncio.timeout(self.seconds):
                await self.send({"type": "get_state", "id": "state"})
                await self.send({"type": "get_messages", "id": "messages"})
                return await self._greeted()
        except TimeoutError as error:
            raise Unavailable(self.child.slow(self.seconds)) from error
        except RuntimeFailed as error:
            raise Unavailable(self._why(self.child.unfit(str(error)))) from error

    async def _greeted(self) -> tuple[Json, list[Json]]:
        state: Json | None = None
        ready = False
        async for record in self.records:
            match record:
                case {"type": "extension_ui_request", "method": "setStatus", "statusKey": "frontdesk"}:
                    ready = True
                case {"type": "response", "id": "state", "success": True, "data": dict(data)}:
                    state = data
                case {"type": "response", "id": "messages", "data": {"messages": list(messages)}} if ready and state is not None:
                    return state, messages
                case {"type": "response", "id": "messages"}:
                    raise RuntimeFailed("Pi has not loaded Frontdesk's extension, or is too old; install it anew.")
        raise RuntimeFailed(self.child.why())

    async def send(self, command: Json) -> None:
        await self.child.write(json.dumps(command) + "\n")

    async def _records(self) -> AsyncGenerator[Json, None]:
        async with aclosing(self.child.lines()) as lines:  # type: ignore[type-var]
            async for line in lines:
                if record := read(line):
                    yield record
        await self.child.ended()

    async def close(self, done: bool) -> None:
        """As a courtesy it is told to stop, so that its history says that the work was cut."""
        try:
            with suppress(RuntimeFailed, TimeoutError):
                async with asyncio.timeout(PATIENCE / 2):
                    await self.send({"type": "abort"}) if not done and self.child.code is None else None
            await self.child.close(politely=done)
        finally:
            self.child.kill()
            await self.records.aclose()

    def _why(self, words: str) -> str:
        """Why it did not start, where it is plain."""
        said = self.child.complaint or self.child.last()
        if old := older(said, self.file):
            return old
        if "not found" in said and "odel" in said:
            return f"Pi does not know this model; correct `model:` in {self.file}. It said: {short(said, 300)}"
        return words


def older(said: str, file: str) -> str:
    """What to do about a Node that is too old, where Pi complains of it."""
    found = NODE.search(said)
    remedy = f"put a newer one first in PATH, and name PATH under `environment:` in {file}"
    return f"Pi needs Node 22.19 or newer, and found {found[1]}; {remedy}." if found else ""


def read(line: bytes) -> Json | None:
    """None for what is no record."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None
