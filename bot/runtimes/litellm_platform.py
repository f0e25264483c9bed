"""Agents on LiteLLM's agent control plane, on whichever runtime it has them."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from pydantic import Field

from bot import net
from bot.agent import Agent
from bot.errors import Unavailable
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes.litellm_platform_line import Line
from bot.runtimes.managed_agents_work import Work
from bot.runtimes.sdk_wire import Json, Reach, secret


class LiteLLMPlatformOptions(Reach):
    """The `options` of an agent on LiteLLM's platform."""

    url: net.Url
    """The platform's address."""
    key: net.Variable = "LITELLM_PLATFORM_KEY"
    """The variable, named under `environment:`, that holds the platform's key."""
    agent: str = Field(min_length=1)
    """The agent's id there."""
    on: str = Field(min_length=1)
    """The runtime that runs it there, by its alias, as claude_managed_agents."""
    settings: Mapping[str, Any] = {}
    """What a session is begun with: repository, ref, and what else that runtime takes."""


class LiteLLMPlatform:
    """The runtime `litellm_platform`. What people say meanwhile waits for the next turn."""

    Options = LiteLLMPlatformOptions
    reports = True

    def __init__(self, options: LiteLLMPlatformOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where the platform is not there, does not let us in, or does not know the agent."""
        line = self._line(Turn("doctor", 1, agent, "", environment=environment))
        try:
            line.model = await line.model_of(self.options.agent) or line.model
            self._modelled(line, agent)
        finally:
            await line.close()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        given, line = self.options, self._line(turn)

        async def begin() -> str:
            return await line.begin(self._settings(turn))

        try:
            line.model = line.model or await line.model_of(given.agent)
            self._modelled(line, turn.agent)
            async with aclosing(Work(turn, line, begin, given.patience).told()) as events:
                async for event in events:
                    yield line.place.masked(event)
        finally:
            await line.close()

    def _line(self, turn: Turn) -> Line:
        given, where = self.options, f"options.url and options.key in {turn.agent.file}"
        headers, key = given.filled(turn), secret(turn, given.key)
        return Line(given.url, key, where, headers, turn.agent.model, private=given.private)

    def _modelled(self, line: Line, agent: Agent) -> None:
        if not line.model:
            raise Unavailable(f"{agent.file}: the platform wants to know the model, and its agent names none: set `model:`.")

    def _settings(self, turn: Turn) -> Json:
        model = {"model": turn.agent.model} if turn.agent.model else {}
        return {
            "agent_id": self.options.agent, "runtime": self.options.on, "title": f"{turn.agent.name} {turn.session_id}"[:200],
            "environment": {**model, **self.options.settings},
        }  # fmt: skip
