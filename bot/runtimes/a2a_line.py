"""The connection to an A2A agent: one HTTP client for all, one card for each agent, and what goes wrong with them in words."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Self
from weakref import WeakKeyDictionary

import httpx
from a2a.client import Client, ClientCallContext, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError
from a2a.types import AgentCard, AgentInterface, Message, SendMessageRequest, StreamResponse, SubscribeToTaskRequest
from a2a.utils.errors import A2AError, MethodNotFoundError, TaskNotFoundError
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]

from bot.bell import Rope
from bot.errors import RuntimeFailed, Unavailable
from bot.net import Secrets
from bot.runtimes import a2a_card
from bot.runtimes.a2a_stream import HEADERS, Ask, Reply, call, judged, told
from bot.runtimes.a2a_wire import LenientWire
from bot.runtimes.httpx_pass import Bearer, Pass
from bot.runtimes.httpx_wire import TooMuch

FOREIGN = (
    A2AError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ParseError,
    ValueError, TypeError, KeyError, AttributeError, NotImplementedError, RecursionError,  # the SDK's answers to garbage
)  # fmt: skip
NEW = re.compile(r"1\.0(\.\d+)?")
FRESH, STALE = 300.0, 1.0  # seconds for which a card is good, and for which the failure to get one is


class Refused(Unavailable):
    """The agent understood, and said no."""


class Cut(Unavailable):
    """The connection broke when the agent may have heard already."""


class Silent(Cut):
    """Nothing came for too long."""


class Gone(RuntimeFailed):
    """The agent does not know the task."""


@dataclass(frozen=True, slots=True)
class seam:
    """What the SDK and httpx raise, in words. Only their own calls stand under it."""

    url: str
    file: str
    secrets: Secrets = Secrets()  # noqa: RUF009 - it is frozen

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, FOREIGN):
            told = worded(_meant(error), self.url, self.file, self.secrets)
            raise type(told)(self.secrets.mask(str(told))) from error


def _meant(error: BaseException) -> BaseException:
    """What says most: over HTTP+JSON the SDK reads from a refusal which error of A2A's it is, and knows else only what broke under it."""
    known = isinstance(error, A2AError) and not isinstance(error, (A2AClientError, MethodNotFoundError))  # the latter is any 404
    return error.__cause__ if isinstance(error.__cause__, FOREIGN) and not known else error


def worded(error: BaseException, url: str, file: str, secrets: Secrets) -> RuntimeFailed:
    place = f"options.url in {file}"
    match error:
        case httpx.HTTPStatusError(response=httpx.Response(status_code=code)):
            return Unavailable(_status(code, url, file))
        case httpx.ConnectError() if re.search(r"ssl|certificate", str(error), re.IGNORECASE):
            return Unavailable(f"{url} cannot be trusted ({error}): check {place}, and SSL_CERT_FILE if it has a certificate of your own.")
        case httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.ConnectError() | httpx.ProxyError():
            return Unavailable(f"{url} cannot be reached ({error or type(error).__name__}): check that the agent runs, and {place}.")
        case httpx.UnsupportedProtocol() if "it leads to" in str(error):
            return Unavailable(f"{url}: {error} in {file}.")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.TooManyRedirects():
            return Unavailable(f"{url} leads nowhere ({error}): check {place}, or set options.endpoint.")
        case httpx.TimeoutException():
            return Silent(f"{url} was silent for too long: look at the agent, or raise options.silence and options.timeout in {file}.")
        case TooMuch():
            return RuntimeFailed(f"{url} sent {error}, which nobody reads: look at the agent of {place}.")
        case httpx.TransportError():
            return Cut(f"The connection to {url} broke ({type(error).__name__}): look there before you ask again; check {place}.")
        case TaskNotFoundError():
            return Gone(f"{url} no longer knows the task, so the work is lost: ask again. The agent is the one of {place}.")
        case A2AError() | NotImplementedError():
            return Refused(f"{url} refused: {' '.join(secrets.mask(str(error)).split())[:300]} (the agent is the one of {place})")
        case _:
            return Unavailable(f"{url} answers with something that is not A2A: check {place}, and options.protocol if the agent is old.")


