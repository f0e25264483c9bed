"""What a call asks for: its arguments read as Slack reads them, or the refusal that Slack would give."""

import base64
import binascii
import json
from typing import Any

from ..refusal import Refusal, invalid
from ..things import Channel, Json
from ..world import World


def flag(args: Json, name: str) -> bool:
    return str(args.get(name, "")).lower() in ("1", "true")


def number(args: Json, name: str, default: int, most: int) -> int:
    """A whole number above 0; Slack caps what is too large."""
    try:
        value = int(args.get(name) or default)
    except (TypeError, ValueError):
        raise invalid(f"must be an integer [json-pointer:/{name}]") from None
    if value < 1:
        raise Refusal("invalid_limit")
    return min(value, most)


def needed(args: Json, *names: str) -> None:
    missing = [name for name in names if args.get(name) in (None, "")]
    if missing:
        raise invalid(*(f"missing required field: {name}" for name in missing))


def load(args: Json, name: str, error: str = "invalid_arguments") -> Any:
    """An argument that is JSON; text is taken apart. Raises Refusal(error) when it is none."""
    value = args.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except json.JSONDecodeError:
        raise Refusal(error) from None


def place(world: World, args: Json, key: str = "channel") -> Channel:
    """The channel of a call, if the bot can see it; else channel_not_found."""
    needed(args, key)
    channel = world.channels.get(str(args[key]))
    if channel is None or (channel.is_private and world.bot.id not in channel.members):
        raise Refusal("channel_not_found")
    return channel


def inside(world: World, args: Json, key: str = "channel") -> Channel:
    """The channel of a call, if the bot is a member; else channel_not_found or not_in_channel."""
    channel = place(world, args, key)
    if world.bot.id not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def scope(world: World, *wanted: str) -> None:
    """Any of the scopes will do; else missing_scope, as Slack tells it."""
    if not world.scopes.intersection(wanted):
        raise Refusal("missing_scope", needed=",".join(wanted), provided=",".join(sorted(world.scopes)))


def page(items: list[Any], args: Json, default: int, most: int) -> tuple[list[Any], Json]:
    """One page of a list, and the answer's `response_metadata`."""
    limit, start = number(args, "limit", default, most), unmark(args, "offset")
    following = start + limit
    cursor = mark("offset", following) if following < len(items) else ""
    return items[start:following], {"response_metadata": {"next_cursor": cursor}}


def mark(kind: str, value: int | str) -> str:
    return base64.b64encode(f"{kind}:{value}".encode()).decode()


def unmark(args: Json, kind: str) -> int:
    if not args.get("cursor"):
        return 0
    try:
        name, _, value = base64.b64decode(str(args["cursor"]), validate=True).decode().partition(":")
        if name == kind:
            return int(value)
    except (binascii.Error, ValueError):
        pass
    raise Refusal("invalid_cursor")
