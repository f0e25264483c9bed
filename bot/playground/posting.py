"""What happens to messages, whoever does it: posted, edited, removed, reacted to."""

from bisect import bisect_left
from typing import Any

from . import events
from .refusal import Refusal
from .things import Channel, Json, Slot
from .world import World

TOMBSTONE = "This message was deleted."


def post(world: World, channel: Channel, message: Json, thread: str = "") -> Json:
    """Put a message (all but its ts) into a channel, and tell the app. Raises Refusal when the thread is none."""
    message["ts"] = world.ts()
    if thread:
        _join_thread(channel, message, thread)
    channel.messages[message["ts"]] = message
    if not thread or message.get("subtype") == "thread_broadcast":
        channel.roots.append(message["ts"])
    if thread and message.get("bot_id") == world.bot.bot_id:
        quiet(world, channel.id, thread)
    world.feed.tell("message", channel=channel.id, ts=message["ts"], thread=thread or None, message=message)
    events.posted(world, channel, message)
    return message


def _join_thread(channel: Channel, message: Json, thread: str) -> None:
    root = channel.messages.get(thread)
    if root is None:
        raise Refusal("thread_not_found")
    if root.get("thread_ts", thread) != thread:
        raise Refusal("cannot_reply_to_message")
    replies = channel.threads.setdefault(thread, [])
    if not replies:
        channel.messages[thread] = root | {"thread_ts": thread}
    message["thread_ts"] = thread
    if root.get("user"):
        message["parent_user_id"] = root["user"]
    replies.append(message["ts"])


def quiet(world: World, channel: str, thread: str) -> None:
    """The status text goes when the app posts in the thread."""
    slot: Slot | None = world.slots.get((channel, thread))
    if slot is not None and slot.text:
        slot.text = ""
        world.feed.tell("status", channel=channel, thread=thread, text="", session=slot.session)


def edit(world: World, channel: Channel, ts: str, change: Json, by: str = "", silent: bool = False) -> Json:
    """Change fields of a message; with `by` it is shown as edited. Without `silent` the app is told."""
    previous = channel.messages[ts]
    message = previous | change
    if by:
        message["edited"] = {"user": by, "ts": world.ts()}
    channel.messages[ts] = message
    world.feed.tell("message", channel=channel.id, ts=ts, thread=message.get("thread_ts"), message=message, changed=True)
    if not silent:
        events.changed(world, channel, message, previous)
    return message


def remove(world: World, channel: Channel, ts: str) -> None:
    """Delete a message; a root with replies leaves a tombstone, which the app is told as a change, as in Slack."""
    previous = channel.messages[ts]
    world.streams.pop((channel.id, ts), None)
    if channel.threads.get(ts):
        stone = {"type": "message", "subtype": "tombstone", "text": TOMBSTONE, "user": "USLACKBOT", "hidden": True}
        channel.messages[ts] = stone | {"ts": ts, "thread_ts": ts}
        events.changed(world, channel, shown(channel, channel.messages[ts]), previous)
    else:
        del channel.messages[ts]
        _drop(channel.roots, ts)
        _drop(channel.threads.get(previous.get("thread_ts", ts), []), ts)
        events.deleted(world, channel, previous)
    world.feed.tell("message", channel=channel.id, ts=ts, thread=previous.get("thread_ts"), message=None)


def _drop(ordered: list[str], ts: str) -> None:
    index = bisect_left(ordered, ts)
    if ordered[index : index + 1] == [ts]:
        del ordered[index]


def react(world: World, channel: Channel, ts: str, name: str, user: str) -> None:
    message = channel.messages[ts]
    reactions = [dict(each) for each in message.get("reactions", [])]
    mine = next((each for each in reactions if each["name"] == name), None)
    if mine is None:
        reactions.append({"name": name, "users": [user], "count": 1})
    elif user in mine["users"]:
        raise Refusal("already_reacted")
    else:
        mine |= {"users": [*mine["users"], user], "count": mine["count"] + 1}
    _reacted(world, channel, ts, reactions)
    events.reacted(world, "reaction_added", channel, message, name, user)


def unreact(world: World, channel: Channel, ts: str, name: str, user: str) -> None:
    message = channel.messages[ts]
    reactions = []
    for each in message.get("reactions", []):
        users = [other for other in each["users"] if (other, each["name"]) != (user, name)]
        reactions.append({"name": each["name"], "users": users, "count": len(users)})
    if reactions == message.get("reactions", []):
        raise Refusal("no_reaction")
    _reacted(world, channel, ts, [each for each in reactions if each["users"]])
    events.reacted(world, "reaction_removed", channel, message, name, user)


def _reacted(world: World, channel: Channel, ts: str, reactions: list[Json]) -> None:
    message = dict(channel.messages[ts])
    message.pop("reactions", None)
    channel.messages[ts] = message | ({"reactions": reactions} if reactions else {})
    world.feed.tell("reaction", channel=channel.id, ts=ts, reactions=reactions)


def shown(channel: Channel, message: Json, metadata: bool = True) -> Json:
    """A message as Slack gives it out: a root with what is known of its thread."""
    out: dict[str, Any] = dict(message)
    if not metadata:
        out.pop("metadata", None)
    replies = channel.threads.get(message["ts"])
    if replies:
        users = list(dict.fromkeys(channel.messages[ts].get("user", "") for ts in replies))
        out |= {"reply_count": len(replies), "reply_users_count": len(users), "latest_reply": replies[-1], "reply_users": users}
        out |= {"is_locked": False, "subscribed": False}
    return out


def member(world: World, channel: Channel, user: str, inviter: str = "") -> None:
    """Somebody comes into a channel; the app is told if it is there itself."""
    channel.members[user] = None
    events.joined(world, channel, user, inviter)
    line = {"type": "message", "subtype": "channel_join", "user": user, "text": f"<@{user}> has joined the channel", "team": world.team}
    post(world, channel, line | ({"inviter": inviter} if inviter else {}))
