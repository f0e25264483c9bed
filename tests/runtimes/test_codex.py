"""Codex, played by a small program where what it does is nothing that the real one can be made to do."""

import sys
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.ports import Turn
from bot.runtimes import codex
from tests.standins.wait import until

from .contract import SOON, left
from .talk import ANNA, Late, talked, talking

PROGRAM = """#!{python}
import json, sys, time

def hear():
    line = sys.stdin.readline()
    return json.loads(line) if line else sys.exit()

def tell(**message):
    print(json.dumps(message), flush=True)

for result in ({{"userAgent": "frontdesk/0.169.0"}}, {{"thread": {{"id": "t1"}}}}):
    while "id" not in (asked := hear()):
        pass
    tell(id=asked["id"], result=result)
asked = hear()
{then}
"""


def turn(folder: Path, then: str, **more: Any) -> Turn:
    file = folder / "codex.py"
    file.write_text(PROGRAM.format(python=sys.executable, then=then))
    file.chmod(0o755)
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "codex", "options": {"path": str(file)}}
    (folder / "s").mkdir()
    environment = {"OPENAI_API_KEY": "x"}
    return Turn("s1", 1, Agent.model_validate(given), "hello", folder=folder / "s", person=ANNA, environment=environment, **more)


async def test_a_turn_that_it_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    refuses = 'tell(id=asked["id"], error={"code": -32600, "message": "the thread is archived"})\nhear()'

    with pytest.raises(RuntimeFailed, match="Codex refused what it was asked: the thread is archived"):
        await talked(turn(tmp_path, refuses))


async def test_one_that_hears_nothing_any_more_is_stopped_all_the_same(tmp_path: Path) -> None:
    said = {"itemId": "i1", "delta": "It begins"}
    deaf = f"""
tell(method="turn/started", params={{"turn": {{"id": "u1"}}}})
tell(method="item/agentMessage/delta", params={said})
tell(id=asked["id"], result={{}})
time.sleep(300)"""
    async with talking(turn(tmp_path, deaf)) as talk:
        await talk.until(lambda: talk.answered)
        talk.inbox.say("x" * 1_000_000)
        await until(talk.inbox.empty)

        assert await talk.stop() < SOON

    assert not await left(tmp_path / "s")


async def test_one_that_ends_before_it_is_greeted_has_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codex, "Child", Late)
    asked = turn(tmp_path, "")
    (tmp_path / "codex.py").write_text("#!/bin/sh\necho \"error: unknown option 'app-server'\" >&2\nexit 2\n")

    with pytest.raises(
        Unavailable, match=r"ended by itself with code 2\. It said: error: unknown option 'app-server'\nPerhaps it is too old; "
    ):
        await talked(asked)
