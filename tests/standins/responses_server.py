"""A stand-in for a platform that speaks OpenAI's Responses and keeps them, after the shapes of openai 3.52: answers, conversations,
work in the background. What its model does is said in the messages: see script.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.standins import model_chat, model_responses
from tests.standins.managed_agents import end
from tests.standins.model import Asked
from tests.standins.script import Reply, decide
from tests.standins.site import Shaky

Json = dict[str, Any]


@dataclass
class Answer:
    """`frames` are its events so far; `before` is the conversation that it goes on with."""

    id: str
    input: list[Json]
    before: list[Json]
    frames: list[Json] = field(default_factory=list)
    state: Json = field(default_factory=lambda: {"status": "in_progress"})
    more: asyncio.Event = field(default_factory=asyncio.Event)
    work: "asyncio.Task[None] | None" = None

    @property
    def whole(self) -> list[Json]:
        return [*self.before, *self.input, *(self.state.get("output") or ())]

    def tell(self, frame: Json) -> None:
        self.frames.append(frame | {"sequence_number": len(self.frames)})
        self.state = frame.get("response", self.state)
        self.more.set()
        self.more = asyncio.Event()


class ResponsesServer(Shaky):
    """`async with ResponsesServer() as platform:` serves on loopback, at `url`. Without `keeps` it knows no answer once it is given."""

    path, cancels = "/v1", True

    def __init__(self, key: str = "sk-test", *, keeps: bool = True, folder: Path = Path()) -> None:
        super().__init__()
        self.key, self.keeps, self.folder = key, keeps, folder
        self.log: list[Asked] = []
        self.headers: list[Mapping[str, str]] = []
        self.answers: dict[str, Answer] = {}
        self.stopped: list[str] = []
        self.again()

    def again(self) -> None:
        """Ready to go up, the first time or after it went down."""
        self.app = web.Application(middlewares=[self._known], client_max_size=64 << 20)
        self.app.router.add_post("/v1/responses", self._respond)
        self.app.router.add_get("/v1/responses/{id}", self._look)
        self.app.router.add_post("/v1/responses/{id}/cancel", self._cancel)
        self.app.router.add_post("/v1/conversations", self._converse)
        self.app.router.add_post("/v1/chat/completions", self._chat)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        working = [answer.work for answer in self.answers.values() if answer.work]
        for work in working:
            end(work)
        if working:
            await asyncio.wait(working)
        await self.down()

    @web.middleware
    async def _known(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.headers.append(request.headers)
        if no := self.refused():
            return no
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return refused(401, "invalid_api_key", f"Incorrect API key: {request.headers.get('Authorization')}")
        if "id" in request.match_info and (not self.keeps or request.match_info["id"] not in self.answers):
            return refused(404, "not_found", f"Response with id {request.match_info['id']} not found.")
        return await handler(request)  # type: ignore[no-any-return]

    async def _converse(self, request: web.Request) -> web.Response:
        self.answers["conv_1"] = Answer("conv_1", [], [])
        return web.json_response({"id": "conv_1", "object": "conversation"})

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        before = body.get("previous_response_id") or body.get("conversation") or ""
        if before and (not self.keeps or before not in self.answers):
            return refused(400, "previous_response_not_found", f"Previous response with id '{before}' not found.")
        known = self.answers[before].whole if before else []
        self.log.append(Asked(request.path_qs, request.headers, {**body, "input": [*known, *body["input"]]}))
        reply = decide(model_responses.lines({"input": seen(self.log[-1].body["input"])}))
        if reply.status != 200:
            return refused(reply.status, reply.kind, f"the script says {reply.status}")
        answer = Answer(f"resp_{len(self.answers) + 1}", body["input"], known)
        self.answers[answer.id] = answer
        answer.work = asyncio.create_task(self._work(answer, body))
        answer.work.add_done_callback(lambda _: answer.more.set())
        try:
            return await self._told(request, answer, -1)
        finally:
            if answer.work.done() and not answer.work.cancelled():
                answer.work.result()
            elif not body.get("background"):
                self._stop(answer)
            if body.get("conversation"):
                self.answers["conv_1"] = answer

    async def _work(self, answer: Answer, body: Json) -> None:
        """The model, and the platform's own tools, until no more of these are called."""
        wary = any(tool.get("require_approval") == "always" for tool in body.get("tools", ()))
        items, made = [*answer.before, *answer.input], [item async for item in self._allowed(answer)]
        calls = True
        while calls:
            reply = decide(model_responses.lines({"input": seen([*items, *made])}))
            last = await self._round(answer, {**body, "input": items}, reply, wary=wary)
            output = [ours(item, wary=wary) for item in last["response"]["output"]]
            made += output
            calls = [item for item in output if item["type"] == "shell_call"]
            for call in calls:
                made.append(await self._ran(call["call_id"], call["action"]["commands"][0]))
                answer.tell({"type": "response.output_item.done", "item": call | {"status": "completed"}})
        answer.tell(last | {"response": last["response"] | {"id": answer.id, "output": made}})

    async def _round(self, answer: Answer, body: Json, reply: Reply, *, wary: bool) -> Json:
        """One call of the model; what ends it is kept back, since the platform may go on."""
        async for frame in model_responses.pieces(body, reply):
            event = json.loads(frame.partition("data: ")[2])
            match event["type"]:
                case "response.completed":
                    last: Json = event
                case "response.created" if answer.frames:
                    pass
                case "response.created":
                    answer.tell(event | {"response": event["response"] | {"id": answer.id}})
                case "response.output_item.done" if (item := ours(event["item"], wary=wary))["type"] == "shell_call":
                    answer.tell({"type": "response.output_item.added", "item": item | {"status": "in_progress"}})
                case "response.output_item.added" if event["item"].get("name") == "shell":
                    pass
                case _:
                    answer.tell(event | ({"item": ours(event["item"], wary=wary)} if "item" in event else {}))
        return last

    async def _allowed(self, answer: Answer) -> AsyncIterator[Json]:
        """What was waiting for leave is done, if that was given."""
        asked = {item["id"]: item for item in answer.whole if item.get("type") == "mcp_approval_request"}
        for item in answer.input:
            if item.get("type") == "mcp_approval_response" and item["approve"]:
                call = asked[item["approval_request_id"]]
                yield await self._ran(call["id"], json.loads(call["arguments"])["command"])

    async def _ran(self, id: str, command: str) -> Json:
        process = await asyncio.create_subprocess_shell(f"exec {command}", cwd=self.folder, stdout=asyncio.subprocess.PIPE)
        try:
            told, _ = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
        return {"type": "function_call_output", "call_id": id, "output": told.decode().strip()}

    async def _look(self, request: web.Request) -> web.StreamResponse:
        answer = self.answers[request.match_info["id"]]
        if request.query.get("stream") == "true":
            return await self._told(request, answer, int(request.query.get("starting_after", -1)))
        return web.json_response(answer.state)

    async def _cancel(self, request: web.Request) -> web.Response:
        answer = self.answers[request.match_info["id"]]
        self._stop(answer)
        return web.json_response(answer.state)

    def _stop(self, answer: Answer) -> None:
        assert answer.work
        end(answer.work)
        self.stopped.append(answer.id)
        answer.state = answer.state | {"id": answer.id, "status": "cancelled"}
        answer.more.set()

    async def _told(self, request: web.Request, answer: Answer, after: int) -> web.StreamResponse:
        response = await self._stream(request)
        with suppress(ConnectionError):
            async for event in frames(answer, after):
                await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                self.told()
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        assert request.transport
        self._wires.append(request.transport)
        await response.write(self.noise)
        return response

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.log.append(Asked(request.path_qs, request.headers, body))
        reply = decide(model_chat.lines(body))
        if reply.status != 200:
            return refused(reply.status, reply.kind, f"the script says {reply.status}")
        response, over = await self._stream(request), False
        try:
            async for frame in model_chat.pieces(body, reply):
                await response.write(frame.encode())
                self.told()
            over = True
        finally:
            self.stopped += [] if over else ["chat"]
        return response


