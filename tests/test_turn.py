"""A turn, whatever its runtime does: it always ends, in words, and what was said is never lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent import Agent
from bot.errors import ConfigError, RuntimeFailed, Superseded
from bot.event import Event, Finished, Notice, Question, Started, Step, Text, Thought, Usage, merge
from bot.line import Limits, Line, Ticket
from bot.message import Attachment, Message, Quote
from bot.ports import Show, Turn
from bot.session import Session
from bot.store.sql import SqlStore
from tests.standins.stage import ANA, COLOUR, THREAD, Stage, Watching, agent, message, staged

DONE = Finished("completed")
Inbox = AsyncIterator[Message]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


class Says:
    """Tells the same in every turn, then hangs if it is told to; `turns` is what it was given."""

    def __init__(self, *events: object, hangs: bool = False) -> None:
        self.events, self.hangs = events, hangs
        self.turns: list[Turn] = []
        self.closed = 0

    async def run(self, turn: Turn, inbox: Inbox) -> AsyncIterator[Event]:
        self.turns.append(turn)
        try:
            for event in self.events:
                yield event  # type: ignore[misc]
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.closed += 1


class Dies:
    """Says something, and raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def run(self, turn: Turn, inbox: Inbox) -> AsyncIterator[Event]:
        yield Started("r1")
        yield Text("Half of it")
        raise self.error


class Floods:
    """Never stops talking, and never waits."""

    async def run(self, turn: Turn, inbox: Inbox) -> AsyncIterator[Event]:
        yield Started("r1")
        while True:
            yield Step("c1", "Working")


async def test_a_turn_that_goes_well_is_kept_as_it_was_shown(stage: Stage) -> None:
    session = await stage.run(Says(Started("r1", model="opus"), Text("Hello, "), Text("Ana."), Usage(3, 4, usd=0.5), DONE))

    assert (session.state, session.answer, session.resume, session.spent.usd) == ("completed", "Hello, Ana.", "r1", 0.5)
    assert stage.surface.last == session
    assert await stage.store.unread("s1") == []


async def test_the_runtime_is_given_what_was_said_where_and_by_whom(stage: Stage) -> None:
    runtime = Says(DONE)
    stage.surface.quotes = (Quote("Ben", 50.0, "it broke at noon"),)

    await stage.run(runtime, "What now?")

    [turn] = runtime.turns
    assert (turn.session_id, turn.number, turn.again, turn.resume, turn.person) == ("s1", 1, False, "", ANA)
    assert turn.prompt.endswith("What now?")
    assert "> | it broke at noon" in turn.prompt
    assert (turn.folder / "in").is_dir()


@pytest.mark.parametrize("garbage", [42, None, "done", {"type": "text"}, Question("q", "question", ())])
async def test_what_is_no_event_fails_the_turn(stage: Stage, garbage: object) -> None:
    runtime = Says(Started("r1"), Text("Half of it"), garbage, Text("more"))

    session = await stage.run(runtime)

    assert (session.state, session.answer) == ("failed", "Half of it")
    assert "runtime broke: TypeError" in session.reason
    assert runtime.closed == 1


