"""reactions.*: what people and the app put under a message."""

import re

from .. import posting
from ..emoji import EMOJI
from ..refusal import Refusal
from ..things import Channel, Json
from ..world import World
from .asked import inside, needed

TONE = re.compile(r"::skin-tone-[2-6]$")
STAMP = re.compile(r"\d+\.\d+")
MOST_KINDS = 50
MOST_OWN = 23  # of one person, or of the app


def add(world: World, args: Json) -> Json:
    channel, ts, name = _item(world, args)
    if channel.is_archived:
        raise Refusal("is_archived")
    there = channel.messages[ts].get("reactions", [])
    if len(there) >= MOST_KINDS and name not in [each["name"] for each in there]:
        raise Refusal("too_many_emoji")
    if sum(world.bot.id in each["users"] for each in there) >= MOST_OWN:
        raise Refusal("too_many_reactions")
    posting.react(world, channel, ts, name, world.bot.id)
    return {}


def remove(world: World, args: Json) -> Json:
    channel, ts, name = _item(world, args)
    posting.unreact(world, channel, ts, name, world.bot.id)
    return {}


def _item(world: World, args: Json) -> tuple[Channel, str, str]:
    needed(args, "name")
    name = str(args["name"])
    if TONE.sub("", name) not in EMOJI.keys() | world.emoji:
        raise Refusal("invalid_name")
    channel, ts = _message(world, args)
    return channel, ts, name


def _message(world: World, args: Json) -> tuple[Channel, str]:
    if not args.get("channel") or not args.get("timestamp"):
        raise Refusal("no_item_specified")
    channel, ts = inside(world, args), str(args["timestamp"])
    if not STAMP.fullmatch(ts):
        raise Refusal("bad_timestamp")
    if ts not in channel.messages:
        raise Refusal("message_not_found")
    return channel, ts


def get(world: World, args: Json) -> Json:
    channel, ts = _message(world, args)
    return {"type": "message", "channel": channel.id, "message": posting.shown(channel, channel.messages[ts], metadata=False)}
