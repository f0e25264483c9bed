"""HTTP for SDKs that are built upon httpx2, by the rules that hold for whatever we reach elsewhere: bot/net.py and bot/breaker.py."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, cast

import aiohttp
import httpx2
from pydantic import BaseModel, ConfigDict, Field
from yarl import URL

from bot import net
from bot.breaker import BREAKER, Down
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Text, Thought
from bot.ports import Turn
from bot.runtimes import feed
from bot.runtimes.claude_words import short
from bot.runtimes.oauth import Credentials, Flow

Json = dict[str, Any]
Response = httpx2.Response
BROKEN = (httpx2.HTTPError, httpx2.StreamError, feed.Stalled)
SENT = (
    "accept", "content-length", "content-type", "host", "user-agent", "traceparent", "idempotency-key",
    "authorization", "x-api-key", "anthropic-version", "anthropic-beta",
)  # fmt: skip
UNPACKED = (b"content-encoding", b"content-length")  # aiohttp has done that


class Away(Unavailable):
    """It said that it cannot do it now."""


PASSING = (Away, Down)
"""What another try may help against."""


class Reach(BaseModel):
    """The options of whatever is reached elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    headers: net.Headers = {}
    """Sent with every request; their values may name variables: ${NAME}."""
    private: bool = False
    """Whether the address may be a private one, as on this machine or in a company's network."""
    patience: float = Field(default=60, ge=0)
    """Seconds for which the platform may be away in the middle of a turn."""

    def filled(self, turn: Turn) -> dict[str, str]:
        """The headers. Raises Unavailable."""
        place = f"{turn.agent.file}: options.headers"
        try:
            return {name: net.filled(value, turn.environment, f"{place}.{name}") for name, value in self.headers.items()}
        except ValueError as error:
            raise Unavailable(str(error)) from error


def secret(turn: Turn, name: str) -> str:
    """The key that options.key names. Raises Unavailable."""
    if name and not (value := turn.environment.get(name, "").strip()):
        raise Unavailable(
            f"{turn.agent.file}: options.key needs the variable {name}: name it under `environment:`, and set it where frontdesk runs."
        )
    return value if name else ""


class Place:
    """Where a platform is, and what is said of its errors. `where` says in which file the address and the key are written.

    `failed` is what an error is: Unavailable until the work has begun, RuntimeFailed from then on. `statuses` and `broken` are the
    SDK's words for what httpx2 raises.
    """

    def __init__(
        self, url: str, where: str, secrets: Iterable[str],
        statuses: type[Exception] = httpx2.HTTPStatusError, broken: type[Exception] = httpx2.HTTPError,
    ) -> None:  # fmt: skip
        self.url, self.where, self.host = url, where, net.host_of(url)
        self.secrets = net.Secrets.of(secrets)
        self.statuses, self.broken = statuses, (broken, *BROKEN)
        self.failed: type[RuntimeFailed] = Unavailable

    @contextmanager
    def asked(self, gone: str) -> Iterator[None]:
        """Around one request; `gone` is what there may be none of."""
        with BREAKER.through(self.host), self.heard(gone):
            yield

    @contextmanager
    def heard(self, gone: str) -> Iterator[None]:
        """Around what is read: the one place where others' errors become ours."""
        try:
            yield
        except self.statuses as error:
            raise self.refused(cast(Any, error).response, gone) from error
        except self.broken as error:
            raise self.lost(error) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            why = str(error) if isinstance(error, feed.Unread) else "answered with what cannot be read"
            raise self.failed(f"{self.url} {why}. Is that the right address? Look at {self.where}.") from error

    def lost(self, error: BaseException) -> RuntimeFailed:
        found: BaseException | None = error
        while found is not None:
            if isinstance(found, Unavailable):
                return self.failed(str(found))
            if isinstance(found, net.Forbidden):
                return self.failed(f"{self.url} is not asked: {found}. Look at {self.where}.")
            if isinstance(found, aiohttp.ClientSSLError):
                return self.failed(f"{self.url} cannot be trusted: look at {self.where}, and SSL_CERT_FILE if the certificate is your own.")
            if isinstance(found, feed.Unread):
                return self.failed(f"{self.url} {found}. Look at {self.where}.")
            found = found.__cause__
        return Down(f"{self.url} does not answer ({type(error).__name__}); look at {self.where}, and whether it runs.")

    def refused(self, response: Response, gone: str) -> RuntimeFailed:
        status, said = response.status_code, self._said(response)
        match status:
            case 401 | 403:
                return self.failed(f"{self.url} does not accept the credentials ({status}); look at {self.where}.{said}")
            case 404 | 405:
                return self.failed(f"{self.url} does not know {gone} ({status}); look at {self.where}.{said}")
            case 429:
                wait = net.asked_to_wait(response.headers)
                when = f"in {wait:g} seconds" if wait else "in a few minutes"
                return Away(f"{self.url} is asked too often, or its quota is used up (429). Try again {when}, or raise the limit.{said}")
            case 408 | 409 | 425:
                return Away(f"{self.url} cannot do it now ({status}).{said}")
            case _ if status >= 500:
                return Away(f"{self.url} cannot do it now ({status}). Try again in a few minutes.{said}")
            case _ if 300 <= status < 400:
                there = net.onward(response.headers.get("location", ""))
                return self.failed(f"{self.url} sends us on to {there}, where our key does not belong; correct {self.where}.")
            case _:
                return self.failed(f"{self.url} refused what it was asked ({status}).{said}")

    def _said(self, response: Response) -> str:
        try:
            body = response.json()
        except (ValueError, httpx2.StreamError):
            return ""
        match body:
            case {"error": {"message": str(words)}} | {"error": str(words)} | {"detail": str(words)} | {"message": str(words)}:
                return f" It said: {short(' '.join(self.secrets.mask(words).split()), 300)}"
            case _:
                return ""

    def masked(self, event: Event) -> Event:
        """What a platform tells, without our secrets."""
        match event:
            case Finished(_, reason, error):
                return replace(event, reason=self.secrets.mask(reason), error=self.secrets.mask(error))
            case Notice(text) | Text(text) | Thought(text):
                return replace(event, text=self.secrets.mask(text))
        return event


