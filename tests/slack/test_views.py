"""What each state looks like, to the letter: one golden file for each, beside this one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent import Agent
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
    Queued,
    Started,
    Step,
    Text,
    Thought,
    Usage,
    permission,
)
from bot.glance import Glance, Opinion, Running, Share, Waiting
from bot.message import Message, Person
from bot.ports import Feedback
from bot.session import Session
from bot.slack.parse import plain
from bot.slack.view import View, date
from bot.slack.views import feedback, home, question, triage
from bot.slack.views import session as turn
from tests.standins.stage import agent

GOLDEN = Path(__file__).parent / "golden"
ANA = Person("U1", "Ana")
SITE = "https://example.slack.com/"
STEPS = (
    Started("r1", model="opus"),
    Step("c1", "Read bot/turn.py", "read", "completed", "bot/turn.py"),
    Step("c2", "Ran the tests", "execute", "failed", "pytest -q"),
    Step("c3", "Editing", "edit"),
)
PLAN = Plan((Item("Look", "done"), Item("Fix <it>", "in_progress"), Item("Test & ship")))
ANSWER = Text("It was the **lock**: see [the docs](https://docs.example).\n\n```python\nx < 1\n```")
LONG = Text("\n\n".join(f"Paragraph {n}: " + "word " * 150 for n in range(30)))
COLOUR = Question("q1", "question", (Part("which", "Which colour?", (Option("Red", "Like fire"), Option("Blue")), header="Paint"),))
MENU = Question("q2", "question", (Part("which", "Which of these?", tuple(Option(f"Colour {n}") for n in range(7)), free_text=True),))
MULTI = Question("q3", "question", (Part("which", "Which ones?", (Option("Red"), Option("Blue")), multi=True),))
FREE = Question("q4", "question", (Part("what", "What shall it be called?"),))
SEVERAL = Question("q5", "form", (*COLOUR.parts, *FREE.parts, Part("key", "The key?", secret=True)), expires_at=1_800_000_000.0)
MAY = permission("q6", "May I run this?", "rm -rf build && echo <done>", session="the very same again")
LINKED = tuple(Artifact(f"report <{n}>.pdf", url=f"https://files.example/{n}?a=1&b=my_file") for n in range(9))
HELPER = agent(allow={"approve": ["S1ABC", "U9BOB"], "answer": ["asker"]})


def session(*events: Event, ended: float = 110.0) -> Session:
    first = Session("s1", "helper", "slack:T1:C1:1.0", ANA, "C1")
    said = Message("m1", first.thread, "C1", ANA, "Why does it hang?", at=100.0)
    return first.begin([said]).fold(events, ended)


RUNS, DONE, OTHERS = session(*STEPS), replace(session(ANSWER, Finished("completed")), id="s2"), replace(session(MAY), id="s3")
BAD = Feedback("s1", 1, "U1", "bad", ("wrong", "slow"), "it is <4>", "helper")
GLANCE = Glance(
    (HELPER,), (RUNS, DONE), frozenset(("s1",)), (Waiting(session(COLOUR), COLOUR, mine=True), Waiting(OTHERS, MAY)),
    opinions=(Opinion(BAD, DONE.thread, DONE.title, "2.5"),), used=Share("U1", 1200, 3, 12.345),
    troubles=("acme.example does not answer.",),
)  # fmt: skip
RUNNING = Running(
    {"slack": "no socket to Slack is open"}, ["agents/helper.md: runtime: 'ecko' is none; did you mean 'echo'?"], 2,
    (Share("helper", 12, 1, 3.4, 5, 1), Share("other", 1), Share("quiet")),
    ((1_800_000_000.0, OTHERS), (1_800_000_100.0, replace(session(), private=True))),
)  # fmt: skip


def shown(*events: Event, ended: float = 110.0, now: float = 112.0) -> dict[str, View]:
    done = session(*events, ended=ended)
    return turn.render(done, HELPER, now, turn.late(done))


def card(asked: Question, outcome: Answered | None = None, helper: Agent = HELPER) -> dict[str, View]:
    return {"card": question.render(session(asked), asked, outcome, helper)}


def form(block: Mapping[str, object]) -> dict[str, object]:
    return {"form": block}


STATES: dict[str, Mapping[str, object]] = {
    "progress-empty": shown(),
    "progress-thought": shown(Started("r1"), Thought("Perhaps it is the lock."), now=104.0),
    "progress-plan-and-steps": shown(PLAN, *STEPS),
    "progress-streaming": shown(*STEPS, ANSWER, now=190.0),
    "progress-with-a-warning": shown(STEPS[0], Notice("Careful."), Notice("The model's API fails; trying again.", "warning")),
    "progress-waiting": shown(Started("r1"), COLOUR),
    "progress-in-line": shown(Queued(2, 95.0)),
    "progress-next-in-line": shown(Queued(0)),
    "answer-short": shown(Started("r1"), ANSWER, Usage(usd=0.02), Finished("completed")),
    "answer-with-steps-and-notice": shown(*STEPS, ANSWER, Notice("Half of it is a guess.", "warning"), Finished("completed")),
    "answer-late": shown(*STEPS, ANSWER, Finished("completed"), ended=200.0),
    "answer-empty": shown(Started("r1"), Finished("completed")),
    "answer-long": shown(Started("r1"), LONG, Finished("completed")),
    "answer-with-links": shown(Started("r1"), ANSWER, *LINKED[:5], Finished("completed")),
    "answer-with-many-links": shown(Started("r1"), ANSWER, *LINKED, Finished("completed")),
    "parked-with-links": shown(Started("r1"), COLOUR, *LINKED[:2], Finished("input_required")),
    "parked-with-words": shown(Started("r1"), Text("I need to know one thing."), COLOUR, Finished("input_required")),
    "parked": shown(Started("r1"), COLOUR, Finished("input_required")),
    "parked-with-a-step": shown(Started("r1"), STEPS[1], COLOUR, Finished("input_required"), ended=103.0),
    "failed": shown(*STEPS, Text("Half of it"), Finished("failed", "The moon is gone.", "MoonError")),
    "canceled": shown(Started("r1"), Finished("canceled", "Stopped by Ben.")),
    "canceled-in-the-middle": shown(STEPS[3], Finished("canceled", "Stopped by Ben.")),
    "canceled-with-steps": shown(*STEPS, Finished("canceled", "Stopped by Ben.")),
    "failed-after-a-long-answer": shown(*STEPS, LONG, Finished("failed", "The moon is gone.", "MoonError")),
    "rejected": shown(Finished("rejected", "The budget is used up.")),
    "steps": form(turn.steps([*STEPS])),
    "question-buttons": card(COLOUR),
    "question-menu": card(MENU),
    "question-multi": card(MULTI),
    "question-free": card(FREE),
    "question-several": card(SEVERAL),
    "question-permission": card(MAY),
    "question-nobody-may-allow": card(MAY, helper=agent()),
    "question-answered": card(COLOUR, Answered("q1", "answered", "Ben", ("Red",))),
    "question-denied": card(MAY, Answered("q6", "answered", "Ben", ("Deny", "“not today”"))),
    "question-expired": card(COLOUR, Answered("q1", "expired")),
    "question-lost": card(COLOUR, Answered("q1", "lost")),
    "question-form": form(question.form(SEVERAL, "s1 q5")),
    "question-why": form(question.why("s1 q6")),
    "home": form(home.render(GLANCE, SITE)),
    "home-empty": form(home.render(Glance(), SITE)),
    "home-of-whoever-runs-it": form(home.render(Glance(running=RUNNING), SITE)),
    "home-try": form(home.trial(agent(prompts=[{"title": "Hello", "message": "Say hello"}]))),
    "triage": form(triage.form("Triage", "payments fail\nfor <everybody>", "Ben", [HELPER, agent("other")], HELPER, "C1 1.0")),
    "triage-nobody": form(triage.nobody()),
    "feedback": form(feedback.form("s1 1")),
}


def written(state: Mapping[str, object]) -> str:
    plain = {slot: {"text": v.text, "rank": v.rank, "blocks": v.blocks} if isinstance(v, View) else v for slot, v in state.items()}
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", STATES)
def test_a_state_looks_as_it_always_did(name: str) -> None:
    """To accept what has changed on purpose, run this file: python -m tests.slack.test_views."""
    file = GOLDEN / f"{name}.json"

    assert written(STATES[name]).splitlines() == file.read_text("utf-8").splitlines()


def test_there_is_no_golden_file_of_a_state_that_is_gone() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == sorted(STATES)


def test_a_date_can_be_read_where_slack_fills_nothing_in() -> None:
    assert plain(f"since {date(1800000000.0)}, there") == "since 2027-01-15 08:00 UTC, there"


def test_the_time_that_passes_is_shown_coarsely() -> None:
    lines = [shown(Started("r1"), now=100.0 + seconds)["s1:1:0"].text for seconds in (0, 4, 7, 59, 61, 119, 3700)]

    assert [line.removeprefix("helper: Working…").strip() for line in lines] == ["", "", "5 s", "55 s", "1 min", "1 min", "1 h 1 min"]


def test_progress_has_time_and_the_last_word_has_not() -> None:
    ranks = [view.rank for view in (shown()["s1:1:0"], shown(*STEPS)["s1:1:0"], shown(Finished("completed"))["s1:1:0"])]

    assert ranks == [1, 2, 0]


def test_after_a_question_the_cost_is_told_once() -> None:
    views = shown(STEPS[0], COLOUR, Answered("q1", "answered", "Ben", ("Red",)), Usage(usd=0.09), ANSWER, Finished("completed"))

    assert ["$0.09" in str(view.blocks) for view in views.values()] == [False, True]


def test_a_link_that_is_long_is_whole() -> None:
    long = Artifact("report.pdf", url="https://files.example/" + "&x=1" * 450)

    for events in ((ANSWER, Finished("completed")), (ANSWER, Finished("failed", "The moon is gone."))):
        assert long.url in str([view.blocks for view in shown(Started("r1"), long, *events).values()])


@pytest.mark.parametrize("end", ["completed", "failed", "canceled", "input_required"])
def test_of_files_none_vanishes_without_a_word(end: End) -> None:
    many = [Artifact(f"{n}.pdf", url=f"https://files.example/{n}.pdf") for n in range(103)]
    views = shown(Started("r1"), ANSWER, *many, Finished(end))
    texts = "\n".join(str(block.get("text")) for view in views.values() for block in view.blocks)

    assert [made.name for made in many if f"- {made.name}: {made.url}\n" in texts + "\n"] == [made.name for made in many[:100]]
    assert "3 more files came after the first 100, and are not given here. Ask for what you need of them." in texts


@pytest.mark.parametrize("end", ["completed", "failed", "canceled"])
def test_of_an_answer_that_takes_too_many_messages_the_rest_is_in_the_file(end: End) -> None:
    views = list(shown(Text("\n\n".join([LONG.text] * 3)), Finished(end, "The moon is gone.")).values())
    texts = [view.blocks[0]["text"] for view in views]

    assert texts[turn.MOST] == "_The rest stands in the file below._"
    assert len(texts) == turn.MOST + (1 if end == "completed" else 2)
    assert end == "completed" or "The moon is gone." in texts[-1]["text"]


def test_a_turn_that_has_said_something_has_done_something() -> None:
    assert "Nothing had been done" not in str(shown(Text("Half of it"), Finished("canceled", "Stopped by Ben.")))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, state in STATES.items():
        (GOLDEN / f"{name}.json").write_text(written(state), "utf-8")
