"""What is told to echo while it works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.agent import Prompt, parse
from bot.errors import RuntimeFailed
from bot.event import Event, Finished, Item, Plan, Step, Text
from bot.message import Message, Person
from bot.runtimes.echo import Echo, EchoOptions
from tests.runtimes.a2a_turns import answer, turn

HELPER = Path(__file__).parents[2] / "agents" / "helper.md"


async def ran(folder: Path, script: str) -> list[Event]:
    async with aclosing(Echo(EchoOptions()).run(turn(folder, script), nobody())) as events:  # type: ignore[type-var]
        return [event async for event in events]


async def nobody() -> AsyncIterator[Message]:
    for message in list[Message]():
        yield message


async def test_a_plan_goes_on_as_it_is_done(tmp_path: Path) -> None:
    told = await ran(tmp_path, "!plan look | answer\n!done\n!done")

    assert [event for event in told if isinstance(event, Plan)] == [
        Plan((Item("look", "in_progress"), Item("answer"))),
        Plan((Item("look", "done"), Item("answer", "in_progress"))),
        Plan((Item("look", "done"), Item("answer", "done"))),
    ]


@pytest.mark.parametrize("prompt", parse("helper", HELPER.read_text("utf-8")).prompts, ids=lambda prompt: prompt.title)
async def test_what_is_suggested_does_all_that_it_plans_and_nothing_twice(tmp_path: Path, prompt: Prompt) -> None:
    told = await ran(tmp_path, prompt.message.replace("!slow 0.5", "!slow 0"))

    plan = [event.items for event in told if isinstance(event, Plan)][-1:]
    titles = [event.title.lower() for event in told if isinstance(event, Step) and event.status == "working"]
    titles += [item.text.lower() for items in plan for item in items]
    assert [item.status for items in plan for item in items if item.status != "done"] == []
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("line", ["!slow abc", "!slow", "!slow inf", "!cost -1", "!cost nan"])
async def test_what_is_no_number_is_said(tmp_path: Path, line: str) -> None:
    with pytest.raises(RuntimeFailed, match=r"takes a number, like `!\w+ 0\.5`, and not '.*'\. Correct it"):
        await ran(tmp_path, line)


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
