"""A stream of A2A 1.0: what comes is read as the SDK reads it, and nothing is held that is not needed."""

import asyncio
import gc
import gzip
import json
import weakref
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from a2a.types import StreamResponse, SubscribeToTaskRequest
from a2a.utils.errors import A2AError, TaskNotFoundError
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import RuntimeFailed
from bot.runtimes.a2a_stream import call, told
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.httpx_wire import Wire
from tests.runtimes.a2a_turns import all_of, answer, run, turn
from tests.standins.a2a_agent import Agent

WORKING = {"statusUpdate": {"taskId": "t", "status": {"state": "TASK_STATE_WORKING"}}}


class Speaker:
    """Answers any call with this text, then stays on the line until the caller has gone."""

    def __init__(self, text: str, kind: str = "text/event-stream", *, stays: bool = False, packed: bool = False) -> None:
        self.text, self.kind, self.stays, self.packed = text, kind, stays, packed
        self.asked: list[dict[str, Any]] = []
        self.gone = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        response = web.StreamResponse(headers={"Content-Type": self.kind} | ({"Content-Encoding": "gzip"} if self.packed else {}))
        await response.prepare(request)
        await response.write(gzip.compress(self.text.encode()) if self.packed else self.text.encode())
        try:
            if self.stays:
                await asyncio.Event().wait()
        finally:
            self.gone.set()
        return response


@asynccontextmanager
async def asked(speaker: Speaker) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.Request]]:
    """What is needed to ask it."""
    app = web.Application(handler_args={"handler_cancellation": True})
    app.router.add_post("/", speaker.answer)
    async with TestServer(app) as server, httpx.AsyncClient(transport=Wire(Pass(private=True))) as http:
        yield http, http.build_request("POST", str(server.make_url("/")), json=call(SubscribeToTaskRequest(id="t")))


async def heard(speaker: Speaker) -> list[StreamResponse]:
    async with asked(speaker) as (http, request):
        return [response async for response in told(http, request)]


def result(value: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value})


async def test_events_are_read_whatever_stands_between_them() -> None:
    broken = json.dumps({"jsonrpc": "2.0", "result": WORKING}, indent=1).replace("\n", "\r\ndata:")
    text = f": hello\n\nretry: 10\n\nid: 1\nevent: message\ndata: {result(WORKING)}\n\ndata:\n\ndata: {broken}\r\n\r\ndata: cut o"

    responses = await heard(Speaker(text))

    assert [response.status_update.task_id for response in responses] == ["t", "t"]


async def test_an_answer_that_is_no_stream_is_read_too() -> None:
    assert [response.status_update.task_id for response in await heard(Speaker(result(WORKING), "application/json"))] == ["t"]


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ('{"error": {"code": -32001, "message": "no such task"}}', TaskNotFoundError, "no such task"),
        ('{"error": {"code": -1}}', A2AError, "error -1"),
        ('{"error": "oops", "result": {}}', A2AError, "no answer.*oops"),
        ("[1]", A2AError, "no answer"),
        ("<html>", ValueError, "Expecting value"),
    ],
)
async def test_a_refusal_is_the_sdks_own_error(said: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        await heard(Speaker(f"event: error\ndata: {said}\n\n"))


async def test_while_a_stream_lasts_nothing_is_held_of_what_was_sent() -> None:
    speaker = Speaker(f"data: {result(WORKING)}\n\n", stays=True)
    async with asked(speaker) as (http, request):
        stream, sent = told(http, request), weakref.ref(request)
        del request
        async with aclosing(stream):
            await anext(stream)
            gc.collect()  # httpx ties an answer to itself

            assert sent() is None


@pytest.mark.parametrize("packed", [False, True])
async def test_a_stream_that_is_left_is_closed(packed: bool) -> None:
    speaker = Speaker(f"data: {result(WORKING)}\n\n", stays=True, packed=packed)
    async with asked(speaker) as (http, request):
        async with aclosing(told(http, request)) as stream:
            await anext(stream)
        async with asyncio.timeout(5):
            await speaker.gone.wait()

    assert speaker.asked[0]["method"] == "SubscribeToTask"


async def test_a_tenant_of_the_card_is_named_in_what_is_asked(tmp_path: Path) -> None:
    speaker = Speaker('data: {"error": {"code": -1, "message": "not now"}}\n\n')

    async def card(request: web.Request) -> web.Response:
        face = {"url": f"http://{request.host}/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0.2", "tenant": "north"}
        return web.json_response({"name": "x", "supportedInterfaces": [face], "capabilities": {"streaming": True}})

    app = web.Application()
    app.router.add_get("/{path:.*}", card)
    app.router.add_post("/", speaker.answer)
    async with TestServer(app) as server:
        with pytest.raises(RuntimeFailed, match="not now"):
            await all_of(run(str(server.make_url("/")), turn(tmp_path, "hello")))

    assert [(call["method"], call["params"]["tenant"]) for call in speaker.asked] == [("SendStreamingMessage", "north")]


def test_what_was_known_of_an_agent_is_not_believed_of_the_next_at_its_address(tmp_path: Path) -> None:
    async def said(port: int, streaming: bool) -> tuple[str, int]:
        async with Agent(streaming=streaming, port=port) as agent:
            return answer(await all_of(run(agent.url, turn(tmp_path, "!say hi")))), agent.port

    _, port = asyncio.run(said(0, True))

    assert asyncio.run(said(port, False)) == ("hi", port)
