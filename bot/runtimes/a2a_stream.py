"""The answer to one call of A2A 1.0 in JSON-RPC, piece by piece. The SDK would hold what was sent for as long as it lasts."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from a2a.compat.v0_3.conversions import to_core_stream_response
from a2a.compat.v0_3.types import Message, SendStreamingMessageSuccessResponse, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent
from a2a.types import SendMessageRequest, StreamResponse, SubscribeToTaskRequest
from a2a.utils.constants import PROTOCOL_VERSION_1_0, VERSION_HEADER
from a2a.utils.errors import JSON_RPC_ERROR_CODE_MAP, A2AError
from a2a.utils.proto_utils import parse_lenient
from google.protobuf.json_format import MessageToDict, ParseError  # type: ignore[import-untyped]
from pydantic import ValidationError

from bot import net
from bot.runtimes.httpx_wire import TooMuch

Ask = SendMessageRequest | SubscribeToTaskRequest
METHODS = {SendMessageRequest: "SendStreamingMessage", SubscribeToTaskRequest: "SubscribeToTask"}
HEADERS = {"Accept": "text/event-stream", "Cache-Control": "no-store", VERSION_HEADER: PROTOCOL_VERSION_1_0}
OLDER: dict[str, tuple[Any, str]] = {
    "message": (Message, "message"), "task": (Task, "task"), "status-update": (TaskStatusUpdateEvent, "statusUpdate"),
    "artifact-update": (TaskArtifactUpdateEvent, "artifactUpdate"),
}  # fmt: skip
ERRORS = {code: kind for kind, code in JSON_RPC_ERROR_CODE_MAP.items()}


class Unanswered(A2AError):
    """JSON that is no answer to a call."""


@dataclass(frozen=True, slots=True)
class Strange:
    """An answer that 1.0 does not know. `old` says that 0.3 does."""

    raw: Any
    old: bool


Reply = StreamResponse | Strange


def call(ask: Ask) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": str(uuid4()), "method": METHODS[type(ask)], "params": MessageToDict(ask)}


async def told(http: httpx.AsyncClient, request: httpx.Request) -> AsyncGenerator[Reply, None]:
    """What the agent says, until its stream ends."""
    response = await http.send(request, stream=True)
    if not (response.is_success and "text/event-stream" in response.headers.get("content-type", "")):
        async with aclosing(response):
            response.raise_for_status()
            yield read((await response.aread()).decode("utf-8", "replace"))  # most often a refusal
        return
    lines, known = response.aiter_lines(), False
    odd: Exception | None = None
    del request, response  # while the agent is silent nothing is held
    async with aclosing(lines), aclosing(_replies(lines)) as replies:  # type: ignore[type-var]
        async for reply, wrong in replies:
            known, odd = known or not wrong, wrong or odd
            yield reply
    if odd and not known:  # nobody there speaks A2A
        raise odd


async def _replies(lines: AsyncIterator[str]) -> AsyncGenerator[tuple[Reply, Exception | None], None]:
    """Each answer, and why it is none."""
    data = ""
    async for line in lines:
        if line.startswith("data:"):
            data += line[5:].strip()
            if len(data) > net.LARGEST:
                raise TooMuch
        elif not line and data:
            yield _tried(data)
            data = ""


def _tried(data: str) -> tuple[Reply, Exception | None]:
    """The answer, and why it is none."""
    try:
        return read(data), None
    except (ValueError, RecursionError, ParseError, Unanswered) as error:
        return Strange(data, old=False), error


def read(data: str) -> Reply:
    """One answer. What is none raises the error that the SDK has for it, or a ValueError."""
    match json.loads(data):
        case {"error": {"code": int(code), **error}}:
            raise ERRORS.get(code, A2AError)(str(error.get("message") or f"error {code}"))
        case {"result": result, **more} if not more.get("error"):
            return judged(parse_lenient(result, StreamResponse()), result)
        case _:
            raise Unanswered(f"this is no answer: {data[:100]}")


def judged(response: StreamResponse, raw: Any = None) -> Reply:
    """Whether it is of 1.0. What is of 0.3 names its kind, and is read as that (LangGraph mixes both); where the SDK has read it for us
    the kind is no longer seen, and 0.3 the likeliest of what is empty.
    """
    kind = response.WhichOneof("payload")
    if kind is not None and (kind != "task" or response.task.status.state):
        return response
    if isinstance(raw, dict) and str(raw.get("kind")) in OLDER:
        return _older(raw, *OLDER[raw["kind"]])
    return Strange(raw, old=raw is None)


def _older(raw: dict[str, Any], made: Any, field: str) -> StreamResponse:
    try:
        return to_core_stream_response(SendStreamingMessageSuccessResponse(result=made.model_validate(raw)))
    except ValidationError:  # the kind of 0.3, around what is of 1.0
        return parse_lenient({field: raw}, StreamResponse())