async def test_the_log_says_of_what_is_no_event_only_its_kind(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.run(Says(Started("r1"), "between Ana and her agent"))

    assert "the runtime told a str, which is no event" in caplog.text
    assert "between Ana and her agent" not in caplog.text


async def test_a_runtime_that_dies_is_a_failure_in_words_and_its_text_stays(stage: Stage) -> None:
    session = await stage.run(Dies(ZeroDivisionError("oh")))

    assert (session.state, session.answer) == ("failed", "Half of it")
    assert session.reason == "The agent's runtime broke: ZeroDivisionError. The log of frontdesk says where."
    assert session.error == "ZeroDivisionError('oh')"


async def test_a_refusal_of_the_runtime_is_told_in_its_own_words(stage: Stage) -> None:
    session = await stage.run(Dies(RuntimeFailed("The moon is gone.")))

    assert (session.state, session.reason, session.error) == ("failed", "The moon is gone.", "RuntimeFailed")


async def test_a_runtime_that_is_canceled_from_within_fails_at_once(stage: Stage) -> None:
    stage.agent = agent(budget={"minutes_per_turn": 0.005})

    session = await stage.run(Dies(asyncio.CancelledError()))

    assert session.state == "failed"
    assert "took longer" not in session.reason


async def test_a_runtime_that_ends_without_saying_how_has_failed(stage: Stage) -> None:
    session = await stage.run(Says(Started("r1"), Step("c1", "Reading")))

    assert (session.state, session.reason) == ("failed", "The agent's runtime ended without saying how.")
    assert session.steps[0].status == "working"  # nobody knows how far it got


async def test_a_runtime_that_hangs_is_closed_when_its_time_is_over(stage: Stage) -> None:
    stage.agent = agent(budget={"minutes_per_turn": 0.001})
    runtime = Says(Started("r1"), hangs=True)

    session = await stage.run(runtime)

    assert session.state == "failed"
    assert "longer than the 0.001 minutes that agents/helper.md allows" in session.reason
    assert runtime.closed == 1


async def test_a_turn_that_has_waited_in_line_has_its_time_limit_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turn.LOOK", 0.01)
    stage.agent, stage.line = agent(budget={"minutes_per_turn": 0.001}), Line(Limits(turns=1))
    stage.play(Says(hangs=True))
    async with stage.line.stand(Ticket("another", "helper", "U9", "C9")):
        await stage.say()
        await stage.surface.until(lambda: any(each.queued for each in stage.surface.shown))

    session = await stage.ended()

    assert "longer than the 0.001 minutes" in session.reason


async def test_a_turn_waits_in_line_by_the_time_at_which_it_was_asked(stage: Stage) -> None:
    stage.line = Line(Limits(turns=1))
    stage.play(Says(Started("r1"), DONE))
    other = Ticket("another", "helper", "U9", "C1", asked=2e9)
    async with stage.line.stand(Ticket("runs", "helper", "U9", "C1")), stage.line.stand(other):
        await stage.say()
        await stage.surface.until(lambda: any(each.queued for each in stage.surface.shown))

    assert [each.queued.ahead for each in stage.surface.shown if each.queued] == [0]
    await stage.ended()


async def test_a_flood_of_events_arrives_whole_and_in_few_writes(stage: Stage) -> None:
    session = await stage.run(Says(Started("r1"), *[Text(f"{n} ") for n in range(10_000)], DONE))

    assert session.answer == "".join(f"{n} " for n in range(10_000))
    assert len(stage.surface.shown) < 1000


async def test_talking_without_end_is_no_way_around_the_time_limit(stage: Stage) -> None:
    stage.agent = agent(budget={"minutes_per_turn": 0.001})

    session = await stage.run(Floods())

    assert "took longer" in session.reason


async def test_what_is_told_after_the_end_is_not_heard(stage: Stage) -> None:
    runtime = Says(Text("The end."), DONE, Text(" Or not?"), Finished("failed", "no"))

    session = await stage.run(runtime)

    assert (session.state, session.answer, runtime.closed) == ("completed", "The end.", 1)


async def test_a_file_that_cannot_be_had_is_a_notice_and_no_failure(stage: Stage) -> None:
    await stage.say(submit=False)
    await stage.store.put("s1", replace(message("", "m2", at=200.0), files=(Attachment("gone.txt"),)))

    await stage.play(Says(DONE)).run("s1", asyncio.Event())

    assert stage.surface.last.state == "completed"
    assert stage.surface.last.notices == (Notice("gone.txt is not to be had.", "warning"),)


async def test_the_budget_of_a_session_ends_its_turn_and_begins_no_other(stage: Stage) -> None:
    stage.agent = agent(budget={"usd_per_session": 1})
    runtime = Says(Started("r1"), Usage(usd=0.4), Usage(usd=0.7), hangs=True)

    first = await stage.run(runtime)
    await stage.say("more", "m2", submit=False)
    await stage.play(runtime).run("s1", asyncio.Event())

    assert (first.state, runtime.closed) == ("failed", 1)
    assert "budget of $1 for one session is used up ($1.10" in first.reason
    assert (stage.surface.last.number, stage.surface.last.state, len(runtime.turns)) == (2, "rejected", 1)


async def test_the_budget_of_a_day_counts_what_other_turns_have_cost(stage: Stage) -> None:
    stage.agent = agent(budget={"usd_per_day": 1})
    first = await stage.run(Says(Started("r1"), Usage(usd=0.6), DONE))

    await stage.say("more", "m2", submit=False)
    await stage.play(Says(Started("r1"), Usage(usd=0.6), hangs=True)).run("s1", asyncio.Event())

    assert first.state == "completed"
    assert (stage.surface.last.state, "budget of $1 for one day" in stage.surface.last.reason) == ("failed", True)


async def test_the_budget_of_a_day_counts_what_others_spend_meanwhile(stage: Stage) -> None:
    stage.agent = agent(budget={"usd_per_day": 1})
    runtime = Says(Started("r1"), Usage(usd=0.2), Usage(usd=0.1), hangs=True)
    totals = [0.0, 0.8]

    async def spent(name: str, since: float) -> Usage:
        return Usage(usd=totals.pop(0) if len(totals) > 1 else totals[0])

    stage.store.spent = spent  # type: ignore[method-assign]  # another session of the same agent goes on meanwhile
    session = await stage.run(runtime)

    assert (session.state, "budget of $1 for one day" in session.reason) == ("failed", True)


async def test_a_stop_ends_the_turn_and_closes_the_runtime(stage: Stage) -> None:
    runtime = Says(Started("r1"), Step("c1", "Read", status="completed"), hangs=True)
    stage.play(runtime)
    await stage.say()
    await stage.surface.until(lambda: any(each.steps for each in stage.surface.shown))

    await stage.stop()

    session = await stage.ended()
    assert (session.state, session.reason, runtime.closed) == ("canceled", "Stopped by Ben.", 1)


class Lingers(Says):
    """Has something to end when it is told to stop."""

    def __init__(self, *events: object, hangs: bool = False) -> None:
        super().__init__(*events, hangs=hangs)
        self.stopping = asyncio.Event()

    async def run(self, turn: Turn, inbox: Inbox) -> AsyncIterator[Event]:
        async with aclosing(super().run(turn, inbox)) as events:  # type: ignore[type-var]
            try:
                async for event in events:
                    yield event
            finally:
                self.stopping.set()
                await asyncio.to_thread(time.sleep, 0.05)
                self.closed += 1


async def test_a_process_that_leaves_leaves_no_runtime_behind_that_still_stops(stage: Stage) -> None:
    runtime = Lingers(Started("r1"), hangs=True)
    stage.play(runtime)
    await stage.say()
    await stage.surface.until(lambda: any(session.state == "working" for session in stage.surface.shown))
    await stage.stop()
    await runtime.stopping.wait()

    await stage.engine.close()

    assert runtime.closed == 2


async def test_a_stop_while_all_is_set_up_begins_nothing(stage: Stage) -> None:
    runtime = Says(DONE)
    stage.play(runtime)
    stage.surface.ready.clear()
    await stage.say()
    await stage.surface.asked.wait()

    await stage.stop()

    assert (await stage.ended()).state == "canceled"
    assert runtime.turns == []


async def test_a_stop_before_the_turn_has_begun_takes_its_messages_along(stage: Stage) -> None:
    runtime = Says(DONE)
    turns = stage.play(runtime)
    await stage.say(submit=False)
    await stage.stop(submit=False)

    await turns.run("s1", asyncio.Event())

    assert (stage.surface.last.state, runtime.turns) == ("canceled", [])
    assert await stage.store.unfinished() == []


async def test_whoever_stops_again_and_again_is_told_once(stage: Stage) -> None:
    session = await stage.run(Says(DONE))
    await stage.stop("stop1", submit=False)
    await stage.stop("stop2", submit=False)

    await stage.play(Says(DONE)).run("s1", asyncio.Event())

    assert stage.surface.last == session
    assert await stage.store.unfinished() == []


async def test_a_session_whose_agent_is_gone_says_so_to_whoever_asked(stage: Stage) -> None:
    turns = stage.play(Says(DONE))
    turns.agent = gone
    await stage.say(submit=False)

    await turns.run("s1", asyncio.Event())

    assert (stage.surface.last.state, stage.surface.last.reason) == ("failed", "The agent is gone.")


def gone(name: str) -> Agent:
    raise ConfigError("The agent is gone.")


def test_only_neighbours_are_put_together() -> None:
    assert merge([Text("a"), Text("b"), Thought("c"), Thought("d"), Text("e"), Text("f", final=True), Text("g")]) == [
        Text("ab"), Thought("cd"), Text("e"), Text("fg", final=True),
    ]  # fmt: skip


async def test_a_newer_owner_ends_the_turn_and_nothing_more_is_written(stage: Stage) -> None:
    runtime = Overtaken(stage.store)

    with pytest.raises(Superseded):
        await stage.run(runtime)

    assert (await stage.store.load("s1")).answer == ""
    assert "Nobody may see this" not in [each.answer for each in stage.surface.shown]


async def test_a_turn_that_lost_its_session_ends_only_when_its_runtime_is_closed(stage: Stage) -> None:
    runtime = Overtaken(stage.store)

    with pytest.raises(Superseded):
        await stage.run(runtime)
    closed = runtime.closed

    assert closed


class Overtaken:
    """Loses its session in the middle; its end takes a moment."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.closed = store, False

    async def run(self, turn: Turn, inbox: Inbox) -> AsyncIterator[Event]:
        try:
            await self.store.begin(turn.session_id)
            yield Text("Nobody may see this")
            await asyncio.Event().wait()
        finally:
            await self.store.unfinished()
            self.closed = True


class Freezes(Watching):
    """While the first last word is shown, something happens elsewhere."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.meanwhile = [meanwhile]

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent, epoch: int) -> AsyncIterator[Show]:
        yield self._show
        if self.meanwhile:
            await self.meanwhile.pop()()


