"""Turns as Kelos Tasks: made, followed by phases and log, told by results, before a stand-in for Kelos."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.breaker import BREAKER
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Started, Step, Usage
from bot.ports import Turn
from bot.runtimes import kelos_task
from tests.standins.kelos import Kelos
from tests.standins.wait import until

from .talk import Talk, after, talked, talking
from .test_kelos import turn

TOOL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make test"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "fine"}
LOG = [
    "cloning …",
    json.dumps({"type": "assistant", "message": {"content": [TOOL]}}),
    json.dumps({"type": "user", "message": {"content": [RESULT]}}),
    json.dumps({"type": "assistant", "message": {"content": [{"type": "text", "text": "All mended."}]}}),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kelos_task, "LOOK", 0.02)
    yield
    BREAKER._places.clear()


@pytest.fixture
async def kelos() -> AsyncIterator[Kelos]:
    async with Kelos() as kelos:
        kelos.task = {"phase": "Pending"}
        yield kelos


def job(folder: Path, kelos: Kelos, **options: Any) -> Turn:
    return turn(folder, kelos, "Mend it.", mode="task", **options)


def put(kelos: Kelos, phase: str, **more: Any) -> None:
    """What the Task has come to."""
    [task] = kelos.all("tasks")
    task["status"] = {"phase": phase, "podName": "p1", **more}


def done(kelos: Kelos) -> None:
    told = {"response": base64.b64encode("All is mended. ✓".encode()).decode(), "pr": "https://git.example/pull/7"}
    put(kelos, "Succeeded", results=told, usage={"costUSD": "250m", "inputTokens": 900, "outputTokens": 90})


async def begun(talk: Talk, kelos: Kelos) -> None:
    await talk.until(lambda: talk.all(Started))
    await until(lambda: kelos.all("tasks"))


async def test_a_task_is_followed_and_its_results_are_told(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos)) as talk:
        await begun(talk, kelos)
        kelos.logs["p1"] = "\n".join(LOG[:2]) + "\n" + LOG[2][:10]
        put(kelos, "Running")
        await talk.until(lambda: talk.all(Step))
        kelos.logs["p1"] = "\n".join(LOG) + "\n"
        done(kelos)
        await talk.task

    assert (talk.answered, talk.finished.state) == ("All is mended. ✓", "completed")
    assert talk.steps["t1"].status == "completed"
    assert talk.all(Usage) == [Usage(900, 90, 0, 0.25)]
    assert talk.all(Notice) == [Notice("Pull request: https://git.example/pull/7")]


async def test_a_long_log_is_read_to_its_end(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos)) as talk:
        await begun(talk, kelos)
        kelos.logs["p1"] = "fetching …\n" * 50_000 + "\n".join(LOG) + "\n"
        done(kelos)
        await talk.task

    assert talk.steps["t1"].status == "completed"


async def test_it_is_made_as_the_file_says(kelos: Kelos, tmp_path: Path) -> None:
    given = {"workspace": "api", "configs": ["house", "api"], "branch": "fix", "labels": {"team": "api"}, "pod": {"env": []}}
    async with talking(job(tmp_path, kelos, **given)) as talk:
        await begun(talk, kelos)
        [task] = kelos.all("tasks")
        done(kelos)
        await talk.task

    spec = task["spec"]
    assert spec["worker"]["workspaceRef"] == {"name": "api"}
    assert spec["worker"]["agentConfigRefs"] == [{"name": "house"}, {"name": "api"}]
    assert spec["worker"]["podOverrides"] == {"activeDeadlineSeconds": 3600, "env": []}
    assert (spec["branch"], spec["ttlSecondsAfterFinished"]) == ("fix", 7 * 86400)
    assert task["metadata"]["labels"]["team"] == "api"


async def test_a_pool_does_it(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos, pool="warm", secret="")) as talk:
        await begun(talk, kelos)
        [task] = kelos.all("tasks")
        done(kelos)
        await talk.task

    assert task["spec"] == {"workerPoolRef": {"name": "warm"}, "prompt": "Mend it."}


async def test_each_turn_has_a_task_of_its_own(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos)) as talk:
        await begun(talk, kelos)
        done(kelos)
        await talk.task
    kelos.task = {"phase": "Succeeded"}

    await talked(after(talk, "And more."))

    assert len(kelos.all("tasks")) == 2


async def test_a_task_that_waits_says_why(kelos: Kelos, tmp_path: Path) -> None:
    blocked = {"type": "BudgetBlocked", "status": "True", "message": "team api has spent $20.00 of $20.00 today"}
    kelos.task = {"phase": "Waiting", "message": "waiting for branch fix"}
    async with talking(job(tmp_path, kelos)) as talk:
        await talk.until(lambda: talk.all(Notice))
        put(kelos, "Waiting", conditions=[blocked])
        await talk.until(lambda: len(talk.all(Notice)) == 2)
        done(kelos)
        await talk.task

    assert [notice.text for notice in talk.all(Notice)][:2] == [
        "The Task waits: waiting for branch fix",
        "The Task waits for its budget: team api has spent $20.00 of $20.00 today",
    ]


async def test_one_that_is_refused_is_told_before_anything_has_begun(kelos: Kelos, tmp_path: Path) -> None:
    kelos.kinds["Task"] = lambda task: "admission webhook denied the request: no Tasks on Fridays"

    with pytest.raises(Unavailable, match=r"refused it \(422\).*no Tasks on Fridays"):
        await talked(job(tmp_path, kelos))


async def test_one_that_fails_is_told(kelos: Kelos, tmp_path: Path) -> None:
    kelos.task = {"phase": "Failed", "message": "Job has reached the specified backoff limit"}

    talk = await talked(job(tmp_path, kelos))

    assert (talk.finished.state, talk.finished.reason) == ("failed", "Job has reached the specified backoff limit")


async def test_a_stop_takes_it_away(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos)) as talk:
        await begun(talk, kelos)

    assert kelos.all("tasks") == []


async def test_a_process_that_leaves_lets_it_go_on_and_the_next_one_finds_it(kelos: Kelos, tmp_path: Path) -> None:
    left = replace(job(tmp_path, kelos), leaving=lambda: True)
    async with talking(left) as talk:
        await begun(talk, kelos)
    done(kelos)

    again = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert again.answered == "All is mended. ✓"
    assert len(kelos.all("tasks")) == 1


async def test_one_that_was_taken_away_meanwhile_is_not_done_twice(kelos: Kelos, tmp_path: Path) -> None:
    left = replace(job(tmp_path, kelos), leaving=lambda: True)
    async with talking(left) as talk:
        await begun(talk, kelos)
    kelos.objects.clear()

    with pytest.raises(RuntimeFailed, match="is not there any more"):
        await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert kelos.all("tasks") == []


async def test_one_that_is_taken_away_is_told(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos)) as talk:
        await begun(talk, kelos)
        kelos.objects.clear()

        with pytest.raises(RuntimeFailed, match="is not there any more"):
            await talk.task


async def test_a_cluster_that_cannot_answer_for_a_moment_harms_nothing(kelos: Kelos, tmp_path: Path) -> None:
    async with talking(job(tmp_path, kelos)) as talk:
        await begun(talk, kelos)
        kelos.refuse = [(503, "etcd"), (429, "slow down")]
        done(kelos)
        await talk.task

    assert talk.finished.state == "completed"


@pytest.mark.parametrize(("said", "dollars"), [("1", 1.0), ("250m", 0.25), (None, 0.0), ("odd", 0.0), (2, 2.0)])
def test_an_amount_is_read_as_kubernetes_writes_it(said: object, dollars: float) -> None:
    assert kelos_task.amount(said) == dollars
