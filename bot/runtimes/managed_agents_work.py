"""One turn of a managed agent: found again after a cut, and told once."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from typing import Protocol

from anyio.streams.memory import MemoryObjectSendStream
from pydantic import BaseModel, ValidationError

from bot import net
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Usage
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import attached, coding
from bot.runtimes import managed_agents_questions as questions
from bot.runtimes.managed_agents_steer import Steer
from bot.runtimes.managed_agents_story import Story, less, usage
from bot.runtimes.sdk_wire import Json, Place
from bot.runtimes.telling import telling
from bot.runtimes.unknown import GARBLED, Unknown

COUNTED, SENT = "managed-agents-counted", "managed-agents-sent"
TRIES = 20  # connections without news, one after the other
SETTLING = 1.0  # seconds: a bridge whose events have no ids says after each step that all is over
WAKING = 10.0  # seconds in which an idle agent reads what waits for it


class Line(Protocol):
    """How a platform is spoken to: managed_agents_line.py, and litellm_platform_line.py."""

    place: Place
    takes_files: bool

    async def history(self, session: str, since: str = "") -> list[Json] | None: ...
    def stream(self, session: str) -> AbstractAsyncContextManager[AsyncGenerator[Json, None]]: ...
    async def send(self, session: str, events: Sequence[Json]) -> list[str]: ...
    async def used(self, session: str) -> Json: ...
    async def stop(self, session: str) -> None: ...


class Past(BaseModel):
    """The session, and the last event there before this turn, with its time."""

    session: str = ""
    turn: str = ""
    after: str = ""
    at: str = ""


class Work:
    """`begin` makes a new session, and gives its id; the `inbox` is given where the platform takes words while its agent works."""

    tell: MemoryObjectSendStream[Event]

    def __init__(
        self, turn: Turn, line: Line, begin: Callable[[], Awaitable[str]], patience: float, inbox: AsyncIterator[Message] | None = None
    ) -> None:
        self.turn, self.line, self.begin, self.patience = turn, line, begin, patience
        self.story = Story(turn.agent, turn.folder)
        self.unknown = Unknown(turn.folder, line.place.secrets.mask)
        self.past = _past(turn.resume)
        self.steer = Steer(turn, inbox, lambda events: line.send(self.past.session, events))
        self.seen: set[str] = set()
        self.log: list[Json] = []
        self.new = self.sent = self.tried = self.counted = False
        self.lost, self.tries = 0.0, 0

    def told(self) -> AsyncGenerator[Event, None]:
        return telling(self._work, f"managed-agents-{self.turn.session_id}")

    async def _work(self, tell: MemoryObjectSendStream[Event]) -> None:
        self.tell = tell
        async with tell:
            await self._begin()
            try:
                await self._happen()
            finally:
                await self.steer.close()
                if self.tried and not self.story.end and not self.turn.leaving():
                    await self.line.stop(self.past.session)
            await self._ended()

    async def _say(self, *events: Event) -> None:
        for event in events:
            await self.tell.send(event)

    async def _begin(self) -> None:
        turn, line = self.turn, self.line
        before = await line.history(self.past.session, self.past.at) if self.past.session else None
        self.new = before is None or any(each.get("type") in ("session.status_terminated", "session.deleted") for each in before)
        if self.new:
            self.past, before = Past(session=await self.begin()), []
        self._sort(before or [])
        await self.steer.unsaid.load()
        line.place.failed = RuntimeFailed
        await self._say(Started(self.past.model_dump_json(), self.past.session, turn.agent.model))
        if self.new and turn.resume and not (turn.again and turn.number == 1):
            await self._say(Notice(coding.LOST, "warning"))

    def _sort(self, events: list[Json]) -> None:
        """What happened before this turn is not told; what happened in it, in a process that ended, is told anew."""
        ids = [str(each.get("id")) for each in events]
        if self.turn.again and self.past.turn == self._name:
            told = len(ids) if self.past.after and not self.past.at else 0  # since `at` there is only what came after that
            before = ids.index(self.past.after) + 1 if self.past.after in ids else told
        else:
            before, real = len(events), [each for each in events if each.get("id") and each.get("processed_at", "") is not None]
            times = [str(at) for each in events if (at := each.get("processed_at"))]
            lasting = [str(each["id"]) for each in real if not each.get("made")]
            after, at = lasting[-1] if lasting else self.past.after, max(times, default=self.past.at)
            at = self.past.at if questions.waiting(events) else at  # the calls that wait have to be found again
            self.past = Past(session=self.past.session, turn=self._name, after=after, at=at)
        self.seen |= {_key(each) for each in events[:before]}
        self.log += events[:before]
        for call in questions.waiting(self.log).values():
            self.story.know(call)
        self.sent = self.tried = before < len(events)

    @property
    def _name(self) -> str:
        return f"{self.turn.number}" + (f"/{self.turn.answer.question}" if self.turn.answer else "")

    async def _happen(self) -> None:
        """Over as many connections as it takes: first what has happened, then what happens."""
        while not self.story.end:
            broke: Unavailable | None = None
            try:
                async with self.line.stream(self.past.session) as stream:
                    await self._hear(stream)
            except Unavailable as error:
                broke = error
            if not self.story.end:
                await self._pause(broke)

    async def _pause(self, broke: Unavailable | None) -> None:
        now = time.monotonic()
        self.lost, self.tries = self.lost or (now if broke else 0.0), self.tries + 1
        if broke and now - self.lost > self.patience:
            raise RuntimeFailed(f"The connection was lost, and did not come back within {self.patience:g} seconds. {broke}") from broke
        if self.tries > TRIES:
            raise RuntimeFailed(f"{self.line.place.url} says nothing more of this work; it may have been restarted. Say how to go on.")
        await asyncio.sleep(net.pause(self.tries))

    async def _hear(self, stream: AsyncGenerator[Json, None]) -> None:
        self.story.connected()
        events = await self.line.history(self.past.session, self.past.at)
        if events is None:
            raise RuntimeFailed(f"{self.line.place.url} does not know the session any more. Say how to go on.")
        self.lost = 0.0
        await self._catch_up(events)
        if not self.sent:
            await self._say(*await self._send())
        await self.steer.listen(self.log, self._say)
        while not await self._over():
            try:
                async with asyncio.timeout((WAKING if self.steer.queued else SETTLING) if self.story.end else None):
                    each = await anext(stream, None)
            except TimeoutError:
                return
            if each is None:
                return
            await self._tell(each)

    async def _over(self) -> bool:
        """The agent may be idle, and yet go on with what people said meanwhile: then it says so soon."""
        end = self.story.end
        if end and self.story.sure and end.state == "completed" and await self.steer.waits():
            events = await self.line.history(self.past.session, self.past.at) or []
            self.story.sure = self.steer.read([each for each in events if _key(each) in self.seen])
        return bool(end and self.story.sure)

    async def _catch_up(self, events: list[Json]) -> None:
        """What came before anything was asked belongs to an earlier turn."""
        self.sent = self.sent or (self.tried and any(_key(each) not in self.seen for each in events))
        if not self.sent:
            self.seen |= {_key(each) for each in events}
            return
        for each in events:
            await self._tell(each)

    async def _tell(self, each: Json) -> None:
        if (key := _key(each)) in self.seen:
            return
        self.seen |= {key} if key else set()
        self.tries = 0
        self.log.append(each)
        await self._say(*self.unknown.read(self.story.tell, each, str(each.get("type"))))
        if self.story.odd:
            await self._say(*self.unknown.told(self.story.odd, str(self.story.odd.get("type"))))
            self.story.odd = None
        if self.story.used:
            used, self.story.used = self.story.used, {}
            await self._count(used)

    async def _send(self) -> list[Notice]:
        """What the turn begins with: the answer where a call waits for one, else a message."""
        turn, waiting = self.turn, questions.waiting(self.log)
        late = turn.answer is not None and turn.answer.question not in waiting
        notices = [Notice(coding.LATE)] if late else []
        if late and waiting:
            self.story.end = Finished("input_required")
            return notices
        twice, self.tried = self.tried, True
        if waiting:
            call = waiting[turn.answer.question] if turn.answer else next(iter(waiting.values()))
            sent = questions.answered(call, turn)
            self.story.heard(sent)
        else:
            files, left = await attached.read(turn.files, taken=self.line.takes_files)
            notices += left
            text = {"type": "text", "text": await self._words(twice=twice)}
            sent = {"type": "user.message", "content": [text, *map(questions.block, files)]}
        await self.line.send(self.past.session, [sent])
        await turn.keep.append(SENT, [self._name])
        await self.steer.unsaid.given()
        self.sent = True
        self.log.append(sent)
        if questions.waiting(self.log):  # another call waits beside this one
            self.story.end = Finished("input_required")
        return notices

    async def _words(self, *, twice: bool) -> str:
        """A bridge may keep nothing of what it was asked: then it is asked to go on, or to do nothing `twice`."""
        known = self.turn.again and self._name in await self.turn.keep.load(SENT)
        told = [self.turn.instructions] if self.new and self.turn.instructions.strip() else []
        turn = replace(self.turn, again=self.turn.again or twice)
        return "\n\n".join([*told, *self.steer.unsaid.take(asked=True), coding.begun(turn, known or twice, known)])

    async def _ended(self) -> None:
        if not self.counted:
            await self._count(await self.line.used(self.past.session))
        end = self.story.end or Finished("failed", "The platform ended without saying how.")
        await self._say(*self.steer.left(end))
        if end.state == "input_required" and (waiting := questions.waiting(self.log)):
            await self._say(questions.asked(next(iter(waiting.values()))))
        elif end.state == "input_required":
            end = Finished("failed", "The platform waits for something, and does not say what.")
        await self._say(end)

    async def _count(self, used: Json) -> None:
        """The platform counts the whole session; what was counted before, in whichever process, is not counted again."""
        self.counted = True
        try:
            now, place = usage(used), f"{COUNTED} {self.past.session}"
        except GARBLED:
            return
        last = (await self.turn.keep.load(place))[-1:]
        fresh = less(now, Usage(**json.loads(last[0])) if last else Usage())
        if fresh != Usage():
            await self.turn.keep.append(place, [json.dumps(asdict(now))])
            await self._say(fresh)


def _key(event: Json) -> str:
    """By which an event is known again; a call may come anew, with more of its input. Empty where it has no id."""
    if not (id := event.get("id")):
        return ""
    return f"{id} {json.dumps(event.get('input'), sort_keys=True)}" if event.get("type") in questions.CALLS else str(id)


def _past(resume: str) -> Past:
    try:
        return Past.model_validate_json(resume or "{}")
    except ValidationError:
        return Past()  # the conversation was another runtime's
