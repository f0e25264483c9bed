"""What an A2A agent may send that nobody expects: it is kept, told once, or ends in words; never fatal, and never another's."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Step, Text
from bot.runtimes.unknown import FILE
from tests.runtimes.a2a_turns import all_of, answer, end, only, resume, run, turn
from tests.runtimes.test_a2a_trouble import card, saying, site
from tests.standins.a2a_agent import Agent


def task(state: str = "WORKING", id: str = "t", context: str = "c") -> dict[str, Any]:
    return {"task": {"id": id, "contextId": context, "status": {"state": f"TASK_STATE_{state}"}}}


def said(text: str, id: str = "t", artifact: str = "a") -> dict[str, Any]:
    return {"artifactUpdate": {"taskId": id, "contextId": "c", "artifact": {"artifactId": artifact, "parts": [{"text": text}]}}}


DONE = {"statusUpdate": {"taskId": "t", "contextId": "c", "status": {"state": "TASK_STATE_COMPLETED"}}}


async def test_what_nobody_knows_is_kept_and_said_once(tmp_path: Path) -> None:
    odd = {"weather": "rain", "key": "s3cret-value"}
    options = {"headers": {"X-Key": "s3cret-value"}}
    async with site(saying(task(), odd, odd, said("hi"), DONE)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello"), **options))
        later = await all_of(run(url, turn(tmp_path, "hello", 2), **options))

    assert answer(events) == "hi"
    assert [notice.text for notice in only(Notice, events)] == [
        f"The agent told of something that frontdesk does not know (weather, key); it was kept in {FILE}."
    ]
    assert not only(Notice, later)
    kept = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert kept == [{"name": "weather, key", "raw": {"weather": "rain", "key": "…"}}]


async def test_what_is_told_in_the_task_and_once_more_after_it_stands_once(tmp_path: Path) -> None:
    made = {"artifactId": "a", "parts": [{"text": "one two"}]}
    piece = {"artifactUpdate": {**said("two")["artifactUpdate"], "append": True}}

    async def handler(request: web.Request) -> web.StreamResponse:
        method = (await request.json())["method"] if request.method == "POST" else ""
        if method == "GetTask":
            whole = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_COMPLETED"}, "artifacts": [made]}
            return web.json_response({"jsonrpc": "2.0", "id": 1, "result": whole})
        cut, back = (task(), said("one ")), ({"task": {**task()["task"], "artifacts": [made]}}, piece, DONE)
        return await saying(*(back if method == "SubscribeToTask" else cut))(request)

    async with site(handler) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "one two"
    assert end(events).state == "completed"


async def test_an_agent_that_answers_in_another_conversation_is_not_shown(tmp_path: Path) -> None:
    past = '{"context": "mine", "message": "S1-1"}'
    async with site(saying(task(context="somebody's"), said("their secret"), DONE)) as url:
        with pytest.raises(RuntimeFailed, match="in another conversation"):
            await all_of(run(url, turn(tmp_path, "hello", 2, resume=past)))


async def test_what_an_agent_tells_of_another_task_is_not_shown(tmp_path: Path) -> None:
    strays = said("their secret", "other"), said("more of it", "other")
    async with site(saying(task(), said("mine"), *strays, DONE)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "mine"
    assert [notice.text for notice in only(Notice, events)] == ["The agent told of another task than this one; that is not shown."]
    assert end(events).state == "completed"


async def test_an_agent_that_is_asked_for_our_task_and_tells_of_another_is_not_shown(tmp_path: Path) -> None:
    past = '{"context": "c", "task": "t", "message": "S1-1"}'
    async with site(saying(task(id="other"), said("their secret", "other"))) as url:
        with pytest.raises(RuntimeFailed, match="another task than the one it was asked for"):
            await all_of(run(url, turn(tmp_path, "hello", resume=past, again=True)))


@pytest.mark.parametrize("broken", [False, True], ids=["in lines", "without an end"])
async def test_a_hundred_megabytes_in_one_event_are_not_read(tmp_path: Path, broken: bool) -> None:
    piece = b"x" * (1 << 20)

    async def flood(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return card(f"http://{request.host}/")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream" if broken else "application/json"})
        await response.prepare(request)
        try:
            for number in range(100):
                await response.write(piece)
                written.append(number)
        finally:
            stopped.set()
        return response

    stopped, written = asyncio.Event(), list[int]()
    async with site(flood) as url:
        with pytest.raises(RuntimeFailed, match="sent more than 16 MiB at once"):
            await all_of(run(url, turn(tmp_path, "hello")))
        async with asyncio.timeout(5):
            await stopped.wait()

    assert len(written) < 100


async def test_an_agent_that_asks_for_a_little_patience_is_asked_again_once(tmp_path: Path) -> None:
    asked = []
    stream = saying(task(), said("hi"), DONE)

    async def busy(request: web.Request) -> web.StreamResponse:
        asked.append(request.method)
        if asked.count("POST") == 1:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return await stream(request)

    async with site(busy) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "hi"
    assert asked == ["GET", "POST", "POST"]


@pytest.mark.parametrize("after", ["3600", "Fri, 31 Dec 2027 23:59:59 GMT", ""])
async def test_an_agent_that_asks_for_much_patience_is_told(tmp_path: Path, after: str) -> None:
    async def busy(request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": after})

    async with site(busy) as url:
        with pytest.raises(Unavailable, match=r"asked too often .HTTP 429.: try again later"):
            await all_of(run(url, turn(tmp_path, "hello")))


async def test_an_agent_that_echoes_our_secret_does_not_give_it_away(tmp_path: Path) -> None:
    error = '{"jsonrpc": "2.0", "error": {"code": -32603, "message": "bad token s3cret-value"}}'
    async with site(saying(error)) as url:
        with pytest.raises(Unavailable, match=r"refused: bad token …"):
            await all_of(run(url, turn(tmp_path, "hello"), headers={"Authorization": "Bearer s3cret-value"}))


async def test_an_agent_of_another_age_is_told(tmp_path: Path) -> None:
    async def future(request: web.Request) -> web.Response:
        face = {"url": f"http://{request.host}/", "protocolBinding": "JSONRPC", "protocolVersion": "2.0"}
        return web.json_response({"name": "x", "supportedInterfaces": [face]})

    async with site(future) as url:
        with pytest.raises(Unavailable, match=r"speaks A2A 2.0, and we 0.3 and 1.0"):
            await all_of(run(url, turn(tmp_path, "hello")))


async def test_a_card_that_stands_where_it_once_stood_is_found(tmp_path: Path) -> None:
    stream = saying(task(), said("hi"), DONE)

    async def older(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404) if request.path.endswith("agent-card.json") else await stream(request)

    async with site(older) as url:
        assert answer(await all_of(run(url, turn(tmp_path, "hello")))) == "hi"


async def test_an_answer_that_comes_in_pieces_by_the_status_is_told_as_it_comes(tmp_path: Path) -> None:
    script = "!piece Ham\n!piece burg\n!whole Hamburg\n!piece Bre\n!piece men\n!whole Bremen\n!artifact a Bremen"
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, script)))

    assert answer(events) == "Hamburg\n\nBremen"
    assert only(Text, events) == [Text("Ham"), Text("burg"), Text("\n\nBre"), Text("men")]
    assert not only(Step, events)


async def test_pieces_that_an_artifact_tells_too_are_told_once(tmp_path: Path) -> None:
    async with Agent() as agent:
        script = "!artifact a Ham\n!piece Ham\n!piece burg is here\n!artifact a Hamburg is here\n!whole Hamburg is here"
        events = await all_of(run(agent.url, turn(tmp_path, script)))
        later = await all_of(run(agent.url, turn(tmp_path, "!say more", 2, resume=resume(events))))

    assert answer(events) == "Hamburg is here"
    assert not only(Step, events)
    assert answer(later) == "more"
