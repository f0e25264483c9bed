"""Agents in AgentCore that know nothing of us: a prompt goes in, and text comes out, whole or in pieces."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from bot.errors import RuntimeFailed
from bot.event import Event, Finished, Started, Text
from bot.ports import Turn
from bot.runtimes.claude_words import short
from bot.runtimes.feed import Form, Raw, Unread, events
from bot.runtimes.shim_line import PASSING, Carrier, Chunks
from bot.runtimes.unknown import Unknown

TEXTS = ("text", "data", "delta", "result", "response", "output", "message", "content", "completion")
CUT = "This was cut in its middle, and an agent of this kind cannot say what became of it: look there, or ask again."
STREAM = (b"data:", b"event:", b"id:", b":", b"retry:")


class Plain:
    """One turn. Such an agent has no way to ask people, cannot be steered, and tells nothing twice."""

    def __init__(self, turn: Turn, carrier: Carrier, silence: float) -> None:
        self.turn, self.carrier, self.silence = turn, carrier, silence
        self.unknown, self.over = Unknown(turn.folder, carrier.secrets.mask), False

    async def told(self) -> AsyncGenerator[Event, None]:
        if self.turn.again:
            raise RuntimeFailed(CUT)
        try:
            async with self.carrier.opened(self._asked(), self.silence) as chunks, aclosing(self._events(chunks)) as events:
                async for event in events:
                    yield event
            self.over = True
            yield Finished("completed")
        finally:
            if not self.over and not self.turn.leaving():
                await self.carrier.end()

    def _asked(self) -> bytes:
        """Its instructions are told when the conversation begins: AgentCore keeps it."""
        begun = self.carrier.session in self.turn.resume
        words = [self.turn.instructions] if self.turn.instructions.strip() and not begun else []
        return json.dumps({"prompt": "\n\n".join([*words, self.turn.prompt])}).encode()

    async def _events(self, chunks: Chunks) -> AsyncGenerator[Event, None]:
        """Raises RuntimeFailed, also for an error that the agent tells."""
        yield Started(json.dumps({"session": self.carrier.session}), self.carrier.session, self.turn.agent.model)
        async with aclosing(self._raws(chunks)) as raws:
            async for raw in raws:
                for event in self._told(raw.data):
                    yield event

    async def _raws(self, chunks: Chunks) -> AsyncGenerator[Raw, None]:
        try:
            async with asyncio.timeout(self.silence):
                first = await anext(chunks, b"")
            form: Form = "sse" if first.lstrip().startswith(STREAM) else "json"
            async with aclosing(events(_with(first, chunks), form, self.silence)) as raws:
                async for raw in raws:
                    yield raw
        except Unread as error:
            raise RuntimeFailed(f"{self.carrier.place} {error}: look at what its agent answers.") from error
        except (*PASSING, TimeoutError) as error:
            raise RuntimeFailed(CUT) from error

    def _told(self, data: Any) -> list[Event]:
        if isinstance(data, dict) and data.get("error"):
            self.over = True
            raise RuntimeFailed(f"The agent in {self.carrier.place} failed: {short(self.carrier.secrets.mask(str(data['error'])), 300)}")
        if text := said(data):
            return [Text(text)]
        return list(self.unknown.told(data))


def said(data: Any) -> str:
    """The words in what an agent answers, wherever they are usually put."""
    match data:
        case str():
            return data
        case list():
            return "".join(map(said, data))
        case dict():
            return next((text for name in TEXTS if (text := said(data.get(name)))), "")
    return ""


async def _with(first: bytes, chunks: Chunks) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for chunk in chunks:
        yield chunk
