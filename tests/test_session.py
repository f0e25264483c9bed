"""A session as its turns go: each event, and what it leaves behind."""

import math
from dataclasses import replace

import pytest

from bot.event import (
    Answered,
    Artifact,
    End,
    Event,
    Finished,
    Item,
    Notice,
    Option,
    Part,
    Plan,
    Question,
    Started,
    Step,
    Text,
    Thought,
    Usage,
    permission,
)
from bot.message import Message, Person
from bot.session import KEPT, MADE, Session, add, heading

ANA, BEN = Person("U1", "Ana"), Person("U2", "Ben")
COLOUR = Question("q1", "question", (Part("colour", "Which?", (Option("Red"), Option("Blue"))),))


def message(text: str = "Look at this", id: str = "m1", by: Person = ANA, at: float = 100.0) -> Message:
    return Message(id, "slack:T1:C1:1", "C1", by, text, at=at)


def session(*events: Event) -> Session:
    return Session("s1", "helper", "slack:T1:C1:1", ANA).begin([message()]).fold(events, 110.0)


def test_a_turn_begins_with_what_was_said() -> None:
    begun = Session("s1", "helper", "t", ANA).begin([message("Look\nat this", "m1"), message("and that", "m2", BEN, 105.0)])

    assert (begun.state, begun.number, begun.asked) == ("submitted", 1, 100.0)
    assert (begun.by, begun.source, begun.title) == (BEN, "m2", "and that")
    assert begun.live


def test_a_turn_goes_from_submitted_to_completed() -> None:
    working = session(Started("r1", model="opus"), Text("Hello, "), Text("Ana."))
    done = working.apply(Finished("completed"), 120.0)

    assert (working.state, working.resume, working.model, working.answer) == ("working", "r1", "opus", "Hello, Ana.")
    assert (done.state, done.over, done.live, done.ended) == ("completed", True, False, 120.0)
    assert done.answer == "Hello, Ana."


def test_a_final_text_stands_in_place_of_all_before() -> None:
    assert session(Text("draft"), Text("The answer.", final=True)).answer == "The answer."


RED = Answered("q1", "answered", "Ana", ("Red",))
ASKED = (Started("r1"), Text("I read both. "), COLOUR, RED)
DONE = Finished("completed")


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ((Text("It is red."),), "I read both.\n\nIt is red."),
        ((Text("It is "), Text("It is red.", final=True)), "I read both.\n\nIt is red."),
        ((Text("I read both. "), Text("It is red.")), "I read both. It is red."),
        ((Text("I read both. It is red.", final=True),), "I read both. It is red."),
        ((), "I read both."),
    ],
)
def test_what_was_said_before_a_question_stands_also_where_another_process_goes_on(told: tuple[Event, ...], answer: str) -> None:
    again = session(*ASKED, Text("It i")).resumed()

    assert again.fold([*told, DONE], 120.0).answer == answer
    assert again.fold(told[:1], 120.0).resumed().fold([*told, DONE], 130.0).answer == answer


def test_what_was_said_before_a_question_is_not_taken_back() -> None:
    assert session(*ASKED, Text("It is "), Text("It is red.", final=True)).answer == "I read both.\n\nIt is red."


def test_of_two_questions_each_keeps_what_stood_before_it() -> None:
    other = replace(COLOUR, id="q2")
    again = session(*ASKED).resumed().fold([Text("It is red."), other, replace(RED, id="q2")], 120.0).resumed()

    assert again.fold([Text("Both are."), DONE], 130.0).answer == "I read both.\n\nIt is red.\n\nBoth are."
    assert again.begin([message()]).apply(DONE, 140.0).answer == ""


def test_work_that_is_found_again_keeps_what_was_said() -> None:
    assert session(Started("r1"), Text("half, "), Started("r2"), Text("whole")).answer == "half, whole"


def test_the_next_turn_is_new_but_remembers_the_conversation() -> None:
    first = session(
        Started("r1", model="opus"), Text("One."), Step("c1", "Look"), Usage(usd=0.5), Notice("n"), Finished("failed", "x", "y")
    )
    second = first.begin([message("more", "m2", BEN, 200.0)])

    assert (second.number, second.state, second.seen, second.asked) == (2, "submitted", 100.0, 200.0)
    assert (second.answer, second.steps, second.count, second.notices, second.reason, second.error) == ("", (), 0, (), "", "")
    assert (second.resume, second.model, second.title, second.usage.usd, second.spent.usd) == ("r1", "opus", "Look at this", 0, 0.5)


def test_a_step_that_changes_stays_where_it_is() -> None:
    seen = session(Step("c1", "Read"), Step("c2", "Run"), Step("c1", "Read", status="completed"))

    assert [(step.call_id, step.status) for step in seen.steps] == [("c1", "completed"), ("c2", "working")]
    assert seen.count == 2


