"""Where a graph waits, people are asked, and their answer is what the graph wants: tested without a server."""

from dataclasses import replace
from typing import Any

import pytest

from bot.agent import Agent
from bot.event import ALLOW, DENY, Option
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.langgraph_questions import asked, resumed, waits

AGENT = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "langgraph"})
TURN = Turn("s1", 2, AGENT, "go on")


def waiting(value: Any) -> dict[str, Any]:
    return {"id": "i1", "value": value}


def review(*actions: tuple[str, dict[str, Any]], allowed: tuple[str, ...] = ("approve", "edit", "reject")) -> dict[str, Any]:
    requests = [{"name": name, "args": given, "description": f"Needs approval\n\nTool: {name}"} for name, given in actions]
    configs = [{"action_name": name, "allowed_decisions": list(allowed)} for name, _ in actions]
    return waiting({"action_requests": requests, "review_configs": configs})


def answered(*words: str, note: str = "") -> Turn:
    return replace(TURN, answer=Answer("i1/2", {"decision": words} if words else {}, note))


def test_a_question_has_its_options_and_room_for_words() -> None:
    [part] = asked(waiting({"question": "Which?", "options": ["Red", {"label": "Blue", "description": "The sky's"}]}), 2).parts

    assert (part.text, part.options, part.free_text) == ("Which?", (Option("Red"), Option("Blue", "The sky's")), True)


@pytest.mark.parametrize(
    ("value", "text"), [("Which?", "Which?"), ({"message": "Go on?"}, "Go on?"), ({"a": 1}, '{\n  "a": 1\n}'), (7, "7")]
)
def test_whatever_a_graph_waits_with_is_asked(value: Any, text: str) -> None:
    assert asked(waiting(value), 2).parts[0].text == text


def test_a_permission_shows_all_of_every_call() -> None:
    question = asked(review(("execute", {"command": "rm a"}), ("deploy", {"to": "live", "force": True})), 2)

    assert question.kind == "permission"
    assert "rm a" in question.detail
    assert '"to": "live"' in question.detail
    assert '"force": true' in question.detail


def test_what_may_not_be_refused_is_a_question_that_is_answered_in_the_tools_place() -> None:
    interrupt = review(("ask_person", {"question": "Which?"}), allowed=("respond",))

    assert asked(interrupt, 2).kind == "question"
    assert resumed(interrupt, answered("Blue")) == {"decisions": [{"type": "respond", "message": "Blue"}]}


def test_the_same_place_in_another_turn_is_another_question() -> None:
    assert asked(waiting("Which?"), 1).id != asked(waiting("Which?"), 2).id


def test_each_of_several_calls_gets_the_decision() -> None:
    interrupt = review(("execute", {"command": "a"}), ("execute", {"command": "b"}))

    assert resumed(interrupt, answered(ALLOW)) == {"decisions": [{"type": "approve"}] * 2}


def test_a_refusal_says_why() -> None:
    refused = {"type": "reject", "message": "A person denied this. Not on a Friday."}

    assert resumed(review(("execute", {"command": "a"})), answered(DENY, note="Not on a Friday.")) == {"decisions": [refused]}


def test_a_call_that_is_reviewed_alone_gets_one_decision() -> None:
    interrupt = waiting({"type": "tool_approval", "tool_call_id": "c", "name": "execute", "args": {"command": "make"}})

    assert asked(interrupt, 2).detail == "make"
    assert resumed(interrupt, answered(ALLOW)) == {"type": "approve"}


def test_nobody_who_answers_is_no_leave() -> None:
    [decision] = resumed(review(("execute", {"command": "a"})), answered())["decisions"]

    assert decision["type"] == "reject"
    assert "did not answer" in decision["message"]


@pytest.mark.parametrize("said", ["what would it do?", ALLOW])
def test_words_in_place_of_a_decision_are_no_leave_either(said: str) -> None:
    [decision] = resumed(review(("execute", {"command": "a"})), replace(TURN, prompt=said))["decisions"]

    assert decision == {"type": "reject", "message": f"A person denied this. {said}"}


def test_what_was_said_in_words_of_ones_own_goes_to_the_graph_with_its_note() -> None:
    assert resumed(waiting("Which?"), answered("mauve", note="if there is any")) == "mauve\n(if there is any)"


def test_an_answer_finds_its_place_among_several() -> None:
    several = [{"id": "i1", "value": "a"}, {"id": "i2", "value": "b"}]

    assert waits(several, Answer("i2/2")) == several[1]
    assert waits(several, None) == several[0]
    assert waits(several, Answer("gone/1")) is None
