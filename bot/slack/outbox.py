"""Our messages in Slack: each sent once, found again after a crash, and edited from then on."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError
from bot.journal import Journal, Post
from bot.session import Session
from bot.slack import backfill, parse
from bot.slack.calls import UNCONNECTED, call, error_of, refused, unreachable
from bot.slack.limits import POST, REPLIES
from bot.slack.markdown import mrkdwn, pieces
from bot.slack.owed import FINAL, OWED, Owed, shown
from bot.slack.stream import Streams
from bot.slack.view import View, section
from bot.slack.writer import Refused

log = logging.getLogger(__name__)
DELIVERY = "frontdesk_delivery"
SHAPE = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_blocks_too_many", "msg_too_long", "invalid_arguments"}
GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "block_mismatch"}


class Outbox:
    """`posts` holds what is known of the messages of the sessions that are followed now; `later` asks for an edit that is owed."""

    def __init__(self, client: AsyncWebClient, journal: Journal, streams: Streams) -> None:
        self.client, self.journal, self.streams, self._owed = client, journal, streams, Owed(journal)
        self.later: Callable[[str, View], None] = lambda slot, view: None
        self.posts: dict[str, Post] = {}
        self._wanted: dict[str, str] = {}
        self._doubtful: set[str] = set()
        self._askers: dict[str, str] = {}
        self._epochs: dict[str, int] = {}

    async def open(self, session: Session, epoch: int) -> None:
        """Remember what was sent for this session; what was reserved and not known to be sent may stand in the thread."""
        self._epochs[session.id] = epoch
        for post in [post for post in await self.journal.posts(session.id) if not post.slot.startswith(FINAL)]:
            self.posts[post.slot] = post
            self._owed.inherited.add(post.slot)
            self._wanted[post.slot] = post.shown
            if not post.ts:
                self._doubtful.add(post.slot)

    def close(self, session: Session) -> None:
        self._epochs.pop(session.id, None)
        self.streams.close(session.id + ":")
        for slot in [slot for slot, post in self.posts.items() if post.session_id == session.id]:
            del self.posts[slot]
            self._wanted.pop(slot, None)
            self._askers.pop(slot, None)
            self._doubtful.discard(slot)
            self._owed.inherited.discard(slot)

    async def ours(self, session_id: str) -> bool:
        """Whether this process may show it still; what belongs to no session is anybody's."""
        epoch = self._epochs.get(session_id)
        return epoch is None or await self.journal.holds(session_id, epoch)

    def exists(self, slot: str) -> bool:
        post = self.posts.get(slot)
        return post is not None and bool(post.ts)

    def doubtful(self, slot: str) -> bool:
        """Whether a process before this one may have sent it, and nobody knows."""
        return slot in self._doubtful

    def methods(self, slot: str, view: View) -> tuple[str, ...]:
        """What is called for this where it is streamed, or looked for first; else nothing."""
        post = self.posts.get(slot)
        streamed = self.streams.method(slot, post.thread, view, not post.ts) if post else ""
        if post and not post.ts and slot in self._doubtful:
            return (REPLIES, streamed or POST)
        return (streamed,) if streamed else ()

    def channel(self, slot: str) -> str:
        post = self.posts.get(slot)
        return parse.place(post.thread)[0] if post else ""

    def differs(self, slot: str, session: Session, view: View) -> bool:
        """Whether this is not what was asked for last."""
        self.posts.setdefault(slot, Post(slot, session.id, session.thread, ""))
        self._askers.setdefault(slot, (session.by or session.asker).id)  # of the turn that it belongs to
        if self._wanted.get(slot) == (looks := shown(view)) or self.streams.idle(slot, view):
            return False
        self._wanted[slot] = looks
        return True

    def wants(self, slot: str, view: View) -> bool:
        """Whether this is what was asked for last, be it by a process before this one."""
        return self._wanted.get(slot) == shown(view)

    async def owe(self, slot: str, view: View) -> str:
        """Keep an edit for which no turn has to wait, for the next process too; the slot under which it goes on."""
        owed = await self._owed.keep(self.posts[slot], view)
        self.posts[owed.slot] = owed
        return owed.slot

    async def owed(self) -> dict[str, View]:
        """The edits that a process before this one has left."""
        found = await self._owed.found()
        self.posts |= {post.slot: post for post in found}
        return {post.slot: view for post, view in found.items()}

    async def send(self, slot: str, view: View) -> None:
        """Post it, or edit it. Raises Refused."""
        post = self.posts.get(slot)
        if post is None:
            return
        if not post.id:
            post = await self.journal.reserve(slot, post.session_id, post.thread)
        epoch = self._epochs.get(post.session_id)
        if epoch is None:  # what belongs to no session is anybody's
            return await self._say(post, view)
        if not await self._owed.begin(post, epoch, view):
            raise Refused("superseded", None)  # another replica shows it now
        try:
            await self._say(post, view)
        finally:
            if post.ts and not await self.journal.holds(post.session_id, epoch):  # and it may have shown something meanwhile
                await self._give_back(post)

    async def _give_back(self, post: Post) -> None:
        """What another replica shows is to stand there again."""
        if view := await self._owed.begun(post):
            owed = await self._owed.keep(post, view)
            self.posts[owed.slot] = owed
            self.later(owed.slot, view)

    async def _say(self, post: Post, view: View) -> None:
        slot, (channel, thread) = post.slot, parse.place(post.thread)
        try:
            if slot.startswith(OWED):
                await self._owed.pay(post, view, partial(self._put_right, view))
                self.posts.pop(slot, None)
                return
            if not post.ts and slot in self._doubtful:
                post = await self._found(post, channel, thread)
            post = await self._show(post, channel, thread, view)
        except SlackApiError as error:
            await self._refuse(slot, post, view, error)
            return
        self._doubtful.discard(slot)
        known = self.posts.get(slot)
        self.posts[slot] = post
        if view.rank < 2 or known is None or known.ts != post.ts:
            self.posts[slot] = await self._sent(post, channel, view)
            if self.posts[slot].ts != post.ts:
                raise Refused("another stands there", 1.0)  # and is to look like this

    async def _put_right(self, view: View, post: Post) -> None:
        """Make an edit that is owed, where the message stands after all: it may not be known to have been sent."""
        channel, thread = parse.place(post.thread)
        if (found := post if post.ts else await self._found(post, channel, thread)).ts:
            await self._edit(found, channel, view)

    async def _show(self, post: Post, channel: str, thread: str, view: View) -> Post:
        """Say it, where it can be as a stream; the message as it is known from then on."""
        if not post.ts:
            ts = await self.streams.start(post, channel, thread, view)
            return replace(post, ts=ts) if ts else await self._post(post, channel, thread, view)
        if not await self.streams.show(post, channel, view, label(post)):
            await self._edit(post, channel, view)
        return post

    async def _sent(self, post: Post, channel: str, view: View) -> Post:
        """Note it. Where another replica was first, theirs stays and ours goes."""
        counts = await self.journal.sent(post.slot, post.ts, shown(view))
        if counts in ("", post.ts):
            return post
        self.streams.close(post.slot)
        await self._away(post, channel)
        return replace(post, ts=counts)

    async def _post(self, post: Post, channel: str, thread: str, view: View) -> Post:
        more: dict[str, Any] = {"metadata": label(post), "unfurl_links": False, "unfurl_media": False}
        more |= {"thread_ts": thread} if thread else {}
        sent = await call(self.client.chat_postMessage(channel=channel, text=view.text, blocks=list(view.blocks), **more))
        if not sent.get("ts"):
            raise unreachable("it did not say where the message stands")
        return Post(post.slot, post.session_id, post.thread, post.id, str(sent["ts"]), shown(view))

    async def _edit(self, post: Post, channel: str, view: View) -> None:
        given: dict[str, Any] = {"text": view.text[:3900], "blocks": list(view.blocks), "metadata": label(post)}  # a stream begins without
        try:
            await call(self.client.chat_update(channel=channel, ts=post.ts, **given))
        except SlackApiError as error:
            if error_of(error) != "streaming_state_conflict":
                raise
            await self.streams.end(channel, post.ts, view.rank == 2)  # it was begun by a process before this one, or ended in vain
            await call(self.client.chat_update(channel=channel, ts=post.ts, **given))

    async def _found(self, post: Post, channel: str, thread: str) -> Post:
        """The message that may have been sent before a crash, or before an answer that never came."""
        try:
            said = await backfill.replies(self.client, channel, thread) if thread else await self._newest(channel)
        except BotError as error:
            if isinstance(error.__cause__, SlackApiError) and refused(error.__cause__).after is None:
                return post  # nobody can look there any more, nor write
            raise unreachable(str(error)) from error
        nameless = [message for message in reversed(said) if self._nameless(message)] if channel.startswith("D") and thread else []
        for message in [*(message for message in said if delivery(message) == post.id), *nameless]:
            return Post(post.slot, post.session_id, post.thread, post.id, str(message["ts"]), "")
        return post

    def _nameless(self, message: dict[str, Any]) -> bool:
        """A stream of ours of which nobody has heard: until its end it carries no id."""
        known = {post.ts for post in self.posts.values()}
        return bool(message.get("bot_id")) and not delivery(message) and not message.get("files") and message["ts"] not in known

    async def _newest(self, channel: str) -> list[dict[str, Any]]:
        said = await call(self.client.conversations_history(channel=channel, limit=100, include_all_metadata=True))
        return list(said.get("messages") or [])

    async def _refuse(self, slot: str, post: Post, view: View, error: SlackApiError) -> None:
        name = error_of(error)
        if name in SHAPE and view.blocks and view.blocks[0].get("block_id") != "plain":
            log.error("blocks_refused", extra={"action": "blocks_refused", "slot": slot, "error": str(error)[:500]})
            text = next((block["text"] for block in view.blocks if block["type"] == "markdown"), mrkdwn(view.text))
            first, *more = map(section, pieces(text, 2900))  # all of it: nothing tells whoever reads that there was more
            await self.send(slot, View(view.text, ({**first, "block_id": "plain"}, *more), view.rank))
            return
        if name in GONE and post.ts:
            if ":q:" in slot:  # an answer that somebody deleted is said anew; a card is not, so it stands where it stood
                return
            if name == "block_mismatch":  # it was a stream, and cannot be made another message any more
                await self._away(post, channel=parse.place(post.thread)[0])
            await self.journal.sent(slot, "", "")
            self.posts[slot] = Post(slot, post.session_id, post.thread, post.id)
            if view.rank == 0:
                raise Refused(name, 1.0) from error
            return
        why = refused(error)
        if why.after is not None:
            self._doubtful |= set() if post.ts or why.error in ("ratelimited", UNCONNECTED) else {slot}
        elif name not in GONE and view.rank == 0:
            await self._elsewhere(post, view, name)
        raise why from error

    async def _away(self, post: Post, channel: str) -> None:
        """What is said anew stands there once."""
        try:
            await call(self.client.chat_delete(channel=channel, ts=post.ts))
        except SlackApiError as error:
            log.warning("not_deleted", extra={"action": "not_deleted", "slot": post.slot, "error": error_of(error)})

    async def _elsewhere(self, post: Post, view: View, name: str) -> None:
        """The thread cannot be written to any more: its last words go to the person who asked. Raises Refused where that has to wait."""
        asker = self._askers.get(post.slot, "")
        try:
            direct = await call(self.client.conversations_open(users=asker))
            channel = str((direct.get("channel") or {}).get("id") or asker)
            words = section(f"I could not answer in <#{parse.place(post.thread)[0]}> ({name}). This was for you:")
            await self.once(f"elsewhere:{post.slot}", channel, "", replace(view, blocks=(words, *view.blocks)))
        except SlackApiError as error:
            if (later := refused(error)).after is not None:
                raise later from error
            log.error("not_said", extra={"action": "not_said", "slot": post.slot, "error": error_of(error)})

    async def root(self, slot: str, channel: str, view: View) -> str:
        """Post a message that begins a thread, once; its ts. Raises SlackApiError."""
        return (await self._once(slot, channel, "", view)).ts

    async def once(self, slot: str, channel: str, thread: str, view: View) -> None:
        """Post a message into a thread, once, and edit it from then on. Raises SlackApiError."""
        post = await self._once(slot, channel, thread, view)
        if post.shown != shown(view):
            await self._edit(post, channel, view)
            await self.journal.sent(slot, post.ts, shown(view))

    async def _once(self, slot: str, channel: str, thread: str, view: View) -> Post:
        post = await self.journal.reserve(slot, "", f"slack::{channel}:{thread}")
        if not post.ts:
            post = await self._found(post, channel, thread)
        if not post.ts:
            post = await self._post(post, channel, thread, view)
            post = await self._sent(post, channel, view)
        return post


def label(post: Post) -> dict[str, Any]:
    """The id of a message of ours, as it goes with it."""
    return {"event_type": DELIVERY, "event_payload": {"id": post.id}}


def delivery(message: dict[str, Any]) -> str:
    """The id that a message of ours carries; empty for others."""
    payload: dict[str, Any] = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("id") or "")
