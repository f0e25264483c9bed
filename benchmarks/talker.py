"""A harness that says only when it says it: python talker.py stream_json|acp|codex PIECES SECONDS, a piece each so many seconds."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]


def main(kind: str, pieces: int, seconds: float) -> None:
    speak = {"stream_json": stream_json, "acp": acp, "codex": codex}[kind]
    began = time.monotonic()

    def stamps() -> Iterator[str]:
        """The time as each piece is written; the clock is the same in all processes of a machine."""
        for number in range(pieces):
            time.sleep(max(0.0, began + number * seconds - time.monotonic()))
            yield f"{time.monotonic_ns()} "

    for line in sys.stdin:
        speak(json.loads(line), stamps)


def tell(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def stream_json(asked: Json, stamps: Callable[[], Iterator[str]]) -> None:
    tell(type="system", subtype="init", session_id="s", model="none")
    for stamp in stamps():
        tell(type="stream_event", event={"type": "content_block_delta", "delta": {"type": "text_delta", "text": stamp}})
    tell(type="result", subtype="success", is_error=False)


def acp(asked: Json, stamps: Callable[[], Iterator[str]]) -> None:
    result: Json = {}
    match asked.get("method"):
        case "initialize":
            result = {"protocolVersion": 1, "agentCapabilities": {}}
        case "session/new":
            result = {"sessionId": "s"}
        case "session/prompt":
            for stamp in stamps():
                update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": stamp}}
                tell(jsonrpc="2.0", method="session/update", params={"sessionId": "s", "update": update})
            result = {"stopReason": "end_turn"}
    if "id" in asked:
        tell(jsonrpc="2.0", id=asked["id"], result=result)


def codex(asked: Json, stamps: Callable[[], Iterator[str]]) -> None:
    answers: dict[str, Json] = {
        "initialize": {"userAgent": "frontdesk/0.169.0 (talker)"},
        "thread/start": {"thread": {"id": "t"}, "model": "none"},
        "turn/start": {"turn": {"id": "u"}},
    }
    if "id" in asked:
        tell(id=asked["id"], result=answers.get(asked["method"], {}))
    if asked["method"] == "turn/start":
        tell(method="turn/started", params={"threadId": "t", "turn": {"id": "u"}})
        for stamp in stamps():
            tell(method="item/agentMessage/delta", params={"threadId": "t", "itemId": "i", "delta": stamp})
        tell(method="turn/completed", params={"threadId": "t", "turn": {"id": "u", "status": "completed"}})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
