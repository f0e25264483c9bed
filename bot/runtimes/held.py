"""What harnesses ask of people: held open until somebody answers, and how each question was closed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from bot.event import Answered, Event, Notice, Outcome, Question
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import coding

Say = Callable[[Event], Awaitable[None]]
Give = Callable[[str], Awaitable[None]]
Drop = Callable[[Event], None]


class Held:
    """Questions of a harness that waits for the answer. `drop` tells an event without waiting: perhaps nobody hears it any more."""

    def __init__(self, say: Say, drop: Drop) -> None:
        self.say, self.drop = say, drop
        self._open: dict[str, asyncio.Future[Message]] = {}

    async def listen(self, turn: Turn, inbox: AsyncIterator[Message], give: Give) -> None:
        await listen(turn, inbox, self.answer, self.say, give)

    async def answer(self, message: Message) -> bool:
        """Whether somebody waited for this."""
        waiting = self._open.get(message.answer.question) if message.answer else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    async def _ask(self, question: Question) -> Message:
        """The message that answers."""
        self._open[question.id] = asyncio.get_running_loop().create_future()
        try:
            await self.say(question)
            return await self._open[question.id]
        except asyncio.CancelledError:  # the harness does not want to know any more, or has gone
            self.drop(Answered(question.id, "canceled"))
            raise
        finally:
            del self._open[question.id]


async def listen(turn: Turn, inbox: AsyncIterator[Message], answer: Callable[[Message], Awaitable[bool]], say: Say, give: Give) -> None:
    """What people say: answers to whoever waits for them, as `answer` knows; all else to the agent, which `give` gives it to."""
    async for message in inbox:
        if message.answer is None:
            if message.text.strip():
                await give(coding.said(turn, message))
        elif not await answer(message):
            await say(Notice(coding.LATE))


def closed(question: str, message: Message, taken: bool) -> Answered:
    """`taken` says whether it was done as the message says; else it was refused, or nobody said anything."""
    answer = message.answer or Answer(question)
    refused: Outcome = "declined" if answer.parts or answer.note else "expired"
    chosen = tuple(word for part in answer.parts.values() for word in part)
    return Answered(question, "answered" if taken else refused, message.author.name or message.author.id, chosen)
