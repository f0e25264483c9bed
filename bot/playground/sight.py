"""What can be looked at in the stand-in: threads, views, what the app called and what it was sent."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

from . import posting, words
from .feed import Watch
from .socket import Envelope
from .things import Json
from .web import Call, Server
from .world import World

T = TypeVar("T")


class Sight:
    """Reading only; what is given out are copies, or objects that nobody changes any more. Part of Slack."""

    world: World
    server: Server

    @property
    def calls(self) -> list[Call]:
        """Every Web API call, oldest first; posts to a response_url have the method "response_url"."""
        return self.server.calls

    @property
    def envelopes(self) -> list[Envelope]:
        """Everything that was to be delivered over Socket Mode, oldest first."""
        return self.world.hub.envelopes

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self.world.hub.links)

    @property
    def titles(self) -> dict[tuple[str, str], str]:
        """The titles of threads and agent sessions, by (channel id, thread ts)."""
        return {key: slot.title for key, slot in self.world.slots.items() if slot.title}

    def made(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.server.calls if call.method == method]

    def thread(self, channel: str | Json, ts: str | None = None) -> list[Json]:
        """The messages of a thread as now shown, root first; `channel` may be any of its messages instead."""
        name, ts = where(channel, ts)
        place = self.world.channel(name)
        root = place.messages.get(ts)
        if root is None:
            return []
        start = str(root.get("thread_ts", root["ts"]))
        return [posting.shown(place, place.messages[each]) | {"channel": place.id} for each in (start, *place.threads.get(start, []))]

    def messages(self, channel: str, replies: bool = True, newest: int | None = None) -> list[Json]:
        """The messages of a channel (or of the direct messages with a person: "@ana"), oldest first, replies among them.

        Without `replies` only what the channel itself shows; a reply that was sent to it too is shown there.
        All, or only so many of the `newest`: those are found without looking at the others.
        """
        person = self.world.find_person(channel) if channel.startswith(("@", "U")) else None
        place = self.world.dm(person) if person else self.world.channel(channel)
        found = (place.messages[ts] for ts in reversed(place.messages if replies else place.roots))
        return [posting.shown(place, each) | {"channel": place.id} for each in islice(found, newest)][::-1]

    def message(self, message: Json, by: str = "") -> Json:
        """The newest version of a message, or what one person sees of it: in a channel, a live stream grows for who asked only.

        Raises KeyError when it is gone.
        """
        place, ts = self.world.channel(message["channel"]), message["ts"]
        stream = self.world.streams.get((place.id, ts))
        apart = by and stream and stream.live and stream.reader not in ("", self.world.person(by).id)
        return posting.shown(place, place.messages[ts]) | {"channel": place.id} | (stream.first if stream and apart else {})

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person sees, oldest first; Slack's own words have `system`."""
        return [dict(note) for note in self.world.ephemerals.get(self.world.person(user).id, [])]

    def modals(self, user: str) -> list[Json]:
        """The stack of modals before a person, the topmost last."""
        return [view.shown() for view in self.world.modals.get(self.world.person(user).id, [])]

    def home(self, user: str) -> Json | None:
        """The App Home that the app published for a person."""
        view = self.world.homes.get(self.world.person(user).id)
        return view.shown() if view else None

    def status(self, channel: str | Json, thread: str | None = None) -> Json:
        """{"text": free status, "" for none, "loading": […], "session": "" | active | processing | suspended | closed, "title"}."""
        name, thread = where(channel, thread)
        slot = self.world.slot(self.world.channel(name).id, thread)
        text = slot.text if time.monotonic() < slot.expires else ""
        return {"text": text, "loading": slot.loading if text else [], "session": slot.session, "title": slot.title}

    def prompts(self, user: str) -> list[Json]:
        """The suggested prompts at the top of a person's Messages tab: [{"title", "message"}]."""
        return list(self.world.prompts.get(self.world.dm(self.world.person(user)).id, {}).get("prompts", []))

    def text(self, message: Json) -> str:
        """All visible text of a message or a view, one line for each part."""
        return words.visible(message)

    def budgets(self) -> dict[str, dict[str, Any]]:
        """{method: {"limit": calls a minute, "used": in the last minute, "refused": with 429}}."""
        return self.world.rates.shown()

    def changes(self, size: int = 1000) -> Watch:
        """All changes from now on, as an async iterator of {"kind": message | reaction | view | ephemeral | status | call | envelope | …}.

        At most `size` wait for a slow reader; the oldest go first. Ends when the stand-in stops; `close()` it when you leave.
        """
        return self.world.feed.watch(size)

    async def until(self, condition: Callable[[], T], seconds: float = 15.0) -> T:
        """Wait until the condition is true, and return its value; looked at again after each change. A LookupError means *not yet*.

        Raises TimeoutError with a picture of the newest messages.
        """
        return await self.world.feed.until(condition, seconds, self.picture)

    def picture(self) -> str:
        """The newest messages and calls, in a few lines."""
        places = self.world.channels.values()
        last = [(each["ts"], place.name, each) for place in places for each in islice(reversed(place.messages.values()), 5)]
        newest = sorted(last, key=lambda item: item[0])[-5:]
        lines = [f"  #{name} {ts} {each.get('user') or each.get('username')}: {words.visible(each)[:100]!r}" for ts, name, each in newest]
        lines += [f"  call {call.method} -> {call.status} {call.response.get('error', 'ok')}" for call in self.server.calls[-5:]]
        return "the newest messages and calls:\n" + "\n".join(lines)


def where(channel: str | Json, ts: str | None) -> tuple[str, str]:
    """A channel and the ts of a thread's root, of which the message itself may stand for both."""
    if isinstance(channel, dict):
        return str(channel["channel"]), str(channel.get("thread_ts") or channel["ts"])
    return channel, ts or ""
