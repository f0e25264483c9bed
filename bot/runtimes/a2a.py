"""Agents that speak A2A, wherever they run: a session is a context there, and a turn a task."""

import asyncio
import mimetypes
import random
import secrets
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

from a2a.client import Client, ClientCallContext
from a2a.types import CancelTaskRequest, GetTaskRequest, Role, StreamResponse, Task
from a2a.types import Message as Letter
from a2a.types import Part as Piece
from a2a.utils.errors import MethodNotFoundError, VersionNotSupportedError
from pydantic import ValidationError

from bot import net
from bot.agent import Agent
from bot.bell import Rope
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice
from bot.message import Message
from bot.net import Secrets
from bot.ports import Turn
from bot.runtimes import a2a_human, a2a_setting
from bot.runtimes.a2a_line import Address, Cut, Gone, Line, Refused, Silent, exchange, seam
from bot.runtimes.a2a_setting import A2AOptions
from bot.runtimes.a2a_stream import Reply, Strange
from bot.runtimes.a2a_talk import WAITING, Past, Talk
from bot.runtimes.unknown import Unknown

FIRST, LONGEST, TRIES = 0.2, 5.0, 20  # seconds between two looks at a task; connections lost one after the other
LEFT, LOOK = 60.0, 300.0  # seconds: where an agent rings our bell, its line is left after the first, and it is looked after all the same
STOPPING = 1.5  # seconds
LARGEST = 8_000_000  # bytes of a file that goes along with the prompt
OLD = (MethodNotFoundError, VersionNotSupportedError)  # what an agent of 0.3 says to the calls of 1.0


