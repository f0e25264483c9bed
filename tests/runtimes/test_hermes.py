"""A Hermes that runs elsewhere, and may do anything: here a server that does as a test says. Hermes itself is in tests/harnesses."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.agent import Agent
from bot.breaker import BREAKER
from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, Notice
from bot.net import host_of
from bot.ports import Turn
from bot.runtimes import coding, hermes_server
from bot.runtimes.hermes_server import Server
from tests.standins.wait import until
from tests.standins.wall import SSE, Wall, says, streams

from .talk import ANNA, after, talked, talking
from .test_langgraph import Kept

KEY = "the key of the gateway"
APPROVAL = ("POST", "/v1/runs/r1/approval", {"choice": "once"})


@pytest.fixture
async def wall(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wall]:
    monkeypatch.setattr(hermes_server, "PAUSE", 0.01)
    async with Wall() as wall:
        wall.on("GET", "/v1/models", says({}))
        wall.on("POST", "/v1/runs", says({"run_id": "r1"}))
        yield wall
    BREAKER.forget()


def turn(folder: Path, wall: Wall, prompt: str = "hello", **options: Any) -> Turn:
    options = {"url": wall.url, "key": "KEY", "private": True, **options}
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "hermes", "options": options}
    return Turn("s1", 1, Agent.model_validate(given), prompt, folder=folder, person=ANNA, environment={"KEY": KEY}, keep=Kept())


def event(name: str, **more: Any) -> str:
    return f"data: {json.dumps({'event': name, 'run_id': 'r1', **more})}\n\n"


async def test_an_address_of_our_own_network_is_asked_only_where_the_file_says_so(wall: Wall, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"leads to a private address; if that is meant, set options\.private to true"):
        await talked(turn(tmp_path, wall, private=False))

    assert wall.asked == []


async def test_an_answer_without_end_is_not_read(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/v1/models", says("x" * (17 << 20)))

    with pytest.raises(Unavailable, match="sent more than 16 MiB at once"):
        await talked(turn(tmp_path, wall))


async def test_the_key_is_taken_out_of_what_it_says(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/v1/models", says(f"no such key: {KEY}", 400))

    with pytest.raises(Unavailable, match=r"\(400\): \S*no such key: …"):
        await talked(turn(tmp_path, wall))


async def test_a_decision_that_reached_nobody_is_given_once_somebody_is_there(wall: Wall) -> None:
    await wall.down()
    server = Server(wall.url, KEY, "its file", private=True)
    giving = asyncio.create_task(server.send(APPROVAL[1], APPROVAL[2]))
    await until(lambda: (place := BREAKER._places.get(host_of(wall.url))) and place.failures)
    async with asyncio.timeout(5):
        back = Wall()
        back.on("POST", APPROVAL[1], says({"resolved": 1}))
        BREAKER.forget()
        await back.up(int(wall.url.rpartition(":")[2]))
        assert await giving == {"resolved": 1}

    assert back.asked == [APPROVAL]
    await server.close()
    await back.down()


async def test_a_decision_that_may_have_arrived_is_not_given_twice_and_people_hear_of_it(wall: Wall, tmp_path: Path) -> None:
    async def asking(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        await response.write(event("approval.request", command="rm -rf x").encode())
        await asyncio.Event().wait()
        return response

    wall.on("GET", "/v1/runs/r1/events", asking)
    wall.on("POST", APPROVAL[1], says({}, 503))
    wall.on("POST", "/v1/runs/r1/stop", says({}))
    async with talking(turn(tmp_path, wall)) as talk:
        talk.answer(await talk.question(), decision=ALLOW)
        async with asyncio.timeout(2):
            [notice] = await talk.until(lambda: talk.all(Notice))

    assert notice.text.startswith("Perhaps Hermes has not got the answer; if it goes on waiting, stop it and ask again. ")
    assert wall.asked.count(APPROVAL) == 1


async def test_what_was_left_unsaid_is_said_by_the_turn_that_gets_through(wall: Wall, tmp_path: Path) -> None:
    (tmp_path / coding.UNHEARD).write_text('["and look at Y too"]')
    wall.on("POST", "/v1/runs", says({}, 500), says({"run_id": "r1"}))
    wall.on("GET", "/v1/runs/r1/events", streams(event("run.completed", output="done")))
    with pytest.raises(RuntimeFailed, match="500"):
        await talked(turn(tmp_path, wall))

    second = await talked(turn(tmp_path, wall, "go on"))
    await talked(after(second, "and on"))

    said = [body["input"] for verb, path, body in wall.asked if (verb, path) == ("POST", "/v1/runs")]
    assert said == ["and look at Y too\n\nhello", "and look at Y too\n\ngo on", "and on"]
