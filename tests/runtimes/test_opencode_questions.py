"""What OpenCode asks of people, and how it is told their answers."""

from pathlib import Path
from typing import Any

from bot.event import ALLOW, ALLOW_SESSION, DENY, Answered, Event, Option, Part, Question, permission
from bot.message import Answer, Message, Person
from bot.runtimes import coding
from bot.runtimes.opencode_questions import Questions, Reply
from bot.runtimes.opencode_story import Story

BERT = Person("U2", "Bert")
TOUCH = {
    "id": "per_1",
    "sessionID": "ses_1",
    "permission": "bash",
    "patterns": ["touch a"],
    "always": ["touch *"],
    "tool": {"callID": "c1"},
}
COLOUR = {"question": "Which colour?", "header": "Colour", "options": [{"label": "Red", "description": "warm"}, {"label": "Blue"}]}
ASKED = {"id": "que_1", "sessionID": "ses_1", "questions": [COLOUR, {"question": "How many?", "multiple": True}]}


def questions() -> Questions:
    story = Story("ses_1", "agents/coder.md", Path("/repo"))
    story.calls["c1"] = "bash", {"command": "touch a"}
    return Questions(story)


def told(asking: Questions, kind: str, properties: dict[str, Any]) -> list[Event]:
    return list(asking.tell({"type": kind, "properties": properties}))


def said(question: str, note: str = "", **parts: tuple[str, ...]) -> Message:
    answer = Answer(question, {name.lstrip("_"): words for name, words in parts.items()}, note)
    return Message("m1", "t", "c", BERT, "", answer=answer)


def test_a_permission_shows_the_call_and_is_allowed_once() -> None:
    asking = questions()

    assert told(asking, "permission.asked", TOUCH) == [
        permission("per_1", "Run this command?", "touch a", session="bash: whatever fits touch *"),
    ]
    assert asking.reply(said("per_1", decision=(ALLOW,))) == Reply("/permission/per_1/reply", {"reply": "once"})
    assert told(asking, "permission.replied", {"requestID": "per_1", "reply": "once"}) == [Answered("per_1", "answered", "Bert", (ALLOW,))]


def test_for_this_session_makes_rules_that_last() -> None:
    asking = questions()
    told(asking, "permission.asked", TOUCH)

    reply = asking.reply(said("per_1", decision=(ALLOW_SESSION,)))

    rule = {"permission": "bash", "pattern": "touch *", "action": "allow"}
    assert reply == Reply("/permission/per_1/reply", {"reply": "always"}, (rule,))


def test_a_denial_carries_words_so_that_the_turn_goes_on() -> None:
    asking = questions()
    told(asking, "permission.asked", TOUCH)

    reply = asking.reply(said("per_1", "Ask me first.", decision=(DENY,)))

    assert reply == Reply("/permission/per_1/reply", {"reply": "reject", "message": "A person denied this. Ask me first."})
    assert asking.story.denied == {"c1"}
    assert told(asking, "permission.replied", {"requestID": "per_1"}) == [Answered("per_1", "declined", "Bert", (DENY,))]


def test_what_is_settled_by_another_answer_is_closed() -> None:
    asking = questions()
    told(asking, "permission.asked", TOUCH)

    assert told(asking, "permission.replied", {"requestID": "per_1", "reply": "always"}) == [Answered("per_1", "canceled")]


def test_its_questions_have_options_and_take_other_words_too() -> None:
    [asked] = told(questions(), "question.asked", ASKED)

    red, blue = Option("Red", "warm"), Option("Blue")
    assert asked == Question(
        "que_1", "question",
        (Part("0", "Which colour?", (red, blue), "Colour", False, True), Part("1", "How many?", (), "", True, True)),
    )  # fmt: skip


def test_its_questions_are_answered_one_by_one_and_a_note_goes_with_the_last() -> None:
    asking = questions()
    told(asking, "question.asked", ASKED)

    reply = asking.reply(said("que_1", "not more", _0=("mauve",), _1=("two", "three")))

    assert reply == Reply("/question/que_1/reply", {"answers": [["mauve"], ["two", "three", "not more"]]})


def test_without_an_answer_the_agent_hears_that_nobody_answered() -> None:
    asking = questions()
    told(asking, "question.asked", ASKED)

    reply = asking.reply(said("que_1"))

    assert reply == Reply("/question/que_1/reply", {"answers": [[], [coding.NOBODY]]})
    assert told(asking, "question.replied", {"requestID": "que_1"}) == [Answered("que_1", "expired", "Bert")]


def test_an_answer_that_nobody_waits_for_is_not_given() -> None:
    asking = questions()
    told(asking, "permission.asked", TOUCH)
    asking.reply(said("per_1", decision=(ALLOW,)))

    assert asking.reply(said("per_1", decision=(DENY,))) is None
    assert asking.reply(said("per_7", decision=(ALLOW,))) is None
