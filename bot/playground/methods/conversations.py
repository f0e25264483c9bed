"""conversations.*: channels, who is in them, and what was said."""

from bisect import bisect_left, bisect_right

from .. import posting
from ..refusal import Refusal
from ..things import Channel, Json
from ..world import World
from .asked import flag, inside, mark, needed, number, page, place, scope, unmark

KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}


def listing(world: World, args: Json) -> Json:
    """Public channels, and of the others those that the bot is in."""
    kinds = _kinds(world, args)
    found = [each for each in world.channels.values() if each.kind in kinds and _seen(world, each)]
    if flag(args, "exclude_archived"):
        found = [each for each in found if not each.is_archived]
    shown, more = page(found, args, 100, 1000)
    return {"channels": [each.shown(world.bot.id, world.team) for each in shown], **more}


def _kinds(world: World, args: Json) -> set[str]:
    asked = str(args.get("types") or "public_channel").replace(" ", "").split(",")
    if not set(asked) <= set(KINDS):
        raise Refusal("invalid_types")
    kinds = {KINDS[each] for each in asked}
    for kind in sorted(kinds):
        scope(world, READ[kind])
    return kinds


def _seen(world: World, channel: Channel) -> bool:
    return not channel.is_private or world.bot.id in channel.members


def info(world: World, args: Json) -> Json:
    channel = place(world, args)
    scope(world, f"{channel.family}:read")
    more = {"num_members": len(channel.members)} if flag(args, "include_num_members") else {}
    return {"channel": channel.shown(world.bot.id, world.team) | more}


def members(world: World, args: Json) -> Json:
    channel = place(world, args)
    scope(world, f"{channel.family}:read")
    shown, more = page(list(channel.members), args, 100, 1000)
    return {"members": shown, **more}


def history(world: World, args: Json) -> Json:
    """The newest messages first, without the replies in threads. `oldest` alone pages from the newest down to it."""
    channel = inside(world, args)
    scope(world, f"{channel.family}:history")
    low, high = _span(channel.roots, args)
    limit, start = number(args, "limit", 100, 999), unmark(args, "next_ts")
    if start:
        high = min(high, bisect_right(channel.roots, _stamp(start)))
    keys = channel.roots[max(low, high - limit - 1) : high][::-1]
    return _page(channel, keys, limit, args) | {"pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}


def replies(world: World, args: Json) -> Json:
    """A thread, the root first on each first page, then the replies from the oldest on."""
    channel = inside(world, args)
    scope(world, f"{channel.family}:history")
    needed(args, "ts")
    root, thread = str(args["ts"]), channel.threads.get(str(args["ts"]), [])
    if root not in channel.messages:
        raise Refusal("thread_not_found")
    low, high = _span(thread, args)
    limit, start = number(args, "limit", 1000, 1000), unmark(args, "next_ts")
    if start:
        low = max(low, bisect_left(thread, _stamp(start)))
    keys = [*([] if start else [root]), *thread[low : min(high, low + limit + 1)]]
    return _page(channel, keys, limit, args)


def _page(channel: Channel, keys: list[str], limit: int, args: Json) -> Json:
    metadata, more = flag(args, "include_all_metadata"), len(keys) > limit
    answer: Json = {"messages": [posting.shown(channel, channel.messages[ts], metadata) for ts in keys[:limit]], "has_more": more}
    if more:
        answer["response_metadata"] = {"next_cursor": mark("next_ts", _micros(keys[limit]))}
    return answer


def _span(keys: list[str], args: Json) -> tuple[int, int]:
    """Where in sorted keys `oldest` and `latest` are; without `inclusive` what lies on them is outside."""
    ends = []
    for name, default in (("oldest", "0"), ("latest", "9999999999")):
        try:
            ends.append(_stamp(_micros(str(args.get(name) or default))))
        except ValueError:
            raise Refusal(f"invalid_ts_{name}") from None
    if flag(args, "inclusive"):
        return bisect_left(keys, ends[0]), bisect_right(keys, ends[1])
    return bisect_right(keys, ends[0]), bisect_left(keys, ends[1])


def _micros(ts: str) -> int:
    """A timestamp as a whole number of microseconds: floats would lose the last digit."""
    seconds, _, rest = ts.partition(".")
    return int(seconds) * 1_000_000 + int((rest + "000000")[:6])


def _stamp(micros: int) -> str:
    return f"{micros // 1_000_000:010d}.{micros % 1_000_000:06d}"


def opened(world: World, args: Json) -> Json:
    """The direct messages with one person."""
    scope(world, "im:write")
    if args.get("channel"):
        channel = place(world, args)
        return {"channel": {"id": channel.id}, "no_op": True, "already_open": True}
    needed(args, "users")
    users = str(args["users"]).split(",")
    if len(users) > 1:
        raise Refusal("method_not_supported_for_channel_type")
    person = world.people.get(users[0])
    if person is None:
        raise Refusal("user_not_found")
    if person.is_bot:
        raise Refusal("cannot_dm_bot")
    channel = world.dm(person)
    full = channel.shown(world.bot.id, world.team) if flag(args, "return_im") else {"id": channel.id}
    return {"channel": full, "no_op": False, "already_open": False}


def join(world: World, args: Json) -> Json:
    scope(world, "channels:join")
    channel = place(world, args)
    if channel.is_private:
        raise Refusal("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refusal("is_archived")
    if world.bot.id in channel.members:
        return {"channel": channel.shown(world.bot.id, world.team), "warning": "already_in_channel"}
    posting.member(world, channel, world.bot.id)
    return {"channel": channel.shown(world.bot.id, world.team)}


def of_user(world: World, args: Json) -> Json:
    """users.conversations: where the bot is, or where the bot and the user both are."""
    kinds, user = _kinds(world, args), str(args.get("user") or world.bot.id)
    if user not in world.people:
        raise Refusal("user_not_found")
    found = [each for each in world.channels.values() if each.kind in kinds and user in each.members and _seen(world, each)]
    shown, more = page(found, args, 100, 999)
    return {"channels": [each.shown(world.bot.id, world.team) for each in shown], **more}
