"""What people do with the app itself: open its tabs, look at things beside it, stop it, rename its sessions."""

from . import events
from .things import Channel, Json
from .world import World


class Visit:
    """Part of Slack."""

    world: World

    async def open_home(self, by: str = "ana") -> Json | None:
        """Open the app's Home tab. Returns the view that is there, if the app has published one yet."""
        view = self.world.homes.get(self.world.person(by).id)
        self._opened(by, "home", {"view": view.shown()} if view else {})
        return view.shown() if view else None

    async def open_messages(self, by: str = "ana") -> str:
        """Open the app's Messages tab. Returns the id of the direct messages."""
        seen = self.world.contexts.get(self.world.person(by).id)
        return self._opened(by, "messages", {"context": {"entities": seen}} if seen else {})

    def _opened(self, by: str, tab: str, more: Json) -> str:
        person = self.world.installed(self.world.person(by))
        channel = self.world.dm(person).id
        event = {"type": "app_home_opened", "user": person.id, "channel": channel, "tab": tab, "event_ts": self.world.ts()}
        events.emit(self.world, event | more)
        return channel

    async def look(self, channel: str, by: str = "ana", message: Json | None = None) -> None:
        """Go to a channel, or to a message in it, with the app open beside it: the app is told, now and with each direct message."""
        person, place = self.world.installed(self.world.person(by)), self.world.channel(channel)
        entities: list[Json] = [{"type": "slack#/types/channel_id", "value": place.id, "team_id": self.world.team}]
        if message:
            value = {"channel_id": place.id, "message_ts": message["ts"]}
            entities = [{"type": "slack#/types/message_context", "value": value, "team_id": self.world.team}, *entities]
        self.world.contexts[person.id] = entities
        dm = self.world.dm(person).id
        event = {"type": "app_context_changed", "channel": dm, "user": person.id, "context": {"entities": entities}}
        events.emit(self.world, event | {"event_ts": self.world.ts()})

    async def stop(self, channel: str, thread: str, by: str = "ana") -> None:
        """Press Slack's own stop button, which is there while the thread's agent session is processing.

        Live streams of the thread end; status and session stay as they are until the app changes them, as in Slack.
        """
        person, place = self.world.person(by), self.world.channel(channel)
        if self.world.events is not None and "agent_session_stopped" not in self.world.events:
            raise ValueError("there is no stop button: the app is not subscribed to agent_session_stopped")
        if self.world.slot(place.id, thread).session != "processing":
            raise ValueError("there is no stop button: the agent's session in this thread is not processing")
        if person.id not in place.members:
            raise ValueError(f"{person.name} is not in #{place.name}")
        ended = self._end_streams(place, thread)
        event = {"type": "agent_session_stopped", "channel": place.id, "thread_ts": thread, "user": person.id}
        events.emit(self.world, event | {"event_ts": self.world.ts(), "streaming_message_ts": ended})

    def _end_streams(self, place: Channel, thread: str) -> list[str]:
        ended = []
        for (channel, ts), stream in self.world.streams.items():
            if channel == place.id and thread in (stream.thread, ts) and stream.live:
                stream.state = "stopped"
                place.messages[ts] = place.messages[ts] | {"streaming_state": "stopped"}
                ended.append(ts)
        return ended

    async def retitle(self, channel: str, thread: str, title: str, by: str = "ana") -> None:
        """Rename the agent session of a thread."""
        person, place = self.world.person(by), self.world.channel(channel)
        slot = self.world.slot(place.id, thread)
        if not slot.session:
            raise ValueError("there is no agent session in this thread")
        before, slot.title = slot.title, title
        event = {
            "type": "agent_session_title_changed",
            "channel": place.id,
            "thread_ts": thread,
            "user": person.id,
            "team_id": self.world.team,
        }
        events.emit(self.world, event | {"title": title, "previous_title": before, "event_ts": self.world.ts()})
        self.world.feed.tell("status", channel=place.id, thread=thread, text=slot.text, session=slot.session, title=title)
