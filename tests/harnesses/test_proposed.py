"""A real harness that proposes a schedule, which somebody approves."""

import json

import pytest

from bot.event import APPROVE
from bot.store.schedules import Schedules
from bot.tools.lend import Lending
from tests.runtimes.contract import Contract
from tests.standins.model import Model
from tests.standins.stage import Stage

from . import test_claude_code, test_opencode
from .test_tools import play, stage

__all__ = ["stage"]
MONDAYS = {"cron": "0 9 * * 1", "timezone": "Europe/Berlin", "prompt": "Which pull requests wait?", "words": "every Monday at 9"}
CASES = [
    pytest.param(test_claude_code.TestClaudeCode, "mcp__frontdesk__propose_schedule", id="claude_code"),
    pytest.param(test_opencode.TestOpenCode, "frontdesk_propose_schedule", id="opencode"),
]


@pytest.mark.parametrize(("suite", "tool"), CASES)
async def test_a_schedule_that_is_proposed_and_approved_is_kept(stage: Stage, model: Model, suite: type[Contract], tool: str) -> None:
    plans = Schedules(stage.store.db)
    [lending] = stage.aids
    assert isinstance(lending, Lending)
    lending.plans = plans
    play(stage, suite, model.url, tools=True)
    await stage.say(f"!tool {tool} {json.dumps(MONDAYS)}\n!toolresult")

    await stage.surface.until(lambda: bool(stage.surface.shown and (stage.surface.last.open or stage.surface.last.ended)))
    await stage.answer(stage.surface.last.open[0].id, APPROVE, part="decision")

    ended = await stage.ended()
    [plan] = await plans.all()
    assert (ended.state, plan.schedule.cron) == ("completed", "0 9 * * 1")
    assert f"Approved. It is called {plan.name}" in ended.answer
