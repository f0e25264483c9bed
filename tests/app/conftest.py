"""A desk whose improver writes what a test says."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import app
from bot.agent import Agent
from bot.app import Frontdesk, Parts
from bot.event import Event, Finished, Started, Text
from bot.message import Message
from bot.past import Finding
from bot.playground import Slack
from bot.ports import Runtime, Turn
from bot.runtimes import runtime_of
from bot.settings import Settings
from bot.store.files import Agents
from bot.store.sql import SqlStore
from tests.test_path import find

Json = dict[str, Any]
REVIEWER = """\
---
description: Reviews.
runtime: echo
triggers: [{mention: ['#reviews']}]
allow: {approve: [admins]}
---
You review for {{ person.name }}.
Say what is wrong.
"""
BETTER = REVIEWER.replace("Say what is wrong.\n", "Say what is wrong, and where: give a link to each line.\n")
IMPROVER = """\
---
description: Makes agents better.
runtime: pi
improve: false
triggers: [{mention: ['#random']}]
---
You make agents better.
"""
FOUND = Finding("f1", "reviewer", "No links", "People ask where it is.", (), 3, 0.4)


def written(text: str, why: str = "It now gives a link to each line.") -> str:
    """An answer as it is asked for."""
    return f"{why}\n\n````markdown\n{text}````"


class Writer:
    """The improver's runtime: each turn is answered with the next of `answers`; `turns` are what it was asked. Others echo."""

    def __init__(self, answers: Sequence[str] = ()) -> None:
        self.answers, self.turns = list(answers), list[Turn]()

    def __call__(self, agent: Agent) -> Runtime:
        return self if agent.name == "improver" else runtime_of(agent)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1", model="m")
        yield Text(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        yield Finished("completed")


@pytest.fixture
def writer() -> Writer:
    return Writer([written(BETTER)])


@pytest.fixture
def here(settings: Settings, agents: Path) -> Settings:
    """Settings of a desk with an improver and a reviewer."""
    (agents / "improver.md").write_text(IMPROVER)
    (agents / "reviewer.md").write_text(REVIEWER)
    return settings


def parts(settings: Settings, writer: Writer) -> Parts:
    return Parts(Agents(settings.agents_dir), SqlStore(settings.database_url), writer)


@asynccontextmanager
async def desk_of(settings: Settings, writer: Writer) -> AsyncIterator[Frontdesk]:
    async with app.running(settings, parts(settings, writer)) as desk:
        yield desk


async def wanted(slack: Slack, desk: Frontdesk, by: str = "ana", finding: Finding = FOUND) -> Json:
    """Somebody wants a change, in a thread."""
    root = await slack.say("(aside) What repeats?", channel="general", by=by)
    person = await desk.directory.person(slack.user(by))
    await desk.workshop.proposing.propose(finding, person, thread(slack, root))
    return root


def thread(slack: Slack, root: Json) -> str:
    return f"slack:{slack.team}:{root['channel']}:{root['ts']}"


async def card(slack: Slack, root: Json, words: str = "A change: `agents/reviewer.md`", seconds: float = 10) -> Json:
    """The card once it says so."""
    return await slack.until(lambda: find(slack, root, words), seconds)
