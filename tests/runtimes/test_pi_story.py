"""What Pi tells, as events; and its errors in words."""

from pathlib import Path
from typing import Any

import pytest

from bot.event import Event, Finished, Notice, Step, Text, Thought, Usage
from bot.runtimes.pi_story import Story, refused


def story() -> Story:
    return Story("agents/coder.md", Path("/repo"))


def told(story: Story, *records: dict[str, Any]) -> list[Event]:
    return [event for record in records for event in story.tell(record)]


def update(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "message_update", "assistantMessageEvent": {"type": kind, **more}}


def began(tool: str, **args: Any) -> dict[str, Any]:
    return {"type": "tool_execution_start", "toolCallId": "c1", "toolName": tool, "args": args}


def ended(text: str = "", error: bool = False) -> dict[str, Any]:
    return {"type": "tool_execution_end", "toolCallId": "c1", "result": {"content": [{"type": "text", "text": text}]}, "isError": error}


def test_text_and_thoughts_are_told_as_they_come_and_each_text_is_a_paragraph() -> None:
    events = told(
        story(),
        update("thinking_delta", delta="Hm."),
        update("text_start"),
        update("text_delta", delta="I look."),
        update("text_end", content="I look."),
        update("text_start"),
        update("text_delta", delta="Found."),
    )

    assert events == [Thought("Hm."), Text("I look."), Text("\n\n"), Text("Found.")]


def test_a_tool_is_a_step_that_ends() -> None:
    events = told(story(), began("bash", command="ls -l"), ended("total 0"))

    assert events == [Step("c1", "Run: ls -l", "execute", "working", "ls -l"), Step("c1", "Run: ls -l", "execute", "completed", "ls -l")]


def test_a_tool_that_fails_says_why() -> None:
    [_, step] = told(story(), began("read", path="/repo/a.py"), ended("ENOENT: no such file", error=True))

    assert step == Step("c1", "Read a.py", "read", "failed", "ENOENT: no such file")


def test_what_a_person_denied_is_told_as_denied() -> None:
    telling = story()
    telling.denied.add("c1")

    [_, step] = told(telling, began("bash", command="rm x"), ended("A person denied this.", error=True))

    assert step == Step("c1", "Run: rm x", "execute", "denied", "rm x")


def test_its_own_question_is_no_step() -> None:
    assert not told(story(), began("ask_user", question="Which colour?"), ended("Blue"))


def test_each_answer_of_the_model_is_counted() -> None:
    counted = {"input": 10, "output": 3, "cacheRead": 5, "cacheWrite": 4, "cost": {"total": 0.25}}

    assert told(story(), {"type": "turn_end", "message": {"usage": counted, "stopReason": "stop"}}) == [Usage(14, 3, 5, 0.25)]


def test_it_says_when_the_provider_fails_and_when_the_conversation_is_summarised() -> None:
    events = told(
        story(),
        {"type": "auto_retry_start", "attempt": 1, "errorMessage": "529: overloaded"},
        {"type": "compaction_end", "result": {"usage": {"input": 7, "cost": {"total": 0.5}}}},
        {"type": "extension_ui_request", "id": "1", "method": "notify", "message": "Nobody is there", "notifyType": "warning"},
        {"type": "extension_error", "error": "undefined is no function"},
    )

    assert events == [
        Notice("The model's provider fails (529: overloaded); trying again.", "warning"),
        Usage(7, 0, 0, 0.5),
        Notice("The conversation had become long; its beginning was summarised."),
        Notice("Nobody is there", "warning"),
        Notice("An extension of Pi failed: undefined is no function", "warning"),
    ]


def test_it_has_ended_when_it_has_settled_and_not_before() -> None:
    telling = story()

    told(telling, {"type": "agent_start"}, {"type": "agent_end", "messages": [], "willRetry": True})
    between = telling.settled
    told(telling, {"type": "agent_start"}, {"type": "agent_end", "messages": []}, {"type": "agent_settled"})

    assert (between, telling.settled) == (False, True)


def test_only_the_last_answer_of_the_model_says_how_it_ended() -> None:
    telling = story()
    error = {"usage": {}, "stopReason": "error", "errorMessage": "529: overloaded"}

    told(telling, {"type": "turn_end", "message": error}, {"type": "turn_end", "message": {"usage": {}, "stopReason": "stop"}})

    assert telling.end() == Finished("completed")


@pytest.mark.parametrize(("reason", "state"), [("stop", "completed"), ("aborted", "canceled"), ("error", "failed")])
def test_how_it_stopped_is_how_it_ended(reason: str, state: str) -> None:
    telling = story()

    told(telling, {"type": "turn_end", "message": {"usage": {}, "stopReason": reason, "errorMessage": "400: no such thing"}})

    assert telling.end().state == state


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("401: bad key", "did not accept the credentials (401)"),
        ("404 no such model", "correct `model:` in agents/coder.md"),
        ("429: slow down", "rate limit of the model's provider is used up (429)"),
        ("500: oops", "Try again in a few minutes"),
        ("400: what?", "refused the request (400)"),
        ("fetch failed", "The agent stopped with an error: fetch failed"),
        ("No API key found for anthropic.\n\nUse /login", "Pi has no credentials for this model. Put a valid key"),
    ],
)
def test_an_error_is_told_with_what_helps(said: str, words: str) -> None:
    assert words in refused(said, "agents/coder.md").reason
