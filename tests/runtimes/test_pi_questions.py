"""What Pi asks of people, and how it is told their answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.event import ALLOW, DENY, Answered, Option, Part, Question, permission
from bot.message import Answer, Message, Person
from bot.runtimes import coding
from bot.runtimes.pi_questions import Questions
from bot.runtimes.pi_story import Story

BERT = Person("U2", "Bert")


def questions() -> Questions:
    return Questions(Story("agents/coder.md", Path("/repo")))


def dialog(method: str, **more: Any) -> dict[str, Any]:
    return {"type": "extension_ui_request", "id": "q1", "method": method, **more}


def ours(kind: str, **told: Any) -> dict[str, Any]:
    return dialog("editor", title=json.dumps({"frontdesk": kind, **told}), prefill="")


def said(note: str = "", **parts: tuple[str, ...]) -> Message:
    return Message("m1", "t", "c", BERT, "", answer=Answer("q1", parts, note))


def replied(record: dict[str, Any], message: Message) -> tuple[dict[str, Any], Answered]:
    """What Pi is told in answer to this, beside the number of what it asked; and how the question is closed."""
    asking = questions()
    assert asking.asked(record)
    found = asking.answered(message)
    assert found
    return {name: value for name, value in found[0].items() if name not in ("type", "id")}, found[1]


def test_a_permission_shows_all_that_would_be_done() -> None:
    given = {"path": "a.py", "edits": [{"oldText": "1\n2", "newText": "3"}, {"oldText": "x", "newText": ""}]}

    asked = questions().asked(ours("permission", call="c1", tool="edit", input=given))

    assert asked == permission("q1", "Change this file?", "a.py\n\n- 1\n- 2\n+ 3\n\n- x", session=False)


def test_an_edit_with_more_to_it_is_shown_as_it_is() -> None:
    given = {"path": "a.py", "edits": [{"oldText": "1", "newText": "2", "all": True}]}

    asked = questions().asked(ours("permission", call="c1", tool="edit", input=given))

    assert asked
    assert json.loads(asked.detail) == given


def test_a_permission_is_given() -> None:
    told, closed = replied(ours("permission", call="c1", tool="bash", input={"command": "ls"}), said(decision=(ALLOW,)))

    assert told == {"value": "allow"}
    assert closed == Answered("q1", "answered", "Bert", (ALLOW,))


def test_a_permission_is_denied_with_the_reason() -> None:
    asking = questions()
    asking.asked(ours("permission", call="c1", tool="bash", input={"command": "ls"}))

    found = asking.answered(said("Ask me first.", decision=(DENY,)))

    assert found
    assert found[0] == {"type": "extension_ui_response", "id": "q1", "value": "A person denied this. Ask me first."}
    assert found[1] == Answered("q1", "declined", "Bert", (DENY,))
    assert asking.story.denied == {"c1"}


def test_the_agents_own_question_has_options_and_takes_other_words_too() -> None:
    asked = questions().asked(ours("question", question="Which colour?", options=["Red", "Blue"], multiple=True))

    part = Part("answer", "Which colour?", (Option("Red"), Option("Blue")), multi=True, free_text=True)
    assert asked == Question("q1", "question", (part,))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (said(answer=("Red", "Blue")), "Red, Blue"),
        (said("the dark one", answer=("Blue",)), "Blue (the dark one)"),
        (said("ask Bert"), "ask Bert"),
        (said(), coding.NOBODY),
    ],
)
def test_the_agents_own_question_is_answered_in_words(answer: Message, told: str) -> None:
    assert replied(ours("question", question="Which colour?"), answer)[0] == {"value": told}


@pytest.mark.parametrize(
    ("record", "asked"),
    [
        (dialog("confirm", title="Clear?", message="All is lost."), permission("q1", "Clear?", "All is lost.", session=False)),
        (dialog("select", title="Which?", options=["A"]), Question("q1", "question", (Part("answer", "Which?", (Option("A"),)),))),
        (dialog("input", title="Name?"), Question("q1", "question", (Part("answer", "Name?", free_text=True),))),
        (dialog("editor", title="Text?", prefill="one"), Question("q1", "question", (Part("answer", "Text?", free_text=True),), "one")),
    ],
)  # fmt: skip
def test_what_other_extensions_ask_is_asked_too(record: dict[str, Any], asked: Question) -> None:
    assert questions().asked(record) == asked


@pytest.mark.parametrize(
    ("record", "answer", "told"),
    [
        (dialog("confirm", title="Clear?"), said(decision=(ALLOW,)), {"confirmed": True}),
        (dialog("confirm", title="Clear?"), said(decision=(DENY,)), {"confirmed": False}),
        (dialog("select", title="Which?", options=["A", "B"]), said(answer=("B",)), {"value": "B"}),
        (dialog("input", title="Name?"), said(), {"cancelled": True}),
    ],
)
def test_what_other_extensions_ask_is_answered_as_they_know_it(record: dict[str, Any], answer: Message, told: dict[str, Any]) -> None:
    assert replied(record, answer)[0] == told


def test_what_only_shows_something_is_no_question() -> None:
    assert questions().asked(dialog("notify", message="Hello")) is None


def test_an_answer_that_nobody_waits_for_is_not_given() -> None:
    assert questions().answered(said(decision=(ALLOW,))) is None
