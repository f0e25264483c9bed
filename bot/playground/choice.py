"""What can be pressed or filled in: found by what people call it, with the value that it then holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import modals
from .elements import CHOSEN, option_text, options
from .things import Json
from .world import World

MULTI = ("selected_options", "selected_users", "selected_conversations", "selected_channels", "files")


class Invalid(ValueError):
    """A form that Slack's client would not send: `errors` by block_id."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{block}: {text}" for block, text in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to press: an element of a block, and for those with options the option."""

    block: Json
    node: Json
    option: Json | None = None


def find(blocks: list[Json], what: str, value: Any, user: str) -> Choice | None:
    """The element that a person means by an action_id, a button's text or value, or an option's text or value.

    "block_id\\nwhat" is that in one block only.
    """
    inside, _, what = what.rpartition("\n")
    nodes = [(block, node) for block, node in modals.parts(blocks) if user in node.get("visible_to_user_ids", [user])]
    nodes = [(block, node) for block, node in nodes if inside in ("", block["block_id"])]
    rules = (_by_id, _by_text, _by_option)
    found = (Choice(block, node, option) for rule in rules for block, node in nodes for option in rule(node, what))
    return next((each for each in found if _fits(each.node, each.option, value)), None)


def _by_id(node: Json, what: str) -> Iterator[Json | None]:
    if node.get("action_id") == what:
        sides: list[Json | None] = [*_sides(node)]
        yield from sides or [None]


def _by_text(node: Json, what: str) -> Iterator[Json | None]:
    if node["type"] in ("button", "icon_button", "workflow_button") and what in (option_text(node), node.get("value")):
        yield None


def _by_option(node: Json, what: str) -> Iterator[Json | None]:
    for option in [*_sides(node), *options(node)]:
        if what in (option_text(option), option.get("value")):
            yield option


def _sides(node: Json) -> list[Json]:
    return [node["positive_button"], node["negative_button"]] if node["type"] == "feedback_buttons" else []


def _fits(node: Json, option: Json | None, value: Any) -> bool:
    if value is None or node["type"] in CHOSEN:
        return True
    return value in ((option or node).get("value"), option_text(option or node))


def labels(blocks: list[Json]) -> str:
    """What there is to press, for an error message."""
    found = [option_text(node) or f"{node['type']} {node.get('action_id')}" for _, node in modals.parts(blocks)]
    return ", ".join(found) or "nothing"


def held(world: World, node: Json, value: Any) -> Any:
    """What an element holds when a person gives it `value`: texts become options, names become ids. Raises ValueError."""
    key = CHOSEN[node["type"]]
    if key in MULTI:
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return [_single(world, node, key[:-1], each) for each in values]
    return None if value is None else _single(world, node, key, value)


def _single(world: World, node: Json, key: str, value: Any) -> Any:
    if key == "selected_option":
        return _option(node, value)
    if key == "selected_user":
        return world.person(value).id
    if key in ("selected_channel", "selected_conversation"):
        return world.channel(value).id
    if key == "value":
        return str(value)
    return value


def _option(node: Json, value: Any) -> Json:
    if isinstance(value, dict):
        return value
    for option in options(node):
        if value in (option.get("value"), option_text(option)):
            return option
    there = ", ".join(map(option_text, options(node))) or "none of its own"
    raise ValueError(f"{node['action_id']!r} has no option {value!r}; it has {there}")


def chosen(world: World, choice: Choice, value: Any, before: Any) -> Any:
    """What an element holds after a press: of many boxes the pressed one changes, else the new value counts."""
    key = CHOSEN[choice.node["type"]]
    if value is not None:
        return held(world, choice.node, value)
    if choice.option is None:
        raise ValueError(f"say which option or value of {choice.node['action_id']!r} is meant")
    if key not in MULTI:
        return choice.option
    rest = [each for each in before or [] if each != choice.option]
    return rest if len(rest) < len(before or []) else [*rest, choice.option]


def fill(world: World, blocks: list[Json], state: dict[str, Json], values: Json) -> None:
    """Write values into `state`, by block_id, label or action_id. Raises ValueError for a field that is not there."""
    fields: dict[str, tuple[Json, Json]] = {}
    for block, node in modals.inputs(blocks):
        for name in (node["action_id"], _label(block), block["block_id"]):
            fields[name] = (block, node)
    for name, value in values.items():
        if name not in fields:
            raise ValueError(f"there is no field {name!r}; there are {', '.join(sorted(fields))}")
        block, node = fields[name]
        entry = {"type": node["type"], CHOSEN[node["type"]]: held(world, node, value)}
        state[block["block_id"]] = {**state.get(block["block_id"], {}), node["action_id"]: entry}


def _label(block: Json) -> str:
    return str((block.get("label") or {}).get("text", ""))


def validate(blocks: list[Json], state: dict[str, Json]) -> None:
    """What Slack's client checks before it sends a form. Raises Invalid."""
    errors: dict[str, str] = {}
    for block, node in modals.inputs(blocks):
        if block["type"] == "input":
            value = state[block["block_id"]][node["action_id"]].get(CHOSEN[node["type"]])
            wrong = _wrong(block, node, value)
            errors |= {block["block_id"]: wrong} if wrong else {}
    if errors:
        raise Invalid(errors)


def _wrong(block: Json, node: Json, value: Any) -> str:
    if not value:
        return "" if block.get("optional") else "Please complete this required field."
    if node["type"] == "plain_text_input" and len(value) < int(node.get("min_length") or 0):
        return f"Please enter at least {node['min_length']} characters."
    if node["type"] == "plain_text_input" and len(value) > int(node.get("max_length") or 3000):
        return f"Please enter no more than {node.get('max_length') or 3000} characters."
    return ""
