"""OpenAI's Responses, as the stand-in for a model speaks them: https://platform.openai.com/docs/api-reference/responses-streaming"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

from tests.standins.script import Block, Line, Reply, person

Json = dict[str, Any]
PIECE = 12
CALLS = ("function_call", "custom_tool_call", "local_shell_call")
RESULTS = ("function_call_output", "custom_tool_call_output")


def lines(body: Json) -> list[Line]:
    found: list[Line] = []
    for item in _items(body):
        kind = item.get("type", "message")
        if kind == "message" and item.get("role") == "user":
            found += [line for text in _texts(item.get("content")) for line in person(text)]
        elif kind == "message" and item.get("role") == "assistant":
            found.append(Line("assistant", "\n".join(_texts(item.get("content")))))
        elif kind in CALLS:
            if not (found and found[-1].role == "assistant" and found[-1].calls):  # calls at once are one turn of the model
                found.append(Line("assistant", "", 1))
        elif kind in RESULTS:
            found.append(Line("tool", "\n".join(_texts(item.get("output")))))
    return found


def _items(body: Json) -> list[Json]:
    given = body.get("input", [])
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given


def _texts(content: Any) -> list[str]:
    if content is None or isinstance(content, str):
        return [content or ""]
    return [part["text"] for part in content if part.get("type") in ("text", "input_text", "output_text")]


def _tools(body: Json) -> dict[str, tuple[str, str]]:
    """Each tool's kind and the namespace it stands in; Codex gives some as an item of the input."""
    more = [tool for item in _items(body) if item.get("type") == "additional_tools" for tool in item.get("tools", [])]
    found = {}
    for tool in [*(body.get("tools") or ()), *more]:
        for each in tool.get("tools") or [tool]:
            if each.get("name"):
                found[each["name"]] = each.get("type", "function"), tool["name"] if tool.get("tools") else ""
    return found


def whole(body: Json, reply: Reply) -> Json:
    """The answer as one piece of JSON."""
    given, told = reply.tokens or (len(json.dumps(body)) // 4, max(1, sum(len(block.text) for block in reply.blocks) // 4))
    usage = {
        "input_tokens": given, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": told,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": given + told,
    }  # fmt: skip
    tools = _tools(body)
    return {
        "id": f"resp_{uuid4().hex}", "object": "response", "created_at": int(time.time()), "status": "completed",
        "model": body.get("model", ""), "output": [_item(block, tools) for block in reply.blocks], "usage": usage, "error": None,
        "incomplete_details": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0,
    }  # fmt: skip


def _item(block: Block, tools: dict[str, tuple[str, str]]) -> Json:
    if block.kind == "say":
        part = {"type": "output_text", "text": block.text, "annotations": []}
        return {"type": "message", "id": f"msg_{uuid4().hex}", "role": "assistant", "status": "completed", "content": [part]}
    if block.kind == "think":
        summary = [{"type": "summary_text", "text": block.text}]
        return {"type": "reasoning", "id": f"rs_{uuid4().hex}", "summary": summary, "encrypted_content": None}
    kind, space = tools.get(block.name, ("function", ""))
    call = {"status": "completed", "call_id": f"call_{uuid4().hex[:24]}", "name": block.name}
    if kind == "custom":
        return {"type": "custom_tool_call", "id": f"ctc_{uuid4().hex}", **call, "input": block.text}
    return {"type": "function_call", "id": f"fc_{uuid4().hex}", **call, "arguments": block.text, **({"namespace": space} if space else {})}


async def pieces(body: Json, reply: Reply) -> AsyncIterator[str]:
    """The answer as it is streamed."""
    answer, number = whole(body, reply), 0
    begun = [("response.created", {"response": answer | {"status": "in_progress", "output": [], "usage": None}})]
    for index, (block, item) in enumerate(zip(reply.blocks, answer["output"], strict=True)):
        for kind, event in [*begun, *_told(block, item, index)]:
            await asyncio.sleep(block.delay if kind.endswith(".delta") else 0)
            yield _data(kind, event, number)
            number += 1
        begun = []
    for kind, event in [*begun, ("response.completed", {"response": answer})]:
        yield _data(kind, event, number)
        number += 1


def _told(block: Block, item: Json, index: int) -> Iterator[tuple[str, Json]]:
    """An item, from when it is added until it is done."""
    at = {"item_id": item["id"], "output_index": index}
    match item["type"]:
        case "message":
            part = {**at, "content_index": 0}
            yield "response.output_item.added", {"output_index": index, "item": item | {"status": "in_progress", "content": []}}
            yield "response.content_part.added", {**part, "part": {"type": "output_text", "text": "", "annotations": []}}
            yield from (("response.output_text.delta", {**part, "delta": cut}) for cut in _cut(block.text))
            yield "response.output_text.done", {**part, "text": block.text}
            yield "response.content_part.done", {**part, "part": item["content"][0]}
        case "reasoning":
            part = {**at, "summary_index": 0}
            yield "response.output_item.added", {"output_index": index, "item": item | {"summary": []}}
            yield "response.reasoning_summary_part.added", {**part, "part": {"type": "summary_text", "text": ""}}
            yield from (("response.reasoning_summary_text.delta", {**part, "delta": cut}) for cut in _cut(block.text))
            yield "response.reasoning_summary_text.done", {**part, "text": block.text}
            yield "response.reasoning_summary_part.done", {**part, "part": item["summary"][0]}
        case "custom_tool_call":
            yield "response.output_item.added", {"output_index": index, "item": item | {"status": "in_progress", "input": ""}}
            yield "response.custom_tool_call_input.delta", {**at, "delta": block.text}
            yield "response.custom_tool_call_input.done", {**at, "input": block.text}
        case _:
            yield "response.output_item.added", {"output_index": index, "item": item | {"status": "in_progress", "arguments": ""}}
            yield from (("response.function_call_arguments.delta", {**at, "delta": cut}) for cut in _cut(block.text))
            yield "response.function_call_arguments.done", {**at, "arguments": block.text}
    yield "response.output_item.done", {"output_index": index, "item": item}


def _data(kind: str, event: Json, number: int) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **event})}\n\n"


def _cut(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
