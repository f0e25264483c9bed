"""What comes to a response_url, and what an acknowledgement says: messages for the person, or for the channel."""

import time

from . import events, posting
from .methods.chat import content_of
from .refusal import Refusal
from .things import Hook, Json
from .world import World


def answered(world: World, key: str, args: Json) -> None:
    """One use of a response_url: 5 in 30 minutes. Raises Refusal with status 404 when it is used up or too old."""
    hook = world.hooks.get(key)
    if hook is None or time.monotonic() > hook.expires:
        raise Refusal("expired_url", 404)
    if hook.left <= 0:
        raise Refusal("used_url", 404)
    hook.left -= 1
    if args.get("delete_original") in (True, "true"):
        _take_back(world, hook)
    elif args.get("replace_original") in (True, "true") and hook.ts:
        _replace(world, hook, _content(world, args))
    else:
        tell(world, hook, args)


def tell(world: World, hook: Hook, args: Json) -> None:
    """A new message: to the person alone, or to all with response_type in_channel."""
    content = _content(world, args)
    channel = world.channel(hook.channel)
    thread = str(args.get("thread_ts") or hook.thread)
    if args.get("response_type") == "in_channel":
        posting.post(world, channel, events.from_bot(world.bot, **content), thread)
    else:
        ids = {"bot_id": world.bot.bot_id, "app_id": world.bot.app_id}
        world.add_ephemeral(hook.user, channel.id, thread_ts=thread or None, **ids, **content)


def _content(world: World, args: Json) -> Json:
    content = {"text": str(args.get("text") or "")} | content_of(world, args)
    if not content["text"] and not content.get("blocks") and not content.get("attachments"):
        raise Refusal("no_text", 400)
    return content


def _replace(world: World, hook: Hook, content: Json) -> None:
    if hook.ephemeral:
        notes = world.ephemerals.get(hook.user, [])
        for index, note in enumerate(notes):
            if note["ts"] == hook.ts:
                notes[index] = {**{key: note[key] for key in note if key != "blocks"}, **content}
                world.feed.tell("ephemeral", user=hook.user, channel=hook.channel, ts=hook.ts, message=notes[index])
        return
    channel = world.channel(hook.channel)
    if hook.ts not in channel.messages:
        raise Refusal("message_not_found", 404)
    posting.edit(world, channel, hook.ts, {"blocks": [], **content}, by=world.bot.id)


def _take_back(world: World, hook: Hook) -> None:
    if hook.ephemeral:
        notes = world.ephemerals.get(hook.user, [])
        notes[:] = [note for note in notes if note["ts"] != hook.ts]
        world.feed.tell("ephemeral", user=hook.user, channel=hook.channel, ts=hook.ts, message=None)
    elif hook.ts in world.channel(hook.channel).messages:
        posting.remove(world, world.channel(hook.channel), hook.ts)
