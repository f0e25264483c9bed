"""Real harnesses that are given our tools, and ask people through them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.tools import deeds
from bot.tools.lend import Lending
from tests.runtimes.contract import Contract
from tests.standins.model import Model
from tests.standins.stage import Stage, staged

from . import test_acp, test_claude_code, test_opencode

ASKS = {"question": "Which colour?", "options": ["Red", "Blue"]}


@dataclass
class Reached:
    """The real runtime of an agent, with these variables."""

    agent: Agent
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        self.inner = runtime_of(self.agent)
        self.tools = getattr(self.inner, "tools", False)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        async with aclosing(self.inner.run(replace(turn, environment=self.environment), inbox)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    lending = Lending()
    async with staged(tmp_path) as stage:
        stage.aids = (lending,)
        try:
            yield stage
        finally:
            await stage.engine.close()
            await lending.close()


def play(stage: Stage, suite: type[Contract], url: str, **more: Any) -> None:
    """Put a harness of the suite there."""
    about = {
        "name": "coder",
        "version": "1",
        "description": "Codes.",
        "runtime": suite.harness.runtime,
        "options": suite.harness.options,
        **more,
    }
    suite.harness.prepare(stage.folder / "s1", url)
    stage.agent = Agent.model_validate({**about, "allow": {"answer": "everyone"}})
    stage.play(Reached(stage.agent, suite.harness.environment(url)))


CASES = [
    pytest.param(test_acp.TestOpenCode, "frontdesk_ask_user", {}, id="acp-opencode"),
    pytest.param(test_claude_code.TestClaudeCode, "mcp__frontdesk__ask_user", {"tools": True}, id="claude_code"),
    pytest.param(test_acp.TestClaude, "mcp__frontdesk__ask_user", {"tools": True}, id="acp-claude"),
    pytest.param(test_acp.TestCodex, "ask_user", {"tools": True}, id="acp-codex"),
    pytest.param(test_opencode.TestOpenCode, "frontdesk_ask_user", {"tools": True}, id="opencode"),
]


@pytest.mark.parametrize(("suite", "tool", "more"), CASES)
async def test_a_question_asked_through_our_tools_is_answered(
    stage: Stage, model: Model, suite: type[Contract], tool: str, more: dict[str, Any]
) -> None:
    play(stage, suite, model.url, **more)
    await stage.say(f"!tool {tool} {json.dumps(ASKS)}\n!toolresult")

    await stage.surface.until(lambda: bool(stage.surface.shown and (stage.surface.last.open or stage.surface.last.ended)))
    await stage.answer(stage.surface.last.open[0].id, "Blue", part="answer")

    ended = await stage.ended()
    assert (ended.state, ended.reason) == ("completed", "")
    assert "Blue" in ended.answer


@pytest.mark.parametrize(("suite", "tool", "more"), CASES[:1])
async def test_an_answer_that_comes_late_begins_the_next_turn_of_the_same_conversation(
    stage: Stage, model: Model, monkeypatch: pytest.MonkeyPatch, suite: type[Contract], tool: str, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(deeds, "HOLD", 0.2)
    play(stage, suite, model.url, **more)
    await stage.say(f"!tool {tool} {json.dumps(ASKS)}\n!say I wait for the colour.")
    parked = await stage.ended()

    await stage.answer(parked.open[0].id, "!history", part="answer")

    assert (parked.state, parked.answer) == ("input_required", "I wait for the colour.")
    ended = await stage.ended(2)
    assert ended.state == "completed"
    assert ended.answer == "2 messages, the newest: !history"
