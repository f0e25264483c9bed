"""chat.*: messages of the app."""

from typing import Any

from .. import blocks as kit
from .. import events, posting
from ..refusal import Refusal
from ..things import Channel, Json
from ..world import World
from .asked import flag, inside, load, needed, place

LONGEST_POST = 40_000
LONGEST_UPDATE = 4_000
LONGEST_MARKDOWN = 12_000
LONGEST_METADATA = 8_000


def post_message(world: World, args: Json) -> Json:
    channel = _target(world, args)
    text, content, warnings = body(world, args)
    message = events.from_bot(world.bot, text, **content)
    message |= guise(world, args)
    thread = str(args.get("thread_ts") or "")
    if thread and flag(args, "reply_broadcast"):
        message["subtype"] = "thread_broadcast"
    message = posting.post(world, channel, message, thread)
    answer: Json = {"channel": channel.id, "ts": message["ts"], "message": message}
    return answer | ({"response_metadata": {"warnings": warnings}} if warnings else {})


def guise(world: World, args: Json) -> Json:
    """Another name and face for one message, where the app may have them; else they are ignored."""
    if "chat:write.customize" not in world.scopes:
        return {}
    icons = {"emoji": args["icon_emoji"]} if args.get("icon_emoji") else {"image_48": args["icon_url"]} if args.get("icon_url") else {}
    return ({"username": args["username"]} if args.get("username") else {}) | ({"icons": icons} if icons else {})


def addressed(world: World, args: Json) -> Channel | None:
    """Where a post is to go: a channel by its id or, here only, by its name; for a person's id the direct messages with them."""
    name = str(args.get("channel") or "")
    person = world.people.get(name)
    if person is None:
        return world.find_channel(name)
    return None if person.is_bot else world.dm(person)


def _target(world: World, args: Json) -> Channel:
    needed(args, "channel")
    found = addressed(world, args)
    if found is None:
        raise Refusal("channel_not_found")
    args = {"channel": found.id}
    public = "chat:write.public" in world.scopes and not place(world, args).is_private
    return lively(place(world, args) if public else inside(world, args))


def lively(channel: Channel) -> Channel:
    if channel.is_archived:
        raise Refusal("is_archived")
    return channel


def body(world: World, args: Json) -> tuple[str, Json, list[str]]:
    """Text, the other fields of a message, and warnings. Raises Refusal where Slack would refuse them."""
    text, content, warnings = str(args.get("text") or ""), content_of(world, args), []
    if args.get("markdown_text"):
        text = _markdown(world, args, content)
    if not text and not content.get("blocks") and not content.get("attachments"):
        raise Refusal("no_text")
    if len(text) > LONGEST_POST:
        text = text[:LONGEST_POST]
        warnings.append("message_truncated")
    return text, content, warnings


def _markdown(world: World, args: Json, content: Json) -> str:
    if args.get("text") or args.get("blocks"):
        raise Refusal("markdown_text_conflict")
    text = str(args["markdown_text"])
    if len(text) > LONGEST_MARKDOWN:
        raise Refusal("msg_too_long")
    content["blocks"] = kit.filled([{"type": "markdown", "text": text}], world.id)
    return text


def content_of(world: World, args: Json) -> Json:
    """Blocks, attachments and metadata, those that are given, checked; an empty one means *take it away*."""
    content: Json = {}
    blocks = load(args, "blocks", "invalid_blocks_format")
    if blocks is not None:
        if not isinstance(blocks, list):
            raise Refusal("invalid_blocks_format")
        kit.check_message(blocks)
        content["blocks"] = kit.filled(blocks, world.id)
    attachments = load(args, "attachments", "invalid_attachments")
    if attachments is not None:
        if not isinstance(attachments, list) or any(not isinstance(each, dict) for each in attachments):
            raise Refusal("invalid_attachments")
        if len(attachments) > 100:
            raise Refusal("too_many_attachments")
        content["attachments"] = [{"id": index, **each} for index, each in enumerate(attachments, 1)]
    metadata = load(args, "metadata", "invalid_metadata_format")
    if metadata is not None:
        content["metadata"] = _metadata(metadata)
    return content


def _metadata(value: Any) -> Json:
    if value == {}:
        return {}
    if not isinstance(value, dict) or not isinstance(value.get("event_type"), str) or not isinstance(value.get("event_payload"), dict):
        raise Refusal("invalid_metadata_format")
    if len(str(value)) > LONGEST_METADATA:
        raise Refusal("metadata_too_large")
    return {"event_type": value["event_type"], "event_payload": value["event_payload"]}


def post_ephemeral(world: World, args: Json) -> Json:
    channel = lively(inside(world, args))
    needed(args, "user")
    person = world.people.get(str(args["user"]))
    if person is None or person.id not in channel.members:
        raise Refusal("user_not_in_channel")
    text, content, _ = body(world, args)
    more = {"thread_ts": args.get("thread_ts") or None, "bot_id": world.bot.bot_id, "app_id": world.bot.app_id}
    note = world.add_ephemeral(person.id, channel.id, text, **content, **more)
    return {"message_ts": note["ts"]}


def update(world: World, args: Json) -> Json:
    """Fields that are not given stay as they were, empty ones go; and a text without blocks takes the place of the blocks."""
    channel, ts = own(world, args, "cant_update_message")
    if channel.is_archived:
        raise Refusal("is_inactive")
    if len(str(args.get("text") or "")) > LONGEST_UPDATE:
        raise Refusal("msg_too_long")
    stream = world.streams.get((channel.id, ts))
    if stream is not None and stream.live:
        raise Refusal("streaming_state_conflict")
    content = content_of(world, args)
    if args.get("markdown_text"):
        content["text"] = _markdown(world, args, content)
    elif args.get("text") is not None:
        content = {"blocks": [], **content, "text": str(args["text"])}
    if not content:
        raise Refusal("no_text")
    merged = channel.messages[ts] | content
    if not merged["text"] and not merged.get("blocks") and not merged.get("attachments"):
        raise Refusal("no_text")
    message = posting.edit(world, channel, ts, content, by=world.bot.id)
    return {"channel": channel.id, "ts": ts, "text": message["text"], "message": message}


def delete(world: World, args: Json) -> Json:
    channel, ts = own(world, args, "cant_delete_message")
    posting.remove(world, channel, ts)
    return {"channel": channel.id, "ts": ts}


def own(world: World, args: Json, error: str) -> tuple[Channel, str]:
    """The channel and ts of a message of the app; another's is refused with `error`."""
    needed(args, "channel", "ts")
    channel, ts = place(world, args), str(args["ts"])
    message = channel.messages.get(ts)
    if message is None or message.get("subtype") == "tombstone":
        raise Refusal("message_not_found")
    if message.get("bot_id") != world.bot.bot_id:
        raise Refusal(error)
    return channel, ts


def permalink(world: World, args: Json) -> Json:
    needed(args, "channel", "message_ts")
    channel, ts = place(world, args), str(args["message_ts"])
    if ts not in channel.messages:
        raise Refusal("message_not_found")
    thread = channel.messages[ts].get("thread_ts", ts)
    tail = f"?thread_ts={thread}&cid={channel.id}" if thread != ts else ""
    return {"channel": channel.id, "permalink": f"https://{world.domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}{tail}"}
