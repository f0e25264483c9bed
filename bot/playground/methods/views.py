"""views.*: modals and the App Home."""

from .. import modals
from ..refusal import Refusal
from ..things import Json, View
from ..world import World
from .asked import load, needed


def opened(world: World, args: Json) -> Json:
    needed(args, "trigger_id")
    view = _fresh(world, modals.checked(load(args, "view"), "modal"))
    trigger = modals.spend(world, str(args["trigger_id"]))
    modals.gone(world, trigger.user, modals.MOST_VIEWS)
    return {"view": modals.show(world, trigger.user, view, world.modals.setdefault(trigger.user, [])).shown()}


def pushed(world: World, args: Json) -> Json:
    needed(args, "trigger_id")
    view = _fresh(world, modals.checked(load(args, "view"), "modal"))
    trigger = modals.spend(world, str(args["trigger_id"]))
    stack = world.modals.get(trigger.user, [])
    if not trigger.view or not stack:
        raise Refusal("not_found")
    if len(stack) >= modals.MOST_VIEWS:
        raise Refusal("push_limit_reached")
    return {"view": modals.show(world, trigger.user, view, stack).shown()}


def _fresh(world: World, view: Json) -> Json:
    name = view.get("external_id")
    if name and any(each.body["external_id"] == name for each in world.views.values()):
        raise Refusal("duplicate_external_id")
    return view


def updated(world: World, args: Json) -> Json:
    if not args.get("view_id") and not args.get("external_id"):
        needed(args, "view_id")
    shown = _found(world, args)
    view = modals.checked(load(args, "view"), shown.type if shown else "modal")
    if shown is None:
        raise Refusal("not_found")
    _same(shown, args)
    return {"view": modals.replace(world, shown, view).shown()}


def _found(world: World, args: Json) -> View | None:
    if args.get("view_id"):
        return world.views.get(str(args["view_id"]))
    return next((view for view in world.views.values() if view.body["external_id"] == args["external_id"]), None)


def _same(shown: View, args: Json) -> None:
    if args.get("hash") and args["hash"] != shown.body["hash"]:
        raise Refusal("hash_conflict")


def published(world: World, args: Json) -> Json:
    needed(args, "user_id")
    view = modals.checked(load(args, "view"), "home")
    person = world.people.get(str(args["user_id"]))
    if person is None:
        raise Refusal("user_not_found")
    if person.is_bot:
        raise Refusal("not_enabled")
    shown = world.homes.get(person.id)
    if shown is not None:
        _same(shown, args)
    elif args.get("hash"):
        raise Refusal("hash_conflict")
    return {"view": modals.publish(world, person.id, view).shown()}
