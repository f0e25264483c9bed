"""The profiles that we ship, each against a stand-in written from what its platform publishes (`source` in the profile says where)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.event import ALLOW, Notice, Question, Started, Step, Thought, Usage
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.http_profile import SHIPPED, load
from tests.standins.wall import Wall, says, streams

from .remote import Kept
from .talk import ANNA, Talk, after, talked
from .talk import turn as any_turn

Json = dict[str, Any]


@pytest.fixture
async def wall() -> AsyncIterator[Wall]:
    async with Wall() as wall:
        yield wall


def turn(tmp_path: Path, wall: Wall, profile: str, path: str = "", **values: Any) -> Turn:
    options = {"profile": profile, "url": wall.url + path, "key": "KEY", "private": True, "values": values}
    made = any_turn(tmp_path / "s", "", "How many?", environment={"KEY": "s3cret"}, keep=Kept())
    agent = made.agent.model_copy(update={"runtime": "http", "options": options, "model": "m1"})
    return replace(made, agent=agent, instructions="Be brief.")


def sse(*events: tuple[str, Any]) -> list[str]:
    return [f"event: {name}\ndata: {json.dumps(data)}\n\n" if name else f"data: {json.dumps(data)}\n\n" for name, data in events]


def then(talk: Talk, prompt: str, **more: Any) -> Turn:
    """The next turn, with all that came to be known in the one before."""
    return replace(after(talk, prompt, **more), resume=talk.all(Started)[-1].resume)


def bodies(wall: Wall, path: str) -> list[Any]:
    return [body for _, asked, body in wall.asked if asked == path]


@pytest.mark.parametrize("name", sorted(file.name.removesuffix(".yaml") for file in SHIPPED.iterdir() if file.name.endswith(".yaml")))
def test_each_can_be_read_and_says_where_its_platform_is_described(name: str) -> None:
    assert load(name).source.startswith("https://")


async def test_cursor(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/v1/me", says({"apiKeyName": "k"}))
    wall.on(
        "POST", "/v1/agents", says({"agent": {"id": "bc-1", "latestRunId": "run-1"}, "run": {"id": "run-1", "status": "CREATING"}}, 201)
    )
    call = {"callId": "c1", "name": "read_file", "args": {"path": "a.py"}}
    heard = [
        *sse(("status", {"runId": "run-1", "status": "RUNNING"})),
        f"id: 1-0\n{sse(('thinking', {'text': 'Where?'}))[0]}",
        f"id: 2-0\n{sse(('assistant', {'text': 'I look. '}))[0]}",
        f"id: 3-0\n{sse(('tool_call', {**call, 'status': 'running'}))[0]}",
    ]
    rest = [
        f"id: 4-0\n{sse(('tool_call', {**call, 'status': 'completed', 'result': {}}))[0]}",
        f"id: 5-0\n{sse(('assistant', {'text': 'There are 3.'}))[0]}",
        f"id: 6-0\n{sse(('result', {'runId': 'run-1', 'status': 'FINISHED', 'text': 'There are 3.'}))[0]}",
        f"id: 6-0\n{sse(('done', {}))[0]}",
    ]
    wall.on("GET", "/v1/agents/bc-1/runs/run-1/stream", streams(*heard, cut=True), streams(*rest))
    wall.on("POST", "/v1/agents/bc-1/runs", says({"run": {"id": "run-2", "status": "CREATING"}}))
    wall.on("GET", "/v1/agents/bc-1/runs/run-2/stream", says({"error": {"code": "stream_expired"}}, 410))
    wall.on("GET", "/v1/agents/bc-1/runs/run-2", says({"id": "run-2", "status": "FINISHED", "result": "Still 3."}))

    first = await talked(turn(tmp_path, wall, "cursor", repository="https://github.com/a/b", ref="main"))
    second = await talked(then(first, "Sure?"))

    assert first.answered == "I look. There are 3."
    assert first.all(Thought) == [Thought("Where?")]
    [step] = first.steps.values()
    assert (step.title, step.kind, step.status, step.detail) == ("read file", "read", "completed", '{"path": "a.py"}')
    assert second.answered == "Still 3."
    assert [headers.get("Last-Event-ID") for headers in wall.headers if "Last-Event-ID" in headers] == ["3-0"]
    [begun] = bodies(wall, "/v1/agents")
    assert begun["agentId"].startswith("bc-")
    assert begun | {"agentId": ""} == {
        "agentId": "", "prompt": {"text": "Be brief.\n\nHow many?"}, "model": {"id": "m1"}, "autoCreatePR": False,
        "repos": [{"url": "https://github.com/a/b", "startingRef": "main"}],
    }  # fmt: skip
    assert bodies(wall, "/v1/agents/bc-1/runs") == [{"prompt": {"text": "Sure?"}}]
    assert wall.headers[0]["Authorization"] == "Bearer s3cret"


def elastic(*events: tuple[str, Json]) -> list[str]:
    return [": keep-alive\n\n", *sse(*((name, {"data": data}) for name, data in events))]


async def test_elastic(wall: Wall, tmp_path: Path) -> None:
    path = "/s/default/api/agent_builder/converse/async"
    wall.on("GET", "/s/default/api/agent_builder/agents/elastic-ai-agent", says({"id": "elastic-ai-agent"}))
    called = {"tool_call_id": "t1", "tool_id": "search"}
    used = {"connector_id": "c", "llm_calls": 1, "input_tokens": 100, "output_tokens": 10}
    first = elastic(
        ("conversation_id_set", {"conversation_id": "conv-1"}),
        ("reasoning", {"reasoning": "Look it up", "transient": True}),
        ("tool_call", {**called, "params": {"query": "x"}}),
        ("prompt_request", {"prompt": {"type": "confirmation", "id": "p1", "title": "Search?", "message": "It searches x."}, "source": {}}),
        ("round_complete", {"round": {"status": "awaiting_prompt", "model_usage": used}}),
    )
    second = elastic(
        ("tool_result", {**called, "results": []}),
        ("message_chunk", {"message_id": "m1", "text_chunk": "There "}),
        ("message_chunk", {"message_id": "m1", "text_chunk": "are 3."}),
        ("message_complete", {"message_id": "m1", "message_content": "There are 3."}),
        ("round_complete", {"round": {"status": "completed", "model_usage": used}, "resumed": True}),
        ("conversation_updated", {"conversation_id": "conv-1", "title": "Counting"}),
    )
    wall.on("POST", path, streams(*first), streams(*second))

    asking = await talked(turn(tmp_path, wall, "elastic"))
    [question] = asking.all(Question)
    answered = await talked(then(asking, "yes", answer=Answer(question.id, {"decision": (ALLOW,)})))  # type: ignore[union-attr]

    assert asking.finished.state == "input_required"
    assert (question.kind, question.detail) == ("permission", "It searches x.")
    assert answered.answered == "There are 3."
    assert answered.all(Usage) == [Usage(100, 10)]
    assert bodies(wall, path) == [
        {"agent_id": "elastic-ai-agent", "input": "Be brief.\n\nHow many?"},
        {"agent_id": "elastic-ai-agent", "conversation_id": "conv-1", "prompts": {"p1": {"allow": True}}},
    ]
    assert wall.headers[0]["Authorization"] == "ApiKey s3cret"


async def test_snowflake(wall: Wall, tmp_path: Path) -> None:
    path = "/api/v2/databases/D/schemas/S/agents/A:run"
    wall.on("POST", "/api/v2/cortex/threads", says({"thread_id": 1234, "origin_application": "frontdesk"}))
    tool = {"content_index": 1, "tool_use_id": "t1", "type": "cortex_analyst_text_to_sql", "name": "revenue"}
    spent = {"usage": {"tokens_consumed": [{"input_tokens": {"total": 100}, "output_tokens": {"total": 10}}]}}
    heard = sse(
        ("metadata", {"metadata": {"role": "user", "message_id": 123, "run_id": "r"}}),
        ("response.status", {"status": "planning", "message": "Planning"}),
        ("response.thinking.delta", {"content_index": 0, "text": "SQL it is"}),
        ("response.tool_use", {**tool, "input": {"q": "x"}, "client_side_execute": False}),
        ("response.tool_result", {**tool, "content": [], "status": "success"}),
        ("response.text.delta", {"content_index": 2, "text": "There "}),
        ("response.text.delta", {"content_index": 2, "text": "are 3."}),
        ("response.text", {"content_index": 2, "text": "There are 3."}),
        ("metadata", {"metadata": {"role": "assistant", "message_id": 456, "run_id": "r"}}),
        ("response", {"role": "assistant", "content": [{"type": "text", "text": "There are 3."}], "metadata": spent}),
    )
    wall.on("POST", path, streams(*heard), streams(*sse(("error", {"code": "399504", "message": "It broke"}))))

    first = await talked(turn(tmp_path, wall, "snowflake", database="D", schema="S", agent="A"))
    second = await talked(then(first, "Sure?"))

    assert first.answered == "There are 3."
    [step] = first.steps.values()
    assert (step.title, step.kind, step.status) == ("revenue", "execute", "completed")
    assert first.all(Usage) == [Usage(100, 10)]
    assert (second.finished.state, second.finished.reason) == ("failed", "It broke (399504)")
    assert [(body["thread_id"], body["parent_message_id"]) for body in bodies(wall, path)] == [(1234, 0), (1234, 456)]


def opencode(number: int, *parts: tuple[str, str], finish: str = "", **info: Any) -> Json:
    """A message as OpenCode keeps it; one that has a `finish` is an agent's."""
    role = {"role": "assistant", "finish": finish, "time": {"completed": 1}} if finish else {"role": "user", "time": {}}
    return {"info": {"id": f"msg_{number}", **role, **info}, "parts": [{"type": kind, "text": text} for kind, text in parts]}


