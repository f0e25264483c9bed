"""Hermes' API server: runs, what they tell, and the process where it is ours."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from bot.breaker import Left
from bot.errors import RuntimeFailed, Unavailable
from bot.net import CALL, CONNECTING, Secrets
from bot.runtimes.claude_words import short
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.httpx_wire import TooMuch, Wire
from bot.runtimes.loopback import Loopback

Json = dict[str, Any]
SILENT, STOPPING = 120.0, 0.5  # seconds: without a sign of life, to say that all is over
TRIES, PAUSE = 20, 1.0  # of one that does not answer, and seconds between them
AWAY = (httpx.ConnectError, httpx.ConnectTimeout, Left)


class Server:
    """`failed` is what an error is: Unavailable until the work has begun, RuntimeFailed from then on."""

    def __init__(self, url: str, key: str, place: str, local: Loopback | None = None, private: bool = False) -> None:
        """`place` says where the address is written."""
        self.url, self.place, self.local, self.secrets = url, place, local, Secrets.of([key])
        self.failed: type[RuntimeFailed] = Unavailable
        wire, timeout = Wire(Pass(private or local is not None, local is not None)), httpx.Timeout(CALL, connect=CONNECTING)
        self._client = httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=timeout, transport=wire)

    async def start(self, seconds: float) -> None:
        if self.local:
            await self.local.start("/v1/health", seconds)
        await self.get("/v1/models")  # whether the key is right

    async def get(self, path: str) -> Json | None:
        """None where there is no such thing."""
        async with self._told():
            response = await self._client.get(path)
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            return await self._read(response)

    async def send(self, path: str, body: Json) -> Json:
        """Again, where nobody was reached elsewhere; never where it may have arrived: a decision that came twice would allow the next."""
        async with self._told():
            return await self._read(await self._posted(path, body))

    async def _posted(self, path: str, body: Json) -> httpx.Response:
        for _ in range(0 if self.local else TRIES):
            with suppress(*AWAY):
                return await self._client.post(path, json=body)
            await asyncio.sleep(PAUSE)
        return await self._client.post(path, json=body)

    async def events(self, run: str) -> AsyncGenerator[Json, None]:
        """What it tells until it is over. Nobody else may listen, and what was told once is not told again."""
        async with self._told(), self._client.stream("GET", f"/v1/runs/{run}/events", timeout=httpx.Timeout(CALL, read=SILENT)) as response:
            if response.is_error:
                await response.aread()
            await self._read(response, json=False)
            async for line in response.aiter_lines():
                if event := read(line):
                    yield event

    async def stop(self, run: str) -> None:
        with suppress(RuntimeFailed, TimeoutError):
            async with asyncio.timeout(STOPPING):
                await self.send(f"/v1/runs/{run}/stop", {})

    async def close(self) -> None:
        try:
            await self._client.aclose()
        finally:
            if self.local:
                await self.local.close()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """The one place where HTTP's errors become ours."""
        try:
            yield
        except httpx.HTTPStatusError as error:
            said = self.secrets.mask(short(error.response.text, 300))
            code = error.response.status_code
            if code in (401, 403):
                raise self.failed(f"Hermes at {self.url} does not accept the key ({code}); look at {self.place}.") from error
            raise self.failed(f"Hermes refused what it was asked ({code}): {said}") from error
        except Left as error:
            raise self.failed(str(error)) from error
        except TooMuch as error:
            raise self.failed(f"Hermes at {self.url} sent {error}, which nobody reads.") from error
        except httpx.UnsupportedProtocol as error:
            raise self.failed(f"Hermes at {self.url} cannot be asked ({error}); look at {self.place}.") from error
        except httpx.HTTPError as error:
            if self.local and (why := await self.local.gone()):
                raise self.failed(why) from error
            raise self.failed(f"Hermes at {self.url} does not answer ({type(error).__name__}); look at {self.place}.") from error
        except (ValueError, RecursionError) as error:
            raise self.failed(f"{self.url} answers with what cannot be read. Is it Hermes' API server? Look at {self.place}.") from error

    async def _read(self, response: httpx.Response, *, json: bool = True) -> Json:
        if response.is_error:
            response.raise_for_status()
        found = response.json() if json else {}
        return found if isinstance(found, dict) else {}


def read(line: str) -> Json | None:
    """None for what is no event."""
    field, _, data = line.partition(":")
    try:
        event = json.loads(data) if field == "data" else None
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
