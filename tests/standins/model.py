"""A stand-in for the APIs of models, whose model does what the prompt's `!` lines say: see script.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.standins import model_chat, model_responses
from tests.standins.script import Block, Line, Reply, decide, person

Json = dict[str, Any]
PIECE = 12


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    body: Json

    @property
    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.body.get("tools", [])]

    @property
    def system(self) -> str:
        return words(self.body.get("system", ""))

    @property
    def people(self) -> list[str]:
        """What people said, oldest first, without what the harness added."""
        return [line.text for line in lines(self.body) if line.role == "user"]


class Model:
    """`async with Model() as model:` serves on loopback, at `model.url`. `log` keeps every request.

    Anthropic's Messages, and OpenAI's Chat Completions and Responses, each as JSON and as a stream.
    """

    def __init__(self) -> None:
        self.log: list[Asked] = []
        self.url = ""
        self._app = web.Application(client_max_size=64 << 20)
        for path, answer in (("messages", self._messages), ("chat/completions", self._chat), ("responses", self._responses)):
            self._app.router.add_post(f"/v1/{path}", answer)
        self._app.router.add_post("/v1/messages/count_tokens", self._counted)
        self._app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.2)

    async def __aenter__(self) -> "Model":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()

    async def _counted(self, request: web.Request) -> web.Response:
        return web.json_response({"input_tokens": len(await request.text()) // 4})

    async def _models(self, request: web.Request) -> web.Response:
        model = {"id": "stand-in", "object": "model", "type": "model", "display_name": "Stand-in", "owned_by": "tests", "created": 1}
        return web.json_response({"object": "list", "data": [model]})

    async def _asked(self, request: web.Request) -> Asked:
        asked = Asked(request.path_qs, dict(request.headers), await request.json())
        self.log.append(asked)
        return asked

    def reply(self, asked: Asked) -> Reply:
        """What the model makes of a request to the Messages API."""
        wanted = asked.body.get("output_config", {}).get("format", {}).get("schema", {}).get("required")
        return named() if wanted == ["title"] else decide(lines(asked.body))

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        asked = await self._asked(request)
        body, reply = asked.body, self.reply(asked)
        if reply.status != 200:
            error = {"type": reply.kind, "message": f"the script says {reply.status}"}
            return web.json_response({"type": "error", "error": error}, status=reply.status)
        message = whole(body, reply)
        if not body.get("stream"):
            return web.json_response(message)
        return await _stream(request, (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" async for event in pieces(message, reply)))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = (await self._asked(request)).body
        reply = decide(model_chat.lines(body))
        if reply.status != 200:
            return _refused(reply)
        if not body.get("stream"):
            return web.json_response(model_chat.whole(body, reply))
        return await _stream(request, model_chat.pieces(body, reply))

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        body = (await self._asked(request)).body
        reply = decide(model_responses.lines(body))
        if reply.status != 200:
            return _refused(reply)
        if not body.get("stream"):
            return web.json_response(model_responses.whole(body, reply))
        return await _stream(request, model_responses.pieces(body, reply))


def named() -> Reply:
    """A harness wants a title for the conversation, which takes next to nothing of what `!usage` says."""
    reply = Reply()
    reply.say(json.dumps({"title": "A conversation"}))
    reply.tokens = 1, 1
    return reply


def _refused(reply: Reply) -> web.Response:
    error = {"message": f"the script says {reply.status}", "type": reply.kind, "code": None}
    return web.json_response({"error": error}, status=reply.status)


async def _stream(request: web.Request, told: AsyncIterator[str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    try:
        await response.prepare(request)
        async for piece in told:
            await response.write(piece.encode())
    except ConnectionResetError:
        pass  # who is stopped in the middle hangs up
    return response


def words(content: Any) -> str:
    """The text in a message's, a result's or a system prompt's content."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if block.get("type") == "text")


def lines(body: Json) -> list[Line]:
    """A request to the Messages API, line by line."""
    found: list[Line] = []
    for message in body.get("messages", []):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "assistant":
            found.append(Line("assistant", words(blocks), sum(block["type"] == "tool_use" for block in blocks)))
            continue
        for block in blocks if message["role"] == "user" else ():
            if block.get("type") == "tool_result":
                found.append(Line("tool", words(block.get("content"))))
            elif block.get("type") == "text":
                found += person(block["text"])
    return found


def whole(body: Json, reply: Reply) -> Json:
    """The message as one piece of JSON."""
    content = [_content(block) for block in reply.blocks]
    given, told = reply.tokens or (len(json.dumps(body)) // 4, max(1, len(json.dumps(content)) // 4))
    usage = {"input_tokens": given, "output_tokens": told, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    return {
        "id": f"msg_{uuid4().hex}", "type": "message", "role": "assistant", "model": body.get("model", ""), "content": content,
        "stop_reason": "tool_use" if reply.calls else "end_turn", "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def _content(block: Block) -> Json:
    match block.kind:
        case "say":
            return {"type": "text", "text": block.text}
        case "think":
            return {"type": "thinking", "thinking": block.text, "signature": "c2lnbmVk"}
        case "tool":
            return {"type": "tool_use", "id": f"toolu_{uuid4().hex}", "name": block.name, "input": json.loads(block.text)}


async def pieces(message: Json, reply: Reply) -> AsyncIterator[Json]:
    """The message as the API streams it: https://docs.anthropic.com/en/docs/build-with-claude/streaming"""
    start = message | {"content": [], "stop_reason": None, "usage": message["usage"] | {"output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, (content, block) in enumerate(zip(message["content"], reply.blocks, strict=True)):
        empty, deltas = _opened(content)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            await asyncio.sleep(block.delay)
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _opened(block: Json) -> tuple[Json, list[Json]]:
    """A block as it begins, and what is then added to it."""
    match block["type"]:
        case "text":
            return block | {"text": ""}, [{"type": "text_delta", "text": piece} for piece in _cut(block["text"])]
        case "thinking":
            thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in _cut(block["thinking"])]
            return block | {"thinking": "", "signature": ""}, [*thoughts, {"type": "signature_delta", "signature": block["signature"]}]
        case _:
            given = [{"type": "input_json_delta", "partial_json": piece} for piece in _cut(json.dumps(block["input"]))]
            return block | {"input": {}}, given


def _cut(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
