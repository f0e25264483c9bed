"""What one person has before them: the parts of the page, each a list of keyed pieces of HTML."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2s
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, Self

from .emoji import EMOJI
from .modals import begun
from .render import At, Renderer
from .things import Channel, Json, Person
from .words import unescape

if TYPE_CHECKING:
    from .slack import Slack

NEWEST = 100  # messages of a channel, calls and envelopes
KEPT = 5000  # drawn messages
HOME, MESSAGES = "home", "messages"
ENTITY = re.compile(r"<([@#!])(?:subteam\^)?([^<>|]+)(?:\|[^<>]*)?>|<((?:https?|mailto):[^<>|]+)(?:\|[^<>]*)?>")
Pieces = dict[str, str]


@dataclass(frozen=True, slots=True)
class Spot:
    """Who looks, and at what: `place` is a channel's id, home or messages; `thread` a root's ts; `side` may be glass."""

    user: str = ""
    place: str = ""
    thread: str = ""
    side: str = ""

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Self:
        return cls(query.get("as", ""), query.get("in", ""), query.get("thread", ""), query.get("side", ""))


def version(html: str) -> str:
    return blake2s(html.encode(), digest_size=6).hexdigest()


class Scene:
    """Draws the parts of the page for a spot."""

    def __init__(self, slack: "Slack", renderer: Renderer, manifest: Json) -> None:
        self.slack = slack
        self.world = slack.world
        self.renderer = renderer
        features = manifest.get("features") or {}
        known = (self.world.shortcuts or {}).items()
        unnamed = [{"type": kind, "callback_id": key, "name": key.replace("_", " ").capitalize()} for key, kind in known]
        self.shortcuts: list[Json] = features.get("shortcuts") or unnamed
        self.commands: list[Json] = features.get("slash_commands") or [{"command": name} for name in sorted(self.world.commands or ())]
        self._read: dict[tuple[str, str], str] = {}
        self._drawn: dict[tuple[str, ...], tuple[Any, str]] = {}

    def settled(self, spot: Spot) -> Spot:
        """The spot, or the nearest one that is there."""
        person = next((each for each in self.people() if spot.user in (each.id, each.name)), self.world.person("ana"))
        place = self.world.channels.get(spot.place)
        known = spot.place in (HOME, MESSAGES) or (place is not None and place.kind != "im" and self._sees(person, place))
        where = spot.place if known else next((each.id for each in self._places(person)), MESSAGES)
        root = self.place(Spot(person.id, where)).messages.get(spot.thread, {})
        thread = str(root.get("thread_ts") or root.get("ts") or "") if where != HOME else ""
        return Spot(person.id, where, thread, spot.side if spot.side == "glass" else "")

    def parts(self, spot: Spot) -> dict[str, Pieces]:
        """All parts of the page, by name; each piece by its key."""
        person = self.world.people[spot.user]
        place = self.place(spot)
        newest = next(reversed(place.messages), "")
        self._read[person.id, place.id] = max(newest, self._read.get((person.id, place.id), ""))
        facts = {"spot": spot, "person": person, "place": place, "name": self._name(spot, place), "scene": self}
        home = spot.place == HOME
        return {
            "sidebar": {"sidebar": self._page("sidebar.html", facts)},
            "head": {"head": self._page("head.html", facts)},
            "messages": {"home": self._home(person)} if home else self._messages(person, place, ""),
            "composer": {} if home else {f"{place.id}": self._composer(facts, "")},
            **self._side(spot, place, facts),
            "modal": dict(self._modal(person)),
        }

    def place(self, spot: Spot) -> Channel:
        return self.world.dm(self.world.people[spot.user]) if spot.place in (HOME, MESSAGES) else self.world.channels[spot.place]

    def _page(self, template: str, facts: Mapping[str, Any], /, **more: Any) -> str:
        return str(self.renderer.page(template, **facts, **more))

    def _sees(self, person: Person, place: Channel) -> bool:
        guest = person.is_restricted or person.is_stranger or person.is_bot
        return person.id in place.members or (place.kind == "channel" and not guest)

    def _places(self, person: Person) -> list[Channel]:
        return [place for place in self.world.channels.values() if place.kind != "im" and self._sees(person, place)]

    def _name(self, spot: Spot, place: Channel) -> str:
        return self.renderer.texts.name(self.world.bot.id) if spot.place in (HOME, MESSAGES) else f"#{place.name}"

    def sidebar(self, spot: Spot) -> list[Json]:
        """The channels that a person sees, each with what is unread."""
        person = self.world.people[spot.user]
        return [
            {"id": place.id, "name": place.name, "kind": place.kind, "unread": self.unread(person, place), "in": person.id in place.members}
            for place in self._places(person)
        ]

    def unread(self, person: Person, place: Channel) -> int:
        seen = self._read.get((person.id, place.id), "")
        new = (each for ts, each in reversed(place.messages.items()) if ts > seen)
        return sum(each.get("user") != person.id and each.get("subtype") != "channel_join" for each in islice(new, NEWEST))

    def people(self) -> list[Person]:
        return [person for person in self.world.people.values() if person is not self.world.bot]

    def _messages(self, person: Person, place: Channel, thread: str) -> Pieces:
        found = self.slack.thread(place.id, thread) if thread else self.slack.messages(place.id, replies=False)
        if not thread:
            found = [*found, *(self._shown(place, ts) for ts, each in place.messages.items() if each.get("subtype") == "thread_broadcast")]
        notes = [note for note in self.slack.ephemerals(person.id) if note["channel"] in (place.id, "")]
        mine = [note | {"channel": place.id} for note in notes if (note.get("thread_ts") or "") == thread]
        every = sorted([*found, *mine], key=lambda each: str(each["ts"]))[-NEWEST:]
        return {("t" if thread else "m") + each["ts"]: self._message(person, place, each, thread) for each in every}

    def _shown(self, place: Channel, ts: str) -> Json:
        return self.slack.message({"channel": place.id, "ts": ts})

    def _message(self, person: Person, place: Channel, message: Json, thread: str) -> str:
        """One message; drawn again only when something about it is new."""
        ts = message["ts"]
        state = begun(message.get("blocks") or []) | self.world.inputs.get((place.id, ts, person.id), {})
        status = self._status(place, message.get("thread_ts") or ts) if not thread else {}
        source = (message, state, status, len(self.world.people), place.name)
        key = (person.id, place.id, ts, thread)
        kept = self._drawn.get(key)
        if len(self._drawn) > KEPT:
            self._drawn.clear()
        if kept is None or kept[0] != source:
            surface = {"channel": place.id, "ts": ts} | ({"is_ephemeral": True} if message.get("is_ephemeral") else {})
            at = At(person.id, surface, state)
            facts = {"m": message, "at": at, "who": self._author(message), "person": person, "inside": thread}
            self._drawn[key] = (source, self._page("message.html", facts, status=status, scene=self))
        return self._drawn[key][1]

    def _author(self, message: Json) -> Json:
        app = bool(message.get("bot_id")) and not message.get("system")
        user = str(message.get("user") or "")
        name = message.get("username") or (self.renderer.texts.name(user) if user else "") or "unknown"
        return {"name": "Slackbot" if user == "USLACKBOT" else name, "app": app, "own": not app and user in self.world.people}

    def _status(self, place: Channel, thread: str) -> Json:
        return self.slack.status(place.id, thread) if (place.id, thread) in self.world.slots else {}

    def _composer(self, facts: Json, thread: str) -> str:
        prompts = self.slack.prompts(facts["person"].id) if facts["spot"].place == MESSAGES and not thread else []
        names = [*(f"@{each.name}" for each in self.world.people.values() if each is not self.world.bot)]
        names += [f"@{group.handle}" for group in self.world.groups.values()] + [f"#{each.name}" for each in self._places(facts["person"])]
        words = [f"@{self.renderer.texts.name(self.world.bot.id)}", *names, *(str(each["command"]) for each in self.commands)]
        return self._page("composer.html", facts, thread=thread, prompts=prompts, words=words)

    def _side(self, spot: Spot, place: Channel, facts: Json) -> dict[str, Pieces]:
        person, key = facts["person"], spot.thread
        empty: dict[str, Pieces] = {"side-head": {}, "thread": {}, "status": {}, "reply": {}, "glass": {}}
        if spot.side == "glass":
            return empty | {"side-head": {"glass": self._page("side.html", facts, title="Behind the glass")}, "glass": self._glass()}
        if not key:
            return empty
        status = self._status(place, key)
        return empty | {
            "side-head": {"thread": self._page("side.html", facts, title="Thread", status=status)},
            "thread": self._messages(person, place, key),
            "status": {"status": self._page("status.html", facts, status=status)} if _busy(status) else {},
            "reply": {key: self._composer(facts, key)},
        }

    def _home(self, person: Person) -> str:
        view = self.slack.home(person.id)
        at = At(person.id, {"type": "home", "id": view["id"]}, view["state"]["values"]) if view else None
        return str(self.renderer.page("home.html", view=view, at=at))

    def _modal(self, person: Person) -> Iterator[tuple[str, str]]:
        stack = self.slack.modals(person.id)
        for view in stack[-1:]:
            # Drawn again only for a new version of the view: what is being filled in is the browser's.
            key, source = (person.id, view["id"]), (view["hash"], len(stack))
            if self._drawn.get(key, ("", ""))[0] != source:
                at = At(person.id, {"type": "modal", "id": view["id"]}, view["state"]["values"])
                self._drawn[key] = (source, str(self.renderer.page("modal.html", view=view, at=at, deep=len(stack))))
            yield view["id"], self._drawn[key][1]

    def _glass(self) -> Pieces:
        """The newest calls of the app and what was sent to it, newest first."""
        calls, sent = self.slack.calls, self.slack.envelopes
        rows = [(call.at, f"c{index}", {"call": call}) for index, call in _newest(calls)]
        rows += [(each.sent_at[0] if each.sent_at else inf, f"e{index}", {"envelope": each}) for index, each in _newest(sent)]
        rows.sort(key=lambda row: row[0], reverse=True)
        return {key: str(self.renderer.page("glass.html", **fact)) for _, key, fact in rows[:NEWEST]}

    def editable(self, text: str) -> str:
        """A message's text as its author typed it."""
        return unescape(ENTITY.sub(self._typed, text))

    def _typed(self, found: re.Match[str]) -> str:
        mark, key, url = found.groups()
        if url:
            return str(url)
        person, place, group = self.world.people.get(key), self.world.channels.get(key), self.world.groups.get(key)
        return (mark if mark != "!" else "@") + (person.name if person else place.name if place else group.handle if group else key)

    def face(self, name: str) -> str:
        return EMOJI.get(name.partition("::")[0], f":{name}:")


def _busy(status: Json) -> bool:
    return bool(status) and (bool(status["text"]) or status["session"] == "processing")


def _newest(items: list[Any]) -> list[tuple[int, Any]]:
    start = max(0, len(items) - NEWEST)
    return list(enumerate(items[start:], start))
