"""kagent asks people in its own way, in each generation: by calls that wait for leave, and by questions."""

import json
from pathlib import Path
from typing import Any

import pytest
from a2a.types import Message
from a2a.types import Part as Piece
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]

from bot.event import ALLOW, DENY, Option, Question, Text
from bot.message import Answer
from bot.runtimes import coding
from bot.runtimes.a2a_human import EXTENSION, Wait, answered, question, waits
from bot.runtimes.a2a_parts import plain
from tests.runtimes.a2a_turns import all_of, answer, end, only, resume, run, turn
from tests.standins.a2a_agent import Agent

DELETE = {"id": "op-1", "call_id": "call-1", "name": "delete_file", "args": {"path": "/tmp/x"}}
RESTART = {"id": "op-2", "call_id": "call-2", "name": "restart_pod", "args": None}
COLOUR = {"question": "Which colour?", "choices": ["Red", "Blue"], "multiple": False}
WHY = {"question": "And why?"}


def new(payload: Any) -> Wait | None:
    message = Message(extensions=[EXTENSION])
    ParseDict({EXTENSION: payload}, message.metadata)
    return waits(message)


def old(*asked: Any) -> Wait | None:
    return waits(Message(parts=[ParseDict({"data": one}, Piece()) for one in asked]))


def confirmation(name: str, given: Any, id: str = "call-1", **payload: Any) -> dict[str, Any]:
    original = {"name": name, "args": given, "id": id}
    return {"name": "adk_request_confirmation", "id": "c", "args": {"originalFunctionCall": original, "toolConfirmation": payload}}


def decided(word: str, note: str = "") -> Answer:
    return Answer("q", {"decision": (word,)}, note)


def test_a_call_waits_for_leave_and_is_shown_exactly() -> None:
    wait = new({"type": "tool_approval_request", "hint": "It cannot be undone.", "tools": [DELETE]})
    assert wait

    asked = question("q", wait)

    assert (asked.kind, asked.parts[0].text) == ("permission", "Use delete file? (It cannot be undone.)")
    assert asked.detail == 'delete_file {\n  "path": "/tmp/x"\n}'
    assert answered(wait, decided(ALLOW), "") == {"type": "tool_approval_response", "approvals": [{"id": "op-1", "approved": True}]}


def test_several_calls_are_denied_together_each_once_with_the_reason() -> None:
    wait = new({"type": "tool_approval_request", "tools": [DELETE, RESTART, DELETE]})
    assert wait

    assert question("q", wait).parts[0].text == "Do all these 3 things?"
    assert answered(wait, decided(DENY, "not today"), "")["approvals"] == [
        {"id": "op-1", "approved": False, "rejection_reason": "not today"},
        {"id": "op-2", "approved": False, "rejection_reason": "not today"},
    ]


def test_what_a_sub_agent_wants_is_shown_and_decided_in_place_of_the_call_of_it() -> None:
    nested = {"subagent_name": "cleaner", "tools": [RESTART]}
    wait = new({"type": "tool_approval_request", "tools": [DELETE], "nested": nested})
    assert wait

    assert question("q", wait).parts[0].text == "Use restart pod? (asked by cleaner)"
    assert [one["id"] for one in answered(wait, decided(ALLOW), "")["approvals"]] == ["op-2"]


def test_each_question_has_its_answer() -> None:
    wait = new({"type": "ask_user_request", "id": "a-1", "questions": [COLOUR, WHY, "Who?"]})
    assert wait

    asked = question("q", wait)

    assert [part.text for part in asked.parts] == ["Which colour?", "And why?", "Who?"]
    assert asked.parts[0].options == (Option("Red"), Option("Blue"))
    reply = Answer("q", {"1": ("Blue",), "2": ("it is calm",)})
    assert answered(wait, reply, "") == {
        "type": "ask_user_response",
        "id": "a-1",
        "answers": [{"answer": ["Blue"]}, {"answer": ["it is calm"]}, {"answer": [coding.NOBODY]}],
    }


