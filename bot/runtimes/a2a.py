"""Agents that speak A2A, wherever they run: a session is a context there, and a turn a task."""

import asyncio
import mimetypes
import random
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Literal

import httpx
from a2a.client import Client, ClientCallContext
from a2a.types import CancelTaskRequest, GetTaskRequest, Role, StreamResponse, Task
from a2a.types import Message as Letter
from a2a.types import Part as Piece
from a2a.utils.errors import MethodNotFoundError, VersionNotSupportedError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice
from bot.message import Message
from bot.ports import Turn
from bot.runtimes.a2a_line import Address, Cut, Gone, Line, Refused, exchange, seam
from bot.runtimes.a2a_talk import WAITING, Past, Talk

FIRST, LONGEST, TRIES = 0.2, 5.0, 20  # seconds between two looks at a task; connections lost one after the other
STOPPING = 1.5  # seconds
LARGEST = 8_000_000  # bytes of a file that goes along with the prompt
OLD = (MethodNotFoundError, VersionNotSupportedError)  # what an agent of 0.3 says to the calls of 1.0
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


class A2AOptions(BaseModel):
    """`url` is the agent's base address, or its card's; `endpoint` stands in for the address that the card gives. Values of
    `headers` may name variables ($TOKEN). Seconds: `timeout` for short requests, `silence` between two events, `patience` to
    get a lost connection back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: str
    endpoint: str = ""
    headers: dict[str, str] = {}
    protocol: Literal["auto", "0.3", "1.0"] = "auto"
    timeout: float = Field(default=30, gt=0)
    silence: float = Field(default=600, gt=0)
    patience: float = Field(default=60, ge=0)

    @field_validator("url", "endpoint")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(f"this is no address: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.host:
            raise ValueError("an address begins with https:// or http:// and names a host")
        if parts.userinfo:
            raise ValueError("credentials do not belong in an address; send them as options.headers")
        return url

    @field_validator("headers")
    @classmethod
    def _named(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise ValueError(f"{name!r} cannot be the name of a header")
        return headers

    @field_validator("protocol", mode="before")
    @classmethod
    def _written(cls, protocol: Any) -> Any:
        return str(protocol)  # YAML reads 0.3 as a number


class A2A:
    """An agent behind the A2A protocol. It cannot be steered: what people say meanwhile waits for the next turn."""

    Options = A2AOptions

    def __init__(self, options: A2AOptions) -> None:
        self.options = options

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        async with working(self.options, turn) as work, aclosing(work.happen()) as happening:
            async for events in happening:
                for event in events:
                    yield event
                if work.talk.over:
                    return


@asynccontextmanager
async def working(options: A2AOptions, turn: Turn) -> AsyncIterator["Work"]:
    """The turn's work, which is stopped in the end."""
    headers = resolved(options.headers, turn)
    address = Address(options.url, options.endpoint, options.protocol, options.timeout, tuple(sorted(headers.items())))
    async with exchange().line(address) as line:
        work = Work(options, turn, line)
        try:
            yield work
        except Unavailable as error:
            if work.talk.task or isinstance(error, Cut):
                raise RuntimeFailed(str(error)) from error  # Unavailable is only raised while nothing has begun
            line.forget()
            raise
        finally:
            await work.stop()


def resolved(headers: Mapping[str, str], turn: Turn) -> dict[str, str]:
    """The headers with their variables filled in. What is wrong is told without the values, which are secret."""
    found = {}
    for name, value in headers.items():
        where = f"{turn.agent.file}: options.headers.{name}"
        for variable in VARIABLE.findall(value):
            if not turn.environment.get(variable, "").strip():
                raise Unavailable(f"{where} needs the variable {variable}: name it under environment, and set it where frontdesk runs.")
        filled = VARIABLE.sub(lambda match: turn.environment[match[1]].strip(), value).strip()
        if not (filled.isascii() and filled.isprintable()):
            raise Unavailable(f"{where} cannot be sent: its value has line breaks or letters that a header may not have.")
        found[name] = filled
    return found


