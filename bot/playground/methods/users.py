"""users.*, bots.info and usergroups.*: who there is."""

from ..refusal import Refusal
from ..things import Json
from ..world import World
from .asked import flag, needed, page


def info(world: World, args: Json) -> Json:
    needed(args, "user")
    person = world.people.get(str(args["user"]))
    if person is None:
        raise Refusal("user_not_found")
    return {"user": _shown(world, person.shown())}


def listing(world: World, args: Json) -> Json:
    shown, more = page([person.shown() for person in world.people.values()], args, 1000, 1000)
    return {"members": [_shown(world, each) for each in shown], "cache_ts": 1700000000, **more}


def _shown(world: World, user: Json) -> Json:
    if "users:read.email" not in world.scopes:
        user["profile"].pop("email", None)
    return user


def by_email(world: World, args: Json) -> Json:
    needed(args, "email")
    person = next((each for each in world.people.values() if each.email == str(args["email"]).lower()), None)
    if person is None or person.is_bot:
        raise Refusal("users_not_found")
    return {"user": _shown(world, person.shown())}


def bot(world: World, args: Json) -> Json:
    """bots.info: who is behind a bot_id."""
    person = next((each for each in world.people.values() if each.bot_id and each.bot_id == args.get("bot")), None)
    if person is None:
        raise Refusal("bot_not_found")
    ids = {"id": person.bot_id, "app_id": person.app_id, "user_id": person.id}
    return {"bot": {"deleted": False, "name": person.name, "updated": 1700000000, "icons": {}, **ids}}


def groups(world: World, args: Json) -> Json:
    users = flag(args, "include_users")
    return {"usergroups": [group.shown(world.team, users) for group in world.groups.values()]}


def group_users(world: World, args: Json) -> Json:
    needed(args, "usergroup")
    group = world.groups.get(str(args["usergroup"]))
    if group is None:
        raise Refusal("no_such_subteam")
    return {"users": list(group.users)}
