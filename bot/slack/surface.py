"""Slack threads as a surface: what people see there is kept equal to the sessions' states."""

import asyncio
import contextlib
import logging
import math
import re
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackApiError

from bot import clock
from bot.agent import Agent, gone
from bot.errors import BotError, StoreFailed
from bot.event import Answered, Artifact, Question, Queued
from bot.journal import Journal
from bot.message import Attachment, Message, Quote
from bot.ports import Mark, Show
from bot.session import Session
from bot.slack import backfill, files, parse
from bot.slack.beside import Beside
from bot.slack.calls import Client, call, error_of
from bot.slack.directory import Directory
from bot.slack.limits import TEXT, limit
from bot.slack.markdown import mrkdwn
from bot.slack.outbox import Outbox, delivery
from bot.slack.status import WORKS, Status
from bot.slack.stream import Streams
from bot.slack.view import View, context
from bot.slack.views import question as card
from bot.slack.views import session as turn
from bot.slack.writer import Writer
from bot.words import aside, command, place, span

log = logging.getLogger(__name__)
TICK = 5.0  # seconds after which the time that has passed is shown anew
WAITS, GIVEN = "hourglass_flowing_sand", "eyes"


class SlackSurface:
    """Implements the port Surface."""

    def __init__(self, client: Client, journal: Journal, directory: Directory, megabytes: float = 50) -> None:
        self.client, self.journal, self.directory = client, journal, directory
        self.direct = parse.direct
        self.limit = int(megabytes * (1 << 20))
        self.status = Status(client, journal)
        self.streams = Streams(client, client.budget, lambda: self.status.agent, self.status.begun)
        self.outbox = Outbox(client, journal, self.streams)
        self.beside = Beside(client, self.outbox, directory)
        self.writer = Writer(self.outbox.send, self.outbox.exists, self.outbox.channel, client.budget, self.outbox.methods)
        self.outbox.later = self.writer.want
        self._newest: dict[str, tuple[Session, Agent]] = {}
        self._places: dict[str, tuple[float, str]] = {}  # when each session that waits was last told its own
        self._queued: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self.writer.run(), self._tick(), self._recover()):
                    tasks.create_task(work)
        finally:
            self.status.close()

    async def _recover(self) -> None:
        """Put right what a process before this one could not."""
        while True:
            with contextlib.suppress(StoreFailed):
                await self.status.recover()
                for slot, view in (await self.outbox.owed()).items():
                    self.writer.want(slot, view)
                return
            await asyncio.sleep(TICK)

    async def _tick(self) -> None:
        """Show how long the sessions have been at work."""
        while True:
            await asyncio.sleep(TICK)
            for session_id in [*self._newest]:
                outcomes = await asyncio.gather(self._age(session_id), return_exceptions=True)  # there may be a thousand: others have turns
                if isinstance(outcomes[0], Exception):  # one that cannot be shown keeps no other from it
                    log.error("not_shown", exc_info=outcomes[0], extra={"action": "not_shown", "session": session_id})

    async def _age(self, session_id: str) -> None:
        if newest := self._newest.get(session_id):
            self._line(newest[0])
            if newest[0].live:
                self._show(*newest)

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent, epoch: int) -> AsyncIterator[Show]:
        await self.outbox.open(session, epoch)
        newest = session
        if session.number and session.live:
            self.status.cut(session)

        def show(session: Session) -> None:
            nonlocal newest
            if (session.live and not newest.live) or session.number != newest.number or (newest.queued and not session.queued):
                self.status.working(session)
            newest = session
            self._newest[session.id] = session, agent
            if session.ended:
                self.status.cut(session)  # where the turn ended in a process before this one
                self.writer.hurry(session.id + ":")
            if session.queued:
                self._place(session, session.queued)
            self._show(session, agent)

        try:
            yield show
            await self._attach(newest)
            await self.writer.settled(newest.id + ":", rank=0)
            self._newest.pop(session.id, None)
            if await self.outbox.ours(newest.id):
                await self.status.over(newest)
                if newest.ended:
                    await self._owe(newest.id + ":")
        finally:
            self._newest.pop(session.id, None)
            self._places.pop(session.id, None)
            self.status.leave(newest)
            self.writer.forget(newest.id + ":")
            self.outbox.close(newest)

    async def _owe(self, prefix: str) -> None:
        """What has to be put right still, after the last word, holds up no turn."""
        await self.writer.settled(prefix, rank=-1)
        for slot, view in self.writer.left(prefix).items():
            if self.outbox.exists(slot) or self.outbox.doubtful(slot):
                self.writer.move(slot, await self.outbox.owe(slot, view), view)

    def _line(self, session: Session) -> None:
        """Where there are too many for a message of progress each, the line under the thread says for how long: each in its turn."""
        if session.queued and session.live:
            return self._place(session, session.queued)
        if self.outbox.exists(f"{session.id}:{session.number}:0") or not (session.live or session.ended):
            return
        coarse = int(clock.now() - (session.ended or session.asked)) // self._every * self._every
        does = "has an answer, for which Slack has no room yet" if session.ended else "is working"
        if coarse or not session.ended:
            self.status.working(session, f"{does}… {span(coarse)}" if coarse else WORKS)

    def _place(self, session: Session, queued: Queued) -> None:
        """Where it stands in the line of turns, which moves on more often than edits have room."""
        said, words = self._places.get(session.id, (0.0, ""))
        if (now := place(queued)) != words and clock.now() - said >= self._every:
            self._places[session.id] = clock.now(), now
        self.status.working(session, f"waits for room, {self._places[session.id][1]}")

    @property
    def _every(self) -> int:
        """Seconds between two changes of a line under a thread."""
        return max(20, math.ceil(limit(TEXT).gap * len(self._newest) * self.client.budget.replicas))

    def _show(self, session: Session, agent: Agent) -> None:
        seen = session.ended or self.writer.takes(f"{session.id}:{session.number}:0")
        views = turn.render(session, agent, clock.now(), self._apart(session, agent)) if seen else {}
        closed = {answered.id: answered for answered in session.closed}
        for question in session.questions:
            if question.id not in closed or f"{session.id}:q:{question.id}" in self.outbox.posts:
                views |= card.messages(session, question, closed.get(question.id), agent)
        for slot, view in views.items():
            if not self._bare(session, slot, view) and self.outbox.differs(slot, session, view):
                self.writer.want(slot, view)

    def _bare(self, session: Session, slot: str, view: View) -> bool:
        """Whether Slack's own line says all that there is to say: an answer that grows begins with its first words, or steps."""
        silent = session.live and view.rank > 0 and not view.flow and not session.queued and not turn.warned(session)
        return silent and self.streams.serve(session.thread) and not self.outbox.exists(slot)

    def _apart(self, session: Session, agent: Agent) -> bool:
        """Whether the answer is a message of its own: it comes late, there is no room for an edit, or it was one already."""
        slot = f"{session.id}:{session.number}"
        if not session.ended or self.outbox.wants(f"{slot}:0", turn.render(session, agent, 0.0, False)[f"{slot}:0"]):
            return False
        if f"{slot}:1" in self.outbox.posts:
            return True
        there = self.outbox.exists(f"{slot}:0") or self.writer.sending(f"{slot}:0")
        flows = self.streams.flows(f"{slot}:0") and not session.waited
        return there and not flows and (turn.late(session) or self.writer.crowded(f"{slot}:0"))

    async def settle(self, session: Session, question: Question, answered: Answered) -> None:
        slot = f"{session.id}:q:{question.id}"
        if not self.outbox.exists(slot):
            for post in await self.journal.posts(session.id):
                if post.slot == slot:
                    self.outbox.posts[slot] = post
        if self.outbox.exists(slot):
            self.writer.want(slot, card.render(session, question, answered, gone(session.agent)))

    async def _attach(self, session: Session) -> None:
        """The files that the agent made, and an answer that is too long to read in a thread."""
        for n, artifact in enumerate(session.artifacts):
            if artifact.path:
                await self._give(f"{session.id}:{session.number}:file:{n}", session, artifact)
        if session.over and len(session.answer) > turn.WHOLE:
            await self._upload(f"{session.id}:{session.number}:whole", session, "answer.md", session.answer.encode())

    async def _give(self, slot: str, session: Session, artifact: Artifact) -> None:
        try:
            content = await asyncio.to_thread(files.content, artifact, self.limit)
        except BotError as error:
            self._add(f"{slot}:words", session, f"⚠️ {mrkdwn(str(error), 400)}")
        else:
            before = session.artifacts[: session.artifacts.index(artifact)]
            await self._upload(slot, session, artifact.name, content, sum(made.name == artifact.name for made in before))

    def _add(self, slot: str, session: Session, words: str) -> None:
        view = View(words, (context(words),), 0)
        if self.outbox.differs(slot, session, view):
            self.writer.want(slot, view)

    async def _upload(self, slot: str, session: Session, name: str, content: bytes, alike: int = 0) -> None:
        channel, ts = parse.place(session.thread)
        post, there = await self.journal.reserve(slot, session.id, session.thread), partial(self._there, session, name[:150], alike)
        with contextlib.suppress(BotError):  # where nobody knows it is brought
            if post.ts or (self.outbox.doubtful(slot) and await there()):
                return
        try:
            await files.upload(self.client, channel, ts, name, content, there)
            await self.journal.sent(slot, ts, "file")
        except SlackApiError as error:
            self._add(f"{slot}:words", session, f"⚠️ The file {mrkdwn(name, 200)} could not be uploaded: {error_of(error)}.")

    async def _there(self, session: Session, name: str, alike: int) -> bool:
        """Whether more files of this name than those before it stand in the thread since the turn was asked. Raises BotError."""
        said = await backfill.replies(self.client, *parse.place(session.thread), f"{session.asked:.6f}")
        given = [file.get("name") for one in said if one.get("user") == self.directory.bot for file in one.get("files") or ()]
        return given.count(name) > alike

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        return await self.beside.open(message, agent)

    async def compare(self, id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int]) -> None:
        await self.beside.compare(id, thread, sessions, votes)

    async def said(self, session: Session, after: float, until: Sequence[Message]) -> tuple[Quote, ...]:
        source = until[0].source if session.number == 1 and until else ""
        channel, ts = parse.place(source or session.thread)
        if (session.number == 1 and any(message.root for message in until)) or (channel.startswith("D") and session.number > 1):
            return ()
        asked, quotes = {":".join(message.id.rsplit(":", 2)[-2:]) for message in until if message.door != "reaction"}, []
        newest = max((message.at for message in until if message.door != "answer"), default=clock.now())
        own = {post.id for post in await self.journal.posts(session.id)}  # its own "On it…" is not what was said
        for message in await backfill.replies(self.client, channel, ts, f"{after:.6f}"):
            at, mine = float(message.get("ts") or 0), self.directory.bot in (message.get("user"), message.get("bot_id"))
            ours = mine or message.get("bot_id") == self.directory.bot_id != ""
            later = at > newest and (ours or until[-1].door != "shortcut")
            skip = f"{channel}:{message.get('ts')}" in asked or at <= after or later or delivery(message) in own
            if (
                skip
                or message.get("subtype", "") not in backfill.ALIKE
                or unheard(str(message.get("text")))
                or (ours and session.number > 1)
            ):
                continue
            if session.number > 1 and await self.journal.heard(f"{channel}:{message['ts']}"):
                continue
            quotes.append(await backfill.quote(message, self.directory))
        return backfill.fitting(quotes)

    async def fetch(self, attachment: Attachment, folder: Path) -> Path:
        return await files.fetch(self.client, attachment, folder, self.limit)

    async def mark(self, message: Message, mark: Mark) -> None:
        channel, _, ts = message.id.partition(":")
        if message.door not in ("mention", "direct", "message") or not ts:
            return
        if mark == "queued":
            self._queued.add(message.id)
            self._soon(self._react(self.client.reactions_add(channel=channel, timestamp=ts, name=WAITS)))
            return
        if message.id in self._queued:
            self._queued.discard(message.id)
            self._soon(self._react(self.client.reactions_remove(channel=channel, timestamp=ts, name=WAITS)))
        if mark == "given":
            self._soon(self._react(self.client.reactions_add(channel=channel, timestamp=ts, name=GIVEN)))

    async def _react(self, asked: Coroutine[Any, Any, Any]) -> None:
        try:
            await call(asked)
        except SlackApiError as error:
            log.info("not_marked", extra={"action": "not_marked", "error": error_of(error)})

    def _soon(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def unheard(text: str) -> bool:
    """What was said to people, or to the desk itself."""
    return aside(text) or bool(command(re.sub(r"<@\w+>", "", text)))
