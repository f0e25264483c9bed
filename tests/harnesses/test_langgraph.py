"""A real LangGraph server of others, over lines that are cut; what the contract holds is shown by DeepAgents on the same server."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.event import ALLOW, DENY, Question, Step, Text
from bot.message import Answer
from bot.runtimes.child import Child
from bot.runtimes.deepagents_setting import Options, Setting
from bot.runtimes.loopback import Loopback, free
from tests.runtimes.talk import after, talked, talking
from tests.standins.cutter import Cutter
from tests.standins.model import Model

from .test_deepagents import DEEPAGENTS, GRAPH, ask, remote, shell

WORDS = "the quick brown fox " * 10


@pytest.fixture
async def server(model: Model, tmp_path: Path) -> AsyncIterator[int]:
    """Its port. Commands need leave there."""
    local = DEEPAGENTS.turn(tmp_path / "server", model.url, "", options={"graph": f"{GRAPH}:asking"})
    port = free()
    child = Child(Setting(local, Options.model_validate(local.agent.options)).begun(port, "k"))
    loopback = Loopback(child, f"http://127.0.0.1:{port}")
    try:
        await loopback.start("/ok", 60)
        yield port
    finally:
        await loopback.close()


async def test_over_lines_that_are_cut_nothing_is_said_twice_and_nothing_is_lost(server: int, tmp_path: Path) -> None:
    ends = []
    for seed in range(6):
        chance = random.Random(seed)
        async with Cutter(server, iter([chance.randrange(1000, 20_000), *(chance.randrange(1, 5000) for _ in range(3))])) as cutter:
            talk = await talked(remote(tmp_path, cutter.url, f"!slow 0.005\n!say {WORDS}end"))
            ends.append((talk.answered, talk.finished.state, cutter.cut > 0))

    assert {(said, state) for said, state, _ in ends} == {(f"{WORDS}end", "completed")}
    assert any(cut for _, _, cut in ends)


async def test_a_run_that_is_stopped_is_over_there_too(server: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server}"
    async with talking(remote(tmp_path, url, f"!slow 0.1\n!say {WORDS * 20}")) as talk:
        await talk.until(lambda: len(talk.all(Text)) > 2)

    later = await talked(replace(after(talk, "!say here"), resume=talk.resume))

    assert later.answered == "here"


@pytest.mark.parametrize(("said", "made"), [(ALLOW, True), (DENY, False)])
async def test_leave_is_asked_and_given_or_not(server: int, tmp_path: Path, said: str, made: bool) -> None:
    file = tmp_path / "here.txt"
    first = await talked(remote(tmp_path, f"http://127.0.0.1:{server}", f"{shell(f'touch {file}')}\n!say went on"))
    [question] = first.all(Question)
    assert (question.kind, f"touch {file}" in question.detail, file.exists()) == ("permission", True, False)

    second = await talked(after(first, said, answer=Answer(question.id, {"decision": (said,)})))

    assert (file.exists(), second.finished.state) == (made, "completed")
    assert first.all(Step)


async def test_an_interrupt_over_a_line_that_is_cut_is_asked_once(server: int, tmp_path: Path) -> None:
    async with Cutter(server, iter([3000, 200])) as cutter:
        talk = await talked(remote(tmp_path, cutter.url, f"!say Well.\n{ask('Which colour?', ('Red', 'Blue'))}\n!toolresult"))

    assert [question.parts[0].text for question in talk.all(Question)] == ["Which colour?"]
    assert talk.finished.state == "input_required"
    assert json.dumps(talk.answered).count("Well.") == 1
