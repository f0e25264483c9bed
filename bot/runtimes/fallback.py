"""An agent on another runtime than its own: what holds it at home holds there too; and others tried in turn until one has begun."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from inspect import get_annotations
from typing import Any

from pydantic import BaseModel

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
            f"options.{lost[0]} does not hold on {agent.runtime}; write what does under `fallback`: "
            f"{{runtime: {agent.runtime}, options: {{…}}}}"
        )
    return {**{key: value for key, value in agent.held.items() if key in same}, **agent.options}


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
        for choice, after in zip(self.choices, [*self.choices[1:], None], strict=True):
            begun, tools = False, turn.tools if turn.agent.tools or self._needs(choice) else None
            try:
                async with aclosing(self.make(choice).run(replace(turn, agent=choice, tools=tools), inbox)) as events:  # type: ignore[type-var]
                    async for event in events:
                        begun = True
                        yield replace(event, runtime=choice.runtime) if isinstance(event, Started) else event
                return
            except (Unavailable, ConfigError) as error:
                if begun or after is None:
                    raise
                yield Notice(f"{choice.runtime} is not available, so this runs on {after.runtime}. {error}", "warning")
