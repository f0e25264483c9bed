"""The workspace as it stands: who and what there is, how to find it, and fresh ids for what comes next."""

import itertools
import re
import secrets
import time
from collections.abc import Iterable
from typing import Any

from .feed import Feed
from .limits import Rates
from .socket import Hub
from .things import Channel, File, Group, Hook, Json, Person, Slot, Stream, Trigger, View

TEAM = "T0FRONTDESK"
OTHER_TEAM = "T0PARTNER"
APP = "A0FRONTDESK"
TRIGGER_SECONDS = 3.0
HOOK_SECONDS = 1800.0

SCOPES = (
    "app_mentions:read", "assistant:write", "channels:history", "channels:join", "channels:read", "chat:write", "chat:write.customize",
    "commands", "files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read", "im:write", "mpim:history",
    "mpim:read", "reactions:read", "reactions:write", "usergroups:read", "users:read", "users:read.email",
)  # fmt: skip


class World:
    """All state of the stand-in, in memory. Lookups for people raise ValueError; those for methods return None."""

    def __init__(self, feed: Feed, hub: Hub, rates: Rates, team: str = TEAM) -> None:
        self.feed = feed
        self.hub = hub
        self.rates = rates
        self.team, self.domain = team, domain(team)
        self.url = ""  # http://127.0.0.1:PORT
        # Any site in the same browser can send requests to this port, so nothing that opens a door may be guessed.
        self.bot_token = f"xoxb-play-{secrets.token_hex(12)}"
        self.app_token = f"xapp-play-{secrets.token_hex(12)}"
        self.scopes: set[str] = set(SCOPES)
        self.events: set[str] | None = None  # the app's subscriptions; None is all
        self.commands: set[str] | None = None
        self.shortcuts: dict[str, str] | None = None  # callback_id: message or global
        self.agent = True
        self.emoji: set[str] = set()  # the workspace's own, beside Slack's
        self.limited = 0  # the minute in which the app was told that it is told too much
        self.stream_seconds = 300.0
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.slots: dict[tuple[str, str], Slot] = {}
        self.prompts: dict[str, Json] = {}
        self.ephemerals: dict[str, list[Json]] = {}
        self.inputs: dict[tuple[str, str, str], dict[str, Json]] = {}  # (channel, ts, user): what is chosen in a message
        self.offers: dict[tuple[str, str], dict[str, Json]] = {}  # (user, action_id): the options that an app gave, by value
        self.contexts: dict[str, list[Json]] = {}  # what a person has before them, as the app is told
        self.triggers: dict[str, Trigger] = {}
        self.hooks: dict[str, Hook] = {}
        self._names: dict[str, str] = {}
        self._count = itertools.count(1)
        self._last = 0
        self.bot = self.add_person("frontdesk", is_bot=True, bot_id="B0FRONTDESK", app_id=APP)

    def ts(self) -> str:
        """A new timestamp, in Slack's form, greater than all before."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def id(self, prefix: str) -> str:
        return f"{prefix}0{next(self._count):08d}"

    def add_person(self, name: str, **traits: Any) -> Person:
        person = Person(**({"id": self._free(self.people, "U0" + plain(name)), "name": name, "team_id": self.team} | traits))
        self.people[person.id] = person
        self._names[f"@{name}"] = person.id
        return person

    def add_channel(self, name: str, members: Iterable[str], **traits: Any) -> Channel:
        name = name.lstrip("#")
        channel = Channel(**({"id": self._free(self.channels, "C0" + plain(name)), "name": name} | traits))
        channel.members = {self.person(member).id: None for member in members}
        if channel.is_ext_shared:
            channel.partners = [OTHER_TEAM]
        self.channels[channel.id] = channel
        self._names[f"#{name}"] = channel.id
        return channel

    def add_group(self, handle: str, users: Iterable[str]) -> Group:
        group = Group(self._free(self.groups, "S0" + plain(handle)), handle.lstrip("@"), [self.person(user).id for user in users])
        self.groups[group.id] = group
        return group

    def renamed(self, channel: Channel, name: str) -> None:
        self._names.pop(f"#{channel.name}", None)
        channel.name = name.lstrip("#")
        self._names[f"#{channel.name}"] = channel.id

    def person(self, who: str) -> Person:
        found = self.find_person(who)
        if found is None:
            raise ValueError(f"there is nobody called {who!r}; there are {', '.join(each.name for each in self.people.values())}")
        return found

    def find_person(self, who: str) -> Person | None:
        return self.people.get(who) or self.people.get(self._names.get(f"@{who.lstrip('@')}", ""))

    def channel(self, where: str) -> Channel:
        found = self.find_channel(where)
        if found is None:
            raise ValueError(f"there is no channel {where!r}; there are {', '.join('#' + each.name for each in self.channels.values())}")
        return found

    def find_channel(self, where: str) -> Channel | None:
        return self.channels.get(where) or self.channels.get(self._names.get(f"#{where.lstrip('#')}", ""))

    def installed(self, person: Person) -> Person:
        """A person in whose workspace the app is; others meet it in shared channels only."""
        if person.team_id != self.team:
            raise ValueError(f"{person.name} belongs to another company: they meet the app in shared channels only")
        return person

    def group(self, handle: str) -> Group:
        for group in self.groups.values():
            if handle.lstrip("@") in (group.handle, group.id):
                return group
        raise ValueError(f"there is no user group {handle!r}")

    def dm(self, person: Person) -> Channel:
        """The direct messages between a person and the bot."""
        key = "D" + person.id[1:]
        if key not in self.channels:
            self.channels[key] = Channel(key, person.name + "-dm", "im", {person.id: None, self.bot.id: None}, user=person.id)
        return self.channels[key]

    def slot(self, channel: str, thread: str) -> Slot:
        return self.slots.setdefault((channel, thread), Slot())

    def trigger(self, user: str, view: str = "") -> str:
        key = f"{next(self._count)}.{time.time_ns()}.play"
        self.triggers[key] = Trigger(user, time.monotonic() + TRIGGER_SECONDS, view)
        return key

    def hook(self, kind: str, channel: str, user: str, **where: Any) -> str:
        """A new response_url, of `kind` actions or commands."""
        key = f"{kind}/{self.team}/{secrets.token_hex(12)}/play"
        self.hooks[key] = Hook(channel, user, time.monotonic() + HOOK_SECONDS, **where)
        return f"{self.url}/{key}"

    def add_ephemeral(self, reader: str, channel: str, text: str, **more: Any) -> Json:
        """What only one person sees; a message of Slack itself when `system` is true."""
        note: Json = {"type": "message", "ts": self.ts(), "channel": channel, "user": self.bot.id, "text": text, "is_ephemeral": True}
        note |= {key: value for key, value in more.items() if value is not None}
        self.ephemerals.setdefault(reader, []).append(note)
        self.feed.tell("ephemeral", user=reader, channel=channel, ts=note["ts"], message=note)
        return note

    def warn(self, user: str, channel: str, text: str) -> Json:
        """What Slack itself tells a person, such as that a command failed."""
        return self.add_ephemeral(user, channel, text, user="USLACKBOT", username="Slackbot", system=True)

    def _free(self, taken: dict[str, Any], wish: str) -> str:
        return wish if wish not in taken else self.id(wish)


def domain(team: str) -> str:
    """What stands before .slack.com in a workspace's addresses."""
    return f"{plain(team).removeprefix('T0').lower()}-play"


def plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())
