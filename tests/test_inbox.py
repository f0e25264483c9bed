"""What people say while a turn runs, before it and after it: each thing reaches the agent once, or the next turn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import StoreFailed, Superseded
from bot.event import Answered, Event, Finished, Option, Part, Question, Started, Text
from bot.inbox import MOST, Heard, Inbox, settle, shown
from bot.message import Answer, Message
from bot.ports import Turn
from bot.session import Session
from bot.store.sql import SqlStore
from tests.standins.stage import ANA, BEN, COLOUR, THREAD, Deaf, Holding, Parks, Stage, agent, message, staged

SECRET = Question("q2", "form", (Part("user", "Who?"), Part("key", "The key?", secret=True)))
DONE = Finished("completed")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


class Listens:
    """Asks what it is made with, and says back the first thing that it hears, or the answer that it begins with."""

    def __init__(self, *asked: Event) -> None:
        self.asked = asked
        self.turns: list[Turn] = []
        self.closed = 0

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        try:
            yield Started(f"r{turn.number}")
            if turn.answer is None:
                for event in self.asked:
                    yield event
                heard = await anext(inbox)
                yield Text(f"You said: {heard.text}")
            else:
                yield Text(f"It was: {turn.answer.parts['which'][0]}")
            yield DONE
        finally:
            self.closed += 1


def seen(stage: Stage, answer: str) -> bool:
    return any(each.answer == answer and each.ended for each in stage.surface.shown)


async def test_a_follow_up_that_was_not_read_becomes_the_next_turn(stage: Stage) -> None:
    runtime = Deaf()
    stage.play(runtime)
    await stage.say()
    await stage.surface.until(lambda: any(each.steps for each in stage.surface.shown))

    await stage.say("and this", "m2")
    await stage.surface.until(lambda: ("m2", "queued") in stage.surface.marks)
    runtime.go.set()

    await stage.ended(2)
    assert [turn.prompt for turn in runtime.turns] == ["Look at this", "and this"]
    assert runtime.turns[1].resume == "r1"


async def test_several_follow_ups_are_one_turn_in_the_order_in_which_they_were_said(stage: Stage) -> None:
    runtime = Deaf()
    stage.play(runtime)
    await stage.say()
    await stage.surface.until(lambda: any(each.steps for each in stage.surface.shown))

    await stage.say("third", "m3")
    await stage.say("second", "m2")
    runtime.go.set()

    await stage.ended(2)
    assert runtime.turns[1].prompt == "second\n\nthird"


async def test_a_message_that_is_taken_is_given_and_begins_no_turn(stage: Stage) -> None:
    runtime = Listens()
    stage.play(runtime)
    await stage.say()
    await stage.surface.until(lambda: any(each.resume for each in stage.surface.shown))

    await stage.say("hurry up", "m2")

    await stage.surface.until(lambda: seen(stage, "You said: hurry up"))
    assert ("m2", "given") in stage.surface.marks
    assert len(runtime.turns) == 1


class Leaves:
    """Ends at the very moment at which its inbox gives it something."""

    def __init__(self, store: Holding) -> None:
        self.store = store
        self.prompts: list[str] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.prompts.append(turn.prompt)
        listening = asyncio.ensure_future(anext(inbox))
        try:
            yield Started("r1")
            if turn.number == 1:
                await self.store.taken.wait()
            yield DONE
        finally:
            listening.cancel()
            await asyncio.wait([listening])


async def test_a_message_taken_at_the_moment_the_turn_ends_is_not_lost(tmp_path: Path) -> None:
    async with staged(tmp_path, Holding) as stage:
        assert isinstance(stage.store, Holding)
        runtime = Leaves(stage.store)
        stage.play(runtime)
        await stage.say()
        await stage.surface.until(lambda: any(each.resume for each in stage.surface.shown))

        await stage.say("one more", "m2")

        await stage.ended(2)
        assert runtime.prompts == ["Look at this", "one more"]


async def test_a_turn_that_was_cut_goes_on_in_the_next_process(stage: Stage) -> None:
    first, second = Deaf(), Deaf()
    stage.play(first)
    await stage.say()
    await stage.surface.until(lambda: any(each.steps for each in stage.surface.shown))
    await stage.engine.close()

    second.go.set()
    stage.play(second)
    await stage.engine.submit("s1")

    session = await stage.ended(1)
    [turn] = second.turns
    assert (turn.again, turn.number, turn.resume, turn.prompt) == (True, 1, "r1", "Look at this")
    assert (session.answer, session.number) == ("Turn 1", 1)


async def test_only_the_last_word_is_shown_again_where_no_more_was_missing(stage: Stage) -> None:
    runtime = Deaf()
    runtime.go.set()
    done = await stage.run(runtime)
    with stage.store.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE inbox SET done = 0")  # as if the process had died just before

    await stage.play(runtime).run("s1", asyncio.Event())

    assert len(runtime.turns) == 1
    assert stage.surface.last == done
    assert await stage.store.unfinished() == []


async def test_the_answer_to_a_held_question_reaches_the_inbox(stage: Stage) -> None:
    runtime = Listens(COLOUR)
    stage.play(runtime)
    await stage.say()
    await stage.surface.until(lambda: any(each.open for each in stage.surface.shown))

    await stage.answer("q1", "Red")

    await stage.surface.until(lambda: seen(stage, "You said: Red"))
    assert stage.surface.last.closed == (Answered("q1", "answered", "Ben", ("Red",)),)
    assert len(runtime.turns) == 1


async def test_a_question_is_held_only_so_long_and_a_later_answer_starts_again(stage: Stage) -> None:
    stage.hold = 0.01
    runtime = Listens(COLOUR)

    waiting = await stage.run(runtime)
    closed = runtime.closed
    await stage.answer("q1", "Blue")

    await stage.surface.until(lambda: seen(stage, "It was: Blue"))
    assert (waiting.state, waiting.ended, closed) == ("input_required", 0.0, 1)
    assert (runtime.turns[1].again, runtime.turns[1].number) == (True, 1)


async def test_what_is_said_while_a_question_waits_is_not_taken_for_its_answer(stage: Stage) -> None:
    stage.hold = 0.01
    runtime = Listens(COLOUR)
    await stage.run(runtime)
    turns = stage.play(runtime)

    await stage.say("by the way", "m2", submit=False)
    await turns.run("s1", asyncio.Event())

    assert len(runtime.turns) == 1
    assert [one.message.id for one in await stage.store.unread("s1")] == ["m1", "m2"]


async def test_an_answer_that_was_taken_and_not_noted_before_the_process_ended_is_given_again(stage: Stage) -> None:
    stage.hold = 0.01
    runtime = Listens(COLOUR)
    await stage.run(runtime)
    await stage.answer("q1", "Blue", submit=False)
    with stage.store.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE inbox SET turn = 1 WHERE id = 'a-q1'")  # as `take` does, and no `save` after it

    await stage.play(runtime).run("s1", asyncio.Event())

    assert stage.surface.last.answer == "It was: Blue"


async def test_an_answer_that_nobody_took_while_the_question_was_held_is_taken_up_when_it_no_longer_is(stage: Stage) -> None:
    stage.hold = 0.5
    turns, wake = stage.play(Hangs(COLOUR)), asyncio.Event()
    await stage.say(submit=False)
    running = asyncio.create_task(turns.run("s1", wake))
    await stage.surface.until(lambda: any(each.open for each in stage.surface.shown))

    await stage.answer("q1", "Blue", submit=False)
    wake.set()
    await running

    assert stage.surface.last.answer == "It was: Blue"


async def test_what_was_said_before_a_question_stands_where_its_answer_goes_to_another_process(stage: Stage) -> None:
    stage.hold = 0.05
    runtime = Hangs(COLOUR, says="I read both.")
    await stage.say(submit=False)
    await stage.play(runtime).run("s1", asyncio.Event())
    await stage.answer("q1", "Blue", submit=False)

    await stage.play(runtime).run("s1", asyncio.Event())

    assert stage.surface.last.answer == "I read both.\n\nIt was: Blue"


class Hangs(Listens):
    """Asks, and does not listen."""

    def __init__(self, *asked: Question, says: str = "") -> None:
        super().__init__(*asked)
        self.says = says

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        yield Started("r1")
        if turn.answer is None:
            yield Text(self.says)
            yield self.asked[0]
            await asyncio.Event().wait()
        yield Text(f"It was: {turn.prompt.rpartition(' ')[2]}")
        yield DONE


async def test_a_parked_question_begins_the_next_turn_with_its_answer(stage: Stage) -> None:
    runtime = Parks()

    parked = await stage.run(runtime)
    await stage.answer("q1", "Red")

    await stage.ended(2)
    assert (parked.state, bool(parked.ended)) == ("input_required", True)
    assert (runtime.turns[1].answer, runtime.turns[1].prompt) == (Answer("q1", {"which": ("Red",)}), "Red")
    assert runtime.turns[1].resume == "r1"


async def test_what_is_said_beside_an_open_question_waits_for_its_answer(stage: Stage) -> None:
    runtime = Parks()
    await stage.run(runtime)

    await stage.say("never mind", "m2")

    assert [one.message.id for one in await stage.store.unread("s1")] == ["m2"]
    assert (await stage.store.load("s1")).open
    assert len(runtime.turns) == 1


async def test_a_stop_of_a_question_that_waits_closes_it(stage: Stage) -> None:
    stage.hold = 0.01
    await stage.run(Listens(COLOUR))
    await stage.stop(submit=False)

    await stage.play(Listens()).run("s1", asyncio.Event())

    session = stage.surface.last
    assert (session.state, session.closed[0].outcome) == ("canceled", "lost")
    assert await stage.store.unfinished() == []


class Unsure(SqlStore):
    """A store whose database is away when something is dropped for the first time."""

    away = True

    async def drop(self, message_ids: Sequence[str], owner: tuple[str, int] | None = None) -> None:
        if self.away:
            self.away = False
            raise StoreFailed("The database does not answer.")
        await super().drop(message_ids, owner)


async def test_a_stop_is_obeyed_when_the_database_is_there_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.inbox.AGAIN", 0.01)
    async with staged(tmp_path, Unsure) as stage:
        stage.play(Deaf())
        await stage.say()
        await stage.surface.until(lambda: any(each.steps for each in stage.surface.shown))

        await stage.stop()

        assert (await stage.ended()).state == "canceled"


async def begun(stage: Stage) -> Inbox:
    """The inbox of a turn that has taken its first message."""
    await stage.say(submit=False)
    session, epoch = await stage.store.begin("s1")
    inbox = Inbox(stage.store, stage.surface, session, asyncio.Event())
    await inbox.open()
    session = session.begin(inbox.messages)
    await stage.store.take("s1", epoch, session, agent(), ["m1"])
    inbox.begun(epoch, session, agent())
    return inbox


async def test_whoever_has_lost_a_session_takes_no_stop_from_whoever_goes_on(stage: Stage) -> None:
    inbox = await begun(stage)

    await stage.store.begin("s1")  # somebody else has it now
    await stage.stop(submit=False)
    await inbox._look()
    with pytest.raises(Superseded):
        await inbox.close()

    assert [one.message.id for one in await stage.store.unread("s1")] == ["m1", "stop"]


async def test_who_stops_together_with_another_dropped_nothing_that_waited(stage: Stage) -> None:
    inbox = await begun(stage)

    await stage.stop("stop:ana", submit=False)
    await stage.stop("stop:ben", submit=False)
    await inbox._look()

    assert await inbox.heard.take() == [Finished("canceled", "Stopped by Ben.")]
    assert {one.id for one in inbox.stopped} == {"stop:ana", "stop:ben"}


class Clings:
    """Works until it is stopped, and takes long to leave."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.leaves = asyncio.Event()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        try:
            yield Started("r1")
            await asyncio.Event().wait()
        finally:
            self.leaves.set()
            await asyncio.sleep(5)


