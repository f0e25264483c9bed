"""An agent that works for long rings our bell, and nobody has to hold the line until then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.bell import Bell
from bot.event import Started, Text
from bot.runtimes.a2a_talk import Past
from tests.runtimes.a2a_turns import all_of, answer, end, only, resume, run, turn, until
from tests.standins.a2a_agent import Agent


@dataclass
class Door:
    """Our HTTP port; `codes` are what those were told who came to it, `deaf` says that nobody hears it."""

    bell: Bell = field(default_factory=Bell)
    codes: list[int] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    deaf: bool = False

    async def rung(self, request: web.Request) -> web.Response:
        self.codes.append(503 if self.deaf else 204 if await self.bell.rung(request.headers) else 404)
        self.came.set()
        return web.Response(status=self.codes[-1])


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door, app = Door(), web.Application()
    app.router.add_post("/push", door.rung)
    async with TestServer(app) as server:
        door.bell.url = str(server.make_url("/")).rstrip("/")
        yield door


async def ring(door: Door, **headers: str) -> int:
    async with aiohttp.ClientSession() as http, http.post(f"{door.bell.url}/push", headers=headers, data=b"x" * 5000) as answer:
        return answer.status


async def test_a_line_that_was_left_is_taken_up_when_the_agent_rings(door: Door, tmp_path: Path) -> None:
    # given a turn whose line is left as soon as the agent is silent
    async with Agent(rings=True) as agent, aclosing(run(agent.url, turn(tmp_path, "!say so far\n!hold\n!say and done", bell=door.bell),
                                                        silence=1)) as events:  # fmt: skip
        heard = await until(events, "so far")
        rest = asyncio.create_task(all_of(events))
        await agent.called("SubscribeToTask", 1)
        called = len(agent.calls)

        # when the agent has something to say
        agent.release()
        heard += await rest

    assert answer(heard) == "so far\n\nand done"
    assert end(heard).state == "completed"
    assert 204 in door.codes
    assert len(agent.calls) <= called + 3  # and nobody asked all the time


async def test_an_agent_without_streams_is_not_asked_all_the_time(door: Door, tmp_path: Path) -> None:
    async with Agent(streaming=False, rings=True) as agent:
        events = run(agent.url, turn(tmp_path, "!status first\n!hold\n!say done", bell=door.bell))
        listening = asyncio.create_task(all_of(events))
        await door.came.wait()
        agent.release()
        heard = await listening

    assert answer(heard) == "done"


async def test_where_nobody_rings_the_agent_is_asked(door: Door, tmp_path: Path) -> None:
    door.deaf = True
    async with Agent(rings=True) as agent, aclosing(run(agent.url, turn(tmp_path, "!say so far\n!hold\n!say and done", bell=door.bell),
                                                        silence=1)) as events:  # fmt: skip
        heard = await until(events, "so far")
        rest = asyncio.create_task(all_of(events))
        await agent.called("SubscribeToTask", 2)
        agent.release()
        heard += await rest

    assert answer(heard) == "so far\n\nand done"


async def test_after_our_restart_the_same_token_is_good(door: Door, tmp_path: Path) -> None:
    script = "!say so far\n!hold\n!say and done"
    async with Agent(rings=True) as agent:
        first = run(agent.url, turn(tmp_path, script, bell=door.bell, leaving=lambda: True), silence=1)
        before = await until(first, "so far")
        await first.aclose()
        door.codes.clear()
        async with aclosing(run(agent.url, turn(tmp_path, script, bell=door.bell, resume=resume(before), again=True), silence=1)) as again:
            heard = await until(again, "so far")
            agent.release()
            heard += await all_of(again)

    assert answer(heard) == "so far\n\nand done"
    assert set(door.codes) == {204}
    assert len(only(Text, heard)) > 1


async def test_an_agent_that_does_not_ring_is_told_no_token(door: Door, tmp_path: Path) -> None:
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!say hi", bell=door.bell)))

    assert answer(events) == "hi"
    assert not door.codes


async def test_whoever_has_no_token_is_not_heard(door: Door) -> None:
    with door.bell.hung("s3cret") as rope:
        assert rope
        codes = [await ring(door), await ring(door, Authorization="Bearer wrong"), await ring(door, **{"X-A2A-Notification-Token": ""})]
        assert not rope.known
        codes += [await ring(door, Authorization="Bearer s3cret"), await ring(door, **{"X-A2A-Notification-Token": "s3cret"})]
    codes.append(await ring(door, Authorization="Bearer s3cret"))

    assert codes == [404, 404, 404, 204, 204, 404]
    assert "s3cret" not in repr(rope)


def test_a_bell_without_an_address_is_rung_by_nobody() -> None:
    with Bell().hung("token") as rope:
        assert rope is None


async def test_a_ring_that_came_before_one_listened_is_heard_once() -> None:
    with Bell("https://desk.test/").hung("token") as rope:
        assert rope
        assert rope.url == "https://desk.test/push"
        rope.pull()
        async with asyncio.timeout(5):
            await rope.heard(60)
        await rope.heard(0.01)  # and now there is nothing more to hear


async def test_the_token_is_kept_and_not_shown(door: Door, tmp_path: Path) -> None:
    async with Agent(rings=True) as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!say hi", bell=door.bell)))

    assert isinstance(events[0], Started)
    past = Past.model_validate_json(events[0].resume)
    assert len(past.token) > 30
    assert past.token not in repr(past)
