"""blocks.validate: what is wrong with blocks, a message or a view, before it is sent."""

import re

from .. import blocks
from ..refusal import Refusal, invalid
from ..things import Json
from ..world import World
from .asked import load

PROBLEM = re.compile(r"(?P<message>.*) \[json-pointer:(?P<pointer>.*)\]")


def validate(world: World, args: Json) -> Json:
    """Needs no token, and exactly one of the three."""
    given = [name for name in ("blocks", "message", "view") if args.get(name)]
    if len(given) != 1:
        raise invalid("exactly one of blocks, message, view is needed")
    value = load(args, given[0])
    if given == ["blocks"]:
        wrong = blocks.message_problems(value, root="")
    elif not isinstance(value, dict):
        raise invalid(f"must be an object [json-pointer:/{given[0]}]")
    elif given == ["message"]:
        wrong = blocks.message_problems(value.get("blocks"))
    else:
        wrong = blocks.view_problems(value, "home" if value.get("type") == "home" else "modal")
    if wrong:
        raise Refusal(f"invalid_{given[0]}", errors=[_told(each) for each in wrong])
    return {}


def _told(problem: str) -> Json:
    found = PROBLEM.fullmatch(problem)
    assert found is not None
    told = {"code": "failed_constraint", **found.groupdict()}
    told["pointer"] = told["pointer"].removeprefix("/view")
    missing = "missing required field: "
    return told | ({"field": told["message"].removeprefix(missing)} if told["message"].startswith(missing) else {})
