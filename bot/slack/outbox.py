"""Our messages in Slack: each sent once, found again after a crash, and edited from then on."""

import hashlib
import json
import logging
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError
from bot.ports import Journal, Post
from bot.session import Session
from bot.slack import backfill, parse
from bot.slack.calls import call, error_of, refused, unreachable
from bot.slack.markdown import mrkdwn
from bot.slack.view import View, section
from bot.slack.writer import Refused

log = logging.getLogger(__name__)
DELIVERY = "frontdesk_delivery"
SHAPE = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_blocks_too_many", "msg_too_long", "invalid_arguments"}
GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
SHUT = {"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "messages_tab_disabled", "thread_locked"}


class Outbox:
    """`posts` holds what is known of the messages of the sessions that are followed now."""

    def __init__(self, client: AsyncWebClient, journal: Journal) -> None:
        self.client, self.journal = client, journal
        self.posts: dict[str, Post] = {}
        self._wanted: dict[str, str] = {}
        self._doubtful: set[str] = set()
        self._askers: dict[str, str] = {}

    async def open(self, session: Session) -> None:
        """Remember what was sent for this session; what was reserved and not known to be sent may stand in the thread."""
        self._askers[session.id] = session.asker.id
        for post in await self.journal.posts(session.id):
            self.posts[post.slot] = post
            self._wanted[post.slot] = post.shown
            if not post.ts:
                self._doubtful.add(post.slot)

    def close(self, session: Session) -> None:
        self._askers.pop(session.id, None)
        for slot in [slot for slot, post in self.posts.items() if post.session_id == session.id]:
            del self.posts[slot]
            self._wanted.pop(slot, None)
            self._doubtful.discard(slot)

    def exists(self, slot: str) -> bool:
        post = self.posts.get(slot)
        return post is not None and bool(post.ts)

    def channel(self, slot: str) -> str:
        post = self.posts.get(slot)
        return parse.place(post.thread)[0] if post else ""

    def differs(self, slot: str, session: Session, view: View) -> bool:
        """Whether this is not what was asked for last."""
        self.posts.setdefault(slot, Post(slot, session.id, session.thread, ""))
        if self._wanted.get(slot) == (looks := shown(view)):
            return False
        self._wanted[slot] = looks
        return True

    async def send(self, slot: str, view: View) -> None:
        """Post it, or edit it. Raises Refused."""
        post = self.posts.get(slot)
        if post is None:
            return
        if not post.id:
            post = await self.journal.reserve(slot, post.session_id, post.thread)
        channel, thread = parse.place(post.thread)
        try:
            if not post.ts and slot in self._doubtful:
                post = await self._found(post, channel, thread)
            if post.ts:
                await self._edit(post, channel, view)
            else:
                post = await self._post(post, channel, thread, view)
        except SlackApiError as error:
            await self._refuse(slot, post, view, error)
            return
        self._doubtful.discard(slot)
        known = self.posts.get(slot)
        self.posts[slot] = post
        if view.rank < 2 or known is None or known.ts != post.ts:
            await self.journal.sent(slot, post.ts, shown(view))

    async def _post(self, post: Post, channel: str, thread: str, view: View) -> Post:
        metadata = {"event_type": DELIVERY, "event_payload": {"id": post.id}}
        more: dict[str, Any] = {"thread_ts": thread} if thread else {}
        sent = await call(
            self.client.chat_postMessage(
                channel=channel, text=view.text, blocks=list(view.blocks), metadata=metadata, unfurl_links=False, unfurl_media=False, **more
            )
        )
        if not sent.get("ts"):
            raise Refused("Slack did not say where the message stands", None)
        return Post(post.slot, post.session_id, post.thread, post.id, str(sent["ts"]), shown(view))

    async def _edit(self, post: Post, channel: str, view: View) -> None:
        await call(self.client.chat_update(channel=channel, ts=post.ts, text=view.text[:3900], blocks=list(view.blocks)))

    async def _found(self, post: Post, channel: str, thread: str) -> Post:
        """The message that may have been sent before a crash, or before an answer that never came."""
        try:
            said = await backfill.replies(self.client, channel, thread) if thread else await self._newest(channel)
        except BotError as error:
            raise unreachable(str(error)) from error
        for message in said:
            payload: dict[str, Any] = (message.get("metadata") or {}).get("event_payload") or {}
            if payload.get("id") == post.id:
                return Post(post.slot, post.session_id, post.thread, post.id, str(message["ts"]), "")
        return post

    async def _newest(self, channel: str) -> list[dict[str, Any]]:
        said = await call(self.client.conversations_history(channel=channel, limit=100, include_all_metadata=True))
        return list(said.get("messages") or [])

    async def _refuse(self, slot: str, post: Post, view: View, error: SlackApiError) -> None:
        name = error_of(error)
        if name in SHAPE and view.blocks and view.blocks[0].get("block_id") != "plain":
            log.error("blocks_refused", extra={"action": "blocks_refused", "slot": slot, "error": str(error)[:500]})
            text = next((block["text"] for block in view.blocks if block["type"] == "markdown"), mrkdwn(view.text))
            await self.send(slot, View(view.text, ({**section(text[:2900]), "block_id": "plain"},), view.rank))
            return
        if name in GONE and post.ts:
            await self.journal.sent(slot, "", "")
            self.posts[slot] = Post(slot, post.session_id, post.thread, post.id)
            if view.rank == 0 and ":q:" not in slot:  # an answer that somebody deleted is said anew, a card is not
                raise Refused(name, 1.0) from error
            return
        why = refused(error)
        if why.after is not None:
            self._doubtful |= set() if post.ts or why.error == "ratelimited" else {slot}
        elif name in SHUT and view.rank == 0:
            await self._elsewhere(post, view, name)
        raise why from error

    async def _elsewhere(self, post: Post, view: View, name: str) -> None:
        """The thread cannot be written to any more: its last words go to the person who asked."""
        asker = self._askers.get(post.session_id, "")
        try:
            direct = await call(self.client.conversations_open(users=asker))
            channel = str((direct.get("channel") or {}).get("id") or asker)
            words = section(f"I could not answer in <#{parse.place(post.thread)[0]}> ({name}). This was for you:")
            blocks = [words, *view.blocks]
            await call(self.client.chat_postMessage(channel=channel, text=view.text, blocks=blocks, unfurl_links=False))
        except SlackApiError as error:
            log.error("not_said", extra={"action": "not_said", "slot": post.slot, "error": error_of(error)})

    async def root(self, slot: str, channel: str, view: View) -> str:
        """Post a message that begins a thread, once; its ts. Raises SlackApiError."""
        post = await self.journal.reserve(slot, "", f"slack::{channel}:")
        if not post.ts:
            post = await self._found(post, channel, "")
        if not post.ts:
            post = await self._post(post, channel, "", view)
            await self.journal.sent(slot, post.ts, shown(view))
        return post.ts


def shown(view: View) -> str:
    """A hash of what a message looks like."""
    return hashlib.sha256(json.dumps([view.text, view.blocks], sort_keys=True).encode()).hexdigest()[:16]
