"""What one person has before them: the parts of the page, each a list of keyed pieces of HTML."""

from collections.abc import Callable, Mapping, Reversible
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2s
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from .look import author, editable, repliers, sessions
from .modals import begun
from .panes import Pane, Pieces, Spot
from .render import At, Renderer
from .things import Channel, Json, Person
from .window import Eye, Window, window

if TYPE_CHECKING:
    from .slack import Slack

MOST_UNREAD = 100
KEPT = 5000  # drawn pieces
HOME, MESSAGES, SESSIONS = "home", "messages", "sessions"
TABS = (HOME, MESSAGES, SESSIONS)


@lru_cache(KEPT)
def version(html: str) -> str:
    return blake2s(html.encode(), digest_size=6).hexdigest()


class Scene:
    """Draws the parts of the page for a spot; what was drawn once is drawn again only when something about it is new."""

    def __init__(self, slack: "Slack", renderer: Renderer, manifest: Json) -> None:
        self.slack = slack
        self.world = slack.world
        self.renderer = renderer
        features = manifest.get("features") or {}
        known = (self.world.shortcuts or {}).items()
        unnamed = [{"type": kind, "callback_id": key, "name": key.replace("_", " ").capitalize()} for key, kind in known]
        self.shortcuts: list[Json] = features.get("shortcuts") or unnamed
        self.commands: list[Json] = features.get("slash_commands") or [{"command": name} for name in sorted(self.world.commands or ())]
        self.panes: dict[str, Pane] = {}  # by their name in ?side=
        self._read: dict[tuple[str, str], str] = {}
        self._drawn: dict[tuple[str, ...], tuple[Any, str]] = {}

    def settled(self, spot: Spot) -> Spot:
        """The spot, or the nearest one that is there."""
        person = next((each for each in self.people() if spot.user in (each.id, each.name)), self.world.person("ana"))
        place = self.world.channels.get(spot.place)
        if place is not None and place.user == person.id:
            spot, place = replace(spot, place=MESSAGES), None
        known = spot.place in TABS or (place is not None and place.kind != "im" and self._sees(person, place))
        where = spot.place if known else next((each.id for each in self._places(person)), MESSAGES)
        root = self.place(Spot(person.id, where)).messages.get(spot.thread, {})
        thread = str(root.get("thread_ts") or root.get("ts") or "") if where not in (HOME, SESSIONS) else ""
        side = spot.side if spot.side in self.panes else ""
        return replace(spot, user=person.id, place=where, thread=thread, side=side)

    def parts(self, spot: Spot, eye: Eye | None = None) -> tuple[dict[str, Pieces], Json]:
        """All parts of the page, by name, each piece by its key; and of each list, what there is beyond the pieces."""
        person, place = self.world.people[spot.user], self.place(spot)
        facts = {"spot": spot, "person": person, "place": place, "name": self._name(spot, place), "scene": self}
        lists: Json = {"place": f"{spot.user} {spot.place}"}
        middle = self._middle(spot, person, place, eye, lists)  # first: what is shown is read
        parts = {
            "sidebar": {"sidebar": self._sidebar(spot, facts)},
            "head": {"head": self._kept("head", spot, (place.name, len(place.members), place.is_ext_shared), "head.html", facts)},
            "messages": middle,
            "composer": {} if spot.place in (HOME, SESSIONS) else {f"{place.id} {person.id}": self._composer(facts, "")},
            **self._side(spot, place, facts, eye, lists),
            "words": {person.id: self._words(person)},
            "modal": self._modal(person),
        }
        return parts, lists

    def opened(self, eye: Eye) -> None:
        """Note what was unread when the page came here."""
        spot = self.settled(eye.spot)
        place = self.place(spot)
        eye.marks = {place.id: max(self._read.get((spot.user, place.id), ""), self._own(self.world.people[spot.user], place))}
        eye.at = {"messages": spot.thread or spot.at, "thread": spot.at if spot.thread else ""}

    def place(self, spot: Spot) -> Channel:
        return self.world.dm(self.world.people[spot.user]) if spot.place in TABS else self.world.channels[spot.place]

    def _page(self, template: str, facts: Mapping[str, Any], /, **more: Any) -> str:
        return str(self.renderer.page(template, **facts, **more))

    def _kept(self, name: str, spot: Spot, source: Any, template: str, facts: Mapping[str, Any], /, **more: Any) -> str:
        """A piece of the page, drawn when `source` has changed since the last time."""
        return self._once((name, *spot.names()), source, lambda: self._page(template, facts, **more))

    def _once(self, key: tuple[str, ...], source: Any, draw: Callable[[], str]) -> str:
        kept = self._drawn.get(key)
        if kept is None or kept[0] != source:
            if len(self._drawn) > KEPT:
                self._drawn.clear()
            self._drawn[key] = kept = (source, draw())
        return kept[1]

    def _sees(self, person: Person, place: Channel) -> bool:
        guest = person.is_restricted or person.is_stranger or person.is_bot
        return person.id in place.members or (place.kind == "channel" and not guest)

    def _places(self, person: Person) -> list[Channel]:
        return [place for place in self.world.channels.values() if place.kind != "im" and self._sees(person, place)]

    def _name(self, spot: Spot, place: Channel) -> str:
        return self.renderer.texts.name(self.world.bot.id) if spot.place in TABS else f"#{place.name}"

    def people(self) -> list[Person]:
        return [person for person in self.world.people.values() if person is not self.world.bot]

    def unread(self, person: Person, place: Channel) -> int:
        """How many messages of others came after what this person has read or said."""
        seen = self._read.get((person.id, place.id), "")
        fresh = takewhile(lambda ts: ts > seen and place.messages[ts].get("user") != person.id, reversed(self._counted(place)))
        return sum(place.messages[ts].get("subtype") != "channel_join" for ts in islice(fresh, MOST_UNREAD))

    def _own(self, person: Person, place: Channel) -> str:
        """The newest of one's own messages, where it is among the newest: who writes has read."""
        newest = islice(reversed(self._counted(place)), MOST_UNREAD)
        return next((ts for ts in newest if place.messages[ts].get("user") == person.id), "")

    def _counted(self, place: Channel) -> Reversible[str]:
        """A reply makes no channel unread, but the app's messages do."""
        return place.messages if place.kind == "im" else place.roots

    def _sidebar(self, spot: Spot, facts: Json) -> str:
        person = facts["person"]
        rows = [
            (place.id, place.name, place.kind, place.is_ext_shared, self.unread(person, place), person.id in place.members)
            for place in self._places(person)
        ]
        direct = self.unread(person, self.world.dm(person))
        return self._kept("sidebar", spot, (rows, direct, len(self.world.people)), "sidebar.html", facts, rows=rows, direct=direct)

    def _words(self, person: Person) -> str:
        """What can be completed in a composer: [what is written, what it is]."""
        app, world = self.renderer.texts.name(self.world.bot.id), self.world
        rows = [[f"@{app}", "app"], *([f"@{each.name}", "app" if each.is_bot else "person"] for each in self.people())]
        rows += [[f"@{each.handle}", f"group of {len(each.users)}"] for each in world.groups.values()]
        rows += [[f"@{each}", "notifies everybody here"] for each in ("here", "channel")]
        rows += [[f"#{each.name}", "private" if each.kind == "group" else "channel"] for each in self._places(person)]
        hints = [(each, f"{each.get('usage_hint') or ''} — {each.get('description') or ''}".strip(" —")) for each in self.commands]
        rows += [[str(each["command"]), hint] for each, hint in hints]
        return self._once(("words", person.id), rows, lambda: self._page("words.html", {"rows": rows}))

    # ---- lists of messages ----

    def _middle(self, spot: Spot, person: Person, place: Channel, eye: Eye | None, lists: Json) -> Pieces:
        if spot.place == HOME:
            return {HOME: self._home(person)}
        if spot.place == SESSIONS:
            rows = sessions(self.world, person)
            return {SESSIONS: self._kept("sessions", spot, rows, "sessions.html", {"rows": rows, "person": person})}
        pieces, seen = self._list(person, place, "", eye, spot)
        if eye is not None:
            lists["messages"] = {"above": seen.above, "below": seen.below, "mark": eye.marks.get(place.id)}
            if not seen.below:
                self._read[person.id, place.id] = next(reversed(place.messages), "")
        return pieces

    def _list(self, person: Person, place: Channel, thread: str, eye: Eye | None, spot: Spot) -> tuple[Pieces, Window]:
        """The messages of a channel, or of a thread in it, that this page shows."""
        name = "thread" if thread else "messages"
        keys = [thread, *place.threads.get(thread, ())] if thread else place.roots
        at = eye.at.get(name, "") if eye else (spot.at if thread or not spot.thread else spot.thread)
        seen = window(keys, at)
        if eye and not seen.below:
            eye.at[name] = ""  # at the end: what comes is shown
        first, last = (seen.keys[0] if seen.above else ""), (seen.keys[-1] if seen.below else "~")
        notes = {note["ts"]: note for note in self._notes(person, place, thread) if first <= note["ts"] <= last}
        found = {ts: place.messages[ts] for ts in seen.keys if ts in place.messages} | notes
        order = sorted(found) if notes else found
        return {("t" if thread else "m") + ts: self._message(person, place, found[ts], thread) for ts in order}, seen

    def _notes(self, person: Person, place: Channel, thread: str) -> list[Json]:
        """What only this person sees here."""
        notes = self.world.ephemerals.get(person.id, [])
        return [note for note in notes if note["channel"] in (place.id, "") and (note.get("thread_ts") or "") == thread]

    def _message(self, person: Person, place: Channel, message: Json, thread: str) -> str:
        ts = message["ts"]
        replies = place.threads.get(ts, []) if not thread else []
        inputs = self.world.inputs.get((place.id, ts, person.id)) or {}
        status = self._status(place, message.get("thread_ts") or ts) if not thread else {}
        source = (message, len(replies), replies[-1:], dict(inputs), status, len(self.world.people), place.name)

        def draw() -> str:
            surface = {"channel": place.id, "ts": ts} | ({"is_ephemeral": True} if message.get("is_ephemeral") else {})
            at = At(person.id, surface, begun(message.get("blocks") or []) | inputs)
            who = author(self.world, self.renderer.texts, message)
            facts = {"m": message, "at": at, "who": who, "person": person, "inside": thread, "place": place, "status": status}
            mine = who["own"] and message.get("user") == person.id and not message.get("is_ephemeral")
            typed = editable(self.world, str(message.get("text") or "")) if mine else None
            return self._page(
                "message.html",
                facts,
                replies=repliers(self.world, place, replies),
                count=len(replies),
                last="".join(replies[-1:]),
                typed=typed,
            )

        return self._once((person.id, place.id, ts, thread), source, draw)

    def _status(self, place: Channel, thread: str) -> Json:
        return self.slack.status(place.id, thread) if (place.id, thread) in self.world.slots else {}

    # ---- what is around them ----

    def _composer(self, facts: Json, thread: str) -> str:
        spot = facts["spot"]
        prompts = self.slack.prompts(spot.user) if spot.place == MESSAGES and not thread else []
        out = facts["person"].id not in facts["place"].members
        return self._kept(
            "composer", spot, (prompts, facts["name"], thread, out), "composer.html", facts, thread=thread, prompts=prompts, out=out
        )

    def _side(self, spot: Spot, place: Channel, facts: Json, eye: Eye | None, lists: Json) -> dict[str, Pieces]:
        person, key = facts["person"], spot.thread
        empty: dict[str, Pieces] = {"side-head": {}, "thread": {}, "status": {}, "reply": {}, "pane": {}}
        if pane := self.panes.get(spot.side):
            return empty | {"side-head": {spot.side: self._page("side.html", facts, title=pane.title)}, "pane": pane.draw(spot)}
        if not key:
            return empty
        status = self._status(place, key)
        pieces, seen = self._list(person, place, key, eye, spot)
        lists["thread"] = {"above": seen.above, "below": seen.below}
        return empty | {
            "side-head": {"thread": self._kept("side", spot, status, "side.html", facts, title="Thread", status=status)},
            "thread": pieces,
            "status": {"status": self._kept("status", spot, status, "status.html", facts, status=status)} if _busy(status) else {},
            "reply": {f"{key} {person.id}": self._composer(facts, key)},
        }

    def _home(self, person: Person) -> str:
        view = self.slack.home(person.id)
        at = At(person.id, {"type": "home", "id": view["id"]}, view["state"]["values"]) if view else None
        source = (view["hash"], dict(view["state"]["values"])) if view else ()
        return self._once(("home", person.id), source, lambda: self._page("home.html", {"view": view, "at": at}))

    def _modal(self, person: Person) -> Pieces:
        """The topmost modal; drawn again only for a new version of it: what is being filled in is the browser's."""
        stack = self.world.modals.get(person.id, [])
        if not stack:
            return {}
        view = stack[-1].shown()

        def draw() -> str:
            at = At(person.id, {"type": "modal", "id": view["id"]}, view["state"]["values"])
            return self._page("modal.html", {"view": view, "at": at, "deep": len(stack), "person": person})

        return {view["id"]: self._once(("modal", person.id, view["id"]), (view["hash"], len(stack)), draw)}


def _busy(status: Json) -> bool:
    return bool(status) and (bool(status["text"]) or status["session"] == "processing")