async def test_a_process_that_was_frozen_in_its_last_word_leaves_the_session_to_whoever_has_gone_on(stage: Stage) -> None:
    async def go_on() -> None:
        session, epoch = await stage.store.begin("s1")
        await stage.store.finish("s1", epoch, 1)
        await stage.say("again", "m2", submit=False)
        await stage.store.take("s1", epoch, session.begin([message("again", "m2")]), stage.agent, ["m2"])

    stage.surface = Freezes(go_on)
    turns = stage.play(Says(DONE))
    await stage.say(submit=False)

    async with asyncio.timeout(10):
        with pytest.raises(Superseded):
            await turns.run("s1", asyncio.Event())

    assert await stage.store.unfinished() == ["s1"]


async def test_what_is_asked_next_goes_to_where_the_conversation_is(stage: Stage) -> None:
    stage.agent = agent(fallback=["pi"])
    first = await stage.run(Says(Started("r1", runtime="pi"), DONE))
    runtime = Says(DONE)
    await stage.say("And now?", "m2", submit=False)

    await stage.play(runtime).run("s1", asyncio.Event())

    assert (first.resume, first.runtime) == ("r1", "pi")
    assert (runtime.turns[0].resume, runtime.turns[0].agent.runtime) == ("r1", "pi")


async def test_an_agent_whose_file_names_another_runtime_begins_anew_there(stage: Stage) -> None:
    await stage.run(Says(Started("r1", model="opus"), DONE))
    stage.agent = agent(runtime="codex")
    runtime = Says(Started("r2"), DONE)
    await stage.say("And now?", "m2", submit=False)

    await stage.play(runtime).run("s1", asyncio.Event())

    session = await stage.store.load("s1")
    assert [turn.resume for turn in runtime.turns] == [""]
    said = "What was said before was said to echo, and agents/helper.md names codex now; the agent knows only the last message."
    assert session.notices == (Notice(said, "warning"),)
    assert (session.resume, session.runtime, session.model) == ("r2", "codex", "")


async def test_an_answer_to_a_runtime_that_is_not_there_any_more_is_said_in_words(stage: Stage) -> None:
    await stage.run(Says(Started("r1"), COLOUR, Finished("input_required")))
    stage.agent = agent(runtime="codex")
    runtime = Says(Started("r2"), DONE)
    await stage.answer("q1", "Red", submit=False)

    await stage.play(runtime).run("s1", asyncio.Event())

    assert runtime.turns[0].answer is None
    assert "Red" in runtime.turns[0].prompt


async def test_a_conversation_from_before_runtimes_were_noted_is_that_of_the_file(stage: Stage) -> None:
    await stage.store.start(Session("s1", "helper", THREAD, ANA, "C1", resume="r1"), message())
    runtime = Says(Started("r1"), DONE)

    await stage.play(runtime).run("s1", asyncio.Event())

    assert runtime.turns[0].resume == "r1"
    assert (await stage.store.load("s1")).runtime == "echo"
