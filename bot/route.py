"""Which agent is meant."""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from bot.agent import Agent
from bot.message import Message
from bot.trigger import Trigger

NAMED = re.compile(r"\s*([A-Za-z0-9][\w-]{0,39}):(?=\s|$)\s*", re.ASCII)


def named(text: str, agents: Sequence[Agent]) -> tuple[Agent | None, str]:
    """The agent that `reviewer: look at this` calls by name, and the rest of the text."""
    if found := NAMED.match(text):
        for agent in agents:
            if agent.name == found[1].lower():
                return agent, text[found.end() :]
    return None, text


def misnamed(text: str, agents: Sequence[Agent]) -> str:
    """The name of an agent that `reviewr: …` probably meant; empty where it calls nobody."""
    found = NAMED.match(text)
    near = get_close_matches(found[1].lower(), [agent.name for agent in agents], 1, 0.7) if found else []
    return near[0] if near else ""


def route(message: Message, agents: Sequence[Agent]) -> Agent | None:
    """The agent of the command, shortcut or reaction; else of the channel; else the one that answers everywhere."""
    match message.door:
        case "command":
            return _first(agents, lambda t: t.command == message.name)
        case "shortcut":
            return _first(agents, lambda t: t.shortcut is not None and t.shortcut.callback == message.name)
        case "reaction":
            return _first(agents, lambda t: t.reaction == message.name)
        case "message":
            return _first(agents, lambda t: _watched(t, message))
        case "direct":
            return _first(agents, lambda t: t.dm) or everywhere(agents)
        case _:
            return _first(agents, lambda t: message.channel in t.mention) or everywhere(agents)


def everywhere(agents: Sequence[Agent]) -> Agent | None:
    """The default agent."""
    return _first(agents, lambda trigger: "*" in trigger.mention)


def _first(agents: Sequence[Agent], fits: Callable[[Trigger], bool]) -> Agent | None:
    return next((agent for agent in agents if any(fits(trigger) for trigger in agent.triggers)), None)


def _watched(trigger: Trigger, message: Message) -> bool:
    watch = trigger.messages
    return watch is not None and watch.channel == message.channel and message.root and re.search(watch.pattern, message.text) is not None


def conflicts(agents: Iterable[Agent]) -> list[str]:
    """Places that two agents claim: each a sentence that names both files."""
    owner: dict[str, Agent] = {}
    found = []
    for agent in agents:
        for claim in agent.claims():
            if (other := owner.setdefault(claim, agent)) is not agent:
                found.append(f"{other.file} and {agent.file} both claim {claim}; remove it from one of them")
    return found
