"""The connection to whatever speaks OpenAI's Responses or Chat Completions."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from openai import APIConnectionError, APIStatusError, AsyncOpenAI

from bot import net
from bot.errors import RuntimeFailed
from bot.runtimes import sdk_wire
from bot.runtimes.oauth import Credentials
from bot.runtimes.sdk_wire import Json, Place, read

STOPPING = 1.0  # seconds
NONE = (400, 404, 405, 501)  # what platforms answer that keep no responses
Events = AsyncGenerator[Json, None]


class Line:
    """`client` is as whom we come where there is no key: its token is fetched."""

    def __init__(
        self,
        url: str,
        key: str,
        where: str,
        headers: Mapping[str, str],
        *,
        private: bool,
        silence: float,
        client: Credentials | None = None,
    ) -> None:
        secrets = (key, *headers.values(), *([client.secret] if client else []))
        self.place = Place(url, where, secrets, APIStatusError, APIConnectionError)
        self.silence = silence
        self._http = sdk_wire.client(url, where, private=private, headers=headers, client=client)
        self._client = AsyncOpenAI(
            base_url=url, api_key=key or "none", default_headers=headers, http_client=self._http, max_retries=0, timeout=sdk_wire.timeout()
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def reach(self) -> None:
        """Raises Unavailable where nobody answers, or the key is not known; a key may well be good for less than to list the models."""
        with self.place.asked("models"):
            try:
                await self._client.models.with_raw_response.list()
            except APIStatusError as error:
                if error.status_code in (401, 407, 429) or error.status_code >= 500:
                    raise

    async def conversation(self) -> str:
        with self.place.asked("conversations"):
            return str(read((await self._client.conversations.with_raw_response.create()).http_response)["id"])

    @asynccontextmanager
    async def respond(self, asked: Json) -> AsyncIterator[Events]:
        """What is told of the answer to this."""
        create: Any = self._client.responses.with_streaming_response.create
        async with self._opened(create(stream=True, **asked, timeout=self._patient), "the model") as events:
            yield events

    @asynccontextmanager
    async def follow(self, response: str, after: int) -> AsyncIterator[Events]:
        """The same for an answer that was begun, after this event."""
        retrieve: Any = self._client.responses.with_streaming_response.retrieve
        since = {"starting_after": after} if after >= 0 else {}
        async with self._opened(retrieve(response, stream=True, **since, timeout=self._patient), "the answer any more") as events:
            yield events

    @asynccontextmanager
    async def chat(self, asked: Json) -> AsyncIterator[Events]:
        create: Any = self._client.chat.completions.with_streaming_response.create
        more = {"stream_options": {"include_usage": True}}
        async with self._opened(create(stream=True, **more, **asked, timeout=self._patient), "the model") as events:
            yield events

    async def look(self, response: str) -> Json | None:
        """How an answer stands; None where the platform keeps none."""
        try:
            with self.place.asked("the answer any more"):
                return read((await self._client.responses.with_raw_response.retrieve(response)).http_response)
        except RuntimeFailed as error:
            if sdk_wire.status(error) in NONE:
                return None
            raise

    async def cancel(self, response: str) -> None:
        async with net.ending(STOPPING):
            with self.place.asked("the answer any more"):
                await self._client.responses.with_raw_response.cancel(response)

    @property
    def _patient(self) -> Any:
        return sdk_wire.timeout(self.silence)

    @asynccontextmanager
    async def _opened(self, opening: Any, gone: str) -> AsyncIterator[Events]:
        with self.place.asked(gone):
            response = await opening.__aenter__()
        try:
            with self.place.heard(gone):
                await sdk_wire.telling(response.http_response)
            async with aclosing(self._heard(response.http_response, gone)) as events:
                yield events
        finally:
            await opening.__aexit__(None, None, None)

    async def _heard(self, response: sdk_wire.Response, gone: str) -> Events:
        with self.place.heard(gone):
            async with aclosing(sdk_wire.events(response, self.silence)) as events:
                async for name, data in events:
                    yield {"type": name, **data} if name else data
