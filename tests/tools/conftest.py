"""A turn whose agent has our tools, and uses them as a harness does: through the MCP SDK's own client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from bot.event import Event, Finished, Started, Text
from bot.message import Message
from bot.ports import Tools, Turn
from bot.tools.lend import Lending
from tests.standins.stage import Stage, agent, staged


class Client:
    """What a harness has of our tools."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def __call__(self, tool: str, **arguments: object) -> str:
        """What the agent is told; with WRONG before it, where that is an error."""
        result = await self.session.call_tool(tool, arguments)
        [said] = result.content
        assert isinstance(said, TextContent)
        return f"WRONG {said.text}" if result.is_error else said.text


@asynccontextmanager
async def connected(tools: Tools) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=tools.headers, timeout=30) as http,
        streamable_http_client(tools.url, http_client=http) as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield Client(session)


Deed = Callable[[Client], Awaitable[str]]


class Acts:
    """Does this in each of its turns, one after the other, and the last when it is asked about one; and says what came of it."""

    tools = True

    def __init__(self, *deeds: Deed) -> None:
        self.deeds = deeds
        self.turns: list[Turn] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        assert turn.tools
        async with connected(turn.tools) as client:
            said = await self.deeds[max(turn.number, 0) - 1](client)
        yield Text(said)
        yield Finished("completed")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    lending = Lending()
    async with staged(tmp_path) as stage:
        stage.aids = (lending,)
        stage.agent = agent(allow={"answer": "everyone", "approve": "everyone"})
        try:
            yield stage
        finally:
            await stage.engine.close()
            await lending.close()
