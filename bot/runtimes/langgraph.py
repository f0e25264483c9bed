"""Agents that run on a LangGraph server, wherever that is."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot import net
from bot.agent import Agent
from bot.errors import Unavailable
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.langgraph_line import PATIENCE, Line
from bot.runtimes.langgraph_work import Work


class LangGraphOptions(BaseModel):
    """The `options` of an agent on a LangGraph server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: net.Url
    """The server's address."""
    private: bool = False
    """Whether that may be an address of your own network."""
    assistant: str = "agent"
    """The graph's name there, or an assistant's id."""
    key: net.Variable = ""
    """The variable, named under `environment:`, that holds the server's API key."""
    configurable: Mapping[str, Any] = {}
    """What the graph finds in its configuration under `configurable`; with `model:` of the agent's file as `model`."""
    patience: float = Field(default=PATIENCE, ge=0)
    """Seconds to get a lost connection back."""


class LangGraph:
    """The runtime `langgraph`. It cannot be steered: what people say meanwhile waits for the next turn."""

    Options = LangGraphOptions

    def __init__(self, options: LangGraphOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where the server is not there, does not let us in, or serves no such graph."""
        line = self._line(Turn("doctor", 1, agent, "", environment=environment))
        try:
            await line.knows(self.options.assistant)
        finally:
            await line.close()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        given, line = self.options, self._line(turn)
        try:
            async with aclosing(Work(turn, line, given.assistant, given.configurable, Path()).told()) as events:
                async for event in events:
                    yield event
        finally:
            await line.close()

    def _line(self, turn: Turn) -> Line:
        given, file = self.options, turn.agent.file
        if given.key and not turn.environment.get(given.key, "").strip():
            raise Unavailable(
                f"{file}: options.key needs the variable {given.key}: name it under `environment:`, and set it where frontdesk runs."
            )
        place = f"options.url and options.key in {file}"
        return Line(given.url, place, turn.environment.get(given.key, "").strip(), Pass(given.private), given.patience)
