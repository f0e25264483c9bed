"""Whom the digest is given, and since when it tells."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bot import clock
from bot.event import Event, Finished, Started
from bot.found import Card
from bot.improve.lend import WEEK, Telling
from bot.message import Message, Person
from bot.past import Fact
from bot.ports import Turn
from bot.session import Session
from bot.store.findings import Findings
from bot.store.happened import SqlHappened
from tests.standins.stage import ANA, Stage, agent, message, staged

GUEST = Person("U4", "Dan", "guest")


class Notes(SqlHappened):
    """Notes since when somebody wants to know, in seconds before now."""

    ago, thread = 0.0, ""
    more: tuple[Fact, ...] = ()

    async def facts(self, since: float) -> list[Fact]:
        self.ago = clock.now() - since
        return [Fact("failed", "helper", "a" * 32, 1, "U1", "It broke.", "Payroll", thread=self.thread), *self.more]


class Hears:
    """Keeps what it is asked."""

    def __init__(self, end: Finished | None = None) -> None:
        self.turns: list[Turn] = []
        self.end = end or Finished("completed")

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        yield self.end


async def closed(threads: Iterable[str], here: str) -> dict[str, bool]:
    """All but what stands in C9, and in C8, of which Slack does not say who reads it."""
    return {thread: "C9" in thread for thread in threads if "C9" in thread or "C8" in thread}


@pytest.fixture
async def notes(stage: Stage) -> Notes:
    notes = Notes(stage.store.db)
    stage.aids = (Telling(notes, Findings(stage.store.db), str, closed),)
    return notes


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        stage.agent = agent(digest=True)
        yield stage


async def timed(stage: Stage, id: str, end: Finished | None = None) -> None:
    """Its schedule begins it."""
    thread = f"slack:T1:C1:{id}"
    said = replace(message(id=f"schedule:helper:1:{id}"), thread=thread, door="schedule")
    await stage.store.start(Session(id, "helper", thread, ANA, "C1"), said)
    await stage.play(Hears(end)).run(id, asyncio.Event())


async def test_it_stands_before_what_is_asked(stage: Stage, notes: Notes) -> None:
    runtime = Hears()

    await stage.run(runtime, "What repeats?")

    assert runtime.turns[0].prompt.startswith("What happened with our agents from ")
    assert runtime.turns[0].prompt.endswith("in aaaaaaaa-1 (private)\n\nWhat repeats?")


async def test_what_was_said_where_not_everybody_reads_does_not_leave_it(stage: Stage, notes: Notes) -> None:
    notes.thread, runtime = "slack:T1:C9:1.0", Hears()

    await stage.run(runtime, "What repeats?")

    assert "- failed: 1 person, 1 turn, $0.00\n  > | (without a word)\n  in aaaaaaaa-1 (private)" in runtime.turns[0].prompt
    assert not {"broke", "Payroll"} & set(re.findall(r"\w+", runtime.turns[0].prompt))


async def test_what_is_left_out_because_slack_is_silent_is_told(stage: Stage, notes: Notes) -> None:
    notes.thread, runtime = "slack:T1:C8:1.0", Hears()

    await stage.run(runtime, "What repeats?")

    assert "It broke." not in runtime.turns[0].prompt
    assert "(Of 1 things the words are left out because Slack does not say who may read them.)" in runtime.turns[0].prompt


async def test_guests_are_told_of_no_conversation(stage: Stage, notes: Notes) -> None:
    notes.thread, runtime = "slack:T1:C2:1.0", Hears()
    await stage.store.start(Session("s1", "helper", message().thread, GUEST, "C1"), message(by=GUEST))

    await stage.play(runtime).run("s1", asyncio.Event())

    assert "in aaaaaaaa-1 (private)" in runtime.turns[0].prompt
    assert "It broke." not in runtime.turns[0].prompt


@pytest.mark.parametrize(("channel", "known"), [("C2", True), ("C9", False)])
async def test_a_finding_is_known_only_where_its_card_may_be_read(stage: Stage, notes: Notes, channel: str, known: bool) -> None:
    card = Card("f1", "helper", "Payroll is wrong", "Why", "Words", "improver", f"slack:T1:{channel}:1.0", ())
    await Findings(stage.store.db).change(["f1"], lambda before: [card])
    runtime = Hears()

    await stage.run(runtime, "What repeats?")

    assert ("Payroll is wrong" in runtime.turns[0].prompt) is known


async def test_where_all_may_read_it_there_is_a_way_there(stage: Stage, notes: Notes) -> None:
    notes.thread, runtime = "slack:T1:C2:1.0", Hears()

    await stage.run(runtime, "What repeats?")

    assert 'in aaaaaaaa-1 "Payroll" slack:T1:C2:1.0' in runtime.turns[0].prompt


async def test_that_it_is_asked_again_what_repeats_is_no_news(stage: Stage, notes: Notes) -> None:
    again = [Fact("again", name, n * 32, 1, "U1", f"Ask {name}") for name in ("helper", "reviewer") for n in "bc"]
    notes.more, runtime = (*again,), Hears()

    await stage.run(runtime, "What repeats?")

    assert "Ask reviewer" in runtime.turns[0].prompt
    assert "Ask helper" not in runtime.turns[0].prompt


async def test_it_is_told_once_in_a_conversation(stage: Stage, notes: Notes) -> None:
    runtime = Hears()
    await stage.run(runtime, "What repeats?")
    await stage.say("Why?", "m2", submit=False)

    await stage.play(runtime).run("s1", asyncio.Event())

    assert runtime.turns[1].prompt == "Why?"


class Down(Hears):
    """Reaches no model the first time."""

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        if len(self.turns) > 1:
            yield Started("r1")
        yield Finished("completed" if len(self.turns) > 1 else "failed", "Too much was asked of it.")


async def test_whoever_never_heard_it_is_told_when_asked_again(stage: Stage, notes: Notes) -> None:
    runtime = Down()
    await stage.run(runtime, "What repeats?")
    await stage.say("Try again", "m2", submit=False)

    await stage.play(runtime).run("s1", asyncio.Event())

    assert runtime.turns[1].prompt.startswith("What happened with our agents from ")


async def test_other_agents_are_not_told(stage: Stage, notes: Notes) -> None:
    stage.agent, runtime = agent(), Hears()

    await stage.run(runtime, "What repeats?")

    assert runtime.turns[0].prompt == "What repeats?"


async def test_a_person_is_told_of_a_week(stage: Stage, notes: Notes) -> None:
    await timed(stage, "monday")

    await stage.run(Hears())

    assert notes.ago == pytest.approx(WEEK, abs=60)


async def test_the_first_time_by_its_schedule_it_is_told_of_a_week_and_then_of_what_is_new(stage: Stage, notes: Notes) -> None:
    await timed(stage, "monday")
    first = notes.ago
    await timed(stage, "tuesday")

    assert first == pytest.approx(WEEK, abs=60)
    assert notes.ago < 60


async def test_what_was_told_to_a_turn_that_failed_is_told_again(stage: Stage, notes: Notes) -> None:
    await timed(stage, "monday", Finished("failed", "It broke."))

    await timed(stage, "tuesday")

    assert notes.ago == pytest.approx(WEEK, abs=60)