def _status(code: int, url: str, file: str) -> str:
    if code in (401, 403, 407):
        what = f"check options.headers in {file} (or options.oauth, options.tls) and the variables that they name; they may have expired"
        return f"{url} does not let us in (HTTP {code}): {what}."
    if code == 429:
        return f"{url} was asked too often (HTTP 429): try again later, or look at the limits of the agent of options.url in {file}."
    if code >= 500:
        return f"{url} cannot answer now (HTTP {code}): try again later, or look at the agent of options.url in {file}."
    return f"{url} has no A2A agent there (HTTP {code}): check options.url in {file}; it may also be the address of the card itself."


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent is, and as whom we come: whoever agrees in all of it shares one line."""

    url: str
    endpoint: str = ""
    protocol: str = "auto"
    timeout: float = 30.0
    signed_by: str = ""
    given: Pass = Pass()  # noqa: RUF009 - it is frozen
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class Line:
    """The way to one agent: its card, and the SDK's client, for all sessions of an event loop."""

    def __init__(self, address: Address, http: httpx.AsyncClient, exchange: "Exchange") -> None:
        self.address, self.http, self.headers, self.exchange = address, http, dict(address.headers), exchange
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._outcome: Client | Exception = Unavailable("")
        self._card = AgentCard()
        self._face: AgentInterface | None = None  # where streams are read without the SDK, if they can be

    async def __aenter__(self) -> Self:
        self.exchange.users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.exchange.leave()

    async def client(self) -> Client:
        """The client; a thousand sessions that want it at once wait for one card, or for one failure."""
        async with self._lock:
            if time.monotonic() >= self._until:
                try:
                    self._outcome, self._until = self._made(await self._read()), time.monotonic() + FRESH
                except (Unavailable, *FOREIGN) as error:
                    self._outcome, self._until = error, time.monotonic() + STALE
            if isinstance(self._outcome, Exception):
                raise self._outcome
            return self._outcome

    async def say(self, message: Message, context: ClientCallContext, rope: Rope | None) -> AsyncIterator[Reply]:
        client, ask = await self.client(), SendMessageRequest(message=message)
        ask.configuration.return_immediately = not self._card.capabilities.streaming
        if rope and self.rings:
            push = ask.configuration.task_push_notification_config
            push.url, push.token = rope.url, rope.token
            push.authentication.scheme, push.authentication.credentials = "Bearer", rope.token
        return self._told(ask, context) or _judged(client.send_message(ask, context=context))

    async def follow(self, task: str, context: ClientCallContext) -> AsyncIterator[Reply]:
        client, ask = await self.client(), SubscribeToTaskRequest(id=task)
        return self._told(ask, context) or _judged(client.subscribe(ask, context=context))

    def _told(self, ask: Ask, context: ClientCallContext) -> AsyncIterator[Reply] | None:
        if not (face := self._face):
            return None
        ask.tenant = face.tenant
        headers = {**HEADERS, **(context.service_parameters or {})}
        return told(self.http, self.http.build_request("POST", face.url, json=call(ask), headers=headers, timeout=context.timeout))

    @property
    def rings(self) -> bool:
        """Whether the agent tells us when something has happened, so that nobody has to hold the line."""
        return self._card.capabilities.push_notifications

    @property
    def old(self) -> bool:
        """Whether 0.3 is spoken."""
        return any(face.protocol_version.startswith("0.") for face in self._card.supported_interfaces)

    def age(self) -> None:
        """Speak 0.3 from now on: the agent's card has promised more than the agent keeps."""
        for face in self._card.supported_interfaces:
            face.protocol_version = "0.3"
        self.exchange.cards[self.address], self._until = (float("inf"), self._card), 0.0

    def forget(self) -> None:
        """Read the card anew next time, if there was one."""
        if self.exchange.cards.pop(self.address, None):
            self._until = 0.0

    async def _read(self) -> AgentCard:
        until, card = self.exchange.cards.get(self.address, (0.0, AgentCard()))
        if time.monotonic() >= until:
            given = {"headers": {**self.headers}, "timeout": self.address.timeout}
            card = await a2a_card.read(self.http, self.address.url, given, self.address.signed_by)
            self.exchange.cards[self.address] = (time.monotonic() + FRESH, card)
        return card

    def _made(self, card: AgentCard) -> Client:
        address = self.address
        for face in card.supported_interfaces:
            face.url = address.endpoint or face.url
            face.protocol_version = face.protocol_version if address.protocol == "auto" else address.protocol
        secret = bool(address.headers or address.given.client or address.given.tls)
        a2a_card.check(card, address.url, address.endpoint, secret=secret, private=address.given.private)
        self.headers = {**dict(address.headers), **a2a_card.extensions(card)}
        self._card = card
        new = (face for face in card.supported_interfaces if face.protocol_binding == "JSONRPC" and NEW.fullmatch(face.protocol_version))
        self._face = next(new, None) if card.capabilities.streaming else None
        config = ClientConfig(httpx_client=self.http, supported_protocol_bindings=a2a_card.BINDINGS, use_client_preference=True)
        return ClientFactory(config).create(card)


@dataclass(slots=True)
class Exchange:
    """All lines of one event loop, and the HTTP clients under them, which live while somebody uses one; cards and tokens stay longer."""

    https: dict[Pass, httpx.AsyncClient] = field(default_factory=dict)
    cards: dict[Address, tuple[float, AgentCard]] = field(default_factory=dict)
    lines: dict[Address, Line] = field(default_factory=dict)
    users: int = 0

    def line(self, address: Address) -> Line:
        """Open it before use; it may be open many times at once."""
        if address.given not in self.https:
            self.https[address.given] = self._http(address.given)
        return self.lines.setdefault(address, Line(address, self.https[address.given], self))

    def _http(self, given: Pass) -> httpx.AsyncClient:
        auth = Bearer(given.client) if given.client else None
        return httpx.AsyncClient(transport=LenientWire(given), auth=auth, follow_redirects=True, event_hooks={"response": [_stay]})

    async def leave(self) -> None:
        self.users -= 1
        if not self.users:
            https, self.https = self.https, {}
            self.lines.clear()
            for http in https.values():
                await http.aclose()


_EXCHANGES: WeakKeyDictionary[asyncio.AbstractEventLoop, Exchange] = WeakKeyDictionary()


def exchange() -> Exchange:
    """The one of the running event loop."""
    return _EXCHANGES.setdefault(asyncio.get_running_loop(), Exchange())


async def _judged(stream: AsyncIterator[StreamResponse]) -> AsyncIterator[Reply]:
    async with aclosing(stream):  # type: ignore[type-var]
        async for response in stream:
            yield judged(response)


async def _stay(response: httpx.Response) -> None:
    """Follow no redirect away from the host: what we send is meant for nobody else."""
    if not response.has_redirect_location:
        return
    here = response.request.url
    there = here.join(response.headers["location"])
    safer = (here.scheme, there.scheme) == ("http", "https")
    if there.host != here.host or not (safer or (there.scheme, there.port) == (here.scheme, here.port)):
        raise Unavailable(f"{here.host} sends us on to {there.host}, which is not who we are to talk to: set options.url, if it is.")
