"""The line under a thread that says that somebody works, with Slack's own Stop button."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import StoreFailed
from bot.journal import Journal
from bot.session import Session
from bot.slack import parse
from bot.slack.calls import Client, call, refused
from bot.slack.limits import SESSION, TEXT, paid
from bot.slack.markdown import brief
from bot.slack.writer import Refused

log = logging.getLogger(__name__)
NEVER = {"unknown_method", "not_authorized", "missing_scope", "not_allowed_token_type", "method_deprecated"}
KEEP = 60  # texts that a beginning leaves to ends
SOON, LONGEST = 1.0, 30.0  # seconds that a turn waits for the end of its status, and at the most between two tries of it
OWED, WORKS = "owed", "is working…"


@dataclass(frozen=True, slots=True)
class Line:
    """What is to stand under a thread: that somebody works there, in words; or, with `over`, that nobody does."""

    words: str = ""
    asker: str = ""
    title: str = ""
    over: str = ""


@dataclass(slots=True)
class Place:
    """What is wanted under one thread, and what Slack was told last; `marks` are the methods whose effect may stand there."""

    wanted: Line
    marks: set[str]
    working: dict[str, Line] = field(default_factory=dict)  # the sessions at work there: there may be more than one
    shown: Line | None = None
    owed: bool = False  # whether its end is kept, for the next process
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Status:
    """Keeps the line under each thread equal to what is wanted, as soon as there is room for it, and its end for as long as it takes.

    Slack's own line, with its Stop button, is begun only where its end can be paid too; else a text, which costs next to nothing,
    and which Slack itself takes away after our next message, or after two minutes.
    """

    def __init__(self, client: Client, journal: Journal) -> None:
        self.client, self.journal = client, journal
        self._agent = True  # whether Slack takes the app for an agent, as far as we know
        self._places: dict[str, Place] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def working(self, session: Session, words: str = WORKS) -> None:
        asker = session.by.id if session.by else session.asker.id
        line = Line(words, asker, brief(session.title, 190) or "…")
        self._want(session.thread, line).working[session.id] = line

    @property
    def agent(self) -> bool:
        """Whether Slack takes the app for an agent, as far as we know."""
        return self._agent

    def begun(self, thread: str) -> None:
        """Slack itself has begun its line there: a stream does that. It is ended as ours is."""
        if place := self._places.get(thread):
            place.marks.add(SESSION)

    def cut(self, session: Session) -> None:
        """A process before this one may have begun the line of this thread."""
        self._places.setdefault(session.thread, Place(Line(), {SESSION}))

    def leave(self, session: Session) -> None:
        """Somebody else has the session now."""
        others, place = self._others(session), self._places.get(session.thread)
        if place and not others and not place.wanted.over:
            del self._places[session.thread]
            task = asyncio.create_task(self._left(session.thread, place))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _left(self, thread: str, place: Place) -> None:
        """Who was frozen may have begun a line that whoever has the session had ended: end it once more, unless it works there still."""
        if place.task:
            place.task.cancel()
            await asyncio.wait([place.task])
        with suppress(StoreFailed):
            if SESSION in place.marks and not await self.journal.busy([thread]) and thread not in self._places:
                self._want(thread, Line(over="active"))

    async def over(self, session: Session) -> None:
        """Returns at the latest when the end is kept, so that the next process sees to it where this one cannot."""
        if others := self._others(session):
            self._want(session.thread, others[0])
            return
        place = self._want(session.thread, Line(over="suspended" if session.state == "input_required" else "active"))
        if place.task:
            await asyncio.wait([place.task], timeout=SOON)
        if place.shown != place.wanted and place.wanted.over and not place.owed:
            await self.journal.reserve(f"status:{session.thread}", "", session.thread)
            await self.journal.sent(f"status:{session.thread}", "", OWED)
            place.owed = True
            if place.shown == place.wanted:  # meanwhile
                await self._forgive(session.thread, place)

    def _others(self, session: Session) -> list[Line]:
        """What else goes on in the same thread."""
        working = self._places[session.thread].working if session.thread in self._places else {}
        working.pop(session.id, None)
        return list(working.values())

    async def recover(self) -> None:
        """End what a process before this one could not."""
        for post in await self.journal.posts(""):
            if post.shown == OWED and post.thread not in self._places:
                self._want(post.thread, Line(over="active")).owed = True

    async def settled(self) -> None:
        """Wait until every line is as it is wanted."""
        if tasks := [place.task for place in self._places.values() if place.task]:
            await asyncio.wait(tasks)

    def close(self) -> None:
        for task in [*self._leaving, *(place.task for place in self._places.values() if place.task)]:
            task.cancel()

    def _want(self, thread: str, line: Line) -> Place:
        unknown = {SESSION} if line.over else set()  # a process before this one may have begun it
        place = self._places.setdefault(thread, Place(line, unknown))
        place.wanted = line
        place.changed.set()
        if place.task is None or place.task.done():
            place.task = asyncio.create_task(self._keep(thread, place), name=f"status-{thread}")
        return place

    async def _keep(self, thread: str, place: Place) -> None:
        """Until Slack shows what is wanted. What is wanted meanwhile takes the place of what was."""
        tries = 0
        while (line := place.wanted) != place.shown:
            place.changed.clear()
            wait = await self._end(thread, place, line) if line.over else await self._begin(thread, place, line)
            if not wait:
                place.shown = line
                continue
            tries += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(max(wait, min(2**tries / 4, LONGEST))):
                    await place.changed.wait()
        if place.wanted.over and self._places.get(thread) is place:
            del self._places[thread]
            if place.owed:
                await self._forgive(thread, place)

    async def _forgive(self, thread: str, place: Place) -> None:
        """Nobody owes an end here any more."""
        place.owed = False
        with suppress(StoreFailed):  # then it is ended once more
            await self.journal.sent(f"status:{thread}", "", "")

    async def _due(self, thread: str) -> bool:
        """Whether an end that was owed still is: not where another replica has begun something there since."""
        with suppress(StoreFailed):
            return (await self.journal.reserve(f"status:{thread}", "", thread)).shown == OWED
        return True

    async def _begin(self, thread: str, place: Place, line: Line) -> float:
        channel, ts = parse.place(thread)
        first = not place.marks
        if place.owed or (first and self.client.budget.replicas > 1):  # then another may owe an end there
            await self._forgive(thread, place)
        if first and self._agent and line.asker and await self._affords():
            place.marks.add(SESSION)
            asked = self.client.agents_sessions_setStatus(
                channel_id=channel, thread_ts=ts, status="processing", initiator_user_id=line.asker, title=line.title
            )
            no = await self._tell(SESSION, asked)
            if no and (no.after is None or no.error == "ratelimited"):
                place.marks.discard(SESSION)
                self._agent = no.error not in NEVER
        if SESSION not in place.marks:
            if wait := await self.client.budget.take(TEXT, KEEP):
                return wait
            place.marks.add(TEXT)
            await self._tell(TEXT, self.client.assistant_threads_setStatus(channel_id=channel, thread_ts=ts, status=line.words))
        if first and channel.startswith("D"):
            await self._tell("", self.client.assistant_threads_setTitle(channel_id=channel, thread_ts=ts, title=line.title))
        return 0.0

    async def _affords(self) -> bool:
        """Whether Slack's own can be begun, and all that was begun of it be ended; the other replicas have begun as much as this one."""
        owed, budget = sum(SESSION in place.marks for place in self._places.values()), self.client.budget
        return not await budget.take(SESSION, 1 + owed * budget.replicas)

    async def _end(self, thread: str, place: Place, line: Line) -> float:
        """Seconds until it is to be tried again; 0 when it is done, or never can be."""
        channel, ts = parse.place(thread)
        if not place.marks:
            return 0.0
        if place.owed and not await self._due(thread):
            place.owed = False
            return 0.0
        method = SESSION if SESSION in place.marks and self._agent else TEXT
        if wait := await self.client.budget.take(method):
            return wait
        if method == SESSION:
            asked = self.client.agents_sessions_setStatus(channel_id=channel, thread_ts=ts, status=line.over)
        else:
            asked = self.client.assistant_threads_setStatus(channel_id=channel, thread_ts=ts, status="")
        no = await self._tell(method, asked)
        if no and no.error in NEVER and method == SESSION:
            self._agent = False
            return await self._end(thread, place, line)
        if no and no.after is not None:
            return no.after
        place.marks.clear()
        return 0.0

    async def _tell(self, method: str, asked: Awaitable[Any]) -> Refused | None:
        """What Slack had against it. `method` is what has been paid for."""
        paid.set((method,))
        try:
            await call(asked)
        except SlackApiError as error:
            no = refused(error)
            log.info("no_status", extra={"action": "no_status", "error": no.error})
            return no
        return None
