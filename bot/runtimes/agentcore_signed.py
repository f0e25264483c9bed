"""AgentCore by signed requests, with AWS's own client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import cache
from typing import Any, Self

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from bot import net
from bot.breaker import BREAKER, Down
from bot.errors import RuntimeFailed, Unavailable
from bot.ports import Turn
from bot.runtimes.agentcore_words import Place, worded
from bot.runtimes.shim_line import AtOnce, Chunks, Cut
from bot.spoken import Json

FOREIGN = (BotoCoreError, ClientError, aiohttp.ClientError, OSError)
NAMES = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
}


@cache
def _session() -> AioSession:
    """One for all clients: it has read what AWS's services are called."""
    return AioSession()


@cache
def _guarded(private: bool) -> type[AIOHTTPSession]:
    """AWS's client, which connects only where it may."""

    class Guarded(AIOHTTPSession):  # type: ignore[misc]
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **more)
            self._connector_args: Any = {**self._connector_args, "socket_factory": net.guard(private)}

    return Guarded


class Signed(AtOnce):
    """Open it before use. `token` is the shim's, which nobody may see."""

    def __init__(self, place: Place, turn: Turn, token: str) -> None:
        self.at, self.place, self.session = place, place.name, place.session
        self.given = {name.lower(): turn.environment[name].strip() for name in NAMES if turn.environment.get(name, "").strip()}
        self.credentials = (
            f"AWS_ACCESS_KEY_ID and what goes with it, which {place.file} names under `environment:`"
            if self.given else "the role of the machine on which frontdesk runs"
        )  # fmt: skip
        self.secrets = net.Secrets.of([token, *self.given.values()])
        self._stack = AsyncExitStack()
        self._client: Any = None

    async def __aenter__(self) -> Self:
        config = AioConfig(
            connect_timeout=net.CONNECTING, read_timeout=None, retries={"total_max_attempts": 1},
            http_session_cls=_guarded(self.at.private or net.proxy(self.at.url) is not None),
        )  # fmt: skip
        made = _session().create_client(
            "bedrock-agentcore", region_name=self.at.region, endpoint_url=self.at.url, config=config, **self.given
        )
        try:
            self._client = await self._stack.enter_async_context(made)
        except FOREIGN as error:
            raise self._worded(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def opened(self, body: bytes, limit: float) -> AsyncIterator[Chunks]:
        with BREAKER.through(self.at.host):
            answer = await self._called(
                "invoke_agent_runtime", limit, payload=body, contentType="application/json", accept="text/event-stream, application/json"
            )
        stream = answer["response"]
        try:
            if "html" in str(answer.get("contentType")):
                raise Unavailable(f"{self.at.host} answered with a web page where JSON belongs: look at options.url in {self.at.file}.")
            yield self._chunks(stream)
        finally:
            stream.close()

    @asynccontextmanager
    async def invoked(self, asked: Json, limit: float) -> AsyncIterator[AsyncGenerator[Json, None]]:
        """What a harness of AgentCore's own tells."""
        with BREAKER.through(self.at.host):
            answer = await self._called("invoke_harness", limit, **asked)
        stream = answer["stream"]
        try:
            async with aclosing(self._events(stream)) as events:
                yield events
        finally:
            stream.close()

    async def _events(self, stream: Any) -> AsyncGenerator[Json, None]:
        try:
            async for event in stream:
                yield event
        except (*FOREIGN, ParserError) as error:
            raise self._worded(error) from error

    async def reach(self) -> None:
        """Raises Unavailable. Of a harness, whose sessions nobody ends, only what would be signed with is looked at."""
        if ":harness/" not in self.at.arn:
            with BREAKER.through(self.at.host):
                await self._called("stop_runtime_session", net.CALL)
        elif not self.given and await _session().get_credentials() is None:
            raise self._worded(NoCredentialsError())

    async def end(self) -> None:
        with suppress(RuntimeFailed):
            await self._called("stop_runtime_session", 1.0)

    async def _called(self, name: str, limit: float, **more: Any) -> Any:
        await net.pace(self.at.host)
        call, arn = getattr(self._client, name), "harnessArn" if name == "invoke_harness" else "agentRuntimeArn"
        place = {arn: self.at.arn, "qualifier": self.at.qualifier, "runtimeSessionId": self.at.session}
        try:
            async with asyncio.timeout(limit):
                return await call(**place, **more)
        except FOREIGN as error:
            raise self._worded(error) from error

    async def _chunks(self, stream: Any) -> Chunks:
        try:
            while chunk := await stream.read(1 << 16):
                yield chunk
        except FOREIGN as error:
            raise Cut(f"The connection to {self.place} broke ({type(error).__name__}).") from error

    def _worded(self, error: Exception) -> Unavailable:
        host = self.at.host
        if barred := _barred(error):
            return Unavailable(f"{host}: {barred} in {self.at.file}.")
        match error:
            case ClientError():
                told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
                said = self.secrets.mask(str(told.get("Message") or ""))
                return worded(str(told.get("Code") or ""), int(meta.get("HTTPStatusCode") or 0), said, self.at, self.credentials)
            case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
                return Unavailable(
                    f"There are no AWS credentials: name AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY under environment in {self.at.file}, "
                    "set them where frontdesk runs, or give that machine a role."
                )
            case TimeoutError():
                return Down(f"{self.place} did not answer in time: try again later.")
        return Down(f"{host} cannot be reached ({type(error).__name__}): look at options.arn and options.url in {self.at.file}.")


def _barred(error: BaseException | None) -> net.Forbidden | None:
    """Whether it was we who did not want to connect."""
    while error:
        inner = getattr(error, "os_error", getattr(error, "kwargs", {}).get("error"))
        inner = getattr(inner, "os_error", inner)
        if isinstance(inner, net.Forbidden):
            return inner
        error = error.__cause__ or error.__context__
    return None