async def test_opencode_after_a_cut_has_all_of_this_turn_and_nothing_of_another(wall: Wall, tmp_path: Path) -> None:
    said = [opencode(1, ("text", "Hello")), opencode(2, ("text", "Hello yourself."), finish="stop")]
    asked = [*said, opencode(3, ("text", "How many?")), opencode(4, ("text", "I look."), ("tool", ""), finish="tool-calls")]
    begun = sse(("", {"type": "server.connected", "properties": {}}))
    looked = sse(
        ("", {"type": "message.part.delta", "properties": {"sessionID": "s1", "field": "text", "partID": "p", "delta": "I look."}})
    )
    idle = sse(("", {"type": "session.idle", "properties": {"sessionID": "s1"}}))
    wall.on("POST", "/session", says({"id": "s1"}))
    wall.on("POST", "/session/s1/prompt_async", says(None))
    wall.on("GET", "/session/s1/message", says([]), says(said[-1:]), says(said), says([*asked, opencode(5, ("text", "3."), finish="stop")]))
    wall.on("GET", "/event", streams(*begun, *idle), streams(*begun, *looked, cut=True))
    first = await talked(turn(tmp_path, wall, "opencode", provider="p"))

    second = await talked(then(first, "How many?"))

    assert second.answered == "I look.\n\n3."
    assert second.finished.state == "completed"