class Work:
    """One turn's work on the agent's side, over as many connections as it takes."""

    def __init__(self, options: A2AOptions, turn: Turn, line: Line) -> None:
        self.options, self.turn, self.line = options, turn, line
        message = f"{turn.session_id}-{turn.number}" + (f"-{turn.answer.question}" if turn.answer else "")
        self.talk = Talk(message, turn.folder, _past(turn.resume).context)
        self.broken: Unavailable | None = None
        self.lost, self.tries = 0.0, 0

    async def stop(self) -> None:
        """End the task, unless it has ended: nobody would hear what comes of it."""
        if not self.talk.task or self.talk.over or self.turn.leaving():
            return
        with suppress(RuntimeFailed, TimeoutError):
            async with asyncio.timeout(STOPPING):
                client = await self._client()
                with self._seam():
                    await client.cancel_task(CancelTaskRequest(id=self.talk.task), context=self._within(self.options.timeout))

    async def happen(self) -> AsyncGenerator[list[Event], None]:
        """What the agent tells, over all connections."""
        stream, pause = await self._opening(), FIRST
        while True:
            told = self.talk.count
            async with self._connected(stream):
                async for events in stream:
                    yield events
            progress = self.talk.count > told
            self._judge(progress)
            pause = FIRST if progress else min(pause * 2, LONGEST)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # a thousand sessions that were cut at once do not come back at once
            stream = self._again()

    @asynccontextmanager
    async def _connected(self, stream: AsyncGenerator[list[Event], None]) -> AsyncIterator[None]:
        """Closes it in the end. If the connection breaks when there is a task to come back to, `broken` says why."""
        self.broken = None
        try:
            async with aclosing(stream):
                yield
        except Unavailable as error:
            if not self.talk.task:
                raise
            self.broken = error

    async def _opening(self) -> AsyncGenerator[list[Event], None]:
        """What there is to do: ask, answer, or go on listening to what was asked before."""
        past, talk = _past(self.turn.resume), self.talk
        if self.turn.again and past.task and past.message == talk.message:
            talk.task, talk.told = past.task, past.told
            return self._again()
        try:
            task = await self._look(past.task) if past.task else None
        except Gone:
            task = None
        heard = task is not None and any(letter.message_id == talk.message for letter in task.history)
        if task is not None and (heard or (self.turn.answer and task.status.state not in WAITING)):
            talk.task = task.id
            return self._again()
        if task is not None and task.status.state in WAITING:
            talk.know(task)
            return self._send(task.id)
        return self._send()

    async def _send(self, task: str = "") -> AsyncGenerator[list[Event], None]:
        """Ask; and ask once more, in 0.3, where the agent turns out to speak no other."""
        stream = await self._said(task)
        try:
            async with aclosing(stream):  # type: ignore[type-var]
                while (events := await self._next(stream)) is not None:
                    yield events
            return
        except Refused as error:
            if not self._auto or not isinstance(error.__cause__, OLD):
                raise
        self.line.age()
        stream = await self._said(task)
        async with aclosing(stream):  # type: ignore[type-var]
            while (events := await self._next(stream)) is not None:
                yield events

    async def _said(self, task: str) -> AsyncIterator[StreamResponse]:
        letter = await self._letter(task)
        with self._seam():
            return await self.line.say(letter, self._within(self.options.silence))

    async def _again(self) -> AsyncGenerator[list[Event], None]:
        """What the task has done, and what it then does as far as this connection reaches."""
        self.talk.asked = ""
        with self._seam():
            stream = await self.line.follow(self.talk.task, self._within(self.options.silence))
        try:
            async with aclosing(stream):  # type: ignore[type-var]
                while (events := await self._next(stream)) is not None:
                    yield events
        except (Refused, Gone):
            yield self.talk.tell(StreamResponse(task=await self._look(self.talk.task)))  # it is over, or this agent has no such call

    async def _next(self, stream: AsyncIterator[StreamResponse]) -> list[Event] | None:
        with self._seam():
            response = await anext(stream, None)
        if response is None:
            return None
        self.lost = 0.0
        if not (self._auto and odd(response)):
            return self.talk.tell(response)
        self.line.age()
        if self.talk.task:
            return None
        raise RuntimeFailed(f"{self.options.url} answers in A2A 0.3, and its card does not say so: set options.protocol to '0.3'.")

    def _judge(self, progress: bool) -> None:
        """Give up when the connection stays lost; a task that is only slow is waited for as long as the turn may last."""
        now = time.monotonic()
        self.lost = self.lost or (now if self.broken else 0.0)
        self.tries = self.tries + 1 if self.broken and not progress else 0
        if self.broken and (self.tries > TRIES or now - self.lost > self.options.patience):
            raise RuntimeFailed(f"The connection was lost, and did not come back within {self.options.patience:g} seconds. {self.broken}")

    @property
    def _auto(self) -> bool:
        return self.options.protocol == "auto" and not self.line.old

    def _seam(self) -> seam:
        return seam(self.options.url, self.turn.agent.file)

    @property
    def _traced(self) -> dict[str, str]:
        under = self.turn.environment.get("TRACEPARENT")
        return {"traceparent": under} if under else {}

    def _within(self, seconds: float) -> ClientCallContext:
        return ClientCallContext(timeout=seconds, service_parameters={**self.line.headers, **self._traced} or None)

    async def _client(self) -> Client:
        with self._seam():
            return await self.line.client()

    async def _look(self, task: str) -> Task:
        client = await self._client()
        with self._seam():
            return await client.get_task(GetTaskRequest(id=task), context=self._within(self.options.timeout))

    async def _letter(self, task: str) -> Letter:
        """What is asked, with the files that people attached; in a new context after the agent's file's own words."""
        words = [self.turn.instructions] if self.turn.instructions.strip() and not self.talk.context else []
        pieces = [Piece(text=text) for text in (*words, self.turn.prompt)]
        large = [path for path in self.turn.files if path.stat().st_size > LARGEST]
        self.talk.notices = [Notice(f"{path.name} is too large to be sent to this agent.", "warning") for path in large]
        for path in (path for path in self.turn.files if path not in large):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            pieces.append(Piece(raw=await asyncio.to_thread(path.read_bytes), filename=path.name, media_type=kind))
        return Letter(message_id=self.talk.message, role=Role.ROLE_USER, parts=pieces, task_id=task, context_id=self.talk.context)


def odd(response: StreamResponse) -> bool:
    """Whether the SDK could not read what came, as it does with 0.3 where the card promised 1.0 (LangGraph)."""
    kind = response.WhichOneof("payload")
    return kind is None or (kind == "task" and not response.task.status.state)


def _past(resume: str) -> Past:
    try:
        return Past.model_validate_json(resume or "{}")
    except ValidationError:
        return Past()  # the conversation was another runtime's
