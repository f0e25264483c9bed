"""A changed agent is asked what was asked before: its answers stand beside those of then, and nobody else hears of it."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from uuid import uuid4

from bot import clock, prompt
from bot.agent import Agent
from bot.examples import Example
from bot.improve.lab import Lab, Purse, ask
from bot.journal import Delivery
from bot.message import Message, Person, Quote
from bot.past import Outcome, Past, Run, Tried

MOST = 5  # past turns
LONG = 4000  # characters of an earlier answer that are quoted


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to ask: what a past turn was, or an example."""

    message: Message
    prompt: str
    name: str
    past: Past | None = None
    example: Example | None = None


async def trial(
    old: Agent,
    new: Agent,
    past: Sequence[Past],
    lab: Lab,
    examples: Sequence[Example] = (),
    most: int = MOST,
    by: str = "",
    show: Callable[[Run], None] = lambda run: None,
) -> Tried:
    """Ask `new` what `old` was asked: in at most so many of its past turns, and in all examples. Raises ConfigError, before anything runs.

    `past` is all that is known of them, newest first; `show` is told of each run.
    """
    agent, purse = lab.box(new), Purse.of(lab)
    wishes = [*(_again(one, past) for one in chosen(past, most)), *map(_example, examples)]
    told = [prompt.instructions(agent, wish.message.author, wish.message.channel, wish.message.at) for wish in wishes]
    runs, left = list[Run](), tuple[str, ...]()
    for n, (wish, instructions) in enumerate(zip(wishes, told, strict=True), 1):
        if why := purse.empty(agent):
            left = (f"{len(wishes) - n + 1} of {len(wishes)} were not tried: {why.rstrip('.')}.",)
            break
        runs.append(_run(str(n), wish, await ask(agent, wish.message, wish.prompt, instructions, purse)))
        show(runs[-1])
    return Tried(uuid4().hex, new.name, old.version, new.version, tuple(runs), left=left, by=by, at=clock.now())


def chosen(past: Sequence[Past], most: int) -> list[Past]:
    """What can be asked again, each once: first what people rated, bad and good by turns, then the newest."""
    fit = [one for one in past if one.asked.strip() and not one.files and one.door != "answer" and one.state != "rejected"]
    bad, good = [one for one in fit if one.bad], [one for one in fit if one.good and not one.bad]
    rated = [one for pair in zip_longest(bad, good) for one in pair if one]
    once: dict[str, Past] = {}
    for one in [*rated, *fit]:
        once.setdefault(one.asked.strip(), one)
    return list(once.values())[:most]


def _again(one: Past, past: Sequence[Past]) -> Wish:
    """With what was said in its session before, quoted: nothing of that is kept where it runs now."""
    before = [other for other in reversed(past) if other.session_id == one.session_id and other.turn < one.turn]
    quotes = [quote for other in before for quote in _said(other)]
    message = Message(f"trial:{one.session_id}:{one.turn}", "", one.channel, Person(one.person), one.asked, at=one.at)
    return Wish(message, prompt.compose([message], quotes), "", past=one)


def _said(past: Past) -> list[Quote]:
    return [Quote(past.person, past.at, past.asked), Quote(past.agent, past.at + past.seconds, past.answer[:LONG])]


def _example(example: Example) -> Wish:
    message = Message(f"trial:{example.name}", "", "", Person("trial", "somebody"), example.prompt, at=time.time())
    return Wish(message, prompt.compose([message]), example.name, example=example)


def _run(id: str, wish: Wish, new: Outcome) -> Run:
    missed = tuple(wish.example.missed(new.text)) if wish.example else ()
    if not (past := wish.past):
        return Run(id, wish.name, wish.message.text, None, new, missed)
    old = Outcome(past.answer, past.state, past.reason, past.usd, past.seconds, past.version)
    return Run(id, "", past.asked, old, new, missed, ((past.session_id, past.turn),), past.channel, past.private)


def delivery(tried: Tried, place: str) -> Delivery:
    """What a desk finds that runs, and lets people in that channel (#name or id) vote."""
    key = f"trial:{tried.id}:{place}"
    return Delivery(key, "trial", json.dumps({"trial": tried.id, "place": place}), clock.now(), key)
