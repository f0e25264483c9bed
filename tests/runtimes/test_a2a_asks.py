"""An A2A agent that asks again and again is heard each time."""

from pathlib import Path
from typing import Any

from aiohttp import web

from bot.event import Question
from bot.message import NOBODY, Answer
from bot.session import Session
from tests.runtimes.a2a_turns import all_of, only, run, turn
from tests.runtimes.test_a2a_trouble import card, site


def asking(said: dict[str, Any]) -> Any:
    """An agent that does nothing but ask."""
    waits = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_INPUT_REQUIRED", **said}}

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return card(f"http://{request.host}/", capabilities={"streaming": False})
        result = waits if (await request.json())["method"] == "GetTask" else {"task": waits}
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": result})

    return handler


async def test_a_question_in_a_message_of_the_same_id_is_another(tmp_path: Path) -> None:
    session = Session("S1", "remote", "", NOBODY)
    async with site(asking({"message": {"messageId": "q", "role": "ROLE_AGENT", "parts": [{"text": "Go on?"}]}})) as url:
        session = session.fold(await all_of(run(url, turn(tmp_path, "begin"))), 0)
        reply = Answer(session.open[0].id)
        session = session.fold(await all_of(run(url, turn(tmp_path, "yes", 2, resume=session.resume, answer=reply))), 0)

    assert len(session.open) == 2


async def test_the_id_of_a_question_does_not_grow(tmp_path: Path) -> None:
    resume, reply, ids = "", None, list[str]()
    async with site(asking({})) as url:
        for number in range(1, 6):
            session = Session("S1", "remote", "", NOBODY)
            events = await all_of(run(url, turn(tmp_path, "x", number, resume=resume, answer=reply)))
            resume, [question] = session.fold(events, 0).resume, only(Question, events)
            reply = Answer(question.id)
            ids.append(question.id)

    assert len({*ids}) == 5
    assert len({*map(len, ids)}) == 1
