"""What Codex says and asks, as people see it; without Codex."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.event import ALLOW, ALLOW_SESSION, DENY, Event, Finished, Item, Notice, Option, Plan, Step, Text, Usage
from bot.message import Answer
from bot.runtimes import codex_forms as forms
from bot.runtimes import codex_words as words
from bot.runtimes.codex_setting import Memory, toml
from bot.runtimes.codex_story import Story

FOLDER = Path("/s/work")
COMMAND = "item/commandExecution/requestApproval"
FORM = "mcpServer/elicitation/request"


def told(*said: tuple[str, dict[str, Any]], memory: Memory | None = None) -> list[Event]:
    story = Story("t1", FOLDER, memory or Memory(), lambda: None, lambda error: str(error["message"]))
    return [event for method, params in said for event in story.tell(method, params)] + ([story.end] if story.end else [])


def item(**more: Any) -> dict[str, Any]:
    return {"item": {"id": "c1", "status": "completed", **more}, "threadId": "t1"}


@pytest.mark.parametrize(
    ("given", "title", "kind"),
    [
        ({"type": "commandExecution", "command": "/bin/bash -lc 'touch a.txt'"}, "Run: touch a.txt", "execute"),
        ({"type": "fileChange", "changes": [{"path": "/s/work/a.py"}, {"path": "/etc/b"}]}, "Edit a.py, /etc/b", "edit"),
        ({"type": "mcpToolCall", "server": "github", "tool": "create_issue", "arguments": {}}, "github: create issue", "other"),
        ({"type": "webSearch", "query": "frogs"}, "Search the web for 'frogs'", "search"),
        ({"type": "webSearch", "query": "", "action": {"type": "openPage", "url": "https://a.b"}}, "Fetch https://a.b", "fetch"),
        ({"type": "collabAgentToolCall", "tool": "spawnAgent", "prompt": "look"}, "Begin a sub-agent", "agent"),
    ],
)
def test_what_it_does_is_a_step(given: dict[str, Any], title: str, kind: str) -> None:
    [step] = told(("item/completed", item(**given)))

    assert isinstance(step, Step)
    assert (step.title, step.kind, step.status) == (title, kind, "completed")


def test_a_plan_is_told_whole() -> None:
    plan = [{"step": "Look", "status": "inProgress"}, {"step": "Mend", "status": "pending"}]

    assert told(("turn/plan/updated", {"threadId": "t1", "plan": plan})) == [Plan((Item("Look", "in_progress"), Item("Mend")))]


def test_tokens_are_those_since_the_last_time() -> None:
    total = {"inputTokens": 1500, "cachedInputTokens": 300, "outputTokens": 50}
    memory = Memory(thread="t1", input=1000, cached=100, output=20)

    assert told(("thread/tokenUsage/updated", {"tokenUsage": {"total": total}}), memory=memory) == [Usage(300, 30, 200)]


def test_what_a_sub_agent_says_is_not_the_answer() -> None:
    assert not told(("item/agentMessage/delta", {"threadId": "t2", "itemId": "m", "delta": "hm"}))


def test_a_message_that_was_streamed_is_not_told_twice() -> None:
    delta = ("item/agentMessage/delta", {"threadId": "t1", "itemId": "c1", "delta": "hello"})

    assert told(delta, ("item/completed", item(type="agentMessage", text="hello"))) == [Text("hello")]


def test_a_model_that_it_does_not_list_is_no_news() -> None:
    assert not told(("warning", {"message": "Model metadata for `x` not found."}))


def test_a_model_that_cannot_be_reached_is_told_once_with_what_keeps_codex_from_it() -> None:
    error = {"message": "Reconnecting... 1/4", "additionalDetails": "Connection failed: error sending request"}
    again = ("error", {"threadId": "t1", "willRetry": True, "error": error})

    assert told(again, again) == [
        Notice("The model's API fails; trying again. Codex said: Connection failed: error sending request", "warning")
    ]


def test_a_turn_that_was_stopped_is_no_error() -> None:
    assert told(("turn/completed", {"threadId": "t1", "turn": {"status": "interrupted"}})) == [Finished("canceled")]


@pytest.mark.parametrize(
    ("choice", "decision"), [(ALLOW, "accept"), (ALLOW_SESSION, "acceptForSession"), (DENY, "decline"), ("", "decline")]
)
def test_a_command_is_allowed_only_by_a_person(choice: str, decision: str) -> None:
    params = {"command": "/bin/sh -c 'rm -r /'", "cwd": "/else", "reason": "It is needed."}
    question = forms.asked("q", COMMAND, params, [], FOLDER)

    assert question is not None
    assert (question.detail, question.parts[0].text) == ("rm -r /\n\nin /else", "Run this command? (It is needed)")
    answer = Answer("q", {"decision": (choice,)} if choice else {})
    assert forms.reply(COMMAND, params, question, answer) == {"decision": decision}


@pytest.mark.parametrize(
    ("method", "params", "labels"),
    [
        (COMMAND, {"command": "touch a"}, [ALLOW, ALLOW_SESSION, DENY]),
        (COMMAND, {"command": "y", "kind": "writeStdin"}, [ALLOW, DENY]),
        ("item/permissions/requestApproval", {"permissions": {}}, [ALLOW, DENY]),
    ],
)
def test_for_the_session_is_offered_where_it_holds_in_the_next_turn(method: str, params: dict[str, object], labels: list[str]) -> None:
    question = forms.asked("q", method, params, [], FOLDER)

    assert question is not None
    assert [option.label for option in question.parts[0].options] == labels


def test_a_secret_is_asked_for_as_one() -> None:
    asked = {"id": "p", "header": "Key", "question": "Which key?", "isSecret": True, "isOther": True}
    question = forms.asked("q", "item/tool/requestUserInput", {"questions": [asked]}, [], FOLDER)

    assert question is not None
    assert (question.parts[0].secret, question.parts[0].free_text) == (True, True)


def test_the_form_of_an_mcp_server_gets_what_was_chosen_in_its_own_types() -> None:
    fields = {"size": {"type": "integer"}, "fast": {"type": "boolean"}, "kind": {"type": "string", "enum": ["a", "b"]}}
    params = {"mode": "form", "message": "How?", "serverName": "x", "requestedSchema": {"properties": fields, "required": ["size"]}}
    question = forms.asked("q", FORM, params, [], FOLDER)

    assert question is not None
    assert question.parts[2].options == (Option("a"), Option("b"))
    answer = Answer("q", {"size": ("3",), "fast": ("Yes",), "kind": ("b",)})
    assert forms.reply(FORM, params, question, answer) == {"action": "accept", "content": {"size": 3, "fast": True, "kind": "b"}}


def errors() -> Iterator[tuple[Any, str]]:
    yield "unauthorized", "Log in."
    yield {"httpConnectionFailed": {"httpStatusCode": 401}}, "Log in."
    yield "usageLimitExceeded", "Wait until it begins anew"
    yield "modelNotFound", "correct `model:` in a.md"
    yield "contextWindowExceeded", "Begin a new thread"
    yield "sandboxError", "`options.commands` in a.md"
    yield {"responseTooManyFailedAttempts": {"httpStatusCode": 429}}, "Try again later"
    yield {"httpConnectionFailed": {"httpStatusCode": 503}}, "The model's API failed (503). Try again in a few minutes."
    yield {"httpConnectionFailed": {"httpStatusCode": None}}, "Look at its address (OPENAI_BASE_URL, or options.base_url in a.md)"


@pytest.mark.parametrize(("info", "remedy"), list(errors()))
def test_an_error_comes_with_its_remedy(info: Any, remedy: str) -> None:
    assert remedy in words.failure({"message": "no", "codexErrorInfo": info}, "a.md", "Log in.")


def test_one_that_is_new_enough_is_not_too_old() -> None:
    assert not words.old("frontdesk/0.169.0 (Linux)")


def test_its_settings_are_toml() -> None:
    config = {"a": 'x"y', "b": {"c.d": {"e": True, "f": ["g"]}, "h": 1}}

    assert tomllib.loads(toml(config)) == config


def test_a_question_without_questions_breaks_nothing() -> None:
    question = forms.asked("q1", "item/tool/requestUserInput", {"questions": None}, [], Path("/w"))

    assert question
    assert question.parts == ()
