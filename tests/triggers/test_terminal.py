"""One question to one agent in a terminal, with somebody who types or nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest

from bot.agent import parse
from bot.engine.local import LocalEngine
from bot.errors import BotError
from bot.event import ALLOW, DENY, Option, Part
from bot.message import Message
from bot.runtimes import runtime_of
from bot.session import Session
from bot.store.sql import SqlStore
from bot.triggers.terminal import TYPIST, Talk, Terminal, choose
from bot.turn import House, Turns

HELPER = parse("helper", "---\ndescription: Helps.\nruntime: echo\n---\nHelp.\n")
COLOURS = (Option("Red"), Option("Blue", "like the sea"))


class Desk:
    """A terminal with an agent behind it; `lines` is what somebody will type, None where nobody is there."""

    def __init__(self, folder: Path, lines: list[str] | None) -> None:
        self.out, self.err, self.stopped = StringIO(), StringIO(), asyncio.Event()
        self.lines = lines
        self.terminal = Terminal(self.out, self.err, None if lines is None else self._typed)
        self.store = SqlStore(f"sqlite+aiosqlite:///{folder}/ask.db")
        turns = Turns(lambda _: HELPER, runtime_of, self.store, self.terminal, House(folder, {}))
        self.engine = LocalEngine(turns.run)

    async def _typed(self) -> str:
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    async def ask(self, text: str) -> Session:
        message = Message("m1", "cli:1", "terminal", TYPIST, text, "cli", 1.0)
        session = Session("s1", "helper", "cli:1", TYPIST, "terminal", asked=1.0)
        return await Talk(self.terminal, self.store, self.engine).run(session, message, self.stopped)


@asynccontextmanager
async def desk(folder: Path, *lines: str, nobody: bool = False) -> AsyncIterator[Desk]:
    made = Desk(folder, None if nobody else list(lines))
    await made.store.open()
    try:
        yield made
    finally:
        await made.engine.close(5)
        await made.store.close_all()


async def test_the_answer_stands_alone_on_stdout(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        session = await here.ask("!plan look | say\n!step Look around\n!say Hello.\n!file a.txt content")

    assert session.state == "completed"
    assert here.out.getvalue() == "Hello.\n"
    assert here.err.getvalue().splitlines()[:2] == ["[ ] look", "[ ] say"]
    assert "✓ Look around" in here.err.getvalue()
    assert f"a.txt: {tmp_path}/s1/out/a.txt" in here.err.getvalue()


async def test_a_question_is_answered_by_its_number_after_a_wrong_one(tmp_path: Path) -> None:
    async with desk(tmp_path, "7", "2") as here:
        session = await here.ask("!ask Which? | Red | Blue\n!say You chose {answer}.")

    assert (session.state, here.out.getvalue()) == ("completed", "You chose Blue.\n")
    assert "? Which?\n  1. Red\n  2. Blue\n  Type a number from 1 to 2.\n" in here.err.getvalue()


async def test_what_the_agent_said_stands_above_its_question_and_not_again_below(tmp_path: Path) -> None:
    async with desk(tmp_path, "1") as here:
        here.terminal.err = here.out
        await here.ask("!say Let me ask.\n!ask Which? | Red | Blue\n!say It is {answer}.")

    assert here.out.getvalue() == "Let me ask.\n? Which?\n  1. Red\n  2. Blue\nIt is Red.\n"


async def test_what_an_agent_says_anew_at_the_end_is_printed_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.terminal.tell("Let me ask.")
        here.terminal.tell("Let me ask.\n\nIt is Red.")

    assert here.out.getvalue() == "Let me ask.\n\nIt is Red.\n"


async def test_two_questions_are_asked_one_after_the_other(tmp_path: Path) -> None:
    async with desk(tmp_path, "Ana", "red") as here:
        await here.ask("!ask Your name?\n!say Hello {answer}.\n!ask Which? | Red | Blue\n!say It is {answer}.")

    assert here.out.getvalue().endswith("It is Red.\n")


async def test_a_permission_shows_exactly_what_would_be_done(tmp_path: Path) -> None:
    async with desk(tmp_path, "1") as here:
        await here.ask("!approve rm -rf build/\n!say {answer}")

    assert "rm -rf build/\n? May I run this command?\n  1. Allow once\n" in here.err.getvalue()
    assert here.out.getvalue() == f"{ALLOW}\n"


@pytest.mark.parametrize(
    ("nobody", "sentence"),
    [
        (True, "The agent asks: Which? Nobody can answer it here; run this in a terminal, or ask in Slack."),
        (False, "The agent's question was not answered, since nothing more can be typed."),
    ],
)
async def test_where_nobody_answers_the_agent_is_stopped_and_it_says_so(tmp_path: Path, nobody: bool, sentence: str) -> None:
    async with desk(tmp_path, nobody=nobody) as here:
        with pytest.raises(BotError) as caught:
            await here.ask("!ask Which? | Red | Blue")

        assert str(caught.value) == sentence
        assert (await here.store.load("s1")).state == "canceled"


async def test_a_stop_ends_the_turn_properly(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        asking = asyncio.create_task(here.ask("!step Look\n!slow 60\n!say Too late."))
        async with asyncio.timeout(10):
            await here.terminal.news.wait()
        here.stopped.set()
        session = await asking
        await here.engine.close(5)

        assert (session.state, session.reason) == ("canceled", "Stopped at the terminal.")
        assert (await here.store.unread("s1"), here.out.getvalue()) == ([], "")


@pytest.mark.parametrize(
    ("part", "line", "chosen"),
    [
        (Part("p", "Which?", COLOURS), "1", ("Red",)),
        (Part("p", "Which?", COLOURS), " blue ", ("Blue",)),
        (Part("p", "Which?", COLOURS), "1, 2", ()),
        (Part("p", "Which?", COLOURS, multi=True), "1, blue", ("Red", "Blue")),
        (Part("p", "Which?", COLOURS, multi=True), "1, 9", ()),
        (Part("p", "Which?", COLOURS), "green", ()),
        (Part("p", "Which?", COLOURS, free_text=True), "green", ("green",)),
        (Part("p", "Which?"), "anything", ("anything",)),
        (Part("p", "Which?"), "  ", ()),
        (Part("p", "May I?", (Option(ALLOW), Option(DENY))), "deny", (DENY,)),
    ],
)
def test_a_line_names_options_by_number_or_label(part: Part, line: str, chosen: tuple[str, ...]) -> None:
    assert choose(part, line) == chosen


async def test_of_many_files_those_that_are_not_named_are_counted(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.terminal.end(await here.ask("\n".join(f"!file {n}.txt page {n}" for n in range(101))))

    told = here.err.getvalue()
    assert "! 1 more file came after the first 100, and is not given here." in told
    assert all(f"{n}.txt: " in told for n in range(100))
