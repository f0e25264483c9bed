"""Slack threads as a surface: what people see there is kept equal to the sessions' states."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent import Agent, gone
from bot.errors import BotError
from bot.event import Answered, Artifact, Question
from bot.message import Attachment, Message, Quote
from bot.ports import Journal, Mark, Show
from bot.session import Session
from bot.slack import backfill, files, parse
from bot.slack.calls import call, error_of, refused
from bot.slack.directory import Directory
from bot.slack.markdown import brief, mrkdwn
from bot.slack.outbox import Outbox
from bot.slack.status import Status
from bot.slack.view import View, context, section
from bot.slack.views import question as card
from bot.slack.views import session as turn
from bot.slack.writer import Writer
from bot.words import aside, command

log = logging.getLogger(__name__)
TICK = 5.0  # seconds after which the time that has passed is shown anew
WAITS, GIVEN = "hourglass_flowing_sand", "eyes"


class SlackSurface:
    """Implements the port Surface."""

    def __init__(self, client: AsyncWebClient, journal: Journal, directory: Directory, megabytes: float = 50) -> None:
        self.client, self.journal, self.directory = client, journal, directory
        self.limit = int(megabytes * (1 << 20))
        self.outbox = Outbox(client, journal)
        self.writer = Writer(self.outbox.send, self.outbox.exists, self.outbox.channel)
        self.status = Status(client)
        self._queued: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        await self.writer.run()

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent) -> AsyncIterator[Show]:
        await self.outbox.open(session)
        newest = session
        begun: list[asyncio.Task[Any]] = []

        def show(session: Session) -> None:
            nonlocal newest
            if (session.live and not newest.live) or session.number != newest.number:
                begun.append(self._soon(self.status.working(session)))
            newest = session
            self._show(session, agent)

        async def tick() -> None:
            while True:
                await asyncio.sleep(TICK)
                if newest.live:
                    self._show(newest, agent)

        ticking = asyncio.create_task(tick(), name=f"tick-{session.id}")
        try:
            yield show
            await self._attach(newest)
            await self.writer.settled(newest.id + ":", rank=0)
            if begun:
                await asyncio.wait(begun)  # else the status that it began with could come last
            await self.status.over(newest)
            await self.writer.settled(newest.id + ":")
        finally:
            ticking.cancel()
            self.writer.forget(newest.id + ":")
            self.outbox.close(newest)

    def _show(self, session: Session, agent: Agent) -> None:
        views = turn.render(session, agent, time.time(), self._apart(session))
        closed = {answered.id: answered for answered in session.closed}
        for question in session.questions:
            if question.id not in closed or f"{session.id}:q:{question.id}" in self.outbox.posts:
                views[f"{session.id}:q:{question.id}"] = card.render(session, question, closed.get(question.id), agent)
        for slot, view in views.items():
            if self.outbox.differs(slot, session, view):
                self.writer.want(slot, view)

    def _apart(self, session: Session) -> bool:
        """Whether the answer is a message of its own: it comes late, there is no room for an edit, or it was one already."""
        begun = f"{session.id}:{session.number}:1" in self.outbox.posts
        return turn.late(session) or begun or (bool(session.ended) and self.writer.crowded)

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
        made = [(f"{session.id}:{session.number}:file:{n}", artifact) for n, artifact in enumerate(session.artifacts)]
        for slot, artifact in made:
            if artifact.path:
                await self._give(slot, session, artifact)
        if session.state == "completed" and len(session.answer) > turn.WHOLE:
            await self._upload(f"{session.id}:{session.number}:whole", session, "answer.md", session.answer.encode())

    async def _give(self, slot: str, session: Session, artifact: Artifact) -> None:
        try:
            content = await asyncio.to_thread(files.content, artifact, self.limit)
        except BotError as error:
            self._add(f"{slot}:words", session, f"⚠️ {mrkdwn(str(error), 400)}")
        else:
            await self._upload(slot, session, artifact.name, content)

    def _add(self, slot: str, session: Session, words: str) -> None:
        view = View(words, (context(words),), 0)
        if self.outbox.differs(slot, session, view):
            self.writer.want(slot, view)

    async def _upload(self, slot: str, session: Session, name: str, content: bytes) -> None:
        channel, ts = parse.place(session.thread)
        post = await self.journal.reserve(slot, session.id, session.thread)
        if post.ts:
            return
        try:
            await files.upload(self.client, channel, ts, name, content)
            await self.journal.sent(slot, ts, "file")
        except SlackApiError as error:
            self._add(f"{slot}:words", session, f"⚠️ The file {mrkdwn(name, 200)} could not be uploaded: {error_of(error)}.")

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        said = "\n".join(f">{mrkdwn(line, 500)}" for line in message.text.splitlines()[:20]) or "> (nothing more)"
        name = f"*{mrkdwn(message.author.name, 100)}*" if not message.private else "You"
        about = f" in <#{message.channel}>" if message.private else ""
        text = f"{name} asked *{agent.name}*{about}:\n{said}"
        view = View(mrkdwn(brief(f"{message.author.name} asked {agent.name}: {message.text}", 300)), (section(text),), 0)
        channel = await self._direct(message.author.id) if message.private else message.channel
        slot = f"open:{message.id}"
        try:
            ts = await self.outbox.root(slot, channel, view)
        except SlackApiError as error:
            if error_of(error) not in ("not_in_channel", "channel_not_found", "is_archived", "restricted_action"):
                raise BotError(f"I could not begin a thread: {error_of(error)}. Try again.") from error
            channel = await self._direct(message.author.id)
            ts = await self.outbox.root(slot, channel, view)
        return parse.thread(self.directory.team, channel, ts), channel

    async def _direct(self, user: str) -> str:
        try:
            said = await call(self.client.conversations_open(users=user))
        except SlackApiError as error:
            raise BotError(f"I could not write to you directly: {error_of(error)}.") from error
        return str((said.get("channel") or {}).get("id") or user)

    async def said(self, session: Session, after: float, until: Sequence[Message]) -> tuple[Quote, ...]:
        source = until[0].source if session.number == 1 and until else ""
        channel, ts = parse.place(source or session.thread)
        if (session.number == 1 and any(message.root for message in until)) or (channel.startswith("D") and session.number > 1):
            return ()
        asked, quotes = {":".join(message.id.rsplit(":", 2)[-2:]) for message in until}, []
        newest = max((message.at for message in until if message.door != "answer"), default=time.time())
        for message in await backfill.replies(self.client, channel, ts, f"{after:.6f}"):
            at, mine = float(message.get("ts") or 0), self.directory.bot in (message.get("user"), message.get("bot_id"))
            ours = mine or message.get("bot_id") == self.directory.bot_id != ""
            skip = f"{channel}:{message.get('ts')}" in asked or at <= after or (at > newest and until[-1].door != "shortcut")
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

    async def tell(self, message: Message, text: str) -> None:
        channel, ts = parse.place(message.thread) if message.thread else (message.channel, "")
        await self.whisper(channel, message.author.id, text, ts if not message.root else "")

    async def whisper(self, channel: str, user: str, text: str, thread: str = "") -> None:
        """Say something to one person, there if that can be done, else in their direct message. Never fails."""
        more: dict[str, Any] = {"thread_ts": thread} if thread else {}
        try:
            await call(self.client.chat_postEphemeral(channel=channel, user=user, text=text[:3900], **more))
        except SlackApiError as error:
            log.info("not_whispered", extra={"action": "not_whispered", "error": error_of(error)})
            if refused(error).after is None:
                await self._write_to(user, text)

    async def _write_to(self, user: str, text: str) -> None:
        with contextlib.suppress(BotError, SlackApiError):
            await call(
                self.client.chat_postMessage(channel=await self._direct(user), text=text[:3900], unfurl_links=False, unfurl_media=False)
            )

    def _soon(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def unheard(text: str) -> bool:
    """What was said to people, or to the desk itself."""
    return aside(text) or bool(command(re.sub(r"<@\w+>", "", text)))
