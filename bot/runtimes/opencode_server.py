"""OpenCode's server: one process for a session, reached over HTTP on loopback with a password of its own."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from bot.errors import RuntimeFailed, Unavailable
from bot.runtimes.child import LINE, PATIENCE, Child
from bot.runtimes.claude_words import short
from bot.runtimes.opencode_setting import REMEDY

Json = dict[str, Any]
LISTENS = re.compile(rb"listening on (http://\S+)")
OLDEST = (1, 18)
CALL = 30.0  # seconds for one call; what takes longer is told as events


class Server:
    """Use it as `start`, calls and events, `close`. Raises RuntimeFailed where it has gone; `start` raises Unavailable."""

    def __init__(self, child: Child, password: str, seconds: float) -> None:
        self.child, self.seconds = child, seconds
        self._client = httpx.AsyncClient(auth=("opencode", password), timeout=CALL, trust_env=False)
        self._drain: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.child.start()
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._drain = asyncio.create_task(self._listen(listening), name=f"opencode-{self.child.pid}")
        try:
            async with asyncio.timeout(self.seconds):
                self._client.base_url = httpx.URL(await listening)
                health = await self.get("/global/health")
        except TimeoutError as error:
            raise Unavailable(self.child.slow(self.seconds)) from error
        except RuntimeFailed as error:
            raise Unavailable(self.child.unfit(str(error))) from error
        version = str((health or {}).get("version", ""))
        if numbers(version) < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            raise Unavailable(f"OpenCode {version or 'of an unknown version'} is too old; {wanted} or newer is needed: {REMEDY}.")

    async def _listen(self, listening: "asyncio.Future[str]") -> None:
        """Its standard output is read to the end, so that it never waits for us."""
        with suppress(RuntimeFailed):  # the child knows why it was ended
            async for line in self.child.lines():
                found = None if listening.done() else LISTENS.search(line)
                if found:
                    listening.set_result(found[1].decode())
        await self.child.ended()
        if not listening.done():
            listening.set_exception(RuntimeFailed(self.child.why()))

    async def get(self, path: str) -> Any:
        """None where there is no such thing."""
        async with self._told():
            response = await self._client.get(path)
        return None if response.status_code == httpx.codes.NOT_FOUND else self._read(response)

    async def send(self, path: str, body: Json, method: str = "POST") -> Any:
        async with self._told():
            response = await self._client.request(method, path, json=body)
        return self._read(response)

    async def events(self) -> AsyncGenerator[Json, None]:
        """All that happens from now on; the first comes as soon as somebody listens."""
        async with self._told(), self._client.stream("GET", "/event", timeout=None) as response:
            response.raise_for_status()
            async for record in records(response.aiter_bytes()):
                yield record
        await self.child.ended()
        raise RuntimeFailed(self.child.why())

    async def abort(self, session: str) -> None:
        """As a courtesy: the history then says that the work was cut."""
        with suppress(RuntimeFailed, TimeoutError):
            async with asyncio.timeout(PATIENCE / 2):
                await self.send(f"/session/{session}/abort", {})

    async def close(self) -> None:
        try:
            await self.child.close()
        finally:
            self.child.kill()
            if self._drain:
                self._drain.cancel()
            await self._client.aclose()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """The one place where HTTP's errors become ours."""
        try:
            yield
        except httpx.HTTPError as error:
            gone = await self.child.ended()
            raise RuntimeFailed(self.child.why() if gone else f"OpenCode does not answer ({type(error).__name__}).") from error

    def _read(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise RuntimeFailed(f"OpenCode refused what it was asked ({response.status_code}): {short(response.text, 300)}")
        return response.json() if response.content else None


async def records(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Json, None]:
    """The events in a stream of them. Only LF ends a line: others may stand within JSON, and httpx would split there too."""
    held = bytearray()
    async for piece in pieces:
        *lines, rest = piece.split(b"\n")
        for line in lines:
            held += line
            if event := read(bytes(held)):
                yield event
            held.clear()
        held += rest
        if len(held) > LINE:
            raise RuntimeFailed(f"OpenCode said more than {LINE >> 20} MiB in one event, so it was ended.")


def read(line: bytes) -> Json | None:
    """None for what is no event."""
    field, _, data = line.partition(b":")
    try:
        event = json.loads(data) if field == b"data" else None
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("properties"), dict) else None


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