def test_a_question_of_a_sub_agent_is_answered_by_its_own_id() -> None:
    nested = {"tools": [DELETE, {**RESTART, "name": "ask_user", "id": "inner"}]}
    wait = new({"type": "ask_user_request", "id": "outer", "questions": [WHY], "nested": nested})

    assert wait
    assert answered(wait, None, "because") == {"type": "ask_user_response", "id": "inner", "answers": [{"answer": ["because"]}]}


@pytest.mark.parametrize("reply", [None, Answer("q"), decided("approve"), Answer("q", {}, ALLOW)])
def test_only_the_button_is_leave(reply: Answer | None) -> None:
    new_one, old_one = new({"type": "tool_approval_request", "tools": [DELETE]}), old(confirmation("delete_file", {}))
    assert new_one
    assert old_one

    assert not answered(new_one, reply, ALLOW)["approvals"][0]["approved"]
    assert answered(old_one, reply, ALLOW)["decision_type"] != "approve"


def test_before_the_extension_a_call_is_confirmed_by_a_decision() -> None:
    wait = old(confirmation("delete_file", {"path": "/tmp/x"}))
    assert wait

    assert question("q", wait).detail == 'delete_file {\n  "path": "/tmp/x"\n}'
    assert answered(wait, decided(ALLOW), "") == {"decision_type": "approve"}
    assert answered(wait, decided(DENY), "") == {"decision_type": "reject"}
    assert answered(wait, decided(DENY, "no"), "") == {
        "decision_type": "batch",
        "decisions": {"call-1": "reject"},
        "rejection_reasons": {"call-1": "no"},
    }


def test_before_the_extension_questions_are_answered_in_their_order() -> None:
    wait = old(confirmation("ask_user", {"questions": [COLOUR, WHY]}))
    assert wait

    told = answered(wait, Answer("q", {"1": ("Red",), "2": ("warm",)}), "")

    assert told == {"decision_type": "approve", "ask_user_answers": [{"answer": ["Red"]}, {"answer": ["warm"]}]}


def test_before_the_extension_the_calls_of_a_sub_agent_are_shown() -> None:
    inner = {"originalFunctionCall": {"name": "drop_table", "args": {"name": "users"}, "id": "in-1"}}
    wait = old(confirmation("k8s_agent", {}, payload={"hitl_parts": [inner], "subagent_name": "dba"}))
    assert wait

    assert question("q", wait).parts[0].text == "Use drop table? (asked by dba)"
    assert wait.ids == ["in-1"]


def test_a_question_beside_a_call_gives_no_leave_for_the_call() -> None:
    wait = old(confirmation("ask_user", {"questions": [WHY]}), confirmation("delete_file", {}, "call-2"))

    assert wait
    assert not wait.questions
    assert question("q", wait).kind == "permission"


@pytest.mark.parametrize(
    "payload",
    [None, 7, {}, {"type": "poem"}, {"type": "ask_user_request", "questions": []}, {"type": "tool_approval_request", "tools": "all"}],
)
def test_what_is_none_of_it_is_a_plain_question(payload: Any) -> None:
    assert new(payload) is None


async def test_leave_is_given_over_the_wire_and_nothing_is_done_before(tmp_path: Path) -> None:
    async with Agent(extensions=(EXTENSION,)) as agent:
        script = f"!approve {json.dumps({'type': 'tool_approval_request', 'tools': [DELETE]})}\n!decided"
        asked = await all_of(run(agent.url, turn(tmp_path, script)))
        [permission] = only(Question, asked)
        assert not only(Text, asked)

        reply = Answer(permission.id, {"decision": (ALLOW,)})
        told = await all_of(run(agent.url, turn(tmp_path, ALLOW, 2, resume=resume(asked), answer=reply)))

    assert json.loads(answer(told)) == {"type": "tool_approval_response", "approvals": [{"id": "op-1", "approved": True}]}
    assert end(told).state == "completed"
    sent = [headers.get("a2a-extensions") for method, headers in agent.calls if method == "SendStreamingMessage"]
    assert sent == [EXTENSION, EXTENSION]
    assert plain(agent.letters[1].metadata)[EXTENSION]["type"] == "tool_approval_response"
