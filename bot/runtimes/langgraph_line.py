"""A LangGraph server: threads, runs and what they tell, with its errors in words."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIConnectionError, NotFoundError
from langgraph_sdk.schema import StreamMode, StreamPart

from bot.errors import RuntimeFailed, Unavailable
from bot.net import CALL, CONNECTING, Secrets, ending, onward
from bot.runtimes.claude_words import short
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.httpx_wire import TooMuch, Wire

Json = dict[str, Any]
Part = StreamPart
MODES: list[StreamMode] = ["messages-tuple", "updates"]
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RUNNING = ("pending", "running")
FIRST, LONGEST, PATIENCE = 0.1, 5.0, 60.0  # seconds between tries to come back; how long a server may be away
STOPPING, SILENCE = 1.0, 300.0  # seconds: servers give signs of life in between
HERE = Pass(private=True, local=True)


class Line:
    """`failed` is what an error is: Unavailable until the work has begun, RuntimeFailed from then on."""

    def __init__(self, url: str, place: str, key: str = "", given: Pass = HERE, patience: float = PATIENCE) -> None:
        """`place` says where the address is written."""
        self.url, self.place, self.secrets, self.patience = url, place, Secrets.of([key]), patience
        self.failed: type[RuntimeFailed] = Unavailable
        self.broken: RuntimeFailed | None = None
        headers = {"x-api-key": key} if key else {}
        timeout = httpx.Timeout(SILENCE, connect=CONNECTING)
        hooks: dict[str, list[Any]] = {"request": [_hurried], "response": [_stay]}
        self._client = LangGraphClient(
            httpx.AsyncClient(base_url=url, transport=Wire(given), timeout=timeout, headers=headers, event_hooks=hooks)
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def gone(self) -> str:
        """Why the server will not come back, where that is known."""
        return ""

    def reason(self) -> str:
        """What the server said of its last error beside what it sends."""
        return ""

    async def knows(self, assistant: str) -> None:
        """Raises Unavailable where there is neither a graph of this name nor an assistant of this id."""
        with self._told(f"an assistant {assistant!r}"):
            if ID.fullmatch(assistant):
                await self._client.assistants.get(assistant)
            elif not await self._client.assistants.search(graph_id=assistant, limit=1):
                raise self.failed(f"{self.url} serves no graph {assistant!r}; look at {self.place}, and at what that server serves.")

    async def thread(self, id: str) -> tuple[Json, bool]:
        """This thread, or a new one where the server does not have it any more; and whether it was there."""
        with self._told("a thread"):
            if id:
                with suppress(NotFoundError):
                    return self._same(await self._client.threads.get(id), "thread_id", id), True
            return self._same(await self._client.threads.create(), "thread_id"), False

    def _same(self, told: Mapping[str, Any], key: str, id: str = "") -> Json:
        """What was told, if it is of what was asked for. Raises RuntimeFailed, and KeyError."""
        if id and told[key] != id:
            raise RuntimeFailed(f"{self.url} answered for another conversation than was asked for; nothing of it is shown. Ask again.")
        return {**told, key: str(told[key])}

    async def find(self, thread: str, name: str) -> str:
        """The run that was begun by this name; empty if none was."""
        with self._told("a thread"):
            runs = await self._client.runs.list(thread, limit=5)
        return next((run["run_id"] for run in runs if (run["metadata"] or {}).get("frontdesk") == name), "")

    async def begin(self, thread: str, assistant: str, name: str, asked: Json, configurable: Json) -> str:
        with self._told(f"an assistant {assistant!r}"):
            run = await self._client.runs.create(
                thread, assistant, **asked, stream_mode=MODES, stream_subgraphs=True, stream_resumable=True,
                metadata={"frontdesk": name}, config={"configurable": configurable}, multitask_strategy="interrupt",
            )  # fmt: skip
        return run["run_id"]

    async def status(self, thread: str, run: str) -> str:
        with self._told("a run"):
            return str(self._same(await self._client.runs.get(thread, run), "run_id", run)["status"])

    async def cancel(self, thread: str, run: str) -> None:
        async with ending(STOPPING):
            with self._told("a run"):
                await self._client.runs.cancel(thread, run, wait=True)

    async def follow(self, thread: str, run: str) -> AsyncGenerator[Part, None]:
        """All that the run tells from its beginning, over as many connections as it takes."""
        last, lost, pause = "-1", 0.0, FIRST
        while True:
            async with self._connected(thread, run, last) as parts:
                async for part in parts:
                    last, lost, pause = part.id or last, 0.0, FIRST
                    yield part
                if await self.status(thread, run) not in RUNNING:
                    return
            if self.broken:
                lost = lost or time.monotonic()
                await self._judge(self.broken, lost)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    @asynccontextmanager
    async def _connected(self, thread: str, run: str, last: str) -> AsyncIterator[AsyncGenerator[Part, None]]:
        """What the run tells after `last`. If the connection breaks, `broken` says why."""
        self.broken = None
        try:
            with self._told("a run"):
                async with aclosing(self._joined(thread, run, last)) as parts:
                    yield parts
        except RuntimeFailed as error:
            self.broken = error

    async def _judge(self, broken: RuntimeFailed, lost: float) -> None:
        """Raises RuntimeFailed, where it will not come back, or has not for too long."""
        if why := await self.gone():
            raise RuntimeFailed(why) from broken
        if not passing(broken.__cause__):
            raise broken
        if time.monotonic() - lost > self.patience:
            raise RuntimeFailed(f"The connection was lost, and did not come back within {self.patience:g} seconds. {broken}") from broken

    async def _joined(self, thread: str, run: str, last: str) -> AsyncGenerator[Part, None]:
        async for part in self._client.runs.join_stream(thread, run, last_event_id=last):
            if part.event == "metadata" and "run_id" in (part.data or {}):
                self._same(part.data, "run_id", run)
            yield part

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """The one place where the SDK's errors become ours."""
        try:
            yield
        except Unavailable as error:
            raise self.failed(str(error)) from error
        except httpx.HTTPStatusError as error:
            raise self.failed(self._refused(error, what)) from error
        except TooMuch as error:
            raise self.failed(f"{self.url} sent {error}, which nobody reads; look at what its graph tells.") from error
        except httpx.UnsupportedProtocol as error:
            raise self.failed(f"{self.url} cannot be asked ({error}); look at {self.place}.") from error
        except (httpx.HTTPError, APIConnectionError) as error:
            raise self.failed(f"{self.url} does not answer ({type(error).__name__}); look at {self.place}, and whether it runs.") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self.failed(f"{self.url} answers with what cannot be read. Is it a LangGraph server? Look at {self.place}.") from error

    def _refused(self, error: httpx.HTTPStatusError, what: str) -> str:
        match error.response.status_code:
            case 401 | 403 | 407 as code:
                return f"{self.url} does not accept the key ({code}), or not any more; look at {self.place}."
            case 404:
                return f"{self.url} does not know {what}; look at {self.place}, and at what that server serves."
            case 429:
                return f"{self.url} was asked too often (429). Try again later, or raise its limit."
            case code if code >= 500:
                return f"{self.url} cannot do it now ({code}). Try again in a few minutes, or look at that server's log."
            case code if code < 400:
                there = onward(error.response.headers.get("location", ""))
                return f"{self.url} sends us on to {there}; correct {self.place}, if it is there."
            case _:
                return f"{self.url} refused what it was asked: {self.secrets.mask(short(' '.join(str(error).split()), 300))}"


def passing(error: BaseException | None) -> bool:
    """Whether the same may be answered in a moment."""
    if isinstance(error, httpx.HTTPStatusError) and not isinstance(error, APIConnectionError):
        return error.response.status_code == httpx.codes.TOO_MANY_REQUESTS or error.response.is_server_error
    if isinstance(error, TooMuch | httpx.UnsupportedProtocol):
        return False
    return isinstance(error, httpx.TransportError | APIConnectionError | Unavailable)


async def _hurried(request: httpx.Request) -> None:
    """Only a stream may be silent for long."""
    if "text/event-stream" not in request.headers.get("accept", ""):
        request.extensions = {**request.extensions, "timeout": httpx.Timeout(CALL, connect=CONNECTING).as_dict()}


async def _stay(response: httpx.Response) -> None:
    """Nobody is followed elsewhere with our key."""
    if response.has_redirect_location:
        response.raise_for_status()