def test_of_many_steps_the_last_are_kept_and_all_are_counted() -> None:
    seen = session(*(Step(f"c{n}", "Read") for n in range(KEPT + 5)))

    assert (len(seen.steps), seen.count, seen.steps[0].call_id) == (KEPT, KEPT + 5, "c5")


@pytest.mark.parametrize(("end", "status"), [(Finished("completed"), "failed"), (Finished("canceled"), "working")])
def test_steps_that_were_running_at_the_end_did_not_succeed_or_were_cut(end: Finished, status: str) -> None:
    done = session(Step("c1", "Run"), Step("c2", "Read", status="completed"), end)

    assert [step.status for step in done.steps] == [status, "completed"]


def test_a_question_waits_for_a_person_and_its_answer_goes_on() -> None:
    waiting = session(Started("r1"), COLOUR)
    after = waiting.apply(Answered("q1", "answered", "Ana", ("Red",)))

    assert (waiting.state, waiting.open, waiting.live) == ("input_required", (COLOUR,), False)
    assert (after.state, after.open) == ("working", ())
    assert after.closed == (Answered("q1", "answered", "Ana", ("Red",)),)


def test_with_two_questions_both_have_to_be_answered() -> None:
    waiting = session(COLOUR, permission("q2", "May I?", "rm -rf build"))

    half = waiting.apply(Answered("q2", "answered"))

    assert (half.state, half.open) == ("input_required", (COLOUR,))
    assert half.apply(Answered("q1", "answered")).state == "working"


def test_a_question_told_twice_is_asked_once_and_answered_once() -> None:
    answer = Answered("q1", "answered", "Ana")
    again = session(COLOUR, COLOUR, answer, replace(answer, by="Ben"), COLOUR)

    assert again.questions == (COLOUR,)
    assert again.closed == (answer,)
    assert again.state == "working"


def test_an_answer_to_nothing_changes_nothing() -> None:
    before = session(Started("r1"))

    assert before.apply(Answered("q9", "answered")) == before


def test_a_turn_that_ends_with_a_question_leaves_it_open() -> None:
    waiting = session(Started("r1"), COLOUR, Finished("input_required"))

    assert (waiting.state, waiting.open, waiting.over, waiting.ended) == ("input_required", (COLOUR,), False, 110.0)


@pytest.mark.parametrize("end", ["completed", "failed", "canceled", "rejected"])
def test_whatever_ends_a_turn_closes_its_questions(end: End) -> None:
    done = session(COLOUR, Finished(end, "why", "error"))

    assert (done.state, done.reason, done.error, done.open) == (end, "why", "error", ())
    assert done.closed == (Answered("q1", "lost"),)


def test_the_plan_is_always_the_whole_plan() -> None:
    assert session(Plan((Item("a"), Item("b"))), Plan((Item("a", "done"),))).plan == (Item("a", "done"),)


def test_thoughts_keep_their_end_and_go_with_the_turn() -> None:
    thinking = session(Thought("x" * 600), Thought("end"))

    assert (len(thinking.thought), thinking.thought[-3:]) == (600, "end")
    assert thinking.apply(Finished("completed")).thought == ""


def test_what_is_told_twice_shows_once() -> None:
    file, notice = Artifact("a.txt", path="/a.txt"), Notice("Careful")
    seen = session(file, notice, file, notice)

    assert (seen.artifacts, seen.notices) == ((file,), (notice,))


def test_of_many_files_the_first_keep_their_places_and_the_others_are_counted() -> None:
    files = [Artifact(f"{n}.txt", path=f"/{n}.txt") for n in range(MADE + 2)]
    seen = session(*files, files[0])

    assert (list(seen.artifacts), seen.more) == (files[:MADE], 2)
    assert (seen.begin([message()]).artifacts, seen.begin([message()]).more) == ((), 0)


def test_costs_add_up_for_the_turn_and_for_the_session() -> None:
    seen = session(Usage(10, 5, 1, 0.25), Usage(1, 1, 0, 0.25, "gateway"))

    assert seen.usage == seen.spent == Usage(11, 6, 1, 0.5, "gateway") == add(Usage(10, 5, 1, 0.25), Usage(1, 1, 0, 0.25, "gateway"))


def test_a_session_stays_as_it_was() -> None:
    before = session()

    before.apply(Text("more"))

    assert before.answer == ""


def test_a_title_is_one_line_of_what_was_said() -> None:
    assert heading(" Look \n at\tthis ") == "Look at this"
    assert heading("x" * 60) == "x" * 60
    assert heading("word " * 20) == "word " * 11 + "word…"


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf, 1e300])
def test_a_figure_that_is_none_costs_nothing(figure: float) -> None:
    assert Usage(3, 4, usd=figure) == Usage(3, 4)


def test_tokens_that_nobody_can_count_are_none() -> None:
    assert Usage(10**30, 4) == Usage(0, 4)
