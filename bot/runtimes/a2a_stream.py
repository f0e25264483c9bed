"""The answer to one call of A2A 1.0 in JSON-RPC, piece by piece. The SDK would hold what was sent for as long as it lasts."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

import httpx
from a2a.types import SendMessageRequest, StreamResponse, SubscribeToTaskRequest
from a2a.utils.constants import PROTOCOL_VERSION_1_0, VERSION_HEADER
from a2a.utils.errors import JSON_RPC_ERROR_CODE_MAP, A2AError
from a2a.utils.proto_utils import parse_lenient
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

Ask = SendMessageRequest | SubscribeToTaskRequest
METHODS = {SendMessageRequest: "SendStreamingMessage", SubscribeToTaskRequest: "SubscribeToTask"}
HEADERS = {"Accept": "text/event-stream", "Cache-Control": "no-store", VERSION_HEADER: PROTOCOL_VERSION_1_0}
ERRORS = {code: kind for kind, code in JSON_RPC_ERROR_CODE_MAP.items()}


def call(ask: Ask) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": str(uuid4()), "method": METHODS[type(ask)], "params": MessageToDict(ask)}


async def told(http: httpx.AsyncClient, request: httpx.Request) -> AsyncGenerator[StreamResponse, None]:
    """What the agent says, until its stream ends."""
    response = await http.send(request, stream=True)
    if not (response.is_success and "text/event-stream" in response.headers.get("content-type", "")):
        async with aclosing(response):
            response.raise_for_status()
            yield read((await response.aread()).decode("utf-8", "replace"))  # most often a refusal
        return
    lines, data = response.aiter_lines(), ""
    del request, response  # while the agent is silent nothing is held
    async with aclosing(lines):  # type: ignore[type-var]
        async for line in lines:
            if line.startswith("data:"):
                data += line[5:].strip()
            elif not line and data:
                yield read(data)
                data = ""


def read(data: str) -> StreamResponse:
    """One answer. What is none raises the error that the SDK has for it, or a ValueError."""
    match json.loads(data):
        case {"error": {"code": int(code), **error}}:
            raise ERRORS.get(code, A2AError)(str(error.get("message") or f"error {code}"))
        case {"result": result, **more} if not more.get("error"):
            return parse_lenient(result, StreamResponse())
        case _:
            raise A2AError(f"this is no answer: {data[:100]}")