async def frames(answer: Answer, after: int) -> AsyncIterator[Json]:
    """Those after this one, until the answer is over."""
    number = after + 1
    while True:
        for event in answer.frames[number:]:
            yield event
        number = max(number, len(answer.frames))
        if answer.state.get("status") != "in_progress" or (answer.work and answer.work.done()):
            return
        await answer.more.wait()


def ours(item: Json, *, wary: bool) -> Json:
    """A call of `shell` is one of the platform's own tool, or of a server's for which it wants leave."""
    if item["type"] != "function_call" or item["name"] != "shell":
        return item
    id, given = item["call_id"], item["arguments"]
    if wary:
        return {"type": "mcp_approval_request", "id": id, "server_label": "ops", "name": "shell", "arguments": given}
    return {"type": "shell_call", "id": id, "call_id": id, "action": {"commands": [json.loads(given)["command"]]}, "status": "completed"}


def seen(items: list[Json]) -> list[Json]:
    """The conversation as the model sees it: all tools are functions."""
    found = []
    for item in items:
        match item:
            case {"type": "mcp_approval_request" | "shell_call", "id": id}:
                found.append({"type": "function_call", "call_id": id, "name": "shell", "arguments": "{}"})
            case {"type": "mcp_approval_response", "approve": False, "approval_request_id": id}:
                found.append({"type": "function_call_output", "call_id": id, "output": f"denied: {item['reason']}"})
            case {"type": "mcp_approval_response"}:
                pass
            case _:
                found.append(item)
    return found


def refused(status: int, code: str, words: str) -> web.Response:
    return web.json_response({"error": {"message": words, "type": code, "code": code}}, status=status)
