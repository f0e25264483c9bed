"""Agents in AgentCore that know nothing of us; the SDK's own container is driven in tests/harnesses/test_agentcore.py."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import RuntimeFailed
from bot.event import Notice, Text
from bot.runtimes.unknown import FILE
from tests.standins.agentcore import AgentCoreDataPlane

from .talk import talked, talking
from .test_agentcore import turn


@asynccontextmanager
async def answering(body: str, kind: str, asked: list[dict[str, Any]], held: float = 0) -> AsyncIterator[AgentCoreDataPlane]:
    """A container that always answers so, before the data plane."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        await response.write(body.encode())
        await asyncio.sleep(held)
        return response

    app = web.Application()
    app.router.add_post("/invocations", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with AgentCoreDataPlane(f"http://127.0.0.1:{runner.addresses[0][1]}") as plane:
        yield plane
    await runner.cleanup()


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ('data: "Hel"\n\ndata: "lo"\n\n', "text/event-stream", "Hello"),
        ('data: {"data": "Hel"}\n\ndata: {"data": "lo"}\n\n', "text/event-stream", "Hello"),
        ('{"result": "Hello"}', "application/json", "Hello"),
        ('"Hello"', "application/json", "Hello"),
        ('{"message": {"role": "assistant", "content": [{"text": "Hello"}]}}', "application/json", "Hello"),
    ],
)
async def test_its_words_are_the_answer(tmp_path: Path, body: str, kind: str, words: str) -> None:
    asked: list[dict[str, Any]] = []
    async with answering(body, kind, asked) as plane:
        talk = await talked(replace(turn(tmp_path, plane.url, speaks="plain"), instructions="Be kind."))

    assert (talk.answered, talk.finished.state) == (words, "completed")
    assert asked == [{"prompt": "Be kind.\n\nhello"}]


async def test_an_error_of_the_agent_is_told(tmp_path: Path) -> None:
    async with answering('data: {"error": "no such table", "error_type": "ValueError"}\n\n', "text/event-stream", []) as plane:
        with pytest.raises(RuntimeFailed, match="failed: no such table"):
            await talked(turn(tmp_path, plane.url, speaks="plain"))


async def test_what_nobody_knows_is_said_once_and_kept(tmp_path: Path) -> None:
    given = turn(tmp_path, "", speaks="plain")
    async with answering('data: {"odd": 1}\n\ndata: {"odd": 2}\n\ndata: "Hello"\n\n', "text/event-stream", []) as plane:
        talk = await talked(replace(turn(tmp_path, plane.url, speaks="plain"), keep=given.keep))

    assert len(talk.all(Notice)) == 1
    assert talk.answered == "Hello"
    assert (tmp_path / FILE).read_text() == '{"name": "odd", "raw": {"odd": 1}}\n'


async def test_a_stop_stops_the_session(tmp_path: Path) -> None:
    async with answering('data: "Hello"\n\n', "text/event-stream", [], held=30) as plane:
        async with talking(turn(tmp_path, plane.url, speaks="plain")) as talk:
            await talk.until(lambda: talk.all(Text))

        assert plane.stopped == list(plane.sessions)


@pytest.mark.parametrize("body", ["", 'data: "Hello"\n\n'], ids=["before", "after"])
async def test_one_that_stalls_before_or_after_its_first_word_ends_in_words(tmp_path: Path, body: str) -> None:
    async with answering(body, "text/event-stream", [], held=30) as plane:
        with pytest.raises(RuntimeFailed, match="cut in its middle"):
            await talked(turn(tmp_path, plane.url, speaks="plain", silence=0.5))

        assert plane.stopped == list(plane.sessions)


async def test_a_turn_that_was_cut_ends_in_words(tmp_path: Path) -> None:
    async with answering('data: "Hello"\n\ndata: "never"\n\n', "text/event-stream", []) as plane:
        plane.cut = [15]
        given = turn(tmp_path, plane.url, speaks="plain")
        with pytest.raises(RuntimeFailed, match="cut in its middle"):
            await talked(given)
        with pytest.raises(RuntimeFailed, match="cut in its middle"):
            await talked(replace(given, again=True))
