"""Answers that grow before people's eyes: Slack's own streams in direct messages, for as long as they hold."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.journal import Post
from bot.slack import parse
from bot.slack.budget import Budget
from bot.slack.calls import call, error_of, refused
from bot.slack.limits import APPEND, START, STOP, paid
from bot.slack.markdown import PIECE, safe
from bot.slack.status import NEVER
from bot.slack.view import Block, Flow, Task, View
from bot.slack.views.session import LATE

log = logging.getLogger(__name__)
OLDEST = 240.0  # seconds; Slack ends a stream after about 300, without a word
Chunk = dict[str, Any]


@dataclass(slots=True)
class Live:
    """What one stream has been given: the cards, and after the last new one of them `sent`, made of what follows `before` in the answer.

    `text` is as much of the answer as that is.
    """

    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    tasks: dict[str, Task] = field(default_factory=dict)
    before: str = ""
    sent: str = ""
    text: str = ""
    size: int = 0
    paused: bool = False

    def more(self, flow: Flow) -> tuple[list[Chunk], str, str] | None:
        """What has to be added, and what `before` and `sent` are then. None: it cannot become this by growing.

        Text that a new card follows is over, and the text below is made harmless by itself: half a fence opens none. Where both are
        new, the text is what came of the steps; but nobody writes while a step is at work: then it is what was said before.
        """
        new = [task for task in flow.tasks if task.id not in self.tasks]
        works = any(task.status == "in_progress" for task in new)
        before, sent = (self.text, "") if new and not works else (self.before, self.sent)
        if not flow.text.startswith(before):
            return None
        text = safe(flow.text[len(before) :])
        if not text.startswith(sent) or self.size + len(text) - len(sent) > PIECE:
            return None
        words: list[Chunk] = [{"type": "markdown_text", "text": text[len(sent) :]}] if text != sent else []
        changed = [task for task in flow.tasks if self.tasks.get(task.id) != task]
        cards = [{"type": "task_update", "id": task.id, "title": task.title, "status": task.status} for task in changed]
        return (words + cards, flow.text, "") if works else (cards + words, before, text)

    def grown(self, flow: Flow, before: str, sent: str, chunks: list[Chunk]) -> None:
        words = sum(len(chunk["text"]) for chunk in chunks if chunk["type"] == "markdown_text")
        if words:
            self.paused, self.last = self.paused or time.monotonic() - self.last > LATE, time.monotonic()
        self.tasks |= {task.id: task for task in flow.tasks}
        self.before, self.sent, self.text, self.size = before, sent, flow.text, self.size + words


class Streams:
    """The streams of this process, by slot. Whatever one refuses is said by an edit of the same message, as a whole.

    `agent` says whether Slack takes the app for an agent: else there is neither a line nor a Stop button beside a stream.
    `begun` is told of a thread in which Slack says "processing" now, because a stream has begun there.
    """

    def __init__(self, client: AsyncWebClient, budget: Budget, agent: Callable[[], bool], begun: Callable[[str], None]) -> None:
        self.client, self.budget, self._agent, self._begun = client, budget, agent, begun
        self._known = True  # whether Slack lets us stream, as far as we know
        self._live: dict[str, Live] = {}

    def serve(self, thread: str) -> bool:
        return self._known and parse.place(thread)[0].startswith("D") and self._agent()

    def method(self, slot: str, thread: str, view: View, new: bool) -> str:
        """What is called for this view; empty where it is no stream's. One is begun only where its end can be paid too."""
        if live := self._live.get(slot):
            return APPEND if self._grows(live, view) else STOP
        room = self.budget.room(START) >= 1 and self.budget.room(STOP) > len(self._live)
        return START if new and view.flow and view.rank and self.serve(thread) and room else ""

    def idle(self, slot: str, view: View) -> bool:
        """Whether the stream shows all of this that it can."""
        live = self._live.get(slot)
        return bool(live and self._grows(live, view) and view.flow and (more := live.more(view.flow)) and not more[0])

    def flows(self, slot: str) -> bool:
        """Whether the answer has been coming there all the time, so that who was told of its beginning sees its end too."""
        live = self._live.get(slot)
        return live is not None and not live.paused and time.monotonic() - live.last <= LATE

    def close(self, prefix: str) -> None:
        for slot in [slot for slot in self._live if slot.startswith(prefix)]:
            del self._live[slot]

    async def start(self, post: Post, channel: str, thread: str, view: View) -> str:
        """The ts of the stream; empty where it is to be an ordinary message. Raises SlackApiError where nobody knows whether it stands."""
        if START not in paid.get() or not view.flow or not (more := (live := Live()).more(view.flow)):
            return ""
        chunks, before, sent = more
        try:
            begun = await call(self.client.chat_startStream(channel=channel, thread_ts=thread, chunks=chunks))
        except SlackApiError as error:
            no = refused(error)
            log.info("no_stream", extra={"action": "no_stream", "error": no.error})
            if no.after is not None and no.error != "ratelimited":
                raise
            self._known = no.error not in NEVER
            return ""
        self._live[post.slot] = live
        live.grown(view.flow, before, sent, chunks)
        self._begun(post.thread)
        return str(begun.get("ts") or "")

    async def show(self, post: Post, channel: str, view: View, metadata: Chunk) -> bool:
        """Let the message grow to this view, or end as it; False: it has to be edited, and can be."""
        live = self._live.get(post.slot)
        if live is None:
            return False
        try:
            if self._grows(live, view):
                await self._append(live, post, channel, view)
                return True
            del self._live[post.slot]
            return await self._stop(live, post, channel, view, metadata)
        except SlackApiError as error:
            log.info("stream_over", extra={"action": "stream_over", "error": error_of(error)})
            self._live.pop(post.slot, None)  # what is in doubt is not said again: the edit says it all
            return False

    def _grows(self, live: Live, view: View) -> bool:
        return bool(view.rank and view.flow and live.more(view.flow) and time.monotonic() - live.began < OLDEST)

    async def _append(self, live: Live, post: Post, channel: str, view: View) -> None:
        if view.flow and (more := live.more(view.flow)) and more[0]:
            await call(self.client.chat_appendStream(channel=channel, ts=post.ts, chunks=more[0]))
            live.grown(view.flow, more[1], more[2], more[0])

    async def _stop(self, live: Live, post: Post, channel: str, view: View, metadata: Chunk) -> bool:
        """Text that cards have cut is put together by an edit."""
        more = live.more(view.flow) if view.flow and not view.rank else None
        if more is None or more[1]:
            await self.end(channel, post.ts, view.rank == 2)
            return False
        given: Chunk = {"chunks": more[0]} if more[0] else {}
        blocks: list[Block] = list(view.blocks[1:])  # the first is the text
        await call(self.client.chat_stopStream(channel=channel, ts=post.ts, blocks=blocks, metadata=metadata, **given))
        return True

    async def end(self, channel: str, ts: str, working: bool) -> None:
        """So that the message can be edited. Raises SlackApiError where that is worth another try."""
        state = "processing" if working else "active"
        try:
            await call(self.client.chat_stopStream(channel=channel, ts=ts, session_status=state))
        except SlackApiError as error:
            if refused(error).after is not None:
                raise
