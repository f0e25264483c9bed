"""What changes with another text of an agent's file: line by line, and what the agent may do more."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.agent import Agent, Allow, Budget, parse
from bot.errors import ConfigError
from bot.past import Change
from bot.trigger import Trigger

AROUND = 2  # lines that stay the same, before and behind each that changes
TALK = {"name", "version", "description", "instructions", "prompts", "held"}  # what gives no right
BROKEN = "the file as it is now is wrong itself, so nobody can say what this one may do more"
DEEDS = {
    "run": "{} may ask it",
    "answer": "{} may answer its questions",
    "approve": "{} may approve what it wants to do, and this file",
    "stop": "{} may stop it",
    "bots": "the bot {} may ask it",
}


def lines(old: str, new: str) -> list[str]:
    """A unified diff, without the names of the files."""
    return [said.rstrip("\n") for said in difflib.unified_diff(old.splitlines(), new.splitlines(), n=AROUND, lineterm="")][2:]


def wider(old: Agent, new: Agent) -> list[str]:
    """Each thing that it may do more, or elsewhere, in a few words. What could be more counts as more: nothing is hidden."""
    found = [*_allowed(old.allow, new.allow), *_spent(old.budget, new.budget)]
    found += ["it gets our tools"] if new.tools and not old.tools else []
    found += [f"it sees the variable {name}" for name in new.environment if name not in old.environment]
    found += [f"it begins by {claim}" for trigger in new.triggers if trigger not in old.triggers for claim in _claims(new, trigger)]
    found += ["all see its answers"] if (old.reply, new.reply) == ("private", "thread") else []
    found += _options("options", old.options, new.options)
    for key in sorted(Agent.model_fields.keys() - TALK - {"allow", "budget", "tools", "environment", "triggers", "reply", "options"}):
        before, after = getattr(old, key), getattr(new, key)
        found += [f"{key}: {_short(before)} becomes {_short(after)}"] if before != after else []
    return found


def more(change: Change) -> list[str]:
    """The same of the two texts of a change."""
    try:
        return wider(parse(change.agent, change.old), parse(change.agent, change.new))
    except ConfigError:
        return [BROKEN]


def _claims(agent: Agent, trigger: Trigger) -> list[str]:
    return agent.model_copy(update={"triggers": (trigger,)}).claims()


def _allowed(old: Allow, new: Allow) -> Iterable[str]:
    for deed, words in DEEDS.items():
        gained = [rule for rule in getattr(new, deed) if rule not in getattr(old, deed)]
        yield from (words.format(rule) for rule in gained)


def _spent(old: Budget, new: Budget) -> Iterable[str]:
    for key in Budget.model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if before is not None and (after is None or after > before):
            yield f"budget.{key}: {before:g} becomes {'no limit' if after is None else f'{after:g}'}"


def _options(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, list) and isinstance(after, list | None):
            yield from _listed(f"{path}.{key}", before, after or [])
        else:
            yield f"{path}.{key}: {_short(before)} becomes {_short(after)}"


def _listed(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterable[str]:
    gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
    yield from (f"{path}: no longer {_short(each)}" for each in gone)
    yield from (f"{path}: {_short(each)}, too" for each in come if "deny" not in path)


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    said = said if value not in (None, "", [], ()) else "nothing"
    return said if len(said) <= 120 else f"{said[:119]}…"
