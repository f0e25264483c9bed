"""What a shim should not do, and may: each ends in words."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import RuntimeFailed
from bot.event import Artifact, Notice, Text
from bot.message import Answer
from bot.runtimes import coding
from bot.runtimes.agentcore import session_of
from bot.runtimes.unknown import FILE
from bot.spoken import SESSION
from tests.standins.agentcore import AgentCoreDataPlane
from tests.standins.wait import until

from .talk import after, talked, talking
from .test_agentcore import turn
from .test_agentcore_plain import answering

STREAM = "text/event-stream"


def told(session: str, *events: dict[str, Any]) -> str:
    records: list[dict[str, Any]] = [
        {"n": 0, "boot": "b1", "turn": "s1/1"},
        *({"n": n, "event": event} for n, event in enumerate(events, 1)),
    ]
    return "".join(f"data: {json.dumps({'session': session, **record})}\n\n" for record in records)


STARTED, DONE = {"type": "Started", "resume": "r"}, {"type": "Finished", "state": "completed"}


async def test_what_belongs_to_another_session_is_not_shown(tmp_path: Path) -> None:
    async with answering(told("another", STARTED, {"type": "Text", "text": "secret"}, DONE), STREAM, []) as plane:
        with pytest.raises(RuntimeFailed, match="for another session") as caught:
            await talked(turn(tmp_path, plane.url))

    assert "secret" not in str(caught.value)


async def test_what_nobody_knows_is_said_once_and_kept(tmp_path: Path) -> None:
    given = turn(tmp_path, "")
    odd = {"type": "Sparkle", "colour": "blue"}
    async with answering(told(session_of(given), STARTED, odd, odd, {"type": "Text", "text": "hi"}, DONE), STREAM, []) as plane:
        talk = await talked(replace(turn(tmp_path, plane.url), keep=given.keep))

    assert [type(event) for event in talk.events[1:-1]] == [Notice, Text]
    assert (tmp_path / FILE).read_text() == json.dumps({"name": "Sparkle", "raw": odd}) + "\n"


@pytest.mark.parametrize("body", ["data: hello\n\n", 'data: {"n": "x"}\n\n', "data: [1]\n\n"])
async def test_a_container_without_a_shim_is_told(tmp_path: Path, body: str) -> None:
    async with answering(body, STREAM, []) as plane:
        with pytest.raises(RuntimeFailed, match="is there a shim of ours in that container"):
            await talked(turn(tmp_path, plane.url))


async def test_a_stream_that_stalls_is_opened_anew_and_then_given_up(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []
    async with answering(told(session_of(turn(tmp_path, "")), STARTED, {"type": "Text", "text": "hi"}), STREAM, asked, held=30) as plane:
        with pytest.raises(RuntimeFailed, match=r"did not come back within 1 seconds.*silent for 0\.5 seconds"):
            await talked(turn(tmp_path, plane.url, silence=0.5, patience=1))

    assert [order["after"] for order in asked if order["op"] == "run"][:2] == [0, 2]


async def test_an_event_that_is_too_large_is_told(tmp_path: Path) -> None:
    async with answering(f'data: "{"x" * (17 << 20)}"\n\n', STREAM, []) as plane:
        with pytest.raises(RuntimeFailed, match="more than 16 MiB in one event"):
            await talked(turn(tmp_path, plane.url))


async def test_a_container_that_was_made_anew_is_told(tmp_path: Path) -> None:
    lost = f"data: {json.dumps({'session': session_of(turn(tmp_path, '')), 'n': 0, 'lost': True})}\n\n"
    async with answering(lost, STREAM, []) as plane:
        with pytest.raises(RuntimeFailed, match="ended in its middle"):
            await talked(turn(tmp_path, plane.url))


async def test_a_path_of_this_machine_is_no_file_of_the_containers(tmp_path: Path) -> None:
    secret = tmp_path / "environ"
    secret.write_text("SLACK_BOT_TOKEN=xoxb-1")
    given = turn(tmp_path / "s", "")
    events = told(session_of(given), STARTED, {"type": "Artifact", "name": "report.txt", "path": str(secret)}, DONE)
    async with answering(events, STREAM, []) as plane:
        talk = await talked(turn(tmp_path / "s", plane.url))

    assert not talk.all(Artifact)
    assert talk.all(Notice) == [Notice("report.txt did not come with what was told of it.", "warning")]


class Deaf:
    """A container whose shim takes nothing that is said meanwhile. Each of its turns ends as `end` says, as soon as it may."""

    def __init__(self, end: dict[str, Any]) -> None:
        self.end, self.asked, self.may = end, list[dict[str, Any]](), asyncio.Event()

    def prompts(self) -> list[str]:
        return [order["prompt"] for order in self.asked if order["op"] == "run"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        order = await request.json()
        self.asked.append(order)
        if order["op"] != "run":
            return web.json_response({"taken": False, "stopped": True})
        response = web.StreamResponse(headers={"Content-Type": STREAM})
        await response.prepare(request)
        records: list[dict[str, Any]] = [{"boot": "b1", "turn": order["turn"]}, {"listens": True}, {"event": STARTED}, {"event": self.end}]
        for n, record in enumerate(records):
            if n == 3:
                await self.may.wait()
            await response.write(f"data: {json.dumps({'session': request.headers[SESSION], 'n': n, **record})}\n\n".encode())
        return response

    @asynccontextmanager
    async def served(self) -> AsyncIterator[AgentCoreDataPlane]:
        app = web.Application()
        app.router.add_post("/invocations", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with AgentCoreDataPlane(f"http://127.0.0.1:{runner.addresses[0][1]}") as plane:
            yield plane
        await runner.cleanup()


async def test_what_was_said_to_a_turn_that_fails_is_said_to_the_next(tmp_path: Path) -> None:
    container = Deaf({"type": "Finished", "state": "failed", "reason": "It broke."})
    async with container.served() as plane:
        async with talking(turn(tmp_path, plane.url)) as talk:
            await until(lambda: container.asked)
            talk.inbox.say("and look at the tests")
            await until(lambda: len(container.asked) > 1)
            container.may.set()
            await talk.task
        await talked(after(talk, "go on"))
        await talked(replace(after(talk, "and more"), number=3))

    assert container.prompts() == ["hello", "and look at the tests\n\ngo on", "and more"]


async def test_an_answer_that_comes_too_late_begins_no_turn(tmp_path: Path) -> None:
    container = Deaf(DONE)
    async with container.served() as plane, talking(turn(tmp_path, plane.url)) as talk:
        await until(lambda: container.asked)
        talk.inbox.say("", answer=Answer("q1", {"answer": ("yes",)}))
        await until(lambda: len(container.asked) > 1)
        container.may.set()
        await talk.task

    assert container.prompts() == ["hello"]
    assert talk.all(Notice) == [Notice(coding.LATE)]


async def test_what_came_too_late_is_found_again_after_our_restart(tmp_path: Path) -> None:
    container = Deaf(DONE)
    container.may.set()
    async with container.served() as plane:
        left = replace(turn(tmp_path, plane.url), leaving=lambda: True)
        await left.keep.append("shim-heard", ["s1/1 b1 0", "s1/1+ b1 0"])

        await talked(replace(left, again=True, resume="", leaving=bool))

    assert [(order["turn"], order["known"]) for order in container.asked] == [("s1/1", True), ("s1/1+", True)]
