"""Harnesses that AgentCore itself runs: AWS's own client, before a stand-in for InvokeHarness written from botocore's model of it."""

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Question, Started, Step, Thought, Usage
from bot.message import Answer
from bot.ports import Turn

from .talk import after, talked
from .test_agentcore import turn

ARN = "arn:aws:bedrock-agentcore:eu-central-1:123456789012:harness/coder-abcdefghij"
END = {"messageStop": {"stopReason": "end_turn"}}
USED = {"metadata": {"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, "metrics": {"latencyMs": 1}}}
ASKS = [
    {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t1", "name": "ask_user", "type": "tool_use"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"question": "Which?", "opt'}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": 'ions": ["Red", "Blue"]}'}}}},
    {"messageStop": {"stopReason": "tool_use"}},
]


def text(words: str) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": words}}}


def frame(name: str, payload: Any, kind: str = "event") -> bytes:
    """One message of AWS's event stream."""
    told = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack("!H", len(said)) + said.encode() for key, said in told.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", len(headers) + len(body) + 16, len(headers))
    whole = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return whole + struct.pack("!I", zlib.crc32(whole))


class Plane:
    """`events` is what it tells next, after which it is silent for `held` seconds; `asked` what it was asked."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.tail, self.held = b"", 0.0

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        assert request.query["harnessArn"] == ARN
        told = b"".join(frame(name, payload) for event in self.events for name, payload in event.items())
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
        await response.prepare(request)
        await response.write(told + self.tail)
        await asyncio.sleep(self.held)
        return response


@pytest.fixture
async def plane() -> AsyncIterator[tuple[Plane, str]]:
    plane, app = Plane(), web.Application()
    app.router.add_post("/harnesses/invoke", plane.invoke)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield plane, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def asked(folder: Path, url: str, **options: Any) -> Turn:
    return turn(folder, url, arn=ARN, **options)


async def test_what_it_tells_is_told(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    call = {"toolUseId": "t1", "name": "Bash", "type": "server_tool_use"}
    result = {"toolUseId": "t1", "status": "success"}
    served.events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}},
        {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": call}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"command": "ls"}'}}}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolResult": result}}},
        text("Hel"), text("lo"), END, USED,
    ]  # fmt: skip

    talk = await talked(replace(asked(tmp_path, url), instructions="Be kind."))

    assert (talk.answered, talk.finished.state) == ("Hello", "completed")
    assert talk.all(Thought) == [Thought("Hm.")]
    assert talk.steps == {"t1": Step("t1", "Bash", "execute", "completed", '{"command": "ls"}')}
    assert talk.all(Usage) == [Usage(10, 5)]
    assert served.asked[0]["messages"] == [{"role": "user", "content": [{"text": "Be kind.\n\nhello"}]}]


async def test_a_question_ends_the_turn_and_its_answer_begins_the_next(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    served.events = ASKS
    talk = await talked(asked(tmp_path, url, asks=True))
    [question] = talk.all(Question)
    assert [option.label for option in question.parts[0].options] == ["Red", "Blue"]
    assert served.asked[0]["tools"][0]["name"] == "ask_user"

    served.events = [text("Blue it is."), END]
    talk = await talked(after(talk, "Blue", answer=Answer(question.id, {"t1": ("Blue",)})))

    [content] = served.asked[1]["messages"][0]["content"]
    assert content == {"toolResult": {"toolUseId": "t1", "content": [{"text": "Blue"}], "status": "success"}}
    assert talk.answered == "Blue it is."


async def test_whoever_says_something_else_leaves_the_question_without_an_answer(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    served.events = ASKS
    talk = await talked(asked(tmp_path, url, asks=True))

    served.events = [END]
    await talked(replace(after(talk, "Never mind."), resume=talk.all(Started)[-1].resume))

    content = served.asked[1]["messages"][0]["content"]
    assert [next(iter(each)) for each in content] == ["toolResult", "text"]


async def test_an_error_of_the_platform_is_told(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    served.events, served.tail = [text("Hel")], frame("validationException", {"message": "no such model"}, "exception")

    with pytest.raises(RuntimeFailed, match="no such model"):
        await talked(asked(tmp_path, url))


@pytest.mark.parametrize("tail", [b"", frame("contentBlockDelta", {})[:10], b"<html>Sign in</html>" * 9])
async def test_a_stream_that_is_cut_or_is_none_ends_in_words(plane: tuple[Plane, str], tmp_path: Path, tail: bytes) -> None:
    served, url = plane
    served.events, served.tail = [text("Hel")], tail

    with pytest.raises(RuntimeFailed, match="cut in its middle") as caught:
        await talked(asked(tmp_path, url))

    assert not isinstance(caught.value, Unavailable)


async def test_one_that_stalls_is_told(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    served.events, served.held = [text("Hel")], 30

    with pytest.raises(RuntimeFailed, match=r"was silent for 0\.5 seconds\. This was cut in its middle"):
        await talked(asked(tmp_path, url, silence=0.5))


async def test_a_limit_is_told(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    served.events = [{"messageStop": {"stopReason": "max_iterations_exceeded"}}]

    talk = await talked(asked(tmp_path, url))

    assert talk.finished.reason == "The harness has used all the rounds that it may."


async def test_what_nobody_knows_harms_nothing(plane: tuple[Plane, str], tmp_path: Path) -> None:
    served, url = plane
    served.events = [{"sparkle": {"colour": "blue"}}, text("Hello"), END]

    talk = await talked(asked(tmp_path, url))

    assert talk.answered == "Hello"
    assert len(talk.all(Notice)) <= 1
