"""Agents elsewhere reach our tools at the HTTP port, with the token of a turn that runs, and nobody else does."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.event import Event, Finished, Started
from bot.message import Message
from bot.ports import Turn
from bot.tools import outside
from bot.tools.lend import UNREACHED, Lending
from tests.standins.stage import Stage, agent
from tests.tools.conftest import Acts, Client
from tests.tools.test_lend import post


class Afar(Acts):
    elsewhere = True


class Alone:
    """Works elsewhere, and does without tools where it has none."""

    tools = elsewhere = True

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        yield Started("r1")
        yield Finished("failed" if turn.tools else "completed", "")


@pytest.fixture
async def address(stage: Stage) -> AsyncIterator[str]:
    """Where the HTTP port is reached."""
    [lending] = stage.aids
    assert isinstance(lending, Lending)
    app = web.Application()
    app.add_routes([outside.route(lending.address)])
    async with TestServer(app) as server:
        lending.public = str(server.make_url("/"))[:-1]
        yield lending.public + outside.PATH


async def test_an_agent_elsewhere_uses_them(stage: Stage, address: str) -> None:
    async def posts(client: Client) -> str:
        return await client("post_update", text="Half of it is done.")

    runtime = Afar(posts)

    session = await stage.run(runtime)

    assert runtime.turns[0].tools
    assert runtime.turns[0].tools.url == address
    assert "Half of it is done." in str(session.notices)


async def test_without_the_token_of_a_turn_that_runs_they_are_shut(stage: Stage, address: str) -> None:
    async def tries(client: Client) -> str:
        return f"{await post(address)} {await post(address, Authorization='Bearer wrong')}"

    runtime = Afar(tries)
    during = (await stage.run(runtime)).answer
    assert runtime.turns[0].tools

    assert (during, await post(address, **runtime.turns[0].tools.headers)) == ("401 401", 401)


async def test_what_is_too_large_is_not_passed_on(stage: Stage, address: str) -> None:
    async def pours(client: Client) -> str:
        assert runtime.turns[0].tools
        return str(await post(address, b"x" * (2 << 20), **runtime.turns[0].tools.headers))

    runtime = Afar(pours)

    assert (await stage.run(runtime)).answer == "413"


async def test_where_nobody_can_reach_us_the_thread_is_told_that_there_are_none(stage: Stage) -> None:
    stage.agent = agent(tools=True)

    session = await stage.run(Alone())

    assert session.state == "completed"
    assert UNREACHED in str(session.notices)
