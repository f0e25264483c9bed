"""Agents on Claude Managed Agents, and on every bridge that speaks as they do."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from pydantic import Field, field_validator

from bot import net
from bot.agent import Agent
from bot.errors import Unavailable
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import asking
from bot.runtimes.managed_agents_line import HOME, Line
from bot.runtimes.managed_agents_work import Work
from bot.runtimes.sdk_wire import Json, Reach, secret

TOOLS = "agent_toolset_20260401"


class ManagedAgentsOptions(Reach):
    """The `options` of a managed agent."""

    url: str = "https://api.anthropic.com"
    """The platform's address, or a bridge's."""
    key: net.Variable = "ANTHROPIC_API_KEY"
    """The variable, named under `environment:`, that holds the key; empty for a bridge that wants none."""
    agent: str = ""
    """The agent's id there. Without it one is made from this file: with its model, the platform's own tools and a question tool."""
    environment: str = ""
    """The id of the environment in which it works. Without it one is made that is called frontdesk."""
    asks: tuple[str, ...] = ()
    """The tools that an agent made from this file uses only with a person's leave, as bash; or "all"."""
    vaults: tuple[str, ...] = ()
    """The ids of the vaults that its sessions may use."""
    steers: bool | None = None
    """Whether the platform takes what people say while its agent works, as Claude's own does; bridges may not."""
    silence: float = Field(default=120, gt=0)
    """Seconds without a sign of life, after which the platform is asked anew how things stand."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        return net.checked(url).removesuffix("/v1")


class ManagedAgents:
    """The runtime `managed_agents`. What people say meanwhile goes into the session's queue, or waits for the next turn."""

    Options = ManagedAgentsOptions
    reports = True

    def __init__(self, options: ManagedAgentsOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where the platform is not there, does not let us in, or does not know the agent."""
        self._known(agent)
        line = self._line(Turn("doctor", 1, agent, "", environment=environment))
        try:
            await line.reach(self.options.agent)
        finally:
            await line.close()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        given, line = self.options, self._line(turn)

        async def begin() -> str:
            return await line.begin(await self._settings(turn, line))

        try:
            async with aclosing(Work(turn, line, begin, given.patience, inbox if self._steers else None).told()) as events:
                async for event in events:
                    yield line.place.masked(event)
        finally:
            await line.close()

    @property
    def _steers(self) -> bool:
        given = self.options
        return net.host_of(given.url) == HOME if given.steers is None else given.steers

    def _line(self, turn: Turn) -> Line:
        given, where = self.options, f"options.url and options.key in {turn.agent.file}"
        headers, key = given.filled(turn), secret(turn, given.key)
        return Line(given.url, key, where, headers, private=given.private, silence=given.silence)

    def _known(self, agent: Agent) -> None:
        if not self.options.agent and not agent.model:
            raise Unavailable(f"{agent.file}: say which agent it is (options.agent), or which `model:` one is to be made with.")

    async def _settings(self, turn: Turn, line: Line) -> Json:
        """What a session is begun with: the agent's budget is also the platform's."""
        given, file, limit = self.options, turn.agent, turn.agent.budget.usd_per_session
        self._known(file)
        cost = {"amount": str(max(1, int((limit or 0) * 100))), "currency": "USD"}  # in cents
        return {
            "agent": given.agent or await line.agent(f"{file.name} {file.version}", self._made(turn)),
            "environment_id": given.environment or await line.environment("frontdesk"),
            "title": f"{file.name} {turn.session_id}"[:200],
            "metadata": {"frontdesk": turn.session_id},
            **({"budget": {"type": "limit", "max_list_cost": cost}} if limit else {}),
            **({"vault_ids": list(given.vaults)} if given.vaults else {}),
        }

    def _made(self, turn: Turn) -> Json:
        """An agent like this file. Its instructions come with the first message, since they name the person who asks."""
        ask, allow = {"permission_policy": {"type": "always_ask"}}, {"permission_policy": {"type": "always_allow"}}
        default = {"enabled": True, **(ask if "all" in self.options.asks else allow)}
        configs = [{"name": name, **ask} for name in self.options.asks if name != "all"]
        question = {"type": "custom", "name": asking.NAME, "description": asking.ABOUT, "input_schema": asking.SCHEMA}
        tools = {"type": TOOLS, "default_config": default, **({"configs": configs} if configs else {})}
        return {"model": turn.agent.model, "description": turn.agent.description, "tools": [tools, question]}
