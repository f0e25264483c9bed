"""What Hermes tells becomes our events: tested without it."""

from typing import Any

import pytest

from bot.agent import Agent
from bot.event import ALLOW, ALLOW_SESSION, DENY, Event, Finished, Question, Step, Text, Usage
from bot.message import Answer
from bot.runtimes.hermes_server import read
from bot.runtimes.hermes_setting import Options
from bot.runtimes.hermes_story import Story, failure

AGENT = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "hermes"})


@pytest.fixture
def story() -> Story:
    return Story(AGENT)


def told(story: Story, event: str, **more: Any) -> list[Event]:
    return list(story.tell({"event": event, "run_id": "r1", **more}))


def test_words_come_in_pieces_and_begin_without_empty_lines(story: Story) -> None:
    assert told(story, "message.delta", delta="\n\n") == []
    assert told(story, "message.delta", delta="\nHel") == [Text("Hel")]
    assert told(story, "message.delta", delta="\n\nlo") == [Text("\n\nlo")]


def test_what_is_called_reasoning_repeats_the_answer_and_is_not_told(story: Story) -> None:
    assert told(story, "reasoning.available", text="Hello") == []


def test_the_end_of_a_tool_is_that_of_the_oldest_of_its_name(story: Story) -> None:
    [first] = told(story, "tool.started", tool="terminal", preview="make")
    [other] = told(story, "tool.started", tool="read_file", preview="a.py")
    [second] = told(story, "tool.started", tool="terminal", preview="make test")

    [ended] = told(story, "tool.completed", tool="terminal", error=True)

    assert [step.title for step in (first, other, second) if isinstance(step, Step)] == ["Run: make", "Read a.py", "Run: make test"]
    assert isinstance(first, Step)
    assert isinstance(ended, Step)
    assert (ended.call_id, ended.kind, ended.status) == (first.call_id, "execute", "failed")


def test_a_permission_shows_the_whole_command(story: Story) -> None:
    [question] = told(story, "approval.request", command="rm -rf x", description="recursive delete", choices=["once", "session", "deny"])

    assert isinstance(question, Question)
    assert question.detail == "rm -rf x"
    assert [option.label for option in question.parts[0].options] == [ALLOW, DENY]


@pytest.mark.parametrize(
    ("words", "choice"), [((ALLOW,), "once"), ((ALLOW_SESSION,), "deny"), ((DENY,), "deny"), ((), "deny"), (("sure",), "deny")]
)
def test_a_decision_in_hermes_words(story: Story, words: tuple[str, ...], choice: str) -> None:
    assert story.choice(Answer("r1/ask1", {"decision": words})) == choice


def test_what_was_denied_is_shown_as_that(story: Story) -> None:
    told(story, "tool.started", tool="terminal", preview="rm -rf x")
    story.choice(Answer("r1/ask1", {"decision": (DENY,)}))

    [step] = told(story, "tool.completed", tool="terminal", error=False)

    assert isinstance(step, Step)
    assert step.status == "denied"


def test_the_end_of_a_run_is_counted_and_an_answer_nobody_heard_is_told(story: Story) -> None:
    assert told(story, "run.completed", output="Hello", usage={"input_tokens": 10, "output_tokens": 2}) == [Usage(10, 2), Text("Hello")]
    assert story.end == Finished("completed")


def test_what_was_not_heard_of_an_answer_is_told_and_nothing_twice(story: Story) -> None:
    told(story, "message.delta", delta="I look.\n\nIt is do")

    assert told(story, "run.completed", output="It is done.", unheard=True)[1:] == [Text("ne.")]


def test_a_last_message_of_which_nothing_was_heard_is_told_whole(story: Story) -> None:
    told(story, "message.delta", delta="I look.")

    assert told(story, "run.completed", output="It is done.", unheard=True)[1:] == [Text("\n\nIt is done.")]


def test_a_second_run_of_the_turn_speaks_in_a_paragraph_of_its_own(story: Story) -> None:
    told(story, "message.delta", delta="one")
    told(story, "run.completed", output="one")
    story.begin()

    assert told(story, "message.delta", delta="two") == [Text("\n\ntwo")]
    assert told(story, "message.delta", delta=" more") == [Text(" more")]


def test_a_run_that_was_stopped_is_no_failure(story: Story) -> None:
    told(story, "run.cancelled")

    assert story.end == Finished("canceled")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("Error 401: bad key", "Put a valid key"),
        ("404 no model", "correct `model:`"),
        ("429", "Try again later"),
        ("400 odd", "400 odd"),
        ("Connection error.", "Look at the network"),
    ],
)
def test_an_error_is_told_with_the_remedy(error: str, remedy: str) -> None:
    assert remedy in failure(error, AGENT)


@pytest.mark.parametrize("line", ["", ": keepalive", "data: {", "data: [1]", 'data: {"no": "event"}', "event: x"])
def test_a_line_that_is_no_event_is_passed_over(line: str) -> None:
    assert read(line) is None


def test_a_gateway_elsewhere_needs_its_key() -> None:
    with pytest.raises(ValueError, match=r"options\.url needs options\.key"):
        Options(url="http://hermes:8642")


def test_answers_are_given_in_the_order_of_the_questions(story: Story) -> None:
    [first] = told(story, "approval.request", command="rm -rf x")
    [second] = told(story, "approval.request", command="rm -rf y")
    assert isinstance(first, Question)
    assert isinstance(second, Question)
    allowed, denied = Answer(second.id, {"decision": (ALLOW,)}), Answer(first.id, {"decision": (DENY,)})

    assert [*story.due(allowed)] == []
    assert [*story.due(denied)] == [denied, allowed]
    assert story.waiting == []
