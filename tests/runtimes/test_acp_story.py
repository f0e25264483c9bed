"""What ACP agents tell, with the ways in which each of them differs."""

from pathlib import Path
from typing import Any

import pytest

from bot.event import Event, Finished, Item, Notice, Plan, Step, Text, Usage
from bot.message import Answer
from bot.runtimes import acp_form, acp_words
from bot.runtimes.acp_memory import Memory
from bot.runtimes.acp_pipe import read
from bot.runtimes.acp_setting import PRESETS
from bot.runtimes.acp_story import SILENT, Story


def story(harness: str) -> Story:
    return Story(PRESETS[harness], Path("/w"), Memory(), "agents/coder.md")


def said(text: str) -> dict[str, Any]:
    return {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}


def told(story: Story, *updates: dict[str, Any]) -> list[Event]:
    return [event for update in updates for event in story.tell(update)]


def test_a_warning_of_codex_is_no_part_of_the_answer() -> None:
    assert told(story("codex"), said("Warning: no metadata\n\n"), said("hello")) == [Notice("no metadata", "warning"), Text("hello")]


def test_an_error_that_codex_tells_as_its_answer_is_an_error() -> None:
    codex = story("codex")
    told(codex, said("it is gone"), {"sessionUpdate": "session_info_update", "_meta": {"codex": {"threadStatus": {"type": "systemError"}}}})

    assert list(codex.end("end_turn", None)) == [Text("", final=True), Finished("failed", "Codex could not go on: it is gone")]


def test_an_error_that_hermes_tells_as_its_answer_is_an_error() -> None:
    hermes = story("hermes")
    told(hermes, said("HTTP 400: it is gone"))

    assert list(hermes.end("end_turn", None))[-1] == Finished("failed", "Hermes could not go on: HTTP 400: it is gone")


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ([], "There are: none that it tells"),
        (["ask", "code"], "There are: ask, code"),
        ([f"maker/gpt-{n}" for n in range(70)] + ["z/opus"], "There are 71; the nearest: maker/gpt-7, maker/gpt-"),
    ],
)
def test_of_many_names_the_nearest_are_told(there: list[str], words: str) -> None:
    said = acp_words.offered("gpt-7", there)

    assert said.startswith(words)
    assert said.count(",") < acp_words.FEW


UNREACHED = "API call failed after 3 retries: Connection error."


def test_a_model_that_hermes_does_not_reach_is_no_answer() -> None:
    hermes = story("hermes")
    told(hermes, said(UNREACHED))

    *taken, end = hermes.end("end_turn", None)

    remedy = "Hermes could not go on, as it does not reach the model's provider. Look at the network, and at that provider's address."
    assert (taken, end) == ([Text("", final=True)], Finished("failed", f"{remedy} It said: {UNREACHED}"))


def test_hermes_that_stops_in_the_middle_and_says_nothing_has_failed() -> None:
    hermes = story("hermes")
    told(hermes, said("Let me look."), {"sessionUpdate": "tool_call", "toolCallId": "c", "title": "ls", "status": "completed"})

    *_, end = hermes.end("end_turn", None)
    hermes.begin()
    told(hermes, said("These are my commands."))

    assert end == Finished("failed", f"Hermes could not go on: {SILENT}")
    assert list(hermes.end("end_turn", None)) == [Finished("completed")]


def test_an_answer_about_such_an_error_is_one() -> None:
    hermes, codex = story("hermes"), story("codex")
    told(hermes, said(UNREACHED))
    told(codex, said(UNREACHED))

    ends = [list(hermes.end("end_turn", Usage(100, 10)))[-1], list(codex.end("end_turn", None))[-1]]

    assert ends == [Finished("completed"), Finished("completed")]


def test_tokens_that_hermes_adds_up_are_told_as_they_came() -> None:
    hermes = story("hermes")

    counts = [*hermes.end("end_turn", Usage(100, 10)), *hermes.end("end_turn", Usage(250, 30))]

    assert [event for event in counts if isinstance(event, Usage)] == [Usage(100, 10), Usage(150, 20)]


def test_an_update_says_only_what_has_changed() -> None:
    call = {"toolCallId": "c", "kind": "execute", "title": "ls /w/a", "status": "pending", "rawInput": {"command": "ls /w/a"}}

    events = told(
        story("goose"),
        {"sessionUpdate": "tool_call", **call},
        {"sessionUpdate": "tool_call_update", "toolCallId": "c", "status": "completed"},
    )

    assert events == [Step("c", "Run: ls a", "execute", status, "ls /w/a") for status in ("working", "completed")]


def test_the_todo_list_of_opencode_is_a_plan() -> None:
    call = {"sessionUpdate": "tool_call", "toolCallId": "c", "rawInput": {"todos": [{"content": "Look", "status": "completed"}]}}

    assert told(story("opencode"), call) == [Plan((Item("Look", "done"),))]


def test_what_is_to_be_allowed_is_shown_whole() -> None:
    call = {"title": "Edit", "content": [{"type": "diff", "path": "/w/a", "oldText": "one", "newText": "two"}]}

    assert acp_words.exact(call) == "Edit\n/w/a\n\n- one\n+ two"
    assert acp_words.exact({"rawInput": {"command": "ls", "cwd": "/"}}) == 'ls\n\n{\n  "cwd": "/"\n}'


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("API Error: 403 forbidden", "name it under `environment:` in agents/coder.md. It said: API Error: 403 forbidden"),
        ("404: model_not_found", "correct `model:` in agents/coder.md. It said: 404"),
        ("The selected model (x) may not exist.", "correct `model:` in agents/coder.md. It said: The selected model"),
        ("The moon is gone", "Codex could not go on: The moon is gone"),
    ],
)
def test_an_error_comes_with_what_helps(said: str, helps: str) -> None:
    assert helps in acp_words.failure("Codex", said, None, "agents/coder.md")


def test_words_of_ones_own_go_where_codex_wants_them() -> None:
    field = {"title": "Which?", "oneOf": [{"const": "Red"}, {"const": "Else"}], "type": "string", "_meta": {"codex": {"isOther": True}}}
    schema = {"properties": {"c": field, "c_note": {"type": "string"}}}

    [part] = acp_form.parts("Codex needs you.", schema)

    assert (part.text, [option.label for option in part.options], part.free_text) == ("Which?", ["Red"], True)
    assert acp_form.filled(schema, Answer("q", {"c": ("mauve",)})) == {"c": "Else", "c_note": "mauve"}


def test_what_is_no_message_is_passed_over() -> None:
    for line in (b"hello\n", b"[1]\n", b'{"half":\n', b'{"jsonrpc": "2.0", "id": [1], "result": 1}\n', b"[" * 100_000):
        assert read(line) is None


def test_one_that_stops_by_itself_without_a_word_is_told_to_have_done_so() -> None:
    assert list(story("goose").end("cancelled", None)) == [Finished("canceled", "The agent stopped this by itself, and did not say why.")]
