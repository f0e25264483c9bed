"""What people see in all threads, before whom, as plain lines: to keep with a recording, and to compare."""

from collections.abc import Iterator
from dataclasses import dataclass

from .elements import option_text
from .modals import parts
from .names import Names
from .things import Channel, Json
from .words import visible

PRESSED = ("button", "icon_button", "workflow_button")


@dataclass(frozen=True, slots=True)
class Line:
    """One message as people see it: `who` is a person's name or the app's, `buttons` what can be pressed in it."""

    who: str
    text: str
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in one place, oldest first; `busy` while the app is at work there."""

    lines: tuple[Line, ...]
    busy: bool = False


class Sights:
    """`now()` is all that came of the app, by place: "m3" is the thread of m3, "ana!" what only ana sees, "modal:ana" her modal."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.slack = names.slack
        self.world = names.world
        self._read: dict[tuple[str, str], tuple[Json, Line]] = {}

    def now(self) -> dict[str, Shown]:
        return dict([*self._threads(), *self._notes(), *self._modals()])

    def _threads(self) -> Iterator[tuple[str, Shown]]:
        streams = {(stream.channel, ts) for stream in self.world.streams.values() if stream.live for ts in (stream.thread, stream.ts)}
        for place, root in self.names.threads():
            replies = [root, *place.threads.get(root, [])]
            status = self.slack.status(place.id, root)
            busy = bool(status["text"]) or status["session"] == "processing" or (place.id, root) in streams
            if any(self.names.ours(place.messages[ts]) for ts in replies):  # they may be deleted since
                yield self.names.at(place, root), Shown(tuple(self._line(place, ts) for ts in replies), busy)

    def _notes(self) -> Iterator[tuple[str, Shown]]:
        for user in list(self.world.ephemerals):
            if lines := tuple(self._written(note) for note in self.slack.ephemerals(user)):
                yield f"{self.names.person(user)}!", Shown(lines)

    def _modals(self) -> Iterator[tuple[str, Shown]]:
        for user in list(self.world.modals):
            if stack := self.slack.modals(user):
                yield f"modal:{self.names.person(user)}", Shown(tuple(self._written(view) for view in stack))

    def _line(self, place: Channel, ts: str) -> Line:
        """A message's line, read again only when the message is a new one."""
        message, kept = place.messages[ts], self._read.get((place.id, ts))
        if kept is None or kept[0] is not message:
            kept = self._read[place.id, ts] = (message, self._written(message))
        return kept[1]

    def _written(self, thing: Json) -> Line:
        user = self.world.people.get(str(thing.get("user") or (thing.get("bot_id") and self.world.bot.id)))
        who = "Slackbot" if thing.get("system") else str(thing.get("username") or (user.name if user else self.world.bot.name))
        nodes = (node for _, node in parts(thing.get("blocks") or []) if node["type"] in PRESSED)
        return Line(who, visible(thing), tuple(option_text(node) for node in nodes))
