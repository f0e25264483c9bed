"""What people say while a managed agent works: it goes into the session's queue, where the platform has one; elsewhere it is left alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from bot.errors import RuntimeFailed
from bot.event import Event, Finished, Notice
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding
from bot.runtimes.unsaid import Unsaid

Json = dict[str, Any]
Tell = Callable[[Event], Awaitable[None]]
UNREAD = "The agent may not have read what was said meanwhile: say it again."


class Steer:
    """`send` puts events into the session, and gives their ids; `queued` are those that the agent may not have read.

    Without an `inbox` nobody is listened to.
    """

    def __init__(self, turn: Turn, inbox: AsyncIterator[Message] | None, send: Callable[[Sequence[Json]], Awaitable[list[str]]]) -> None:
        self.turn, self.inbox, self.send = turn, inbox, send
        self.unsaid = Unsaid(turn)
        self.queued: set[str] = set()
        self._saying = asyncio.Lock()
        self._ear: asyncio.Task[None] | None = None

    async def listen(self, said: Iterable[Json], tell: Tell) -> None:
        """From now on. `said` is what the session holds: a process that ended may have said it there."""
        if self.inbox and not self._ear:
            messages = [each for each in said if each.get("type") == "user.message"]
            self.queued |= {str(each["id"]) for each in messages if each.get("id") and each.get("processed_at", "") is None}
            known = "\n".join(str(each.get("content")) for each in messages)
            for id in [id for id, words in self.unsaid.words.items() if repr(words)[1:-1] in known]:
                await self.unsaid.given(id)
            self._ear = asyncio.create_task(self._listen(self.inbox, tell), name=f"managed-agents-inbox-{self.turn.session_id}")

    async def _listen(self, inbox: AsyncIterator[Message], tell: Tell) -> None:
        await self._say()
        async for message in inbox:
            if message.answer:
                await tell(Notice(coding.LATE))
            elif message.text.strip():
                await self.unsaid.heard(message)
                await self._say()

    async def _say(self) -> None:
        async with self._saying:
            if words := self.unsaid.take():
                with suppress(RuntimeFailed):  # it is said once more, when the agent is idle or the next turn begins
                    text = {"type": "text", "text": "\n\n".join(words)}
                    self.queued |= set(await self.send([{"type": "user.message", "content": [text]}]))
                    await self.unsaid.given()

    async def waits(self) -> bool:
        """Whether there is something that the agent may not have read, now that it is idle."""
        if self._ear and self.unsaid.words:
            await self._say()
        async with self._saying:  # what is on its way has arrived by then
            return bool(self.queued)

    def read(self, events: Sequence[Json]) -> bool:
        """Whether the agent has read all of it, and become idle since, by all that has happened."""
        idle = max((str(each.get("processed_at") or "") for each in events if each.get("type") == "session.status_idle"), default="")
        self.queued -= {str(each.get("id")) for each in events if "" < str(each.get("processed_at") or "") < idle}
        return not self.queued

    def left(self, end: Finished) -> list[Event]:
        """What there is to say of it at the end of a turn."""
        return [Notice(UNREAD, "warning")] if end.state != "input_required" and self.queued else []

    async def close(self) -> None:
        if self._ear:
            self._ear.cancel()
            await asyncio.wait([self._ear])
