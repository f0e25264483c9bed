"""What people do with words: say, edit, delete, react, open the app, come and go."""

from collections.abc import Iterable
from typing import Any

from . import events, posting, words
from .methods import files as uploads
from .refusal import Refusal
from .rich import rich_text
from .things import Channel, Json, Person
from .world import World

MOST = 40_000  # characters of one message
Upload = str | tuple[str, bytes]
Thread = str | Json | None


class Talk:
    """Each does what a person does in Slack, and raises ValueError where Slack would not let them. Part of Slack."""

    world: World

    async def say(self, text: str, by: str = "ana", channel: str = "general", thread: Thread = None, files: Iterable[Upload] = ()) -> Json:
        """Post as a person. `thread` is the root's ts, or any message of the thread; a file is its name, or (name, bytes).

        Returns the message with its `channel`. What is typed like @ana, @platform, #general or https://… becomes live.
        """
        person, place = self.world.person(by), self.world.channel(channel)
        self._enter(person, place)
        if len(text) > MOST:
            raise ValueError(
                f"this has {len(text):,} characters, and Slack takes {MOST:,} in one message: shorten it, or attach it as a file"
            )
        message = self._typed(person, place, words.typed(text, self._known))
        content = [(each, b"content of " + each.encode()) if isinstance(each, str) else each for each in files]
        stored = [uploads.new(self.world, name, person.id, data) for name, data in content]
        for file in stored:
            file.channels.append(place.id)
        if stored:
            message |= {"files": [file.shown() for file in stored], "upload": False, "display_as_bot": False}
        try:
            message = posting.post(self.world, place, message, root(thread))
        except Refusal as refusal:
            raise ValueError(f"there is no such thread in #{place.name}: {refusal.error}") from None
        self._uninvited(person, place, message["text"])
        return self._shown(place, message["ts"])

    async def mention(
        self, text: str, by: str = "ana", channel: str = "general", thread: Thread = None, files: Iterable[Upload] = ()
    ) -> Json:  # fmt: skip
        """Say something to the bot in a channel."""
        return await self.say(f"<@{self.world.bot.id}> {text}", by, channel, thread, files)

    async def direct(self, text: str, by: str = "ana", thread: Thread = None, files: Iterable[Upload] = ()) -> Json:
        """Write to the bot in the app's Messages tab."""
        return await self.say(text, by, self.world.dm(self.world.person(by)).id, thread, files)

    async def edit(self, message: Json, text: str) -> Json:
        """The author changes a message. Returns its new version."""
        place, old = self._own(message)
        text = words.typed(text, self._known)
        change: Json = {"text": text}
        if old.get("blocks"):
            change["blocks"] = [rich_text(text, self.world.id("r"))]
        posting.edit(self.world, place, message["ts"], change, by=old["user"])
        return self._shown(place, message["ts"])

    async def delete(self, message: Json) -> None:
        """The author deletes a message."""
        place, _ = self._own(message)
        posting.remove(self.world, place, message["ts"])

    async def react(self, message: Json, name: str, by: str = "ana") -> None:
        await self._react(posting.react, message, name, by)

    async def unreact(self, message: Json, name: str, by: str = "ana") -> None:
        await self._react(posting.unreact, message, name, by)

    async def _react(self, do: Any, message: Json, name: str, by: str) -> None:
        person, place = self.world.person(by), self.world.channel(message["channel"])
        self._enter(person, place)
        if message["ts"] not in place.messages:
            raise ValueError(f"there is no message {message['ts']} in #{place.name} any more")
        try:
            do(self.world, place, message["ts"], name.strip(":"), person.id)
        except Refusal as refusal:
            raise ValueError(f"{person.name} cannot do that: {refusal.error}") from None

    async def join(self, channel: str, by: str = "ana") -> None:
        """Come into a public channel."""
        person, place = self.world.person(by), self.world.channel(channel)
        if person.id not in place.members:
            self._enter(person, place)

    async def invite(self, channel: str, who: str = "frontdesk", by: str = "ana") -> None:
        """Bring somebody into a channel; without `who` the bot."""
        host, guest, place = self.world.person(by), self.world.person(who), self.world.channel(channel)
        if host.id not in place.members or place.kind == "im":
            raise ValueError(f"{host.name} is not in #{place.name}")
        posting.member(self.world, place, guest.id, host.id)

    async def kick(self, channel: str, who: str = "frontdesk") -> None:
        """Take somebody out of a channel; without `who` the bot."""
        person, place = self.world.person(who), self.world.channel(channel)
        place.members.pop(person.id, None)
        events.left(self.world, place, person.id)

    async def create(self, name: str, by: str = "ana") -> str:
        """A new public channel. Returns its id."""
        place = self.world.add_channel(name, [by])
        told = {"id": place.id, "name": place.name, "created": 1700000000, "creator": self.world.person(by).id}
        events.emit(self.world, {"type": "channel_created", "channel": told, "event_ts": self.world.ts()})
        return place.id

    async def rename(self, channel: str, name: str) -> None:
        place = self.world.channel(channel)
        self.world.renamed(place, name)
        told = {"id": place.id, "name": place.name, "name_normalized": place.name, "created": 1700000000, "is_channel": True}
        events.emit(self.world, {"type": "channel_rename", "channel": told, "event_ts": self.world.ts()})

    async def archive(self, channel: str, by: str = "ana") -> None:
        """Nobody, and no app, writes there any more."""
        person, place = self.world.person(by), self.world.channel(channel)
        place.is_archived = True
        kind = "group_archive" if place.kind == "group" else "channel_archive"
        if self.world.bot.id in place.members:
            events.emit(self.world, {"type": kind, "channel": place.id, "user": person.id, "event_ts": self.world.ts()})

    async def regroup(self, handle: str, users: Iterable[str]) -> None:
        """Change who is in a user group."""
        group, before = self.world.group(handle), set(self.world.group(handle).users)
        group.users = [self.world.person(user).id for user in users]
        added, removed = sorted(set(group.users) - before), sorted(before - set(group.users))
        stamp = {"team_id": self.world.team, "event_ts": self.world.ts()}
        members = {"subteam_id": group.id, "added_users": added, "removed_users": removed, "added_users_count": str(len(added))}
        events.emit(self.world, {"type": "subteam_members_changed", "removed_users_count": str(len(removed))} | members | stamp)
        events.emit(self.world, {"type": "subteam_updated", "subteam": group.shown(self.world.team, users=True)} | stamp)

    def _enter(self, person: Person, place: Channel) -> None:
        """Members may write; full members come into public channels by writing; others cannot."""
        if place.is_archived:
            raise ValueError(f"#{place.name} is archived")
        if place.kind == "im":
            self.world.installed(person)
        if person.id in place.members:
            return
        if person.is_restricted or person.team_id != self.world.team or place.is_private or person.is_bot:
            raise ValueError(f"{person.name} is not in #{place.name} and cannot write there")
        posting.member(self.world, place, person.id)

    def _typed(self, person: Person, place: Channel, text: str) -> Json:
        if person.id == self.world.bot.id:
            raise ValueError("the bot speaks by the Web API only")
        if not person.is_bot:
            seen = self.world.contexts.get(person.id) if place.kind == "im" else None
            return events.typed(self.world, place, person, text) | ({"app_context": {"entities": seen}} if seen else {})
        name = {"bot_id": person.bot_id, "app_id": person.app_id, "username": person.name}
        return {"type": "message", "subtype": "bot_message", "text": text, **name}

    def _uninvited(self, person: Person, place: Channel, text: str) -> None:
        bot = self.world.bot
        if f"<@{bot.id}>" in text and bot.id not in place.members:
            self.world.warn(person.id, place.id, f"You mentioned @{bot.name}, but they’re not in this channel.")

    def _known(self, name: str) -> str:
        if name in ("@here", "@channel", "@everyone"):
            return f"<!{name[1:]}>"
        if name.startswith("#"):
            place = self.world.find_channel(name)
            return f"<#{place.id}>" if place else ""
        person = self.world.find_person(name)
        groups = [group.id for group in self.world.groups.values() if group.handle == name[1:]]
        return f"<@{person.id}>" if person else f"<!subteam^{groups[0]}>" if groups else ""

    def _own(self, message: Json) -> tuple[Channel, Json]:
        place = self.world.channel(message["channel"])
        found = place.messages.get(message["ts"])
        if found is None or found.get("subtype") == "tombstone":
            raise ValueError(f"there is no message {message['ts']} in #{place.name} any more")
        if found.get("bot_id") or found.get("user") not in self.world.people:
            raise ValueError("people can change their own messages only")
        return place, found

    def _shown(self, place: Channel, ts: str) -> Json:
        return posting.shown(place, place.messages[ts]) | {"channel": place.id}


def root(thread: Thread) -> str:
    if isinstance(thread, dict):
        return str(thread.get("thread_ts") or thread["ts"])
    return thread or ""
