"""reactions.*: what people and the app put under a message."""

import re

from .. import posting
from ..refusal import Refusal
from ..things import Channel, Json
from ..world import World
from .asked import inside, needed

NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
MOST_KINDS = 50


def add(world: World, args: Json) -> Json:
    channel, ts, name = _item(world, args)
    if len(channel.messages[ts].get("reactions", [])) >= MOST_KINDS:
        raise Refusal("too_many_emoji")
    posting.react(world, channel, ts, name, world.bot.id)
    return {}


def remove(world: World, args: Json) -> Json:
    channel, ts, name = _item(world, args)
    posting.unreact(world, channel, ts, name, world.bot.id)
    return {}


def _item(world: World, args: Json) -> tuple[Channel, str, str]:
    needed(args, "name")
    name = str(args["name"])
    if not NAME.fullmatch(name):
        raise Refusal("invalid_name")
    channel, ts = _message(world, args)
    return channel, ts, name


def _message(world: World, args: Json) -> tuple[Channel, str]:
    if not args.get("channel") or not args.get("timestamp"):
        raise Refusal("no_item_specified")
    channel, ts = inside(world, args), str(args["timestamp"])
    if ts not in channel.messages:
        raise Refusal("message_not_found")
    return channel, ts


def get(world: World, args: Json) -> Json:
    channel, ts = _message(world, args)
    return {"type": "message", "channel": channel.id, "message": posting.shown(channel, channel.messages[ts], metadata=False)}