def status(error: RuntimeFailed) -> int:
    """What was answered; 0 where nothing was."""
    return int(getattr(getattr(error.__cause__, "response", None), "status_code", 0))


def read(response: Response) -> Json:
    """An answer that has to be an object. Raises ValueError where it is none."""
    found = feed.parsed(response.content)
    if not isinstance(found, dict):
        raise ValueError(f"no object: {response.text[:100]}")
    return found


async def telling(response: Response) -> None:
    """Raises ValueError where it is neither a stream of events nor an object."""
    kind = response.headers.get("content-type", "")
    if "text/event-stream" in kind:
        return
    await response.aread()
    read(response)


async def events(response: Response, silence: float) -> AsyncGenerator[tuple[str, Json], None]:
    """The events of a stream, by their names; what is no object is left out. One that does not stream answers all at once."""
    if response.is_stream_consumed:
        yield "", read(response)
        return
    async with aclosing(feed.events(response.aiter_bytes(), "sse", silence)) as heard:
        async for raw in heard:
            if isinstance(raw.data, dict):
                yield raw.name, raw.data


def client(url: str, where: str, *, private: bool, headers: Iterable[str] = (), client: Credentials | None = None) -> httpx2.AsyncClient:
    """For one place. `headers` are the names of those that are sent beside the usual ones: SDKs take more from the environment than
    is theirs. `client` is who fetches the token with which we come. Raises Unavailable.
    """
    try:
        session = net.session(url, private)
    except net.Forbidden as error:
        raise Unavailable(f"{url} is not asked: {error}. Look at {where}.") from error
    wire = Wire(session, {*SENT, *(name.lower() for name in headers)})
    return httpx2.AsyncClient(transport=wire, auth=Bearer(client) if client else None, follow_redirects=False)


def timeout(silence: float = net.CALL) -> httpx2.Timeout:
    return httpx2.Timeout(silence, connect=net.CONNECTING)


class Bearer(Flow, httpx2.Auth):
    """With a token that is fetched."""


class Wire(httpx2.AsyncBaseTransport):
    """The transport under a client, upon aiohttp."""

    def __init__(self, session: aiohttp.ClientSession, sent: set[str]) -> None:
        self.sent, self._session = sent, session

    async def handle_async_request(self, request: httpx2.Request) -> Response:
        for tries in range(net.TRIES):
            heard = await self._asked(request)
            wait = net.asked_to_wait(heard.headers) if heard.status == httpx2.codes.TOO_MANY_REQUESTS else None
            if wait is None or wait > net.PATIENCE or tries + 1 == net.TRIES:
                break
            heard.close()
            await asyncio.sleep(wait + net.pause(tries))  # nothing was done yet, so that asking again does it once
        told = [(name, value) for name, value in heard.raw_headers if name.lower() not in UNPACKED]
        return Response(heard.status, headers=told, stream=Body(heard))

    async def _asked(self, request: httpx2.Request) -> aiohttp.ClientResponse:
        url, silence = str(request.url), request.extensions["timeout"]["read"]
        headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() in self.sent]
        await net.pace(net.host_of(url))
        try:
            return await self._session.request(
                request.method, URL(url, encoded=True), headers=headers, data=await request.aread(), allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=net.CONNECTING, sock_read=silence),
            )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(error) from error

    async def aclose(self) -> None:
        await self._session.close()


class Body(httpx2.AsyncByteStream):
    """An answer as it comes; one that is no stream has to end some day."""

    def __init__(self, heard: aiohttp.ClientResponse) -> None:
        self.heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size, whole = 0, self.heard.content_type != "text/event-stream"
        try:
            async for chunk in self.heard.content.iter_any():
                size += len(chunk) if whole else 0
                if size > net.LARGEST:
                    raise feed.Unread(f"answered with more than {net.LARGEST >> 20} MiB")
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(error) from error
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        self.heard.close()


def _broken(error: Exception) -> httpx2.TransportError:
    cause = error if isinstance(error, aiohttp.ClientSSLError) else getattr(error, "os_error", error)
    kind = httpx2.ConnectError if isinstance(error, aiohttp.ClientConnectorError) else httpx2.ReadError
    broken = httpx2.ReadTimeout(str(error)) if isinstance(error, TimeoutError) else kind(str(error))
    broken.__cause__ = cause
    return broken
