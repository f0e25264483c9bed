"""Managed agents on a stand-in for their platform, against the contract."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtimes.contract import Contract
from tests.runtimes.remote import Elsewhere, Remote, ask
from tests.runtimes.talk import after, talked
from tests.standins.managed_agents import ManagedAgents

HARNESS = Remote(
    "managed_agents",
    shell=lambda command: f"!tool bash {json.dumps({'command': command})}",
    environment=lambda url: {"ANTHROPIC_API_KEY": "sk-test"},
    ask=ask,
    model="claude-sonnet-5",
    options={"steers": True},
    asks={"asks": ["bash"]},
    cannot={
        "thoughts": "Claude's platform says that the agent thinks, and not what; bridges do",
        "plan": "the platform has no word for a plan",
    },
    parks=True,
)


class TestManagedAgents(Elsewhere):
    name = "managed_agents"
    harness = HARNESS

    @pytest.fixture
    async def model(self, tmp_path: Path) -> AsyncIterator[ManagedAgents]:
        async with ManagedAgents(folder=tmp_path / "s") as platform:
            yield platform

    @Contract._of("resume")
    async def test_the_next_turn_is_the_same_session_with_the_agent_that_was_made_once(self, model: ManagedAgents, folder: Path) -> None:
        first = await talked(HARNESS.turn(folder, model.url, "!say one"))

        second = await talked(after(first, "!say two"))
        other = await talked(HARNESS.turn(folder, model.url, "!say three"))

        assert (first.answered, second.answered, other.answered) == ("one", "two", "three")
        assert [len(model.made[what]) for what in ("agents", "environments")] == [1, 1]
        assert len(model.sessions) == 2
