"""Real harnesses whose turn is over say what would have helped them, and go on with the same conversation."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent import Agent
from bot.event import Event, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import runtime_of
from tests.runtimes.contract import Contract
from tests.standins.model import Model
from tests.standins.script import HELPED
from tests.standins.stage import Stage, staged
from tests.standins.wait import until

from . import test_claude_code, test_codex, test_deepagents, test_hermes, test_opencode, test_pi, test_stream_json

pytestmark = pytest.mark.timeout(300)  # two or three processes each, one after the other
KEY = {"kind": "missing", "text": "A key for the tracker.", "evidence": "It answered 401."}
LONG = "I looked, and the tracker does not let me in."


class Reached:
    """The real runtime of an agent, with these variables; `begun` are the conversations that it told of."""

    def __init__(self, agent: Agent, environment: Mapping[str, str]) -> None:
        self.inner, self.environment = runtime_of(agent), environment
        self.reports = self.inner.reports  # type: ignore[attr-defined]
        self.begun: list[tuple[int, str]] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        async with aclosing(self.inner.run(replace(turn, environment=self.environment), inbox)) as events:  # type: ignore[type-var]
            async for event in events:
                self.begun += [(turn.number, event.resume)] if isinstance(event, Started) else []
                yield event


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


def reached(stage: Stage, suite: type[Contract], url: str) -> Reached:
    harness = suite.harness
    (stage.folder / "s1").mkdir(parents=True, exist_ok=True)
    harness.prepare(stage.folder / "s1", url)
    about = {"name": "coder", "version": "1", "description": "Codes.", "runtime": harness.runtime, "model": harness.model}
    stage.agent = Agent.model_validate({**about, "options": harness.options})
    return Reached(stage.agent, harness.environment(url))


SUITES = [
    pytest.param(test_claude_code.TestClaudeCode, id="claude_code"),
    pytest.param(test_codex.TestCodex, id="codex"),
    pytest.param(test_pi.TestPi, id="pi"),
    pytest.param(test_hermes.TestHermes, id="hermes"),
    pytest.param(test_stream_json.TestStreamJson, id="stream_json"),
]
SLOW = [pytest.param(test_opencode.TestOpenCode, id="opencode"), pytest.param(test_deepagents.TestDeepAgents, id="deepagents")]


@pytest.mark.parametrize("suite", [*SUITES, *SLOW])
async def test_it_says_what_would_have_helped_and_nobody_sees_it(stage: Stage, model: Model, suite: type[Contract]) -> None:
    session = await stage.run(reached(stage, suite, model.url), f"!say {LONG}\n!helped {json.dumps([KEY])}")

    [kept] = await stage.store.reports("coder")
    assert (kept.turn, kept.kind, kept.text, kept.evidence) == (1, *KEY.values())
    assert (session.state, session.answer.strip()) == ("completed", LONG)
    assert not any(KEY["text"] in shown.answer for shown in stage.surface.shown)


@pytest.mark.parametrize("suite", SUITES)
async def test_whoever_speaks_while_it_is_asked_goes_on_with_the_same_conversation(
    stage: Stage, model: Model, suite: type[Contract]
) -> None:
    runtime = reached(stage, suite, model.url)
    stage.play(runtime)
    await stage.say(f"!say {LONG}\n!slow 5\n!helped []")
    await until(lambda: any(HELPED in json.dumps(asked.body) for asked in model.log), 120)

    await stage.say("!history", "m2")

    ended = await stage.ended(2, 120)
    assert (ended.state, ended.reason) == ("completed", "")
    assert LONG in json.dumps(model.log[-1].body)
