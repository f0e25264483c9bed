"""What a turn is lent while it runs, beside words: a workspace, tools; and how such a thing speaks with people."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

from bot.event import Event, Finished, Question, Usage
from bot.inbox import Inbox
from bot.message import Answer, Message, Quote
from bot.ports import Runtime, Surface, Turn
from bot.session import Session


class Talk:
    """What is told and asked beside the runtime, in its turn. `priced` says what of a harness's cost counts."""

    def __init__(self, session: Session, inbox: Inbox, surface: Surface) -> None:
        self.session, self.inbox, self.surface = session, inbox, surface
        self.priced: Callable[[Usage], Usage] = lambda usage: usage

    async def tell(self, event: Event) -> None:
        await self.inbox.heard.put(event)

    async def ask(self, question: Question, seconds: float) -> Answer | None:
        """The answer; None if there is none after so many seconds. Asking the same again goes on waiting.

        An answer that comes when nobody waits is left for the next turn, which begins with it.
        """
        if question.id not in self.inbox.asked:
            self.inbox.asked[question.id] = asyncio.get_running_loop().create_future()
            await self.tell(question)
        message: Message | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                message = await asyncio.shield(self.inbox.asked[question.id])
        if message is None:
            return None
        await self.inbox.heed(message)
        return message.answer

    async def said(self) -> tuple[Quote, ...]:
        """What people have said in the thread, from its beginning. Raises BotError."""
        return await self.surface.said(self.session, 0.0, ())

    def last(self, event: Event) -> Event:
        """The runtime's event; but a turn that leaves a question of ours open has not ended: it waits for a person."""
        if isinstance(event, Usage):
            return self.priced(event)
        parked = self.inbox.asked and isinstance(event, Finished) and event.state == "completed"
        return Finished("input_required") if parked else event


class Aid(Protocol):
    """Something that a turn is lent."""

    def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AbstractAsyncContextManager[Turn]:
        """The turn as the runtime is to see it; what was lent is taken back when the block is left. Raises BotError."""
        ...
