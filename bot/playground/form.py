"""What people fill in: words become options, names ids, files are uploaded; and what Slack's client would not send."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, TypeVar

from . import modals
from .choice import Choice, Invalid
from .elements import CHOSEN, initial, option_text, options
from .methods import files
from .things import OFFSET, Json, Person
from .world import World

T = TypeVar("T")
MULTI = ("selected_options", "selected_users", "selected_conversations", "selected_channels", "files")
MOST_FILES = 10
HERE = timezone(timedelta(seconds=OFFSET))
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
URL = re.compile(r"https?://\S+")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def held(world: World, person: Person, node: Json, value: Any) -> Any:
    """What an element holds when a person gives it `value`; None or [] for nothing. Raises ValueError."""
    key = CHOSEN[node["type"]]
    if key not in MULTI:
        return None if value in (None, "") else _single(world, person, node, key, value)
    several = isinstance(value, list) or (isinstance(value, tuple) and key != "files")
    values = list(value) if several else [] if value is None else [value]
    most = int(node.get("max_selected_items") or node.get("max_files") or (MOST_FILES if key == "files" else 100))
    if len(values) > most:
        raise ValueError(f"{node['action_id']!r} takes {most} at most, not {len(values)}")
    return [_single(world, person, node, key.removesuffix("s"), each) for each in values]


def _single(world: World, person: Person, node: Json, key: str, value: Any) -> Any:
    match key:
        case "selected_option":
            return _option(world, person, node, value)
        case "selected_user":
            return world.person(value).id
        case "selected_channel" | "selected_conversation":
            return world.channel(value).id
        case "selected_date":
            return _read(date.fromisoformat, value, "a date, such as 2026-11-20").isoformat()
        case "selected_time":
            return _read(time.fromisoformat, value, "a time, such as 09:30").strftime("%H:%M")
        case "selected_date_time":
            return _moment(value)
        case "file":
            return _file(world, person, node, value)
        case "value":
            return str(value)
    return value


def _read(parse: Callable[[str], T], value: Any, wanted: str) -> T:
    try:
        return parse(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not {wanted}") from None


def _moment(value: Any) -> int:
    """Seconds since 1970, as Slack tells it; a time without a zone is the person's own."""
    if str(value).isdigit():
        return int(value)
    at = _read(datetime.fromisoformat, value, "a date and time, such as 2026-11-20 09:30")
    return int((at if at.tzinfo else at.replace(tzinfo=HERE)).timestamp())


def _file(world: World, person: Person, node: Json, value: Any) -> Json:
    name, content = (value, b"content of " + str(value).encode()) if isinstance(value, str) else value
    kinds = node.get("filetypes") or []
    if kinds and name.rpartition(".")[2].lower() not in kinds:
        raise ValueError(f"{node['action_id']!r} takes files of the types {', '.join(kinds)}, not {name!r}")
    return files.new(world, name, person.id, content).shown()


def _option(world: World, person: Person, node: Json, value: Any) -> Json:
    if isinstance(value, dict):
        return value
    there = options(node) or _met(world, person, node)
    for option in there:
        if value in (option.get("value"), option_text(option)):
            return option
    raise ValueError(f"{node['action_id']!r} has no option {value!r}; it has {', '.join(map(option_text, there)) or 'none of its own'}")


def _met(world: World, person: Person, node: Json) -> list[Json]:
    """The options of an external select that a person has seen: what it began with, and what the app gave."""
    begun = initial(node) or []
    return [*(begun if isinstance(begun, list) else [begun]), *world.offers.get((person.id, node["action_id"]), {}).values()]


def chosen(world: World, person: Person, choice: Choice, value: Any, before: Any) -> Any:
    """What an element holds after a press: of many boxes the pressed one changes, else the new value counts."""
    key = CHOSEN[choice.node["type"]]
    if value is not None:
        return held(world, person, choice.node, value)
    if choice.option is None:
        raise ValueError(f"say which option or value of {choice.node['action_id']!r} is meant")
    if key not in MULTI:
        return choice.option
    rest = [each for each in before or [] if each != choice.option]
    return rest if len(rest) < len(before or []) else [*rest, choice.option]


def fill(world: World, person: Person, blocks: list[Json], state: dict[str, Json], values: Json) -> None:
    """Write values into `state`, by block_id, label or action_id. Raises ValueError for a field that is not there."""
    known = fields(blocks)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"there is no field {name!r}; there are {', '.join(sorted(known))}")
        block, node = known[name]
        entry = {"type": node["type"], CHOSEN[node["type"]]: held(world, person, node, value)}
        state[block["block_id"]] = {**state.get(block["block_id"], {}), node["action_id"]: entry}


def fields(blocks: list[Json]) -> dict[str, tuple[Json, Json]]:
    """The fields by all that they can be called; where two are called the same, the later counts."""
    known: dict[str, tuple[Json, Json]] = {}
    for block, node in modals.inputs(blocks):
        known |= dict.fromkeys((node["action_id"], label(block), block["block_id"]), (block, node))
    return known


def label(block: Json) -> str:
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
    match node["type"]:
        case "plain_text_input" if len(value) < int(node.get("min_length") or 0):
            return f"Please enter at least {node['min_length']} characters."
        case "plain_text_input" if len(value) > int(node.get("max_length") or 3000):
            return f"Please enter no more than {node.get('max_length') or 3000} characters."
        case "email_text_input" if not EMAIL.fullmatch(value):
            return "Please enter a valid email address."
        case "url_text_input" if not URL.fullmatch(value):
            return "Please enter a valid URL."
        case "number_input":
            return _number(node, value)
    return ""


def _number(node: Json, value: str) -> str:
    if not NUMBER.fullmatch(value) or ("." in value and not node.get("is_decimal_allowed")):
        return "Please enter a number." if node.get("is_decimal_allowed") else "Please enter a whole number."
    if node.get("min_value") and float(value) < float(node["min_value"]):
        return f"Please enter {node['min_value']} or more."
    if node.get("max_value") and float(value) > float(node["max_value"]):
        return f"Please enter {node['max_value']} or less."
    return ""
