"""Agents on the real a2a-sdk, 0.3 and 1.0; the line to them is cut at random moments, and each turn ends whole, or in words."""

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, Artifact, Event, Question, Step, Text, Thought
from bot.message import Answer
from tests.runtimes.a2a_turns import all_of, answer, end, only, resume, run, turn, until
from tests.standins.a2a_agent import Agent
from tests.standins.cutter import Cutter

from .aged import aged

LONG = "The quick brown fox jumps over the lazy dog, and then it does so again and again, until the dog wakes up and leaves."
SCRIPT = f"!think Hm.\n!say {LONG}\n!tool grep\n!say And {LONG}\n!say The end."
WHOLE = f"{LONG}\n\nAnd {LONG}\n\nThe end."
SEEDS = range(25)


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[int]:
    """An agent of 0.3, in a process with that SDK; the port where it is."""
    async with aged(tmp_path) as port:
        yield port


def contents(made: list[Artifact]) -> list[str]:
    return [Path(one.path).read_text() for one in made]


async def test_one_of_0_3_thinks_works_answers_and_is_gone_on_with(old: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{old}"

    one = await all_of(run(url, turn(tmp_path, f"{SCRIPT}\n!file notes.txt")))
    two = await all_of(run(url, turn(tmp_path, "!say again", 2, resume=resume(one))))

    assert (answer(one), end(one).state) == (WHOLE, "completed")
    assert only(Thought, one) == [Thought("Hm.")]
    assert [step.title for step in only(Step, one)] == ["grep", "grep"]
    assert len(only(Text, one)) > 10
    assert contents(only(Artifact, one)) == ["hello"]
    assert answer(two) == "again"


async def test_one_of_0_3_asks_and_is_answered(old: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{old}"
    asked = await all_of(run(url, turn(tmp_path, "!say First.\n!ask Which colour?\n!heard")))
    [question] = only(Question, asked)

    told = await all_of(run(url, turn(tmp_path, "Blue", 2, resume=resume(asked), answer=Answer(question.id, {"answer": ("Blue",)}))))

    assert question.parts[0].text == "Which colour?"
    assert answer(told) == "you said: Blue []"


async def test_one_of_0_3_is_stopped(old: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{old}"
    events = run(url, turn(tmp_path, "!say so far\n!slow 60\n!say never"))
    heard = await until(events, "so far")
    await events.aclose()

    later = await all_of(run(url, turn(tmp_path, "", resume=resume(heard), again=True)))

    assert end(later).state == "canceled"


async def test_kagent_before_its_extension_tells_its_answer_by_the_status_and_waits_for_leave(old: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{old}"
    call = json.dumps({"name": "delete_file", "args": {"path": "x"}, "id": "call-1"})
    script = f"!piece I would de\n!piece lete it\n!whole I would delete it\n!confirm {call}\n!heard"

    asked = await all_of(run(url, turn(tmp_path, script)))
    [question] = only(Question, asked)
    told = await all_of(run(url, turn(tmp_path, ALLOW, 2, resume=resume(asked), answer=Answer(question.id, {"decision": (ALLOW,)}))))

    assert only(Text, asked) == [Text("I would de"), Text("lete it")]
    assert (question.kind, question.detail) == ("permission", 'delete_file {\n  "path": "x"\n}')
    assert not only(Step, asked)
    assert answer(told) == f'you said: {ALLOW} [{{"decision_type": "approve"}}]'


def judge(heard: list[Event] | RuntimeFailed) -> str:
    """How a turn ended whose line was cut: whole, or in words."""
    if isinstance(heard, RuntimeFailed):
        return "in words" if str(heard) else "without words"
    return "whole" if answer(heard) == WHOLE and end(heard).state == "completed" else answer(heard)


async def cut(port: int, folder: Path, seed: int, prompt: str = SCRIPT) -> tuple[str, int]:
    """A turn over lines that are cut after random numbers of bytes, and how often they were."""
    chance = random.Random(seed)
    async with Cutter(port, iter([chance.randrange(1, 9000) for _ in range(3)])) as cutter:
        try:
            heard: list[Event] | RuntimeFailed = await all_of(
                run(f"http://127.0.0.1:{port}", turn(folder, prompt), endpoint=f"{cutter.url}/")
            )
        except RuntimeFailed as error:
            heard = error
        return judge(heard), cutter.cut


async def test_0_3_over_lines_that_are_cut_says_nothing_twice_and_loses_nothing(old: int, tmp_path: Path) -> None:
    ends = [await cut(old, tmp_path, seed) for seed in SEEDS]

    assert {how for how, _ in ends} <= {"whole", "in words"}
    assert sum(how == "whole" for how, times in ends if times) > 5


@pytest.mark.parametrize("dialect", [{}, {"speaks": "mixed"}, {"streaming": False}], ids=["1.0", "some of both", "polled"])
async def test_1_0_over_lines_that_are_cut_says_nothing_twice_and_loses_nothing(tmp_path: Path, dialect: dict[str, object]) -> None:
    async with Agent(**dialect) as agent:  # type: ignore[arg-type]
        script = SCRIPT.replace("!think", "!slow 0.002\n!think").replace("!tool grep", '!tool grep {"q": 1}')
        ends = [await cut(agent.port, tmp_path, seed, script) for seed in SEEDS]

    assert {how for how, _ in ends} <= {"whole", "in words"}
    assert sum(how == "whole" for how, times in ends if times) > 5


async def test_a_platform_that_dies_is_told(old: int, tmp_path: Path) -> None:
    async with Cutter(old, iter([8000])) as cutter:
        events = run(f"http://127.0.0.1:{old}", turn(tmp_path, f"!say {LONG * 20}"), endpoint=f"{cutter.url}/", patience=0.5)
        await until(events, "quick")
        cutter.port = 9  # whoever comes back finds nobody
        with pytest.raises(RuntimeFailed, match="did not come back") as raised:
            await all_of(events)

    assert not isinstance(raised.value, Unavailable)
