"""Real harnesses that are given our tools, and ask people through them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.event import DENY, Event, Notice
from bot.message import Message
from bot.ports import Tools, Turn
from bot.runtimes import runtime_of
from bot.tools import deeds
from bot.tools.lend import Lending
from tests.runtimes.contract import Contract
from tests.runtimes.talk import talked
from tests.standins.model import Model
from tests.standins.stage import Stage, staged

from . import test_acp, test_claude_code, test_codex, test_opencode, test_pi

ASKS = {"question": "Which colour?", "options": ["Red", "Blue"]}
WANTS = {"action": "Delete the branch old", "reason": "It is merged."}


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
        "model": suite.harness.model,
        **more,
    }
    (stage.folder / "s1").mkdir(parents=True, exist_ok=True)
    suite.harness.prepare(stage.folder / "s1", url)
    stage.agent = Agent.model_validate({**about, "allow": {"answer": "everyone"}})
    stage.play(Reached(stage.agent, suite.harness.environment(url)))


CASES = [
    pytest.param(test_acp.TestOpenCode, "frontdesk_ask_user", {}, id="acp-opencode"),
    pytest.param(test_claude_code.TestClaudeCode, "mcp__frontdesk__ask_user", {"tools": True}, id="claude_code"),
    pytest.param(test_acp.TestClaude, "mcp__frontdesk__ask_user", {"tools": True}, id="acp-claude"),
    pytest.param(test_acp.TestCodex, "ask_user", {"tools": True}, id="acp-codex"),
    pytest.param(test_opencode.TestOpenCode, "frontdesk_ask_user", {"tools": True}, id="opencode"),
    pytest.param(test_codex.TestCodex, "ask_user", {"tools": True}, id="codex"),
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


ASKING = {**test_codex.CODEX.options, "approvals": "on-request", "commands": "workspace-write"}


@pytest.mark.parametrize(
    ("suite", "options"),
    [pytest.param(test_codex.TestCodex, ASKING, id="codex"), pytest.param(test_pi.TestPi, {**test_pi.PI.options, "ask": ["*"]}, id="pi")],
)
async def test_an_approval_asked_for_through_our_tools_is_the_only_question(
    stage: Stage, model: Model, suite: type[Contract], options: dict[str, Any]
) -> None:
    play(stage, suite, model.url, tools=True, options=options)
    await stage.say(f"!tool request_approval {json.dumps(WANTS)}\n!toolresult")

    await stage.surface.until(lambda: bool(stage.surface.shown and (stage.surface.last.open or stage.surface.last.ended)))
    [question] = stage.surface.last.open
    await stage.answer(question.id, DENY, part="decision")

    ended = await stage.ended()
    assert question.detail == WANTS["action"]
    assert (ended.state, len(ended.questions)) == ("completed", 1)
    assert "Denied: do not do it." in ended.answer


async def test_pi_is_given_what_it_has_not_itself(stage: Stage, model: Model) -> None:
    play(stage, test_pi.TestPi, model.url, tools=True)
    await stage.say("!say so")
    await stage.ended()

    offered = [tool["function"]["name"] for tool in model.log[0].body["tools"]]
    assert {"request_approval", "post_update", "upload_file", "read_thread", "report_improvement"} <= set(offered)
    assert offered.count("ask_user") == 1


async def test_pi_works_without_our_tools_and_says_so(model: Model, tmp_path: Path) -> None:
    nowhere = Tools("http://127.0.0.1:9/mcp", "token")

    talk = await talked(replace(test_pi.PI.turn(tmp_path / "s", model.url, "!say all the same"), tools=nowhere))

    assert talk.answered == "all the same"
    assert any("Pi does not reach Frontdesk's tools" in notice.text for notice in talk.all(Notice))


async def test_what_our_tools_refuse_the_agent_is_told(stage: Stage, model: Model) -> None:
    play(stage, test_pi.TestPi, model.url, tools=True)
    await stage.say('!tool upload_file {"path": "nowhere.txt"}\n!toolresult')

    assert "nowhere.txt cannot be given to people" in (await stage.ended()).answer


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
