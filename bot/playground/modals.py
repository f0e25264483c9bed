"""Views and their stacks: opened, updated, pushed, published; by a method or by an acknowledgement."""

import time
from typing import Any

from . import blocks as kit
from . import elements
from .refusal import Refusal
from .things import Json, Trigger, View
from .world import APP, World

MOST_VIEWS = 3
MOST_BYTES = 250_000


def checked(view: Any, kind: str) -> Json:
    """A view as the app gave it, if it keeps Slack's rules."""
    if not isinstance(view, dict):
        raise Refusal("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view"]})
    kit.check_view(view, kind)
    if len(str(view)) > MOST_BYTES:
        raise Refusal("view_too_large")
    return view


def show(world: World, user: str, view: Json, stack: list[View]) -> View:
    """Put a modal on top of a person's stack."""
    previous = stack[-1] if stack else None
    key = world.id("V")
    links = {"root_view_id": previous.body["root_view_id"] if previous else key, "previous_view_id": previous.id if previous else None}
    shown = View(key, user, _body(world, key, view) | links)
    shown.state = begun(shown.body["blocks"])
    stack.append(shown)
    world.views[key] = shown
    _told(world, shown)
    return shown


def _body(world: World, key: str, view: Json) -> Json:
    defaults: Json = {"title": None, "close": None, "submit": None, "private_metadata": "", "callback_id": "", "external_id": ""}
    given = {name: kit.spelled(value) for name, value in view.items() if value is not None}
    return {
        "id": key, "team_id": world.team, **defaults, "clear_on_close": False, "notify_on_close": False, **given,
        "blocks": kit.filled(view["blocks"], world.id), "hash": f"{int(time.time())}.{world.id('h')}", "root_view_id": key,
        "previous_view_id": None, "app_id": APP, "app_installed_team_id": world.team, "bot_id": world.bot.bot_id,
    }  # fmt: skip


def replace(world: World, shown: View, view: Json) -> View:
    """Give a view new contents; what was filled in stays where block_id and action_id stay."""
    links = {name: shown.body[name] for name in ("root_view_id", "previous_view_id")}
    old = shown.state
    shown.body = _body(world, shown.id, view) | links
    fresh = begun(shown.body["blocks"])
    shown.state = {
        block: {action: old.get(block, {}).get(action, value) for action, value in actions.items()} for block, actions in fresh.items()
    }
    _told(world, shown)
    return shown


def publish(world: World, user: str, view: Json) -> View:
    shown = world.homes.get(user)
    if shown is not None:
        return replace(world, shown, view)
    key = world.id("V")
    shown = View(key, user, _body(world, key, view))
    shown.state = begun(shown.body["blocks"])
    world.views[key] = world.homes[user] = shown
    _told(world, shown)
    return shown


def begun(blocks: list[Json]) -> dict[str, Json]:
    """`state.values` before anybody touches anything: block_id, action_id, and what the element holds."""
    state: dict[str, Json] = {}
    for block, node in inputs(blocks):
        key = elements.CHOSEN[node["type"]]
        state.setdefault(block["block_id"], {})[node["action_id"]] = {"type": node["type"], key: elements.initial(node)}
    return state


def inputs(blocks: list[Json]) -> list[tuple[Json, Json]]:
    """The elements that hold something, each with its block."""
    return [(block, node) for block, node in parts(blocks) if node["type"] in elements.CHOSEN and node["type"] != "overflow"]


def parts(blocks: list[Json]) -> list[tuple[Json, Json]]:
    """All that can be pressed or filled in, each with its block, in reading order."""
    found: list[tuple[Json, Json]] = []
    for block in blocks:
        nodes = [block.get("accessory"), block.get("element")]
        if block["type"] == "carousel":
            found += parts(block["elements"])
        elif block["type"] in ("actions", "context_actions"):
            nodes += block["elements"]
        nodes += block.get("actions") or () if block["type"] == "card" else ()
        found += [(block, node) for node in nodes if isinstance(node, dict) and node.get("type") != "image"]
        found += parts(block.get("child_blocks") or [])
    return found


def gone(world: World, user: str, count: int) -> list[View]:
    """Take the topmost `count` modals away. Returns them, topmost first."""
    stack = world.modals.get(user, [])
    taken = [stack.pop() for _ in range(min(count, len(stack)))]
    for view in taken:
        world.views.pop(view.id, None)
        world.feed.tell("view", user=user, id=view.id, type=view.type, view=None)
    return taken


def spend(world: World, key: str) -> Trigger:
    """Use a trigger_id: once, and within 3 seconds."""
    trigger = world.triggers.get(key)
    if trigger is None:
        raise Refusal("invalid_trigger_id")
    if trigger.used:
        raise Refusal("exchanged_trigger_id")
    if time.monotonic() > trigger.expires:
        raise Refusal("expired_trigger_id")
    trigger.used = True
    return trigger


def _told(world: World, view: View) -> None:
    world.feed.tell("view", user=view.user, id=view.id, type=view.type, view=view.shown())
