"""A small JSON-RPC peer over lines: calls, and answers what it is asked, each question beside the others."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any

Json = dict[str, Any]
UNKNOWN = -32601


class Refused(Exception):
    """The other side, or ours, said no to a call. `str()` is what it said."""

    def __init__(self, message: str, code: int = UNKNOWN) -> None:
        super().__init__(message)
        self.code = code


class Gone(Exception):
    """The other side says nothing more."""


class Peer:
    """`hear` is told of each notification, in order; `serve` answers a request, by its id, and may take its time. It raises Refused."""

    def __init__(
        self,
        write: Callable[[str], Awaitable[None]],
        hear: Callable[[str, Json], Awaitable[None]],
        serve: Callable[[int | str, str, Json], Awaitable[Any]],
    ) -> None:
        self.write, self.hear, self.serve = write, hear, serve
        self._numbers = count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._over = False

    async def call(self, method: str, params: Json) -> Any:
        """Raises Refused; Gone where no answer can come any more."""
        if self._over:
            raise Gone
        number = next(self._numbers)
        self._calls[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({"id": number, "method": method, "params": params})
            return await self._calls[number]
        finally:
            del self._calls[number]

    async def notify(self, method: str, params: Json) -> None:
        await self._send({"method": method, "params": params})

    async def read(self, lines: AsyncIterator[bytes]) -> None:
        """Until nothing more comes; then what is still being served is dropped. Raises what `hear` and `serve` raise."""
        serving: set[asyncio.Task[None]] = set()
        try:
            async with asyncio.TaskGroup() as group:
                async for line in lines:
                    await self._take(read(line), group, serving)
                for task in serving:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._over = True
            for call in self._calls.values():
                if not call.done():
                    call.set_exception(Gone())
                    call.exception()  # known, also where its caller was still sending, and was stopped

    async def _take(self, message: Json, group: asyncio.TaskGroup, serving: set[asyncio.Task[None]]) -> None:
        match message:
            case {"method": str(method), "id": int() | str() as number}:
                task = group.create_task(self._answer(number, method, given(message)), name=f"serve-{method}")
                serving.add(task)
                task.add_done_callback(serving.discard)
            case {"method": str(method)}:
                await self.hear(method, given(message))
            case {"id": int(number)} if (call := self._calls.get(number)) and not call.done():
                if isinstance(error := message.get("error"), dict):
                    code = error.get("code")
                    call.set_exception(Refused(str(error.get("message", error)), code if isinstance(code, int) else 0))
                else:
                    call.set_result(message.get("result"))

    async def _answer(self, number: int | str, method: str, params: Json) -> None:
        try:
            answer: Json = {"result": await self.serve(number, method, params)}
        except Refused as error:
            answer = {"error": {"code": error.code, "message": str(error)}}
        await self._send({"id": number, **answer})

    async def _send(self, message: Json) -> None:
        await self.write(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False) + "\n")


def read(line: bytes) -> Json:
    """Empty for what is no message: harnesses also say other things."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def given(message: Json) -> Json:
    params = message.get("params")
    return params if isinstance(params, dict) else {}