class A2A:
    """An agent behind the A2A protocol. It cannot be steered: what people say meanwhile waits for the next turn."""

    Options = A2AOptions

    def __init__(self, options: A2AOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where there is no such agent, or it does not let us in: a card may be for everyone, a task is not."""
        turn = Turn("doctor", 1, agent, "", environment=environment)
        async with working(self.options, turn) as work:
            with suppress(Refused, Gone):  # it knows no such task
                await work.look(str(uuid.uuid4()))

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
    headers, given = a2a_setting.headers(options, turn), a2a_setting.credentials(options, turn)
    known = (options.signed_by, given, tuple(sorted(headers.items())))
    token = _past(turn.resume).token or secrets.token_urlsafe(32)
    bare = (value.rpartition(" ")[2] for value in headers.values())  # without the Bearer
    hidden = Secrets.of([*headers.values(), *bare, *([given.client.secret] if given.client else []), token])
    async with exchange().line(Address(options.url, options.endpoint, options.protocol, options.timeout, *known)) as line:
        with turn.bell.hung(token) as rope:
            work = Work(options, turn, line, seam(options.url, turn.agent.file, hidden), rope)
            async with work.under_way():
                yield work


class Work:
    """One turn's work on the agent's side, over as many connections as it takes."""

    def __init__(self, options: A2AOptions, turn: Turn, line: Line, seam: seam, rope: Rope | None) -> None:
        self.options, self.turn, self.line, self.seam, self.rope = options, turn, line, seam, rope
        message = f"{turn.session_id}-{turn.number}" + (f"-{turn.answer.question}" if turn.answer else "")
        self.talk = Talk(message, turn.folder, _past(turn.resume).context, token=rope.token if rope else "")
        self.unknown = Unknown(turn.folder, seam.secrets.mask)
        self.broken: Unavailable | None = None
        self.heard = self.back = False
        self.lost, self.tries = 0.0, 0

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """It is stopped in the end."""
        try:
            yield
        except Unavailable as error:
            if self.talk.task or isinstance(error, Cut):
                raise RuntimeFailed(str(error)) from error  # Unavailable is only raised while nothing has begun
            self.line.forget()
            raise
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End the task, unless it has ended: nobody would hear what comes of it."""
        if not self.talk.task or self.talk.over or self.turn.leaving():
            return
        async with net.ending(STOPPING):
            client = await self._client()
            with self.seam:
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
            await self._rest(pause)
            stream = self._again()

    async def _rest(self, pause: float) -> None:
        """An agent that has rung is believed to ring again; but not that the connection was cut."""
        if self.rope and self.rope.known and (self.broken is None or isinstance(self.broken, Silent)):
            await self.rope.heard(LOOK)
        else:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # a thousand sessions that were cut at once do not come back at once

    @asynccontextmanager
    async def _connected(self, stream: AsyncGenerator[list[Event], None]) -> AsyncIterator[None]:
        """Closes it in the end. If the connection breaks when there is a task to come back to, `broken` says why."""
        self.broken, self.heard = None, False
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
            task = await self.look(past.task) if past.task else None
        except Gone:
            task = None
        heard = task is not None and any(letter.message_id == talk.message for letter in task.history)
        if task is not None and (heard or (self.turn.answer and task.status.state not in WAITING)):
            talk.task = task.id
            return self._again()
        if task is not None and task.status.state in WAITING:
            talk.know(task)
            return self._send(task)
        return self._send()

    async def _send(self, task: Task | None = None) -> AsyncGenerator[list[Event], None]:
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

    async def _said(self, task: Task | None) -> AsyncIterator[Reply]:
        letter = await self._letter(task)
        await self._client()  # whose card says what holds for all that follows
        with self.seam:
            return await self.line.say(letter, self._within(self._silence), self.rope)

    async def _again(self) -> AsyncGenerator[list[Event], None]:
        """What the task has done, and what it then does as far as this connection reaches."""
        self.talk.asked = ""
        if self.line.old:  # it would go on with whatever comes next, and leave out what came meanwhile
            yield self.talk.tell(StreamResponse(task=await self.look(self.talk.task)))
            return
        with self.seam:
            stream = await self.line.follow(self.talk.task, self._within(self._silence))
        self.back = True
        try:
            async with aclosing(stream):  # type: ignore[type-var]
                while (events := await self._next(stream)) is not None:
                    yield events
        except (Refused, Gone):
            yield self.talk.tell(StreamResponse(task=await self.look(self.talk.task)))  # it is over, or this agent has no such call

    async def _next(self, stream: AsyncIterator[Reply]) -> list[Event] | None:
        with self.seam:
            reply = await anext(stream, None)
        if reply is None:
            return None
        self.heard = True
        match reply:
            case StreamResponse():
                return [*await self._compared(reply), *self.talk.tell(reply)]
            case Strange(raw, old) if not (old and self._auto):
                told = self.unknown.told(raw)
                self.talk.notices += [] if self.talk.begun else told
                return [*told] if self.talk.begun else []
        self.line.age()
        if self.talk.task:
            return None
        raise RuntimeFailed(f"{self.options.url} answers in A2A 0.3, and its card does not say so: set options.protocol to '0.3'.")

    async def _compared(self, reply: StreamResponse) -> list[Event]:
        """What is said just when a connection is taken up may be told twice: in the task, and after it."""
        if not self.back or not self.talk.ends(reply):
            return []
        with suppress(RuntimeFailed):  # then what was told has to do
            return self.talk.compare(await self.look(self.talk.task))
        return []

    def _judge(self, progress: bool) -> None:
        """Give up when the connection stays lost; a task that is only slow is waited for as long as the turn may last."""
        away = self.broken and not (self.heard and isinstance(self.broken, Silent))
        now = time.monotonic()
        self.lost = (self.lost or now) if away and not self.heard else now if away else 0.0
        self.tries = self.tries + 1 if away and not progress else 0
        if away and (self.tries > TRIES or now - self.lost > self.options.patience):
            raise RuntimeFailed(f"The connection was lost, and did not come back within {self.options.patience:g} seconds. {self.broken}")

    @property
    def _silence(self) -> float:
        return min(self.options.silence, LEFT) if self.rope and self.line.rings else self.options.silence

    @property
    def _auto(self) -> bool:
        return self.options.protocol == "auto" and not self.line.old

    @property
    def _traced(self) -> dict[str, str]:
        under = self.turn.environment.get("TRACEPARENT")
        return {"traceparent": under} if under else {}

    def _within(self, seconds: float) -> ClientCallContext:
        return ClientCallContext(timeout=seconds, service_parameters={**self.line.headers, **self._traced} or None)

    async def _client(self) -> Client:
        with self.seam:
            return await self.line.client()

    async def look(self, task: str) -> Task:
        client = await self._client()
        with self.seam:
            return await client.get_task(GetTaskRequest(id=task), context=self._within(self.options.timeout))

    async def _letter(self, task: Task | None) -> Letter:
        """What is asked, with the files that people attached; in a new context after the agent's file's own words."""
        words = [self.turn.instructions] if self.turn.instructions.strip() and not self.talk.context else []
        pieces = [Piece(text=text) for text in (*words, self.turn.prompt)]
        large = [path for path in self.turn.files if path.stat().st_size > LARGEST]
        self.talk.notices = [Notice(f"{path.name} is too large to be sent to this agent.", "warning") for path in large]
        for path in (path for path in self.turn.files if path not in large):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            pieces.append(Piece(raw=await asyncio.to_thread(path.read_bytes), filename=path.name, media_type=kind))
        letter = Letter(message_id=self.talk.message, role=Role.ROLE_USER, parts=pieces, context_id=self.talk.context)
        if task is not None:
            letter.task_id = task.id
            a2a_human.reply(letter, task.status.message, self.turn.answer, self.turn.prompt)
        return letter


def _past(resume: str) -> Past:
    try:
        return Past.model_validate_json(resume or "{}")
    except ValidationError:
        return Past()  # the conversation was another runtime's
