"""What can be pressed or filled in, found by what people call it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import modals
from .elements import CHOSEN, option_text, options
from .things import Json


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


def find(blocks: list[Json], what: str, value: Any, user: str, inside: str = "") -> Choice | None:
    """The element that a person means by an action_id, a button's text or value, or an option's text or value.

    `inside` is the one block to look in, by its block_id; "" is any.
    """
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
