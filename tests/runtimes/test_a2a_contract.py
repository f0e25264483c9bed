"""Agents on the a2a-sdk's own server, against the contract. That of 0.3, which needs a process with that SDK, is in tests/harnesses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.a2a_human import EXTENSION
from tests.standins.a2a_agent import Agent
from tests.standins.front import Front
from tests.standins.model import Asked

from .contract import BLUE, Contract, done
from .remote import Elsewhere, Remote
from .talk import after, talked, talking

NO_STEER = "a task takes no words while it works; they wait for the next turn"
NO_DENIAL = "what is denied is not done, but A2A has no word for it on a step"


@dataclass(frozen=True)
class Agents(Remote):
    """Where a person has to be asked, the agent is made to ask before it runs something."""

    def turn(self, folder: Path, url: str, prompt: str, *, asks: bool = False, **more: Any) -> Turn:
        options = {"endpoint": f"{url}/", **more.pop("options", {})}
        script = prompt.replace("!shell ", "!leave ") if asks else prompt
        return super().turn(folder, url, script, options=options, **more)


A2A = Agents(
    "a2a",
    shell=lambda command: f"!shell {command}",
    environment=lambda url: {},
    ask=lambda text, options: f"!ask {' | '.join([text, *options])}",
    cannot={
        "plan": "A2A has no word for a plan",
        "steer": NO_STEER,
        "refusal": NO_DENIAL,
    },
    parks=True,
)


class Place(Front):
    """An agent behind a door."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent.url)
        self.agent = agent

    @property
    def stopped(self) -> list[str]:
        return self.agent.canceled

    @property
    def log(self) -> list[Asked]:
        return [Asked("", {}, {"letter": str(letter)}) for letter in self.agent.letters]


class OnA2A(Elsewhere):
    worded: ClassVar = {
        "gone": r"cannot be reached.*options\.url",
        "credentials": r"does not let us in \(HTTP 401\)",
        "throttled": r"asked too often \(HTTP 429\): try again later",
        "busy": r"cannot answer now \(HTTP 503\)",
        "page": r"not A2A",
    }

    @Contract._of("resume")
    async def test_the_next_turn_is_in_the_same_context(self, model: Any, folder: Path) -> None:
        first = await talked(self.harness.turn(folder, model.url, "!say the first thing"))

        second = await talked(after(first, "!say the second thing"))

        assert second.answered.strip() == "the second thing"
        assert first.resume.partition(",")[0] == second.resume.partition(",")[0]

    test_the_next_turn_knows_what_was_said = None  # what it knows is the agent's affair

    @Contract._of("restart")
    async def test_a_question_is_answered_after_a_restart(self, model: Any, folder: Path) -> None:
        asked = await talked(self.harness.turn(folder, model.url, f"{self.harness.ask('Which colour?', ('Red', BLUE))}\n!toolresult"))
        question = await asked.question()

        answer = Answer(question.id, {question.parts[0].id: (BLUE,)})
        async with talking(after(asked, BLUE, again=True, answer=answer)) as talk:
            await talk.task

        assert done(talk) == "completed"
        assert BLUE in talk.answered


class TestA2A(OnA2A):
    name = "a2a (1.0)"
    harness = A2A

    @pytest.fixture
    async def model(self, folder: Path) -> AsyncIterator[Place]:
        async with Agent(extensions=[EXTENSION]) as agent, Place(agent) as place:
            agent.executor.folder, agent.executor.costs = folder, True
            yield place
            await agent.executor.end()
