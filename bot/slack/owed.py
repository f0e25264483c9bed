"""Edits that somebody has to make still, kept as rows: what a turn did not wait for, and what was written over."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.journal import Journal, Post
from bot.slack.view import View

OWED, FINAL = "owed:", "final:"  # before the slot of a message: an edit that is to be made; and its words, where two may write them


class Owed:
    """A replica that is frozen after it looked whether a session is its own writes when it wakes, over the words of whoever took it over.

    So who takes over keeps its words before it shows them, and who has lost a session while it wrote puts them back. `inherited` are the
    messages that an owner before this one may write still.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.inherited: set[str] = set()

    async def keep(self, post: Post, view: View) -> Post:
        """Owe this edit, also if this process ends; as a post of its own."""
        owed = f"{OWED}{post.slot}"
        before = (await self.journal.reserve(post.slot, post.session_id, post.thread)).shown
        await self.journal.reserve(owed, "", post.thread)
        await self.journal.sent(owed, "", edit := json.dumps([post.ts, view.text, view.blocks, before]))
        return Post(owed, "", post.thread, post.id, post.ts, edit)

    async def found(self) -> Mapping[Post, View]:
        """What a process before this one owes."""
        rows = {post: json.loads(post.shown) for post in await self.journal.posts("") if post.slot.startswith(OWED) and post.shown}
        return {replace(post, ts=ts): View(text, tuple(blocks), 1) for post, (ts, text, blocks, _) in rows.items()}

    async def pay(self, owed: Post, view: View, edit: Callable[[Post], Awaitable[None]]) -> None:
        """Make an edit that is owed: once, whoever is first, and not where the message has come to show something newer."""
        if (await self.journal.reserve(owed.slot, "", owed.thread)).shown != owed.shown:
            return
        message = await self.journal.reserve(owed.slot.removeprefix(OWED), "", owed.thread)
        if message.shown in (json.loads(owed.shown)[-1], shown(view)):
            await edit(message)
        await self.journal.sent(owed.slot, "", "")

    async def begin(self, post: Post, epoch: int, view: View) -> bool:
        """Whether this may be shown; False where the session is another's by now."""
        if post.slot not in self.inherited or view.rank == 2:  # progress is followed by more
            return await self.journal.holds(post.session_id, epoch)
        return await self.journal.hold(replace(post, slot=f"{FINAL}{post.slot}", shown=json.dumps([view.text, view.blocks])), epoch)

    async def begun(self, post: Post) -> View | None:
        """What whoever took the session over shows there, or is about to; None where that is still to come."""
        for one in await self.journal.posts(post.session_id):
            if one.slot == f"{FINAL}{post.slot}":
                text, blocks = json.loads(one.shown)
                return View(text, tuple(blocks), 1)
        return None


def shown(view: View) -> str:
    """A hash of what a message looks like."""
    return hashlib.sha256(json.dumps([view.text, view.blocks], sort_keys=True).encode()).hexdigest()[:16]
