"""Whatever speaks OpenAI's Responses, or at least Chat Completions: OpenAI, Azure, Databricks, LiteLLM, Hermes."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Literal

from pydantic import Field

from bot import net
from bot.agent import Agent
from bot.errors import Unavailable
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import asking, gateway, responses_chat, responses_work
from bot.runtimes.oauth import OAuth, credentials
from bot.runtimes.responses_line import Line
from bot.runtimes.sdk_wire import Json, Reach, secret

OPENAI = "https://api.openai.com/v1"


class ResponsesOptions(Reach):
    """The `options` of an agent that a model's API serves."""

    url: net.AnyUrl = ""
    """The API's address, with its /v1. Without it: frontdesk's LiteLLM where one is set, else OpenAI."""
    key: net.Variable = "OPENAI_API_KEY"
    """The variable, named under `environment:`, that holds the key; empty where none is wanted."""
    oauth: OAuth | None = None
    """In place of a key that does not change: client credentials, as Databricks wants them."""
    api: Literal["responses", "chat"] = "responses"
    """Which API is spoken; chat where there are no Responses."""
    state: Literal["previous", "conversation", "ours"] = "previous"
    """Where the conversation is kept: by the platform, there as a conversation of its own, or by frontdesk, as with chat it always is."""
    background: bool = False
    """Whether the platform works on without us, as OpenAI, Azure and Databricks can: then nothing is lost when a connection breaks."""
    asks: bool = True
    """Whether the model is given a function to ask people questions."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """The platform's own tools that the model may use, as the API writes them."""
    more: Mapping[str, Any] = {}
    """What else goes with every request, as reasoning or temperature."""
    silence: float = Field(default=120, gt=0)
    """Seconds without a sign of life, after which the connection is given up."""


class Responses:
    """The runtime `responses`. What people say meanwhile waits for the next turn."""

    Options = ResponsesOptions
    reports = True
    elsewhere = True  # our tools are reached from there

    def __init__(self, options: ResponsesOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where the API is not there, does not know the key, or nothing says which model."""
        self._modelled(agent)
        base, key = (environment.get(name, "") for name in ("LITELLM_API_BASE", "LITELLM_API_KEY"))
        line = self._line(Turn("doctor", 1, agent, "", environment=environment, gateway=(base, key)))
        try:
            await line.reach()
        finally:
            await line.close()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        line = self._line(turn)
        try:
            async with aclosing(self._work(turn, line).told()) as events:
                async for event in events:
                    yield line.place.masked(event)
        finally:
            await line.close()

    def _line(self, turn: Turn) -> Line:
        given, file, way = self.options, turn.agent.file, gateway.of(turn)
        headers, where = given.filled(turn), f"options.url and options.key in {file}"
        url, key, private = given.url or OPENAI, "", given.private
        if way and not given.url:
            url, key, private, where = way.openai, way.key, True, "LITELLM_API_BASE in frontdesk's environment"
        else:
            key = "" if given.oauth else secret(turn, given.key)
        client = credentials(given.oauth, turn) if given.oauth else None
        return Line(url, key, where, headers, private=private, silence=given.silence, client=client)

    def _modelled(self, agent: Agent) -> None:
        if not agent.model:
            raise Unavailable(f"{agent.file}: say which `model:` it is; an agent's name on platforms that have agents for models.")

    def _work(self, turn: Turn, line: Line) -> responses_work.Work | responses_chat.Work:
        given = self.options
        self._modelled(turn.agent)
        asked: Json = {"model": turn.agent.model, "extra_body": dict(given.more)}
        if given.api == "chat":
            tools = [*(responses_chat.tools() if given.asks else ()), *map(dict, given.tools)]
            return responses_chat.Work(turn, line, asked | ({"tools": tools} if tools else {}))
        question = {"type": "function", "name": asking.NAME, "description": asking.ABOUT, "parameters": asking.SCHEMA, "strict": False}
        tools = [*([question] if given.asks else ()), *map(dict, given.tools), *_lent(turn)]
        asked |= {"tools": tools} if tools else {}
        asked |= {"instructions": turn.instructions} if turn.instructions.strip() else {}
        asked |= {"background": True, "store": True} if given.background else {}
        return responses_work.Work(turn, line, asked, given.state, given.patience)


def _lent(turn: Turn) -> list[Json]:
    """Our tools, as the API writes an MCP server; people are asked by the tools themselves."""
    if not turn.tools:
        return []
    server = {"server_label": turn.tools.name, "server_url": turn.tools.url, "authorization": turn.tools.token}
    return [{"type": "mcp", **server, "require_approval": "never"}]
