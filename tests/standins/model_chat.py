"""OpenAI's Chat Completions, as the stand-in for a model speaks them: https://platform.openai.com/docs/api-reference/chat"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from tests.standins.script import Block, Line, Reply, person

Json = dict[str, Any]
PIECE = 12


def lines(body: Json) -> list[Line]:
    found: list[Line] = []
    for message in body.get("messages", []):
        text = _words(message.get("content"))
        match message["role"]:
            case "user":
                found += person(text)
            case "assistant":
                found.append(Line("assistant", text, len(message.get("tool_calls") or ())))
            case "tool":
                found.append(Line("tool", text))
    return found


def _words(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def whole(body: Json, reply: Reply) -> Json:
    """The answer as one piece of JSON."""
    calls = [_call(block) for block in reply.blocks if block.kind == "tool"]
    message: Json = {"role": "assistant", "content": "\n".join(block.text for block in reply.blocks if block.kind == "say") or None}
    message |= {"tool_calls": calls} if calls else {}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return _frame(body, "chat.completion", [choice], _id()) | {"usage": _usage(body, reply)}


async def pieces(body: Json, reply: Reply) -> AsyncIterator[str]:
    """The answer as it is streamed."""
    id, index = _id(), 0

    def data(delta: Json, finish: str | None = None) -> str:
        return _data(_frame(body, "chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": finish}], id))

    yield data({"role": "assistant", "content": ""})
    for block in reply.blocks:
        for delta in _deltas(block, index):
            await asyncio.sleep(block.delay)
            yield data(delta)
        index += block.kind == "tool"
    yield data({}, "tool_calls" if reply.calls else "stop")
    yield _data(_frame(body, "chat.completion.chunk", [], id) | {"usage": _usage(body, reply)})
    yield "data: [DONE]\n\n"


def _deltas(block: Block, index: int) -> list[Json]:
    if block.kind == "tool":
        call = _call(block)
        head = {"index": index, **call, "function": {"name": block.name, "arguments": ""}}
        return [{"tool_calls": [head]}, *({"tool_calls": [{"index": index, "function": {"arguments": cut}}]} for cut in _cut(block.text))]
    key = "content" if block.kind == "say" else "reasoning_content"
    return [{key: cut} for cut in _cut(block.text)]


def _call(block: Block) -> Json:
    return {"id": f"call_{uuid4().hex[:24]}", "type": "function", "function": {"name": block.name, "arguments": block.text}}


def _usage(body: Json, reply: Reply) -> Json:
    given, told = reply.tokens or (len(json.dumps(body)) // 4, max(1, sum(len(block.text) for block in reply.blocks) // 4))
    return {"prompt_tokens": given, "completion_tokens": told, "total_tokens": given + told}


def _frame(body: Json, kind: str, choices: list[Json], id: str) -> Json:
    return {"id": id, "object": kind, "created": int(time.time()), "model": body.get("model", ""), "choices": choices}


def _id() -> str:
    return f"chatcmpl-{uuid4().hex[:24]}"


def _data(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"


def _cut(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
