"""OpenCode itself, against the contract, and what the contract does not hold."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from bot.event import ALLOW_SESSION, Question, Usage
from tests.runtimes.contract import Harness, done
from tests.runtimes.hardship import Hardship
from tests.runtimes.talk import after, talked, talking
from tests.runtimes.test_opencode_server import OLD
from tests.standins.model import Model

from . import harness

MODEL = {"reasoning": True, "tool_call": True, "limit": {"context": 200_000, "output": 8_000}, "cost": {"input": 3, "output": 15}}
PROVIDER = {
    "npm": "@ai-sdk/openai-compatible",
    "options": {"baseURL": "{env:MODEL_URL}/v1", "apiKey": "sk-test"},
    "models": {"stand-in": MODEL},
}
CONFIG = {"enabled_providers": ["fake"], "provider": {"fake": PROVIDER}}


def shell(command: str) -> str:
    return f"!tool bash {json.dumps({'command': command, 'description': 'Do it'})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    asked = {"question": text, "header": "Choose", "options": [{"label": option, "description": ""} for option in options]}
    return f"!tool question {json.dumps({'questions': [asked]})}"


def environment(url: str) -> dict[str, str]:
    return {"MODEL_URL": url, "OPENCODE_DISABLE_MODELS_FETCH": "1"}


TODOS = [{"content": "Look", "status": "in_progress", "priority": "high"}, {"content": "Mend", "status": "pending", "priority": "low"}]
OPENCODE = Harness(
    "opencode", shell=shell, environment=environment, ask=ask, plan=f"!tool todowrite {json.dumps({'todos': TODOS})}",
    model="fake/stand-in", options={"path": harness("opencode"), "permission": {}, "config": CONFIG}, asks={"permission": {"bash": "ask"}},
)  # fmt: skip


class TestOpenCode(Hardship):
    name = "opencode"
    harness = OPENCODE
    old = OLD.format(python=sys.executable)
    aged = "OpenCode 0.9.4 is too old"

    def _binary(self) -> str:
        return harness("opencode")


async def test_what_is_allowed_for_the_session_is_not_asked_again(model: Model, tmp_path: Path) -> None:
    script = f"{shell('touch one.txt')}\n!say done"
    async with talking(OPENCODE.turn(tmp_path / "s", model.url, script, asks=True)) as talk:
        talk.answer(await talk.question(), decision=ALLOW_SESSION)
        await talk.task

    second = await talked(after(talk, f"{shell('touch two.txt')}\n!say done"))

    assert not second.all(Question)
    assert (tmp_path / "s" / "work" / "two.txt").is_file()


async def test_a_sub_agents_steps_stand_under_its_call_and_its_tokens_count(model: Model, tmp_path: Path) -> None:
    task = {"description": "Look", "prompt": f"!usage 10 1\n{shell('echo deep')}\n!say found", "subagent_type": "general"}

    talk = await talked(OPENCODE.turn(tmp_path / "s", model.url, f"!tool task {json.dumps(task)}\n!say done"))

    outer, inner = talk.steps.values()
    assert (outer.title, outer.kind, outer.status) == ("Sub-agent: Look", "agent", "completed")
    assert (inner.title, inner.parent) == ("Do it", outer.call_id)
    assert talk.answered == "done"
    assert Usage(10, 1, 0, usd=10 * 3e-6 + 15e-6) in talk.all(Usage)


async def test_a_model_that_is_not_there_is_told(model: Model, tmp_path: Path) -> None:
    turn = OPENCODE.turn(tmp_path / "s", model.url, "!say never")

    talk = await talked(replace(turn, agent=turn.agent.model_copy(update={"model": "fake/other"})))

    assert done(talk) == "failed"
    assert "correct `model:`" in talk.finished.reason
