"""conversations.*: channels, who is in them, and what was said."""

from .. import posting
from ..refusal import Refusal, invalid
from ..things import Channel, Json
from ..world import TEAM, World
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
    return {"channels": [each.shown(world.bot.id, TEAM) for each in shown], **more}


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
    return {"channel": channel.shown(world.bot.id, TEAM) | more}


def members(world: World, args: Json) -> Json:
    channel = place(world, args)
    scope(world, f"{channel.family}:read")
    shown, more = page(list(channel.members), args, 100, 1000)
    return {"members": shown, **more}


def history(world: World, args: Json) -> Json:
    """The newest messages first, without the replies in threads. `oldest` alone pages from the newest down to it."""
    channel = inside(world, args)
    scope(world, f"{channel.family}:history")
    oldest, latest = _span(args)
    found = [each for each in channel.messages.values() if _root(each) and _between(each["ts"], oldest, latest, flag(args, "inclusive"))]
    found.reverse()
    limit, start = number(args, "limit", 100, 999), unmark(args, "next_ts")
    if start:
        found = [each for each in found if _micros(each["ts"]) <= start]
    return _page(channel, found, limit, args) | {"pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}


def replies(world: World, args: Json) -> Json:
    """A thread, the root first on each first page, then the replies from the oldest on."""
    channel = inside(world, args)
    scope(world, f"{channel.family}:history")
    needed(args, "ts")
    root = channel.messages.get(str(args["ts"]))
    if root is None:
        raise Refusal("thread_not_found")
    oldest, latest = _span(args)
    thread = [channel.messages[ts] for ts in channel.threads.get(root["ts"], [])]
    found = [root, *(each for each in thread if _between(each["ts"], oldest, latest, flag(args, "inclusive")))]
    limit, start = number(args, "limit", 1000, 1000), unmark(args, "next_ts")
    if start:
        found = [each for each in found if _micros(each["ts"]) >= start]
    return _page(channel, found, limit, args)


def _page(channel: Channel, found: list[Json], limit: int, args: Json) -> Json:
    metadata, more = flag(args, "include_all_metadata"), len(found) > limit
    answer: Json = {"messages": [posting.shown(channel, each, metadata) for each in found[:limit]], "has_more": more}
    if more:
        answer["response_metadata"] = {"next_cursor": mark("next_ts", _micros(found[limit]["ts"]))}
    return answer


def _span(args: Json) -> tuple[int, int]:
    try:
        return _micros(str(args.get("oldest") or "0")), _micros(str(args.get("latest") or "9999999999"))
    except ValueError:
        raise invalid("invalid timestamp", error="invalid_ts_oldest") from None


def _between(ts: str, oldest: int, latest: int, inclusive: bool) -> bool:
    at = _micros(ts)
    return oldest <= at <= latest if inclusive else oldest < at < latest


def _root(message: Json) -> bool:
    return message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"


def _micros(ts: str) -> int:
    """A timestamp as a whole number of microseconds: floats would lose the last digit."""
    seconds, _, rest = ts.partition(".")
    return int(seconds) * 1_000_000 + int((rest + "000000")[:6])


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
    full = channel.shown(world.bot.id, TEAM) if flag(args, "return_im") else {"id": channel.id}
    return {"channel": full, "no_op": False, "already_open": False}


def join(world: World, args: Json) -> Json:
    scope(world, "channels:join")
    channel = place(world, args)
    if channel.is_private:
        raise Refusal("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refusal("is_archived")
    if world.bot.id in channel.members:
        return {"channel": channel.shown(world.bot.id, TEAM), "warning": "already_in_channel"}
    posting.member(world, channel, world.bot.id)
    return {"channel": channel.shown(world.bot.id, TEAM)}


def of_user(world: World, args: Json) -> Json:
    """users.conversations: where the bot is, or where the bot and the user both are."""
    kinds, user = _kinds(world, args), str(args.get("user") or world.bot.id)
    if user not in world.people:
        raise Refusal("user_not_found")
    found = [each for each in world.channels.values() if each.kind in kinds and user in each.members and _seen(world, each)]
    shown, more = page(found, args, 100, 999)
    return {"channels": [each.shown(world.bot.id, TEAM) for each in shown], **more}