async def test_a_stop_is_not_forgotten_where_the_process_dies_before_the_runtime_has_stopped(stage: Stage) -> None:
    stage.play(first := Clings())
    await stage.say()
    await stage.surface.until(lambda: any(session.state == "working" for session in stage.surface.shown))
    await stage.stop()
    await first.leaves.wait()
    await stage.engine.close()

    stage.play(second := Clings())
    for session_id in await stage.store.unfinished():
        await stage.engine.submit(session_id)

    assert (await stage.ended()).state == "canceled"
    assert not second.turns


async def test_two_answers_given_before_the_turn_goes_on_are_both_told(stage: Stage) -> None:
    other = replace(COLOUR, id="q2", parts=(Part("where", "Where?", (Option("Here"),)),))
    turns = await stage.run(asks := Asks(COLOUR, other))
    assert turns.state == "input_required"
    await stage.answer("q1", "Red", submit=False)
    await stage.answer("q2", "Here", part="where", submit=False)

    stage.play(asks)
    await stage.engine.submit("s1")
    await stage.ended(2)

    assert asks.turns[1].prompt == "You asked: Which?\nThe answer is: Red\n\nYou asked: Where?\nThe answer is: Here"


class Asks:
    """Asks all at once, and ends its turn."""

    def __init__(self, *questions: Question) -> None:
        self.questions, self.turns = questions, list[Turn]()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        if turn.number == 1:
            for question in self.questions:
                yield question
        yield Finished("completed" if turn.number > 1 else "input_required")


