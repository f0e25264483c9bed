"""A container's door: what it asks for, what it keeps, and what it does for whoever was cut off."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.cli import container
from bot.errors import ConfigError
from bot.event import Event, Finished, Started
from bot.message import Message
from bot.ports import Tools, Turn
from bot.runtimes import runtime_of
from bot.settings import Settings
from bot.shim.server import Shim
from bot.spoken import SESSION
from tests.standins.wait import until

TOKEN = "a-token-for-this-shim"


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Shim]:
    shim = Shim(TOKEN, tmp_path, runtime_of, {})
    await shim.start("127.0.0.1", 0)
    yield shim
    await shim.close()


@pytest.fixture
async def http(shim: Shim) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{shim.port}") as http:
        yield http


async def order(http: aiohttp.ClientSession, op: str = "run", session: str = "c1", **more: Any) -> list[dict[str, Any]]:
    """What a door answers, record by record."""
    asked = {"op": op, "token": TOKEN, "turn": "t1", "runtime": "echo", "prompt": "!say one\n!say two", **more}
    async with http.post("/invocations", json=asked, headers={SESSION: session} if session else {}) as response:
        text = await response.text()
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith(("data: ", "{"))]


def events(records: list[dict[str, Any]]) -> list[str]:
    return [record["event"]["type"] for record in records if "event" in record]


async def test_a_turn_is_told_by_number(http: aiohttp.ClientSession) -> None:
    records = await order(http)

    assert events(records) == ["Started", "Text", "Text", "Finished"]
    assert [record["n"] for record in records] == [0, 1, 2, 3, 4]
    assert {record["session"] for record in records} == {"c1"}


async def test_the_tools_that_the_desk_lends_are_the_harnesss_and_nobody_elses(http: aiohttp.ClientSession, shim: Shim) -> None:
    await order(http, tools={"url": "https://desk.example/tools", "token": "of this turn"})
    await order(http, turn="t2")

    lent, none = (work.turn.tools for work in shim.conversations["c1"].works)
    assert lent == Tools("https://desk.example/tools", "of this turn")
    assert none is None


async def test_what_does_not_begin_with_the_token_is_not_read_whole(http: aiohttp.ClientSession, shim: Shim) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            yield b"x" * (1 << 20)
            sent += 1

    held = []
    read = shim._read

    async def reading(request: web.Request) -> bytes:
        try:
            return await read(request)
        finally:
            held.append(sent)

    shim._read = reading  # type: ignore[method-assign]
    async with http.post("/invocations", data=flood(), headers={SESSION: "c1"}) as response:
        assert response.status == 401
        assert "not the token" in await response.text()

    assert held[0] < 8


async def test_an_order_with_files_is_read_whole(http: aiohttp.ClientSession, shim: Shim) -> None:
    given = [{"path": "/desk/a/plan.txt", "data": base64.b64encode(b"x" * (1 << 18)).decode()}]
    asked = {"token": TOKEN, "op": "run", "turn": "t1", "runtime": "echo", "prompt": "!say one", "files": given}

    async with http.post("/invocations", json=asked, headers={SESSION: "c1"}) as response:
        assert response.status == 200


async def test_two_files_of_the_same_name_stay_two(http: aiohttp.ClientSession, shim: Shim) -> None:
    given = [{"path": f"/desk/{place}/plan.txt", "data": base64.b64encode(place.encode()).decode()} for place in ("a", "b", "c")]

    await order(http, files=given, prompt="Compare /desk/a/plan.txt with /desk/b/plan.txt.")

    turn = shim.conversations["c1"].works[0].turn
    assert [path.name for path in turn.files] == ["plan.txt", "plan-2.txt", "plan-3.txt"]
    assert [path.read_text() for path in turn.files] == ["a", "b", "c"]
    assert turn.prompt == f"Compare {turn.files[0]} with {turn.files[1]}."


async def test_whoever_comes_back_hears_what_came_after(http: aiohttp.ClientSession) -> None:
    await order(http)

    records = await order(http, after=2)

    assert [record["n"] for record in records[1:]] == [3, 4]


async def test_an_order_that_comes_twice_is_done_once(http: aiohttp.ClientSession, shim: Shim) -> None:
    first, second = await asyncio.gather(order(http), order(http))

    assert first == second
    assert [len(each.works) for each in shim.conversations.values()] == [1]


async def test_numbers_go_on_from_turn_to_turn(http: aiohttp.ClientSession) -> None:
    await order(http)

    records = await order(http, turn="t2")

    assert [record["n"] for record in records] == [4, 5, 6, 7, 8]


async def test_a_turn_that_has_to_be_known_and_is_not_is_lost(http: aiohttp.ClientSession) -> None:
    [record] = await order(http, known=True)

    assert record["lost"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
async def test_without_the_token_nothing_is_done(http: aiohttp.ClientSession, shim: Shim, token: str) -> None:
    [record] = await order(http, token=token)

    assert record == {"error": "This is not the token of this shim."}
    assert not shim.conversations


async def test_an_order_that_names_no_conversation_is_refused(http: aiohttp.ClientSession) -> None:
    [record] = await order(http, session="")

    assert SESSION in record["error"]


async def test_an_order_that_nobody_knows_is_refused(http: aiohttp.ClientSession) -> None:
    [record] = await order(http, op="dance")

    assert "of the same version" in record["error"]


async def test_options_that_are_wrong_are_told(http: aiohttp.ClientSession) -> None:
    [record] = await order(http, options={"lisen": True})

    assert "did you mean 'listen'?" in record["error"]


async def test_it_says_whether_it_is_at_work(http: aiohttp.ClientSession, shim: Shim) -> None:
    running = asyncio.create_task(order(http, prompt="!say one\n!slow 30\n!say two"))
    await until(lambda: any(each.busy for each in shim.conversations.values()))
    async with http.get("/ping") as response:
        assert (await response.json())["status"] == "HealthyBusy"

    [stopped] = await order(http, op="stop")

    assert stopped == {"stopped": True}
    assert events(await running)[-1] == "Finished"
    async with http.get("/ping") as response:
        assert (await response.json())["status"] == "Healthy"


async def test_a_new_turn_ends_the_one_before(http: aiohttp.ClientSession, shim: Shim) -> None:
    running = asyncio.create_task(order(http, prompt="!say one\n!slow 30\n!say two"))
    await until(lambda: any(each.busy for each in shim.conversations.values()))

    await order(http, turn="t2")

    assert (await running)[-1]["event"] == {"type": "Finished", "state": "canceled"}


class Tidy:
    """Takes its time to put things away."""

    def __init__(self) -> None:
        self.tidied = 0

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        try:
            yield Started("r")
            yield Finished("completed")
        finally:
            await asyncio.sleep(0.1)
            self.tidied += 1


async def test_what_a_harness_puts_away_in_the_end_is_not_cut_off(tmp_path: Path) -> None:
    tidy = Tidy()
    shim = Shim(TOKEN, tmp_path, lambda agent: tidy, {})
    await shim.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{shim.port}") as http:
        await order(http)
        await order(http, turn="t2")
    await shim.close()

    assert tidy.tidied == 2


async def test_what_is_said_to_a_turn_that_is_over_is_not_taken(http: aiohttp.ClientSession) -> None:
    await order(http)

    assert await order(http, op="say", id="m1", text="too late") == [{"taken": False}]


async def test_a_turn_that_nobody_listens_to_ends_some_time(http: aiohttp.ClientSession, shim: Shim) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await order(http, prompt="!say one\n!slow 30\n!say two")
    [work] = next(iter(shim.conversations.values())).works
    work._followers, work.alone = 0, 0.0
    work._lonely = work._alone()

    await until(lambda: work.end)

    assert work.end == Finished("canceled", "Nobody listened to it any more, so it was stopped.")


@pytest.mark.parametrize("token", ["", "short"])
def test_it_does_not_start_without_a_good_token(token: str) -> None:
    with pytest.raises(ConfigError, match="SHIM_TOKEN: set one of at least 16 characters"):
        container.made(Settings(environment={"SHIM_TOKEN": token}))


def test_no_harness_is_given_the_token() -> None:
    assert container.made(Settings(environment={"SHIM_TOKEN": TOKEN, "KEY": "x"})).environment == {"KEY": "x"}
