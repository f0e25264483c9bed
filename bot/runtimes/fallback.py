"""An agent on another runtime than its own: what holds it at home holds there too; and others tried in turn until one has begun."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from inspect import get_annotations
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from bot.agent import Agent
from bot.errors import ConfigError, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Runtime, Turn
from bot.runtimes.home import Options

CAGE = ("cwd", "sandbox", "network", "memory_megabytes")
RULES = (*CAGE, "ask", "deny", "permission", "permission_mode", "approvals", "commands", "mode")


def options(agent: Agent, model: type[BaseModel]) -> dict[str, Any]:
    """The agent's options for a runtime that takes those of `model`, with what contains it at home where that means the same there.

    Raises ConfigError for what means nothing there, or another thing, unless the file says what is to hold there instead.
    """
    same = {key for key in CAGE if next((cls for cls in model.__mro__ if key in get_annotations(cls)), None) is Options}
    lost = [key for key in RULES if key in agent.held and key not in same]
    if lost and not agent.options:
        raise ConfigError(
            f"options.{lost[0]} does not hold on {agent.runtime}; write what does under `fallback`, as it does by itself: "
            f"{{runtime: {agent.runtime}, options: {_usual(model)}}}"
        )
    return {**{key: value for key, value in agent.held.items() if key in same}, **agent.options}


def _usual(model: type[BaseModel]) -> str:
    """How a file says what holds there by itself."""
    rules = [key for key in RULES if key in model.model_fields and key not in CAGE]
    needed = [key for key, field in model.model_fields.items() if field.is_required()]
    keys = [*needed, *rules[:1]] or [key for key in ("sandbox", *model.model_fields) if key in model.model_fields][:1]
    found = {key: "…" if key in needed else model.model_fields[key].get_default(call_default_factory=True) for key in keys}
    return yaml.safe_dump(to_jsonable_python(found), default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False).strip()


class Fallback:
    """A runtime made of several, for a conversation that begins. `make` raises ConfigError for one that cannot be loaded here."""

    def __init__(self, agent: Agent, make: Callable[[Agent], Runtime]) -> None:
        self.make, self.choices = make, agent.choices

    @property
    def tools(self) -> bool:
        """Whether one of them needs ours."""
        return any(map(self._needs, self.choices))

    def _needs(self, choice: Agent) -> bool:
        with suppress(ConfigError):  # then another stands in for it
            return bool(getattr(self.make(choice), "tools", False))
        return False

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        """Raises Unavailable where none is available: why the first is not, then why each other."""
        away: list[tuple[str, str]] = []
        for choice in self.choices:
            async with aclosing(self._on(choice, turn, inbox)) as events:
                try:
                    first = await anext(events, None)
                except (Unavailable, ConfigError) as error:
                    away.append((self._called(choice), " ".join(str(error).split())))
                    continue
                if away:
                    names, whys = zip(*away, strict=True)
                    said = f"{' and '.join(names)} {'are' if away[1:] else 'is'} not available, so this runs on {self._called(choice)}."
                    yield Notice(" ".join([said, *whys]), "warning")
                if first:
                    yield first
                async for event in events:
                    yield event
            return
        raise Unavailable("\n".join([away[0][1], *(f"Nor is {name} available: {why}" for name, why in away[1:])]))

    async def _on(self, choice: Agent, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        tools = turn.tools if turn.agent.tools or self._needs(choice) else None
        async with aclosing(self.make(choice).run(replace(turn, agent=choice, tools=tools), inbox)) as events:  # type: ignore[type-var]
            async for event in events:
                yield replace(event, runtime=choice.runtime) if isinstance(event, Started) else event

    def _called(self, choice: Agent) -> str:
        """By its model too, where the file names the same runtime with others."""
        same = [other for other in self.choices if other.runtime == choice.runtime]
        return f"{choice.runtime} with {choice.model}" if same[1:] and choice.model else choice.runtime
