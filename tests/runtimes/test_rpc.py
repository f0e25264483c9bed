"""The JSON-RPC peer: calls, answers, and what is no message."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.runtimes.rpc import Gone, Json, Peer, Refused


class Other:
    """The other side of a peer, in the test's hands."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[Json] = asyncio.Queue()
        self.heard: list[str] = []
        self.may = asyncio.Event()
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.peer = Peer(self._write, self._hear, self._serve)

    async def _write(self, text: str) -> None:
        self.said.put_nowait(json.loads(text))

    async def _hear(self, method: str, params: Json) -> None:
        self.heard.append(method)

    async def _serve(self, number: int | str, method: str, params: Json) -> Any:
        if method == "unknown":
            raise Refused("no such method")
        await self.may.wait()
        return {"answer": params["about"]}

    async def lines(self) -> AsyncIterator[bytes]:
        while (line := await self._lines.get()) is not None:
            yield line

    def say(self, message: Json | bytes | None) -> None:
        self._lines.put_nowait(json.dumps(message).encode() if isinstance(message, dict) else message)


async def test_a_call_gets_its_answer_while_a_question_is_still_open() -> None:
    other = Other()
    async with asyncio.TaskGroup() as group:
        group.create_task(other.peer.read(other.lines()))
        other.say({"id": "q", "method": "ask", "params": {"about": "colour"}})
        call = group.create_task(other.peer.call("begin", {}))
        other.say({"id": (await other.said.get())["id"], "result": 42})

        assert await call == 42
        other.may.set()
        assert await other.said.get() == {"jsonrpc": "2.0", "id": "q", "result": {"answer": "colour"}}
        other.say(None)


async def test_what_is_no_message_is_passed_over() -> None:
    other = Other()
    for line in (b"hello\n", b'{"half":\n', b"[1]\n", b'{"id": 99, "result": 1}\n', b'{"method": "told"}\n', None):
        other.say(line)

    await other.peer.read(other.lines())

    assert other.heard == ["told"]


async def test_a_refusal_is_told_with_what_was_said() -> None:
    other = Other()
    async with asyncio.TaskGroup() as group:
        group.create_task(other.peer.read(other.lines()))
        call = asyncio.create_task(other.peer.call("begin", {}))
        other.say({"id": (await other.said.get())["id"], "error": {"code": -1, "message": "not today"}})

        with pytest.raises(Refused, match="not today"):
            await call
        other.say(None)


async def test_who_does_not_know_a_method_says_so() -> None:
    other = Other()
    async with asyncio.TaskGroup() as group:
        group.create_task(other.peer.read(other.lines()))
        other.say({"id": 7, "method": "unknown"})

        assert (await other.said.get())["error"] == {"code": -32601, "message": "no such method"}
        other.say(None)


async def test_a_call_that_nobody_will_answer_ends() -> None:
    other = Other()
    call = asyncio.create_task(other.peer.call("begin", {}))
    await other.said.get()
    other.say(None)

    await other.peer.read(other.lines())

    with pytest.raises(Gone):
        await call


@pytest.mark.parametrize(
    ("error", "code"), [({"code": -3, "message": "no"}, -3), ({"code": None, "message": "no"}, 0), ({"message": "no"}, 0)]
)
async def test_a_refusal_is_one_whatever_its_code_is(error: Json, code: int) -> None:
    other = Other()
    async with asyncio.TaskGroup() as group:
        group.create_task(other.peer.read(other.lines()))
        call = group.create_task(refused(other.peer))
        other.say({"id": (await other.said.get())["id"], "error": error})

        assert (await call).code == code
        other.say(None)


async def refused(peer: Peer) -> Refused:
    with pytest.raises(Refused, match="no") as caught:
        await peer.call("begin", {})
    return caught.value
