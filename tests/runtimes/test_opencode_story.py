"""What OpenCode tells, as events; and its permissions and errors in words."""

from pathlib import Path
from typing import Any

import pytest

from bot.event import Event, Finished, Item, Notice, Plan, Step, Text, Thought, Usage
from bot.runtimes.opencode_story import Story
from bot.runtimes.opencode_words import asked, exact, failure

WORK = Path("/repo")


def story() -> Story:
    return Story("ses_1", "agents/coder.md", WORK)


def told(story: Story, *events: tuple[str, dict[str, Any]]) -> list[Event]:
    found: list[Event] = []
    for kind, properties in events:
        found += story.tell({"type": kind, "properties": {"sessionID": "ses_1", **properties}})
    return found


def part(kind: str, session: str = "ses_1", **more: Any) -> tuple[str, dict[str, Any]]:
    return "message.part.updated", {"part": {"type": kind, "sessionID": session, **more}}


def delta(id: str, text: str) -> tuple[str, dict[str, Any]]:
    return "message.part.delta", {"partID": id, "field": "text", "delta": text}


def tool(name: str, status: str, session: str = "ses_1", call: str = "c1", **state: Any) -> tuple[str, dict[str, Any]]:
    return part("tool", session, tool=name, callID=call, state={"status": status, **state})


def test_text_and_thoughts_are_told_apart_by_their_parts() -> None:
    events = told(story(), part("reasoning", id="p1"), delta("p1", "Hm."), part("text", id="p2"), delta("p2", "Yes"), delta("p2", "."))

    assert events == [Thought("Hm."), Text("Yes"), Text(".")]


def test_a_second_text_stands_in_a_paragraph_of_its_own() -> None:
    events = told(
        story(), part("text", id="p1"), delta("p1", "I look."), part("text", id="p2"), delta("p2", "Found."), delta("p2", " Done.")
    )

    assert events == [Text("I look."), Text("\n\nFound."), Text(" Done.")]


def test_another_sessions_words_are_not_ours() -> None:
    assert not told(story(), part("text", "ses_2", id="p1"), ("todo.updated", {"sessionID": "ses_2", "todos": []}))


def test_a_tool_is_a_step_once_its_input_is_known_and_each_change_is_told_once() -> None:
    given = {"command": "ls -l", "description": "Look around"}

    events = told(
        story(),
        tool("bash", "pending", input={}),
        tool("bash", "running", input=given),
        tool("bash", "running", input=given, metadata={"output": "total 0"}),
        tool("bash", "completed", input=given, metadata={"exit": 0}),
    )

    assert events == [
        Step("c1", "Look around", "execute", "working", "ls -l"),
        Step("c1", "Look around", "execute", "completed", "ls -l"),
    ]


def test_a_command_that_fails_is_a_step_that_failed() -> None:
    [step] = told(story(), tool("bash", "completed", input={"command": "false"}, metadata={"exit": 1}))

    assert isinstance(step, Step)
    assert step.status == "failed"


def test_an_error_of_a_tool_stands_in_its_step() -> None:
    [step] = told(story(), tool("read", "error", input={"filePath": "/repo/a.py"}, error="There is no such file"))

    assert step == Step("c1", "Read a.py", "read", "failed", "There is no such file")


def test_what_a_person_denied_is_told_as_denied() -> None:
    telling = story()
    telling.denied.add("c1")

    [step] = told(telling, tool("bash", "error", input={"command": "rm x"}, error="rejected"))

    assert isinstance(step, Step)
    assert step.status == "denied"


def test_a_sub_agents_steps_stand_under_its_call_and_its_words_are_not_told() -> None:
    telling = story()
    told(telling, ("session.created", {"sessionID": "ses_2", "info": {"id": "ses_2", "parentID": "ses_1"}}))
    told(telling, tool("task", "running", input={"description": "Look"}, metadata={"sessionId": "ses_2"}))

    events = told(
        telling,
        part("text", "ses_2", id="p9"),
        ("message.part.delta", {"sessionID": "ses_2", "partID": "p9", "field": "text", "delta": "mine"}),
        tool("read", "running", "ses_2", "c2", input={"filePath": "/etc/hosts"}),
    )

    assert events == [Step("c2", "Read /etc/hosts", "read", "working", parent="c1")]


