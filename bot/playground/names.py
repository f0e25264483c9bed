"""Names for messages and views that are the same each time the same things are done; ids and timestamps are not."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .things import Channel, Json

if TYPE_CHECKING:
    from .slack import Slack

T = TypeVar("T")
STAMP = re.compile(r"\d+\.\d{6}")
PART = re.compile(r"(.+)([./])(\d+)")


class Names:
    """A message that a person wrote is "m3", the third that was written; the app's second message in its thread is "m3.2".

    What the app posted into a channel of itself is "#general.1", and below that "#general.1.2"; "@ana.1" in direct messages. What
    was there before anybody wrote is "#general/1". "ana!2" is the second message of the app that only ana sees, "modal:ana" the
    modal before her, and "home:ana" her App Home.
    """

    def __init__(self, slack: "Slack") -> None:
        self.slack = slack
        self.world = slack.world
        self.made: dict[str, tuple[str, str]] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._threads: dict[str, dict[str, None]] = {}
        self._last: dict[str, str] = {}  # the newest message that was looked at for them

    def keep(self, label: str, message: Json) -> None:
        """From now on `label` is this message, which a person has written."""
        key = (str(message["channel"]), str(message["ts"]))
        self.made[label] = key
        self._labels[key] = label

    def clear(self) -> None:
        self.made.clear()
        self._labels.clear()
        self._threads.clear()
        self._last.clear()

    def person(self, who: str) -> str:
        return self.world.person(who).name

    def channel(self, where: str) -> str:
        """ "general", or "@ana" for her direct messages."""
        place = self.world.channel(where)
        return f"@{self.person(place.user)}" if place.kind == "im" else place.name

    def of(self, thing: Json) -> str:
        """The name of a message or view. Raises ValueError when it is not there."""
        if thing.get("type") in ("modal", "home"):
            view = self.world.views.get(str(thing["id"]))
            if view is None:
                raise ValueError(f"the view {thing['id']} is not open any more")
            return f"{view.type}:{self.person(view.user)}"
        if thing.get("is_ephemeral"):
            return self._note(str(thing["ts"]))
        return self.at(self.world.channel(thing["channel"]), str(thing["ts"]))

    def at(self, place: Channel, ts: str) -> str:
        """The name of a message by where it stands."""
        message = place.messages.get(ts)
        if message is None:
            raise ValueError(f"there is no message {ts} in #{place.name}")
        if label := self._labels.get((place.id, ts)):
            return label
        root = str(message.get("thread_ts") or ts)
        mark = "." if self.ours(message) else "/"
        if root == ts:
            where = self.channel(place.id)
            return f"{where if where.startswith('@') else '#' + where}{mark}{self._roots(place, mark).index(ts) + 1}"
        return f"{self.at(place, root)}{mark}{self._replies(place, root, mark).index(ts) + 1}"

    def find(self, name: str) -> Json:
        """The message or view of this name as it is now. Raises LookupError while there is none."""
        kind, colon, who = name.partition(":")
        if colon:
            views = self.slack.modals(who) if kind == "modal" else filter(None, [self.slack.home(who)])
            return self._there(name, [*views][-1:])
        if "!" in name:
            who, _, count = name.partition("!")
            return self._there(name, self._notes(self.slack.user(who)), int(count))
        place, ts = self.spot(name)
        return self.slack.message({"channel": place.id, "ts": self._there(name, [ts] if ts in place.messages else [])})

    def spot(self, name: str) -> tuple[Channel, str]:
        """Channel and ts of a message by its name. Raises LookupError while there is none."""
        head, mark, count = split(name)
        if not mark:
            channel, ts = self._there(name, [self.made[name]] if name in self.made else [])
            return self.world.channels[channel], ts
        if head.startswith(("#", "@")) and not split(head)[1]:
            place = self.world.dm(self.world.person(head)) if head.startswith("@") else self.world.channel(head)
            return place, self._there(name, self._roots(place, mark), count)
        place, root = self.spot(head)
        return place, self._there(name, self._replies(place, root, mark), count)

    def _there(self, name: str, found: Sequence[T], count: int = 1) -> T:
        if len(found) < count:
            raise LookupError(f"there is no {name!r} yet, or not any more")
        return found[count - 1]

    def resolved(self, args: Json) -> Json:
        """A deed's arguments, with what the names in them stand for. Raises LookupError while one stands for nothing."""
        return {name: self._resolved(name, value) for name, value in args.items()}

    def _resolved(self, name: str, value: Any) -> Any:
        match name, value:
            case (("message" | "view"), str()):
                return self.find(value)
            case "thread", {"ts": str(ts)}:
                return str(value.get("thread_ts") or ts)
            case "thread", str() if value and not STAMP.fullmatch(value):
                return self.spot(value)[1]
            case "channel", str() if value.startswith("@"):
                return self.slack.dm(value)
        return value

    def ours(self, message: Json) -> bool:
        """Whether the app wrote it."""
        return message.get("bot_id") == self.world.bot.bot_id

    def _roots(self, place: Channel, mark: str) -> list[str]:
        return [ts for ts in place.roots if self.ours(place.messages[ts]) == (mark == ".") and (place.id, ts) not in self._labels]

    def _replies(self, place: Channel, root: str, mark: str) -> list[str]:
        return [
            ts
            for ts in place.threads.get(root, [])
            if self.ours(place.messages[ts]) == (mark == ".") and (place.id, ts) not in self._labels
        ]

    def _note(self, ts: str) -> str:
        for user in self.world.ephemerals:
            for n, note in enumerate(self._notes(user), 1):
                if note["ts"] == ts:
                    return f"{self.person(user)}!{n}"
        raise ValueError(f"nobody sees a message {ts} alone")

    def _notes(self, user: str) -> list[Json]:
        return [note for note in self.slack.ephemerals(user) if not note.get("system")]

    def threads(self) -> Iterator[tuple[Channel, str]]:
        """Channel and root of each thread in which the app has written, or which it began. Each message is looked at once."""
        for place in list(self.world.channels.values()):
            roots, last = self._threads.setdefault(place.id, {}), self._last.get(place.id, "")
            new = list(_newer(place.messages, last))
            self._last[place.id] = max([last, *new[:1]])
            ours = (place.messages[ts] for ts in reversed(new) if self.ours(place.messages[ts]))
            roots |= dict.fromkeys(str(each.get("thread_ts") or each["ts"]) for each in ours)
            yield from ((place, root) for root in list(roots) if root in place.messages)


def _newer(messages: Json, last: str) -> Iterator[str]:
    """The messages that came after this one, newest first."""
    for ts in reversed(messages):
        if ts <= last:
            return
        yield ts


def split(name: str) -> tuple[str, str, int]:
    """ "m3.2" is m3, "." and 2; a mark of "" says that the name has no parts."""
    found = PART.fullmatch(name)
    return (found[1], found[2], int(found[3])) if found else (name, "", 0)
