"""A deed's arguments as people would say them: names for people, channels, messages and buttons, and nothing that goes without saying."""

import re
from collections.abc import Iterable
from inspect import BoundArguments, Parameter
from typing import Any

from . import choice, form
from .choice import Choice
from .elements import CHOSEN, option_text, options
from .names import Names
from .talk import root
from .things import Json

PRESSED = ("what", "value", "block")


def named_deed(names: Names, deed: str, bound: BoundArguments) -> tuple[str, str, Json]:
    """The deed, who does it, and its arguments without what is as by default. Raises ValueError or LookupError for what is not there."""
    rest = [name for name, each in bound.signature.parameters.items() if each.kind is Parameter.VAR_KEYWORD]
    given: Json = {name: value for name, value in bound.arguments.items() if name not in rest}
    for name in rest:
        given |= bound.arguments.get(name, {})
    thing = given.get("message") or given.get("view")
    by = _doer(names, deed, given.pop("by", ""), thing)
    deed, given = _said(names, deed, given)
    defaults = {name: each.default for name, each in bound.signature.parameters.items()}
    args = {name: value for name, value in given.items() if value != defaults.get(name)}
    blocks = (names.find(names.of(thing)).get("blocks") or []) if thing and args.keys() & {"values", "what"} else []
    if "what" in args:
        pressed = {name: args.pop(name) for name in PRESSED if name in args}
        args |= _pressed(blocks, pressed, names.world.person(by).id)
    if "values" in args:
        args["values"] = _filled(names, thing or {}, blocks, args["values"])
    return deed, by, {name: _plain(names, name, value, given) for name, value in args.items()}


def _doer(names: Names, deed: str, by: str | None, thing: Json | None) -> str:
    if by:
        return names.person(by)
    if thing and deed in ("edit", "delete"):
        return names.person(str(names.find(names.of(thing))["user"]))
    if by is None and thing:
        place = names.of(thing)
        return place.partition(":")[2] or (place.partition("!")[0] if "!" in place else "ana")
    return ""


def _said(names: Names, deed: str, given: Json) -> tuple[str, Json]:
    """What is said in direct messages or to the app has a verb of its own."""
    if deed != "say":
        return deed, given
    if names.world.channel(given["channel"]).kind == "im":
        return "direct", {name: value for name, value in given.items() if name != "channel"}
    mention = re.match(rf"<@{names.world.bot.id}>\s*", given["text"])
    return ("mention", given | {"text": given["text"][mention.end() :]}) if mention else ("say", given)


def _plain(names: Names, name: str, value: Any, given: Json) -> Any:
    match name:
        case "channel":
            return names.channel(value)
        case "message" | "view":
            return names.of(value)
        case "thread":
            place = names.world.channel(given["channel"]) if "channel" in given else _place(names, value)
            return names.at(place, root(value))
        case "who":
            return names.person(value)
        case "members" | "users":
            return [names.person(each) for each in value]
        case "files":
            return [[each, b"content of " + each.encode()] if isinstance(each, str) else list(each) for each in value]
    return value


def _place(names: Names, thread: Any) -> Any:
    """The direct messages in which a thread is."""
    if isinstance(thread, dict):
        return names.world.channel(thread["channel"])
    return next(place for place in names.world.channels.values() if place.kind == "im" and thread in place.messages)


def _pressed(blocks: list[Json], args: Json, user: str) -> Json:
    """The shortest words that mean the same thing to press: its text, else its action_id; its block only where that is not enough."""
    what, value, block = str(args["what"]), args.get("value"), str(args.get("block") or "")
    found = choice.find(blocks, what, value, user, block)
    if found is None:
        return args
    chosen = spoken(found.node, value) if found.node["type"] in CHOSEN else None
    text, action = option_text(found.option or found.node), str(found.node.get("action_id", ""))
    ways = [(word, inside) for inside in ("", found.block["block_id"]) for word in (text, action) if word]
    same = ((word, inside) for word, inside in ways if _same(choice.find(blocks, word, chosen, user, inside), found))
    what, block = next(same, (what, block))
    said = {"what": what, "value": chosen, "block": block}
    return {name: value for name, value in said.items() if value not in (None, "")}


def _same(one: Choice | None, other: Choice) -> bool:
    return one is not None and one.node is other.node and one.option == other.option


def spoken(node: Json, value: Any) -> Any:
    """The options' texts in place of their values."""
    if isinstance(value, list | tuple):
        return [spoken(node, each) for each in value]
    texts = {option.get("value"): option_text(option) for option in options(node)}
    return texts.get(value["value"] if isinstance(value, dict) and "value" in value else value, value) if _hashable(value) else value


def _hashable(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("value"), str))


def _filled(names: Names, thing: Json, blocks: list[Json], values: Json) -> Json:
    """What was filled in, by the fields' labels; fields that are as empty as before are left out."""
    fields = form.fields(blocks)
    state = ((names.find(names.of(thing)).get("state") or {}).get("values")) or {}
    filled: Json = {}
    for name, value in values.items():
        if name not in fields:
            filled[name] = value
            continue
        block, node = fields[name]
        before = state.get(block["block_id"], {}).get(node["action_id"], {}).get(CHOSEN[node["type"]])
        if value or before:
            best = (each for each in _best(block, node) if each and fields.get(each) == (block, node))
            filled[next(best, name)] = spoken(node, value)
    return filled


def _best(block: Json, node: Json) -> Iterable[str]:
    return (form.label(block), block["block_id"], node["action_id"])