def test_todos_are_the_plan_and_no_step() -> None:
    todos = [
        {"content": "Look", "status": "completed"},
        {"content": "Mend", "status": "in_progress"},
        {"content": "Test", "status": "pending"},
    ]

    events = told(story(), tool("todowrite", "running", input={"todos": todos}), ("todo.updated", {"todos": todos}))

    assert events == [Plan((Item("Look", "done"), Item("Mend", "in_progress"), Item("Test")))]


def test_each_step_of_the_model_is_counted_once() -> None:
    finish = part("step-finish", id="p1", tokens={"input": 10, "output": 2, "reasoning": 1, "cache": {"read": 5, "write": 4}}, cost=0.25)

    assert told(story(), finish, finish) == [Usage(14, 3, 5, 0.25)]


def test_it_says_when_the_provider_fails_and_is_tried_again() -> None:
    [notice] = told(story(), ("session.status", {"status": {"type": "retry", "attempt": 1, "message": "Overloaded", "next": 0}}))

    assert notice == Notice("The model's provider fails (Overloaded); trying again.", "warning")


def test_it_is_idle_until_it_is_busy_again() -> None:
    telling = story()

    told(telling, ("session.idle", {}))
    idle = telling.idle
    told(telling, ("session.status", {"status": {"type": "busy"}}))

    assert (idle, telling.idle) == (True, False)


def test_what_people_said_before_is_not_what_they_say_now() -> None:
    telling = Story("ses_1", "agents/coder.md", WORK, ["msg_1"])

    told(telling, *(("message.updated", {"info": {"id": id, "role": "user"}}) for id in ("msg_1", "msg_2", "msg_2")))

    assert telling.heard == {"msg_2"}


def test_the_first_error_is_how_it_ended() -> None:
    telling = story()
    first = {"name": "APIError", "data": {"message": "no such thing", "statusCode": 400}}

    told(telling, ("session.error", {"error": first}), ("session.error", {"error": {"name": "UnknownError"}}), ("session.idle", {}))

    said = "The model's provider refused the request (400), and would again; it said: no such thing"
    assert telling.end() == Finished("failed", said, "APIError")


def test_what_was_stopped_is_no_failure() -> None:
    telling = story()

    told(telling, ("session.error", {"error": {"name": "MessageAbortedError", "data": {"message": "Aborted"}}}))

    assert telling.end() == Finished("canceled")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"name": "ProviderAuthError", "data": {"message": "bad"}}, "did not accept the credentials (401)"),
        ({"name": "APIError", "data": {"message": "no", "statusCode": 429}}, "rate limit of the model's provider is used up (429)"),
        ({"name": "APIError", "data": {"message": "no", "statusCode": 503}}, "failed (503). Try again in a few minutes"),
        ({"name": "UnknownError", "data": {"message": "Model not found: a/b."}}, "correct `model:` in agents/coder.md"),
        ({"name": "UnknownError", "data": {"message": "Anthropic API key is missing"}}, "name it under `environment:` in agents/coder.md"),
        ({"name": "ContextOverflowError", "data": {"message": "long"}}, "Begin a new thread"),
        ({"name": "UnknownError", "data": {}}, "stopped with an error: UnknownError"),
    ],
)  # fmt: skip
def test_an_error_is_told_with_what_helps(error: dict[str, Any], words: str) -> None:
    assert words in failure(error, "agents/coder.md")


def test_a_permission_shows_all_that_would_be_done() -> None:
    given = {"command": "touch a\nrm b", "timeout": 5, "description": "Tidy"}

    assert exact({"permission": "bash"}, ("bash", given)) == 'touch a\nrm b\n\n{\n  "timeout": 5\n}'


def test_a_permission_for_a_call_that_nobody_knows_shows_what_opencode_says() -> None:
    shown = exact({"id": "per_1", "permission": "skill", "patterns": ["deploy"], "metadata": {}}, None)

    assert shown == '{\n  "permission": "skill",\n  "patterns": [\n    "deploy"\n  ]\n}'


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"permission": "bash", "always": ["git log *"]}, "Run this command?"),
        ({"permission": "edit"}, "Change this file?"),
        ({"permission": "external_directory", "patterns": ["/etc/*"]}, "Go outside the agent's folder (/etc/*)?"),
        ({"permission": "doom_loop"}, "It has done the same several times. Let it go on?"),
        ({"permission": "deploy_tool"}, "Use deploy tool?"),
    ],
)  # fmt: skip
def test_a_permission_is_asked_in_words(request_: dict[str, Any], words: str) -> None:
    assert asked(request_) == words
