"""What an A2A agent sends that the SDK would refuse, though all know what is meant, ends no turn."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.event import Notice
from tests.runtimes.a2a_turns import all_of, answer, end, only, run, turn
from tests.runtimes.test_a2a_odd import DONE, said, task
from tests.runtimes.test_a2a_trouble import saying, site

ZONELESS = "2026-11-21T10:00:00.123456"  # what datetime.now().isoformat() gives
HALF = '{"jsonrpc": "2.0", "id": 1, "result": {"artifactUpdate": {"taskId": "t", "contextId": "c", "artifact": %s}}}'


def timed(told: dict[str, Any]) -> dict[str, Any]:
    [(kind, what)] = told.items()
    return {kind: {**what, "status": {**what["status"], "timestamp": ZONELESS}}}


async def test_a_time_without_a_zone_is_not_needed(tmp_path: Path) -> None:
    async with site(saying(timed(task()), said("hi"), timed(DONE))) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "hi"
    assert end(events).state == "completed"


@pytest.mark.parametrize("streams", [True, False])
async def test_an_agent_of_the_older_kind_has_such_times_too(tmp_path: Path, streams: bool) -> None:
    made = {"artifactId": "a", "parts": [{"kind": "text", "text": "half \ud83d an emoji"}]}
    whole = {"kind": "task", "id": "t", "contextId": "c", "status": {"state": "completed", "timestamp": ZONELESS}, "artifacts": [made]}

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            about = {"url": f"http://{request.host}/", "protocolVersion": "0.3.0", "preferredTransport": "JSONRPC", "version": "1"}
            more = {"description": "x", "skills": [], "defaultInputModes": [], "defaultOutputModes": []}
            return web.json_response({"name": "x", **about, **more, "capabilities": {"streaming": streams}})
        if streams:
            return await saying(whole)(request)
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": whole})

    async with site(handler) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "half � an emoji"
    assert end(events).state == "completed"


async def test_half_an_emoji_is_shown_as_a_sign(tmp_path: Path) -> None:
    half = HALF % r'{"artifactId": "a", "parts": [{"text": "cut \ud83d here, whole \ud83d\ude00 there"}]}'
    async with site(saying(task(), half, DONE)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "cut � here, whole 😀 there"
    assert end(events).state == "completed"


async def test_an_event_that_cannot_be_read_is_kept_and_the_turn_goes_on(tmp_path: Path) -> None:
    broken = HALF % '{"artifactId": "f", "parts": [{"raw": "not base64!"}]}'
    async with site(saying(task(), said("hi"), broken, DONE)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "hi"
    assert len(only(Notice, events)) == 1
    assert end(events).state == "completed"
