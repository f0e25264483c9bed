"""Only an agent that is to have our tools has them, only in its own name, and only while its turn runs."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from bot.event import Event, Finished, Started
from bot.message import Message
from bot.ports import Tools, Turn
from tests.standins.stage import Stage, agent
from tests.tools.conftest import Acts, Client, connected
from tests.tools.test_deeds import COLOUR, asked


class Plain:
    """A runtime that has its own way to ask."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        yield Finished("completed")


CALL = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'


async def post(url: str, content: bytes = CALL, **headers: str) -> int:
    async with httpx2.AsyncClient() as http:
        return (await http.post(url, content=content, headers={"Content-Type": "application/json"} | headers)).status_code


@pytest.mark.parametrize("wanted", [False, True])
async def test_an_agent_whose_harness_can_ask_has_them_only_where_its_file_says_so(stage: Stage, wanted: bool) -> None:
    stage.agent = agent(tools=wanted)
    runtime = Plain()

    await stage.run(runtime)

    assert (runtime.turns[0].tools is not None) is wanted


async def test_the_tools_are_described_to_the_harness(stage: Stage) -> None:
    async def lists(client: Client) -> str:
        return "\n".join(f"{tool.name}: {tool.description}" for tool in (await client.session.list_tools()).tools)

    session = await stage.run(Acts(lists))

    names = [line.partition(":")[0] for line in session.answer.splitlines()]
    assert names == ["ask_user", "request_approval", "post_update", "upload_file", "propose_schedule", "read_thread", "report_improvement"]
    assert "ask_user: Ask the people in the thread a question, and wait for their answer." in session.answer


async def test_nobody_speaks_in_an_agents_name_without_its_token(stage: Stage) -> None:
    async def tries(client: Client) -> str:
        tools = turns[0].tools
        assert tools
        wrong = {"Authorization": "Bearer wrong"}
        rebound = {**tools.headers, "Host": "evil.example"}
        return f"{await post(tools.url)} {await post(tools.url, **wrong)} {await post(tools.url, **rebound)}"

    turns = (runtime := Acts(tries)).turns

    assert (await stage.run(runtime)).answer == "401 401 421"


async def test_after_its_turn_a_token_opens_nothing(stage: Stage) -> None:
    runtime = Acts(COLOUR)
    stage.play(runtime)
    await stage.say()
    await asked(stage)
    await stage.stop()
    await stage.ended()

    tools = runtime.turns[0].tools
    assert isinstance(tools, Tools)
    assert await post(tools.url, **tools.headers) == 401


@pytest.mark.parametrize("length", [5 << 20, None])
async def test_a_call_of_any_size_is_not_taken_in(stage: Stage, length: int | None) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b" " * (length or 1)

    async def tries(client: Client) -> str:
        tools = turns[0].tools
        assert tools
        body = b" " * length if length else pieces()
        async with httpx2.AsyncClient() as http:
            return str((await http.post(tools.url, content=body, headers=tools.headers)).status_code)

    turns = (runtime := Acts(tries)).turns

    assert (await stage.run(runtime)).answer == "413"


async def test_a_call_that_still_waits_when_its_turn_ends_is_told_so(stage: Stage) -> None:
    calls: list[asyncio.Task[str]] = []

    class Forgets:
        """Ends its turn while its harness still waits for an answer."""

        tools = True

        async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
            yield Started("r1")
            assert turn.tools
            calls.append(asyncio.create_task(self._ask(turn.tools)))
            await asked(stage)
            yield Finished("failed", "It has gone.")

        async def _ask(self, tools: Tools) -> str:
            async with connected(tools) as client:
                return await COLOUR(client)

    session = await stage.run(Forgets())

    assert session.state == "failed"
    assert await calls[0] == "WRONG The turn in which you asked this is over."


async def test_a_token_is_never_shown_by_what_holds_it() -> None:
    assert "secret" not in repr(Tools("http://127.0.0.1:1/mcp", "secret"))
