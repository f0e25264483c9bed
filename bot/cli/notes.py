"""What agents are and did, in the words of the authors' bench."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from bot.agent import Agent
from bot.event import Answered, Artifact, Event, Finished, Improvement, Notice, Plan, Question, Queued, Started, Step, Text, Thought, Usage
from bot.playground.bench import Line, Route, Run
from bot.session import Session
from bot.trigger import Trigger
from bot.triggers.example import curl
from bot.triggers.hook import hooks

LONG = 400  # characters of an event
OPEN = "#general"  # where an agent is tried that answers anywhere


def routes(agent: Agent, every: Sequence[Agent], bot: str, site: str) -> Iterator[Route]:
    """Every way to an agent, with what to do to try it. `bot` is how people mention the desk, `site` where webhooks are served."""
    calls = (curl(hook, site) for hook in hooks([agent]))
    for trigger in agent.triggers:
        alone = Agent.claims(agent.model_copy(update={"triggers": (trigger,)}))
        places = trigger.mention or ("",)
        found = (_route(trigger, words, place, agent, every, bot) for words, place in zip(alone, places, strict=True))
        yield from (replace(route, hint=next(calls)) if trigger.webhook else route for route in found)
    if not agent.triggers:
        yield Route("by its name only", OPEN, f"{bot} {agent.name}: ")


def _route(trigger: Trigger, words: str, place: str, agent: Agent, every: Sequence[Agent], bot: str) -> Route:
    if place == "*":
        taken = any(OPEN in other.mention for each in every if each is not agent for other in each.triggers)
        return Route(words, OPEN, f"{bot} {agent.name}: " if taken else f"{bot} ")
    if place:
        return Route(words, place, f"{bot} ")
    if trigger.dm:
        return Route(words, "messages")
    if trigger.command:
        return Route(words, OPEN, f"{trigger.command} ")
    if trigger.messages:
        return Route(words, trigger.messages.channel, hint="It needs no mention: say something that fits.")
    if trigger.shortcut:
        return Route(words, OPEN, hint=f"“{trigger.shortcut.name}” stands in the ⋯ menu of each message.")
    if trigger.reaction:
        return Route(words, OPEN, hint=f"React to a message with :{trigger.reaction}:")
    if trigger.schedule:
        return Route(words, OPEN, f"{bot} schedules", hint="It begins by itself; `Run now` has it now.")
    return Route(words)


def run(version: str, told: str, session: Session, events: Sequence[tuple[float, Event]], asked: str) -> Run:
    """What came of a turn that was `told` these instructions; `asked` are the words before a question."""
    questions = [event for _, event in events if isinstance(event, Question)]
    asks = " ".join(f"{asked} {question(each)}" for each in questions)
    seconds = max(0.0, session.ended - session.asked) if session.ended else 0.0
    first = next((event for _, event in events if isinstance(event, Started)), None)  # those after it only say how to find it again
    lines = [Line(at, *line(event)) for at, event in events if not isinstance(event, Started) or event is first]
    return Run(version, session.state, told, session.answer, session.reason, asks, lines, seconds, session.usage.usd)


def question(asked: Question) -> str:
    parts = [part.text + "".join(f" | {option.label}" for option in part.options) for part in asked.parts]
    return " ".join([*parts, *([f"({asked.detail})"] if asked.detail else [])])


def line(event: Event) -> tuple[str, str]:
    """An event as its kind and a short text."""
    kind = type(event).__name__.lower()
    match event:
        case Started(_, native, model):
            text = " ".join(filter(None, (model, native)))
        case Text(text) | Thought(text):
            pass
        case Step(_, title, kind_of, status, detail):
            text = f"{title} ({kind_of}, {status})" + (f": {detail}" if detail else "")
        case Plan(items):
            text = " | ".join(f"{item.text} ({item.status})" for item in items)
        case Question():
            kind, text = event.kind, question(event)
        case Answered(_, outcome, by, answers):
            text = f"{outcome}{f' by {by}' if by else ''}" + (f": {', '.join(answers)}" if answers else "")
        case Artifact(name, media, path, url):
            text = f"{name} ({media}) {url or path}"
        case Usage(given, made, cached, usd, _):
            text = f"{given:,} tokens in, {made:,} out, {cached:,} cached, ${usd:.4f}"
        case Improvement(what, text):
            text = f"{what}: {text}"
        case Queued(ahead):
            text = f"waits for room, behind {ahead}"
        case Notice(text, level):
            kind = level
        case Finished(state, reason, error):
            text = ": ".join(filter(None, (state, reason, error)))
        case _:
            assert_never(event)
    return kind, text if len(text) <= LONG else f"{text[:LONG]}…"
