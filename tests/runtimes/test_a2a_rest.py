"""A2A over HTTP+JSON: a refusal is read for what it means."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from bot.errors import RuntimeFailed
from tests.runtimes.a2a_turns import all_of, answer, end, run, turn
from tests.runtimes.test_a2a_odd import said, task
from tests.runtimes.test_a2a_trouble import Handler, card, site

KIND = "type.googleapis.com/google.rpc.ErrorInfo"
DONE = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_COMPLETED"}}


def refusal(code: int, reason: str) -> web.Response:
    error = {"code": code, "message": "no", "details": [{"@type": KIND, "reason": reason, "domain": "a2a-protocol.org"}]}
    return web.json_response({"error": error}, status=code)


def cut(known: bool) -> Handler:
    """An agent whose task ends while nobody listens; then there is nothing to subscribe to."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if "well-known" in request.path:
            face = {"url": f"http://{request.host}", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"}
            return card("", supportedInterfaces=[face])
        if request.path.endswith(":stream"):
            return web.Response(
                text="".join(f"data: {json.dumps(one)}\n\n" for one in (task(), said("one "))), content_type="text/event-stream"
            )
        if request.path.endswith(":subscribe"):
            return refusal(400, "UNSUPPORTED_OPERATION")
        made = {"artifactId": "a", "parts": [{"text": "one two"}]}
        return web.json_response({**DONE, "artifacts": [made]}) if known else refusal(404, "TASK_NOT_FOUND")

    return handler


async def test_a_task_that_has_ended_while_the_line_was_cut_is_told(tmp_path: Path) -> None:
    async with site(cut(known=True)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello"), patience=2))

    assert answer(events) == "one two"
    assert end(events).state == "completed"


async def test_a_task_that_is_known_no_more_is_said_to_be_lost(tmp_path: Path) -> None:
    async with site(cut(known=False)) as url:
        with pytest.raises(RuntimeFailed, match="no longer knows the task"):
            await all_of(run(url, turn(tmp_path, "hello"), patience=2))
