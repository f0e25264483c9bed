"""A stand-in for the Anthropic Messages API, whose model does what the prompt's `!` lines say.

    !think TEXT            reason
    !say TEXT              speak; may be repeated
    !tool NAME {JSON}      call a tool; consecutive lines are calls at once
    !toolresult            say what the last tool results were
    !history               say how many messages of people the request holds, and the newest
    !slow SECONDS          wait between the pieces from here on
    !error STATUS [TYPE]   answer with this HTTP status
    !usage IN OUT          count these tokens

A model's turn ends after its tool calls; the next request, which holds their results, goes on with the lines below. How far
a script has got is read from the request alone, so any number of tests may share one server. A prompt without such lines is
echoed. `log` keeps every request.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any

from aiohttp import web

LINE = re.compile(r"^[ \t]*!(\w+)[ \t]*(.*)$", re.MULTILINE)
NOISE = re.compile(r"<(system-reminder|command-\w+|local-command-\w+)\b.*?</\1>", re.DOTALL)
PIECE = 12


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.body.get("tools", [])]

    @property
    def system(self) -> str:
        return words(self.body.get("system", ""))

    @property
    def people(self) -> list[str]:
        """What people said, oldest first, without what the harness added."""
        return [text for _, text in said(self.body.get("messages", []))]


@dataclass
class Reply:
    blocks: list[dict[str, Any]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    status: int = 200
    kind: str = "api_error"
    tokens: tuple[int, int] | None = None

    def add(self, block: dict[str, Any], delay: float) -> None:
        self.blocks.append(block)
        self.delays.append(delay)


class Model:
    """`async with Model() as model:` serves on loopback, at `model.url`."""

    def __init__(self) -> None:
        self.log: list[Asked] = []
        self.url = ""
        self._ids = count(1)
        self._app = web.Application(client_max_size=64 << 20)
        self._app.router.add_post("/v1/messages", self._messages)
        self._app.router.add_post("/v1/messages/count_tokens", self._counted)
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

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.path_qs, dict(request.headers), await request.json())
        self.log.append(asked)
        reply = decide(asked.body, self._ids)
        if reply.status != 200:
            error = {"type": reply.kind, "message": f"the script says {reply.status}"}
            return web.json_response({"type": "error", "error": error}, status=reply.status)
        message = whole(asked.body, reply, next(self._ids))
        if not asked.body.get("stream"):
            return web.json_response(message)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            async for event in pieces(message, reply):
                await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        except ConnectionResetError:
            pass  # who is stopped in the middle hangs up
        return response


def words(content: Any) -> str:
    """The text in a message's, a result's or a system prompt's content."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if block.get("type") == "text")


def said(messages: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """What people said, each with the place of its message; what a harness adds in tags is not said by anybody."""
    found = []
    for place, message in enumerate(messages):
        if message["role"] != "user":
            continue
        content = message["content"]
        texts = [content] if isinstance(content, str) else [block["text"] for block in content if block.get("type") == "text"]
        found += [(place, clean) for text in texts if (clean := NOISE.sub("", text).strip())]
    return found


def blocks(message: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    content = message["content"]
    return [] if isinstance(content, str) else [block for block in content if block.get("type") == kind]


def acts(script: str) -> list[list[tuple[str, str]]]:
    """The script's lines, parted into the turns of the model: one ends where its tool calls do."""
    turns: list[list[tuple[str, str]]] = [[]]
    for name, rest in LINE.findall(script):
        if turns[-1] and turns[-1][-1][0] == "tool" and name != "tool":
            turns.append([])
        turns[-1].append((name, rest.strip()))
    return turns


def decide(body: dict[str, Any], ids: Iterator[int]) -> Reply:
    """The whole model."""
    reply, messages = Reply(), body.get("messages", [])
    people = said(messages)
    place, prompt = next(((place, text) for place, text in reversed(people) if LINE.search(text)), people[-1] if people else (-1, ""))
    turns = acts(prompt)
    done = sum(1 for message in messages[place + 1 :] if message["role"] == "assistant" and blocks(message, "tool_use"))
    fresh = [text for where, text in people if where >= place]
    if not turns[0] or (fresh[-1] != prompt and not _between(messages[place:])):
        reply.add(_text(f"echo: {people[-1][1][-400:]}" if people else "echo:"), 0)
    elif done >= len(turns):
        reply.add(_text("(the script is over)"), 0)
    else:
        _play(turns[done], messages, reply, ids)
    return reply


def _between(messages: list[dict[str, Any]]) -> bool:
    """Whether the last of these messages goes on with the tools that the one before it called."""
    return bool(messages) and bool(blocks(messages[-1], "tool_result"))


def _play(lines: list[tuple[str, str]], messages: list[dict[str, Any]], reply: Reply, ids: Iterator[int]) -> None:
    delay = 0.0
    for name, rest in lines:
        match name:
            case "say":
                reply.add(_text(rest), delay)
            case "think":
                reply.add({"type": "thinking", "thinking": rest, "signature": "c2lnbmVk"}, delay)
            case "tool":
                tool, _, given = rest.partition(" ")
                call = f"toolu_{id(messages):x}{next(ids):06d}"
                reply.add({"type": "tool_use", "id": call, "name": tool, "input": json.loads(given or "{}")}, delay)
            case "toolresult":
                reply.add(_text(_results(messages)), delay)
            case "history":
                people = [text for _, text in said(messages)]
                reply.add(_text(f"{len(people)} messages, the newest: {people[-1]}"), delay)
            case "slow":
                delay = float(rest)
            case "error":
                status, _, kind = rest.partition(" ")
                reply.status, reply.kind = int(status), kind or "api_error"
            case "usage":
                given, _, told = rest.partition(" ")
                reply.tokens = int(given), int(told)
            case _:
                reply.add(_text(f"(no such line: !{name})"), delay)


def _results(messages: list[dict[str, Any]]) -> str:
    last = next((found for message in reversed(messages) if (found := blocks(message, "tool_result"))), [])
    return "the tools said: " + " | ".join(words(result.get("content")).strip() for result in last)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def whole(body: dict[str, Any], reply: Reply, number: int) -> dict[str, Any]:
    """The message as one piece of JSON."""
    given, told = reply.tokens or (len(json.dumps(body)) // 4, max(1, len(json.dumps(reply.blocks)) // 4))
    usage = {"input_tokens": given, "output_tokens": told, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    stop = "tool_use" if any(block["type"] == "tool_use" for block in reply.blocks) else "end_turn"
    return {
        "id": f"msg_{id(body):x}{number:06d}", "type": "message", "role": "assistant", "model": body.get("model", ""),
        "content": reply.blocks, "stop_reason": stop, "stop_sequence": None, "usage": usage,
    }  # fmt: skip


async def pieces(message: dict[str, Any], reply: Reply) -> AsyncIterator[dict[str, Any]]:
    """The message as the API streams it: https://docs.anthropic.com/en/docs/build-with-claude/streaming"""
    start = message | {"content": [], "stop_reason": None, "usage": message["usage"] | {"output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, (block, delay) in enumerate(zip(reply.blocks, reply.delays, strict=True)):
        empty, deltas = _opened(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            await asyncio.sleep(delay)
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _opened(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
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
