"""What Slack tells the app: events, each in its wrapping, if the app is subscribed to them."""

import time
import uuid
from typing import Any

from .rich import rich_text
from .socket import Envelope
from .things import Channel, Json, Person
from .world import APP, World

VERIFICATION = "play-verification-token"


def emit(world: World, event: Json, name: str = "", shared: bool = False) -> Envelope | None:
    """Send one event; `name` is the subscription it needs where that is not its type."""
    if world.events is not None and (name or event["type"]) not in world.events:
        return None
    return world.hub.send("events_api", wrap(world, event, shared)) if world.rates.hears() else _limited(world)


def _limited(world: World) -> Envelope | None:
    """Too many events in an hour: instead of them the app is told so, once a minute."""
    minute = int(time.time()) // 60 * 60
    if world.limited == minute:
        return None
    world.limited = minute
    told = {"token": VERIFICATION, "type": "app_rate_limited", "team_id": world.team, "minute_rate_limited": minute, "api_app_id": APP}
    return world.hub.send("events_api", told)


def wrap(world: World, event: Json, shared: bool) -> Json:
    """`authorizations` and `context_team_id` are ours always; `team_id` may be the other company's in a shared channel."""
    person = world.people.get(str(event.get("user") or ""))
    source = person.team_id if shared and person and event["type"] not in ("message", "app_mention") else world.team
    who = {"enterprise_id": None, "team_id": world.team, "user_id": world.bot.id, "is_bot": True, "is_enterprise_install": False}
    return {
        "token": VERIFICATION, "team_id": source, "context_team_id": world.team, "context_enterprise_id": None, "api_app_id": APP,
        "event": event, "type": "event_callback", "event_id": world.id("Ev"), "event_time": int(time.time()),
        "authorizations": [who], "is_ext_shared_channel": shared, "event_context": "4-play",
    }  # fmt: skip


def posted(world: World, channel: Channel, message: Json) -> None:
    """A message is new: `message`, and in a channel where the bot is mentioned `app_mention` as well."""
    if world.bot.id not in channel.members:
        return
    event = {**message, "channel": channel.id, "event_ts": message["ts"]}
    more: Json = {"channel_type": channel.kind} | ({"subtype": "file_share"} if message.get("files") else {})
    if message.get("subtype") == "thread_broadcast":
        more["root"] = channel.messages[message["thread_ts"]]
    emit(world, event | more, f"message.{channel.family}", channel.is_ext_shared)
    own = message.get("bot_id") == world.bot.bot_id
    if channel.kind != "im" and not own and f"<@{world.bot.id}>" in message["text"]:
        emit(world, {**event, "type": "app_mention"}, shared=channel.is_ext_shared)


def changed(world: World, channel: Channel, message: Json, previous: Json) -> None:
    ts = world.ts()
    event = {"subtype": "message_changed", "message": message, "previous_message": previous, "ts": ts, "event_ts": ts}
    _hidden(world, channel, event)


def deleted(world: World, channel: Channel, previous: Json) -> None:
    ts = world.ts()
    _hidden(
        world, channel, {"subtype": "message_deleted", "previous_message": previous, "deleted_ts": previous["ts"], "ts": ts, "event_ts": ts}
    )


def _hidden(world: World, channel: Channel, event: Json) -> None:
    if world.bot.id in channel.members:
        event = {"type": "message", "hidden": True, "channel": channel.id, "channel_type": channel.kind} | event
        emit(world, event, f"message.{channel.family}", channel.is_ext_shared)


def reacted(world: World, kind: str, channel: Channel, message: Json, name: str, user: str) -> None:
    """`kind` is reaction_added or reaction_removed."""
    if world.bot.id not in channel.members:
        return
    item = {"type": "message", "channel": channel.id, "ts": message["ts"]}
    event = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.get("user", ""), "event_ts": world.ts()}
    emit(world, event, shared=channel.is_ext_shared)


def joined(world: World, channel: Channel, user: str, inviter: str = "") -> None:
    if world.bot.id in channel.members:
        letter = "G" if channel.is_private else "C"
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "channel_type": letter, "team": world.team}
        emit(world, event | ({"inviter": inviter} if inviter else {}) | {"event_ts": world.ts()}, shared=channel.is_ext_shared)


def left(world: World, channel: Channel, user: str) -> None:
    if world.bot.id in channel.members or user == world.bot.id:
        letter = "G" if channel.is_private else "C"
        event = {"type": "member_left_channel", "user": user, "channel": channel.id, "channel_type": letter, "team": world.team}
        emit(world, event | {"event_ts": world.ts()}, shared=channel.is_ext_shared)


def typed(world: World, channel: Channel, person: Person, text: str) -> Json:
    """The fields of a message that a person wrote; `text` is escaped."""
    message: Json = {"type": "message", "user": person.id, "text": text, "client_msg_id": str(uuid.uuid4()), "team": person.team_id}
    if channel.is_ext_shared:
        message |= {"user_team": person.team_id, "source_team": person.team_id, "user_profile": person.card()}
    return message | ({"blocks": [rich_text(text, world.id("r"))]} if text else {})


def from_bot(bot: Person, text: str, **more: Any) -> Json:
    """The fields of a message that an app's bot wrote with its token."""
    profile = {"id": bot.bot_id, "app_id": bot.app_id, "name": bot.name, "deleted": False, "team_id": bot.team_id}
    head = {"type": "message", "user": bot.id, "bot_id": bot.bot_id, "app_id": bot.app_id, "team": bot.team_id, "text": text}
    return head | {"bot_profile": profile} | more
