"""Another runtime in place of one that is not available: each is tried in the order of the agent's file, until one has begun."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from bot.agent import Agent
from bot.errors import ConfigError, RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Runtime, Turn

ON = "on:"  # how the resume of a conversation begins that goes on elsewhere than on the agent's own runtime


class Fallback:
    """A runtime made of several. A conversation stays where it began: nobody else knows what was said there.

    `make` raises ConfigError for a runtime that cannot be loaded here. What stands in for the agent's own has no options, and no
    model: those are the other's.
    """

    def __init__(self, agent: Agent, make: Callable[[Agent], Runtime]) -> None:
        self.make = make
        self.choices = [agent, *(agent.model_copy(update={"runtime": name, "options": {}, "model": ""}) for name in agent.fallback)]

    @property
    def tools(self) -> bool:
        """Whether the agent's own needs ours."""
        with suppress(ConfigError):  # then another stands in for it
            return bool(getattr(self.make(self.choices[0]), "tools", False))
        return False

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        choices, resume = self._where(turn.resume)
        for choice, after in zip(choices, [*choices[1:], None], strict=True):
            begun = False
            try:
                async with aclosing(self.make(choice).run(replace(turn, agent=choice, resume=resume), inbox)) as events:  # type: ignore[type-var]
                    async for event in events:
                        begun = True
                        yield self._named(event, choice)
                return
            except (Unavailable, ConfigError) as error:
                if begun or after is None:
                    raise
                yield Notice(f"{choice.runtime} is not available, so this runs on {after.runtime}. {error}", "warning")

    def _where(self, resume: str) -> tuple[Sequence[Agent], str]:
        """Who is to be tried, and with which resume. Raises RuntimeFailed where the file names the runtime no more that knows it."""
        if not resume.startswith(ON):
            return (self.choices, "") if not resume else (self.choices[:1], resume)
        name, _, rest = resume.removeprefix(ON).partition(":")
        for choice in self.choices[1:]:
            if choice.runtime == name:
                return [choice], rest
        raise RuntimeFailed(
            f"This conversation began on {name}, which {self.choices[0].file} does not name under `fallback` any more. "
            "Say `new` to begin another, or let its author put it back."
        )

    def _named(self, event: Event, choice: Agent) -> Event:
        """Where a conversation began is a part of what is needed to find it again."""
        if choice is self.choices[0] or not isinstance(event, Started):
            return event
        return replace(event, resume=f"{ON}{choice.runtime}:{event.resume}")
