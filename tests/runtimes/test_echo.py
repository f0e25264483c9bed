"""What is told to echo while it works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from bot.event import Event, Finished, Text
from bot.message import Message, Person
from bot.runtimes.echo import Echo, EchoOptions
from tests.runtimes.a2a_turns import answer, turn


async def test_what_was_taken_in_after_the_last_line_is_answered_too(tmp_path: Path) -> None:
    told, shown, taken = list[Event](), asyncio.Event(), asyncio.Event()

    async def inbox() -> AsyncIterator[Message]:
        await shown.wait()
        yield Message("m1", "t1", "C1", Person("U1"), "and hurry")
        taken.set()

    async with aclosing(Echo(EchoOptions(listen=True)).run(turn(tmp_path, "!say one"), inbox())) as events:  # type: ignore[type-var]
        async for event in events:
            told.append(event)
            if isinstance(event, Text):
                shown.set()
                await taken.wait()

    assert answer(told) == "one\n(You added: and hurry)\n"
    assert told[-1] == Finished("completed")
