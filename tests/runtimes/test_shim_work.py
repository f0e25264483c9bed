"""What a shim should not do, and may: each ends in words."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RuntimeFailed
from bot.event import Notice, Text
from bot.runtimes.agentcore import session_of

from .talk import talked
from .test_agentcore import calm as calm
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
    assert await given.keep.load("unknown") == [json.dumps(odd)]


@pytest.mark.parametrize("body", ["data: hello\n\n", 'data: {"n": "x"}\n\n', "data: [1]\n\n"])
async def test_a_container_without_a_shim_is_told(tmp_path: Path, body: str) -> None:
    async with answering(body, STREAM, []) as plane:
        with pytest.raises(RuntimeFailed, match="is there a shim of ours in that container"):
            await talked(turn(tmp_path, plane.url))


async def test_a_stream_that_stalls_is_opened_anew_and_then_given_up(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []
    async with answering(told(session_of(turn(tmp_path, "")), STARTED, {"type": "Text", "text": "hi"}), STREAM, asked, held=30) as plane:
        with pytest.raises(RuntimeFailed, match=r"did not come back within 0\.5 seconds.*silent for 0\.1 seconds"):
            await talked(turn(tmp_path, plane.url, silence=0.1, patience=0.5))

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
