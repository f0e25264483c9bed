"""The real Codex, which goes on without us while a person is asked."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.event import ALLOW, DENY
from bot.message import Answer
from bot.runtimes.coding import AGAIN
from tests.runtimes.contract import BLUE, done, family, left
from tests.runtimes.talk import Talk, talked, talking
from tests.standins.model import Model
from tests.standins.stage import staged

from . import ROOT
from .asking import turn
from .test_codex import CODEX, ask, shell
from .test_tools import Reached

End = Callable[[Process], None]
TOUCH = f"!say I begin.\n{shell('echo once >> here.txt')}\n!toolresult"


def close(process: Process) -> None:
    assert process.stdin
    process.stdin.close()


async def restarted(folder: Path, url: str, script: str, end: End, words: Mapping[str, tuple[str, ...]] | str) -> Talk:
    """A process of ours in which a person is asked ends so; the next is this one, and begins with the answer."""
    command = (sys.executable, "-m", "tests.harnesses.asking", str(folder), url, script)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT.parent, stdin=PIPE, stdout=PIPE)
    assert process.stdout
    resume, question, part = json.loads(await process.stdout.readline())
    end(process)
    await process.wait()
    assert family(folder)
    answer = Answer(question, {part: (words,)} if isinstance(words, str) else words)
    return await talked(replace(turn(folder, url, "The answer is there."), resume=resume, again=True, answer=answer))


@pytest.mark.parametrize("end", [pytest.param(close, id="leaving"), pytest.param(Process.kill, id="killed")])
async def test_what_is_allowed_after_a_restart_goes_on_where_it_stood(model: Model, tmp_path: Path, end: End) -> None:
    folder = tmp_path / "s"

    talk = await restarted(folder, model.url, TOUCH, end, ALLOW)

    assert done(talk) == "completed"
    assert (folder / "work" / "here.txt").read_text() == "once\n"
    assert talk.answered.startswith("I begin.\n\nthe tools said:")
    assert len(model.log) == 2  # as many as without a restart
    assert AGAIN not in str(model.log[-1].body)
    assert not await left(folder)


async def test_what_is_denied_after_a_restart_is_not_done(model: Model, tmp_path: Path) -> None:
    talk = await restarted(tmp_path / "s", model.url, TOUCH, close, DENY)

    assert done(talk) == "completed"
    assert not (tmp_path / "s" / "work" / "here.txt").exists()


async def test_an_answer_after_a_restart_is_the_answer_to_the_call_that_asked(model: Model, tmp_path: Path) -> None:
    talk = await restarted(tmp_path / "s", model.url, f"{ask('Which colour?', ('Red', BLUE))}\n!toolresult", close, BLUE)

    assert done(talk) == "completed"
    assert BLUE in talk.answered
    assert len(model.log) == 2


async def test_the_desk_goes_on_in_a_new_process_as_if_nothing_had_been(model: Model, tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.agent = turn(tmp_path / "s", model.url, "").agent.model_copy(update={"name": "helper"})
        runtime = Reached(stage.agent, CODEX.environment(model.url))
        before = stage.play(runtime)
        await stage.say(TOUCH)
        await stage.surface.until(lambda: bool(stage.surface.shown and stage.surface.last.open))
        [question] = stage.surface.last.open
        before.leaving = True
        await stage.engine.close()

        stage.play(runtime)
        await stage.answer(question.id, ALLOW, part="decision")
        ended = await stage.ended()

    assert (ended.state, ended.reason) == ("completed", "")
    assert ended.answer.startswith("I begin.\n\nthe tools said:")
    assert [step.status for step in ended.steps] == ["completed"]
    assert (stage.folder / "s1" / "work" / "here.txt").read_text() == "once\n"
    assert len(model.log) == 2


async def test_where_nobody_goes_away_nothing_goes_on(model: Model, tmp_path: Path) -> None:
    async with talking(turn(tmp_path / "s", model.url, TOUCH)) as talk:
        await talk.question()

    assert not await left(tmp_path / "s")
