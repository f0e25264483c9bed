"""Events that we know, in another shape than the one we know: kept and said once, and the turn goes on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.breaker import BREAKER
from bot.errors import RuntimeFailed
from bot.event import Notice, Usage
from bot.ports import Turn
from bot.runtimes.unknown import FILE
from tests.standins.wall import Wall, says, streams

from .remote import Kept
from .talk import Talk, talked
from .talk import turn as any_turn
from .test_http_trouble import OVER, PROFILE, said
from .test_http_trouble import turn as http_turn

ANSWER = {"type": "agent.message", "id": "m1", "content": [{"type": "text", "text": "hi"}]}
IDLE = {"type": "session.status_idle", "id": "e9", "stop_reason": {"type": "end_turn"}}
USED = PROFILE + "  - {on: used, usage: {input: '{{ data.given + data.more.given }}', usd: $.usd}}\n"


@pytest.fixture(autouse=True)
def calm() -> Iterator[None]:
    yield
    BREAKER.forget()


def sse(*events: dict[str, Any]) -> str:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


def turn(folder: Path, runtime: str, **options: Any) -> Turn:
    made = any_turn(folder, "", "hello", environment={"OPENAI_API_KEY": "sk-test"}, keep=Kept())
    return replace(made, agent=made.agent.model_copy(update={"runtime": runtime, "options": {"private": True, **options}}))


async def managed(folder: Path, wall: Wall, *events: dict[str, Any], then: Sequence[dict[str, Any]] = (ANSWER, IDLE)) -> Talk:
    wall.on("GET", "/v1/sessions/s1/events", says({"data": []}))
    wall.on("POST", "/v1/sessions/s1/events", says({"data": []}))
    wall.on("GET", "/v1/sessions/s1", says({"usage": {"list_cost": 7, "input_tokens": "many"}}))
    wall.on("GET", "/v1/sessions/s1/events/stream", streams(sse(*events, *then)))
    return await talked(turn(folder, "managed_agents", url=wall.url, key="ANTHROPIC_API_KEY", agent="a", environment="e"))


@pytest.mark.parametrize(
    "event",
    [
        {"type": "session.error", "id": "e1", "error": {"message": "busy", "retry_status": "retrying"}},
        {"type": "agent.tool_use", "id": "e1", "name": "bash", "input": {"command": {"a": 1}}, "mcp_server_name": ["x"]},
        {"type": "session.usage", "id": "e1", "usage": {"list_cost": "free"}},
    ],
    ids=lambda event: str(event["type"]),
)
async def test_a_managed_agents_turn_goes_on(tmp_path: Path, event: dict[str, Any]) -> None:
    async with Wall() as wall:
        wall.on("POST", "/v1/sessions", says({"id": "s1"}))

        talk = await managed(tmp_path, wall, event)

    assert (talk.answered, talk.finished.state) == ("hi", "completed")


async def test_what_could_not_be_read_is_kept(tmp_path: Path) -> None:
    async with Wall() as wall:
        wall.on("POST", "/v1/sessions", says({"id": "s1"}))

        talk = await managed(tmp_path, wall, {"type": "session.error", "id": "e1", "error": {"retry_status": "later"}})

    assert ["session.error" in notice.text for notice in talk.all(Notice)] == [True]
    assert json.loads((tmp_path / FILE).read_text())["raw"]["error"] == {"retry_status": "later"}


async def test_a_session_without_an_id_is_told(tmp_path: Path) -> None:
    async with Wall() as wall:
        wall.on("POST", "/v1/sessions", says({}))

        with pytest.raises(RuntimeFailed, match=r"answered with what cannot be read\. Is that the right address"):
            await managed(tmp_path, wall)


@pytest.mark.parametrize("data", ['{"given": 1}', '{"given": NaN, "more": {"given": 1}}', '{"given": "a", "more": {"given": 1}}'])
async def test_a_profiles_turn_goes_on(tmp_path: Path, data: str) -> None:
    async with Wall() as wall:
        wall.on("POST", "/start", says({"id": "c1"}))
        wall.on("POST", "/send", says({"run": "r1"}))
        wall.on("GET", "/runs/r1", streams(said("one", 1), f"event: used\ndata: {data}\n\n", OVER))

        talk = await talked(http_turn(tmp_path, wall, USED))

    assert (talk.answered, talk.finished.state) == ("one", "completed")


async def test_nothing_that_is_told_makes_a_session_cheaper(tmp_path: Path) -> None:
    used = 'event: used\ndata: {"given": 1, "more": {"given": 2}, "usd": -50}\n\n'
    async with Wall() as wall:
        wall.on("POST", "/start", says({"id": "c1"}))
        wall.on("POST", "/send", says({"run": "r1"}))
        wall.on("GET", "/runs/r1", streams(used, OVER))

        talk = await talked(http_turn(tmp_path, wall, USED))

    assert talk.all(Usage) == [Usage(3)]


async def test_a_chats_turn_goes_on(tmp_path: Path) -> None:
    odd = {"choices": ["hello"]}
    last = {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": "many"}}
    async with Wall() as wall:
        wall.on("POST", "/v1/chat/completions", streams(f"data: {json.dumps(odd)}\n\ndata: {json.dumps(last)}\n\n"))

        talk = await talked(turn(tmp_path, "responses", url=f"{wall.url}/v1", api="chat"))

    assert (talk.answered, talk.finished.state) == ("hi", "completed")


async def test_an_error_that_is_told_in_a_stream_has_no_key_in_it(tmp_path: Path) -> None:
    async with Wall() as wall:
        wall.on("POST", "/v1/sessions", says({"id": "s1"}))

        talk = await managed(tmp_path, wall, {"type": "session.error", "id": "e1", "error": {"message": "bad key: sk-test"}}, then=())

    assert talk.finished.reason == "The platform stopped with an error: bad key: …"
