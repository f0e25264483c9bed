"""A LangGraph server: threads, runs and what they tell, with its errors in words."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.errors import APIConnectionError, AuthenticationError, NotFoundError, PermissionDeniedError
from langgraph_sdk.schema import StreamMode, StreamPart

from bot.errors import RuntimeFailed, Unavailable
from bot.runtimes.claude_words import short

Json = dict[str, Any]
Part = StreamPart
MODES: list[StreamMode] = ["messages-tuple", "updates"]
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RUNNING = ("pending", "running")
FIRST, LONGEST, PATIENCE = 0.1, 5.0, 60.0  # seconds between tries to come back; how long a server may be away
STOPPING = 1.0  # seconds


class Line:
    """`failed` is what an error is: Unavailable until the work has begun, RuntimeFailed from then on."""

    def __init__(self, url: str, place: str, key: str = "") -> None:
        """`place` says where the address is written."""
        self.url, self.place = url, place
        self.failed: type[RuntimeFailed] = Unavailable
        self._client = get_client(url=url, api_key=key or None)

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
                    return dict(await self._client.threads.get(id)), True
            return dict(await self._client.threads.create()), False

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
            return str((await self._client.runs.get(thread, run))["status"])

    async def cancel(self, thread: str, run: str) -> None:
        with suppress(RuntimeFailed, TimeoutError):
            async with asyncio.timeout(STOPPING):
                with self._told("a run"):
                    await self._client.runs.cancel(thread, run, wait=True)

    async def follow(self, thread: str, run: str) -> AsyncGenerator[Part, None]:
        """All that the run tells from its beginning, over as many connections as it takes."""
        last, lost, pause = "-1", 0.0, FIRST
        while True:
            try:
                with self._told("a run"):
                    async with aclosing(self._joined(thread, run, last)) as parts:
                        async for part in parts:
                            last, lost, pause = part.id or last, 0.0, FIRST
                            yield part
                if await self.status(thread, run) not in RUNNING:
                    return
            except RuntimeFailed as error:
                lost = lost or time.monotonic()
                if why := await self.gone():
                    raise RuntimeFailed(why) from error
                if not isinstance(error.__cause__, httpx.TransportError | APIConnectionError) or time.monotonic() - lost > PATIENCE:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    async def _joined(self, thread: str, run: str, last: str) -> AsyncGenerator[Part, None]:
        async for part in self._client.runs.join_stream(thread, run, last_event_id=last):
            yield part

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """The one place where the SDK's errors become ours."""
        try:
            yield
        except (AuthenticationError, PermissionDeniedError) as error:
            raise self.failed(f"{self.url} does not accept the key ({error.status_code}); look at {self.place}.") from error
        except NotFoundError as error:
            raise self.failed(f"{self.url} does not know {what}; look at {self.place}, and at what that server serves.") from error
        except httpx.HTTPStatusError as error:
            raise self.failed(f"{self.url} refused what it was asked: {short(str(error), 300)}") from error
        except (httpx.HTTPError, APIConnectionError) as error:
            raise self.failed(f"{self.url} does not answer ({type(error).__name__}); look at {self.place}, and whether it runs.") from error
        except ValueError as error:
            raise self.failed(f"{self.url} answers with what cannot be read. Is it a LangGraph server? Look at {self.place}.") from error
