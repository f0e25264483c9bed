"""What is wrong with a form that was sent, at its fields: as much as is known at once, since Slack waits for that with the form open."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from pydantic import ValidationError

from bot.agent import NAME
from bot.draft import ROOM, wrong
from bot.slack.views import new, schedule
from bot.trigger import Schedule

FIELDS = {"cron": "time", "timezone": "zone", "post_to": "where", "prompt": "prompt"}
CALLED = "An agent's name has small letters, digits, - and _, at most 40 of them, and begins with a letter or a digit."
TAKEN = "There is an agent {} already; take another name."
LONG = "That is more than Slack can carry. Make it shorter, and write the rest into the file later."

Values = Mapping[str, tuple[str, ...]]


def amiss(form: str, by: str, values: Values, taken: Collection[str]) -> dict[str, str]:
    """By the field's name, in words. `by` is whose form it is, `taken` are the names of agents."""
    match form:
        case "schedule":
            return _schedule(values)
        case "new":
            return _new(by, values, taken)
    return {}


def _schedule(values: Values) -> dict[str, str]:
    try:
        Schedule.model_validate(schedule.planned(values)[1])
    except ValidationError as error:
        return {FIELDS[str(each["loc"][0])]: each["msg"].removeprefix("Value error, ") for each in error.errors()}
    return {}


def _new(by: str, values: Values, taken: Collection[str]) -> dict[str, str]:
    draft = new.draft("", by, values)
    called = CALLED if not NAME.fullmatch(draft.name) else TAKEN.format(draft.name) if draft.name in taken else ""
    words = [*wrong(draft), *([LONG] if len(replace(draft, id=12 * "0").packed()) > ROOM else [])]
    return ({"name": called} if called else {}) | ({"words": words[0]} if words else {})
