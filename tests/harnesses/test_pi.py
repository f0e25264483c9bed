"""Pi itself, against the contract, and what the contract does not hold."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.runtimes.home import USUAL
from tests.runtimes.contract import Harness, done
from tests.runtimes.hardship import Hardship
from tests.runtimes.talk import talked
from tests.standins.model import Model

from . import harness

STAND_IN = {"id": "stand-in", "reasoning": True, "contextWindow": 200_000, "maxTokens": 8_000, "input": ["text"]}
COST = {"input": 3, "output": 15, "cacheRead": 0, "cacheWrite": 0}


def shell(command: str) -> str:
    return f"!tool bash {json.dumps({'command': command})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    return f"!tool ask_user {json.dumps({'question': text, 'options': options})}"


def environment(url: str) -> dict[str, str]:
    return {"PATH": f"{Path(harness('node')).parent}:{USUAL['PATH']}"}


def prepare(folder: Path, url: str) -> None:
    provider = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-test", "models": [{**STAND_IN, "cost": COST}]}
    (folder / "pi").mkdir(exist_ok=True)
    (folder / "pi" / "models.json").write_text(json.dumps({"providers": {"fake": provider}}))


PI = Harness(
    "pi", shell=shell, environment=environment, ask=ask, prepare=prepare, model="fake/stand-in",
    options={"path": harness("pi"), "ask": []}, asks={"ask": ["bash"]}, cannot={"plan": "Pi 0.87 gives its models no tool for a plan"},
)  # fmt: skip


class TestPi(Hardship):
    name = "pi"
    harness = PI

    def _binary(self) -> str:
        return harness("pi")


async def test_the_instructions_reach_the_model(model: Model, tmp_path: Path) -> None:
    await talked(replace(PI.turn(tmp_path / "s", model.url, "!say yes"), instructions="You serve the API team."))

    assert "You serve the API team." in str(model.log[0].body)


async def test_a_model_that_is_not_there_is_told_before_anything_has_begun(model: Model, tmp_path: Path) -> None:
    turn = PI.turn(tmp_path / "s", model.url, "!say never")

    with pytest.raises(Unavailable, match="correct `model:`"):
        await talked(replace(turn, agent=turn.agent.model_copy(update={"model": "nowhere/other"})))


async def test_one_that_nobody_has_logged_in_is_told_with_the_remedy(model: Model, tmp_path: Path) -> None:
    turn = PI.turn(tmp_path / "s", model.url, "!say never")

    talk = await talked(replace(turn, agent=turn.agent.model_copy(update={"model": "anthropic/claude-sonnet-4-5"})))

    assert done(talk) == "failed"
    assert "Pi has no credentials for this model" in talk.finished.reason
    assert "`environment:`" in talk.finished.reason