async def test_n8n_chat(wall: Wall, tmp_path: Path) -> None:
    lines = [{"type": "begin", "metadata": {"nodeId": "n1", "nodeName": "AI Agent"}}, {"type": "item", "content": "There "},
             {"type": "item", "content": "are 3."}, {"type": "end", "metadata": {"nodeId": "n1"}}]  # fmt: skip
    wall.on("POST", "/webhook/w1/chat", streams(*(json.dumps(line) + "\n" for line in lines), kind="application/json; charset=utf-8"))

    talk = await talked(turn(tmp_path, wall, "n8n", "/webhook/w1/chat"))

    assert talk.answered == "There are 3."
    assert [(step.title, step.status) for step in talk.all(Step)] == [("AI Agent", "working"), ("AI Agent", "completed")]
    assert bodies(wall, "/webhook/w1/chat") == [
        {"action": "sendMessage", "sessionId": "frontdesk-s1", "chatInput": "Be brief.\n\nHow many?"}
    ]


@pytest.mark.parametrize("reply", [{"output": "There are 3."}, [{"output": "There are 3."}], [{"text": "There are 3."}]])
async def test_n8n_webhook(wall: Wall, tmp_path: Path, reply: Any) -> None:
    wall.on("POST", "/webhook/count", says(reply))

    talk = await talked(turn(tmp_path, wall, "n8n-webhook", "/webhook/count"))

    assert (talk.answered, talk.finished.state) == ("There are 3.", "completed")


async def test_n8n_that_fails_says_so(wall: Wall, tmp_path: Path) -> None:
    wall.on(
        "POST", "/webhook/w1/chat", streams('{"type": "begin"}\n{"type": "error", "content": "No credentials"}\n', kind="application/json")
    )

    talk = await talked(turn(tmp_path, wall, "n8n", "/webhook/w1/chat"))

    assert (talk.finished.state, talk.finished.reason) == ("failed", "No credentials")


ENGINE = "projects/p/locations/l/reasoningEngines/1"


def adk(*parts: Json, **more: Any) -> str:
    return json.dumps({"content": {"parts": parts, "role": "model"}, "author": "counter", **more}) + "\n"


@pytest.mark.parametrize("framed", [False, True], ids=["lines", "events"])
async def test_agent_runtime(wall: Wall, tmp_path: Path, framed: bool) -> None:
    wall.on("POST", f"/v1/{ENGINE}:query", says({"output": {"id": "77", "user_id": ANNA.id}}))
    heard = [
        adk({"function_call": {"id": "f1", "name": "count", "args": {"of": "x"}}}, id="e1"),
        adk({"function_response": {"id": "f1", "name": "count", "response": {"n": 3}}}, id="e2"),
        adk({"text": "There "}, partial=True, id="e3"),
        adk({"text": "are 3."}, partial=True, id="e3"),
        adk({"text": "There are 3."}, id="e4", usage_metadata={"prompt_token_count": 100, "candidates_token_count": 10}),
    ]
    wall.on("POST", f"/v1/{ENGINE}:streamQuery", streams(*(f"data: {line}\n" if framed else line for line in heard)))
    file = tmp_path / "plain.yaml"
    file.write_text((SHIPPED / "agent-runtime.yaml").read_text("utf-8").replace("auth: google", ""))  # nobody signs in here

    talk = await talked(turn(tmp_path, wall, str(file), engine=ENGINE))

    assert talk.answered == "There are 3."
    assert [(step.title, step.status) for step in talk.all(Step)] == [("count", "working"), ("count", "completed")]
    assert talk.all(Usage) == [Usage(100, 10)]
    assert not talk.all(Notice)
    [asked] = bodies(wall, f"/v1/{ENGINE}:streamQuery")
    assert asked == {
        "class_method": "async_stream_query",
        "input": {"user_id": ANNA.id, "session_id": "77", "message": "Be brief.\n\nHow many?"},
    }