async def test_an_empty_inbox_is_nothing_to_do(stage: Stage) -> None:
    session = Session("s1", "helper", THREAD, ANA)
    await stage.store.start(session)

    assert not await Inbox(stage.store, stage.surface, session, asyncio.Event()).open()


def test_an_answer_that_never_came_has_expired() -> None:
    letter = replace(message(""), answer=Answer("q1"))

    assert settle(Session("s1", "helper", THREAD, ANA), letter) == Answered("q1", "expired")


def test_what_was_typed_as_a_secret_is_not_shown() -> None:
    session = Session("s1", "helper", THREAD, ANA, questions=(SECRET,))
    letter = replace(message("", by=BEN), answer=Answer("q2", {"user": ("root",), "key": ("hunter2",)}, "be quick"))

    assert settle(session, letter).answers == ("root", "(kept secret)", "“be quick”")
    assert shown(None, Answer("q9", {"x": ("y",)})) == ("y",)


async def test_whoever_tells_too_much_at_once_waits_until_it_is_heard() -> None:
    heard = Heard()
    for number in range(MOST):
        await heard.put(Text(str(number)))
    telling = [asyncio.create_task(heard.put(Text(word))) for word in ("one", "more")]
    await asyncio.sleep(0)

    assert len(await heard.take()) == MOST
    await asyncio.wait(telling)
    assert await heard.take() == [Text("one"), Text("more")]


async def test_whoever_stops_listening_takes_nothing_along() -> None:
    heard = Heard()
    listening = asyncio.create_task(heard.take())
    await asyncio.sleep(0)
    heard.add(Text("hello"))
    listening.cancel()
    await asyncio.wait([listening])

    assert await heard.take() == [Text("hello")]
