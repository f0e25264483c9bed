"""A decision on a change and its trial do not wait for each other: whichever comes when, nothing is lost and nothing is done twice."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.agent import Agent
from bot.change import Note, Proposal, Proposals, Shelf
from bot.errors import ConfigError
from bot.journal import Delivery
from bot.message import Person
from bot.past import Change, Outcome, Tried
from bot.playground import Slack
from bot.settings import Settings
from tests.app.conftest import BETTER, REVIEWER, Writer, card, desk_of, wanted
from tests.app.test_proposals import begun, kept
from tests.test_path import find


async def test_a_press_just_when_a_trial_is_over_counts(slack: Slack, here: Settings, writer: Writer, agents: Path) -> None:
    async with desk_of(here, writer) as desk:
        await card(slack, await wanted(slack, desk), "Not tried: nobody has asked reviewer anything yet.")
        carla, deciding, seen = await desk.directory.person(slack.user("carla")), desk.workshop.deciding, await kept(desk)
        deciding.kept = replace(deciding.kept, proposals=Late(deciding.kept.proposals))

        await deciding.decide("approve", seen.id, seen.change.mark, carla, "p1")

    assert (agents / "reviewer.md").read_text() == BETTER


class Late:
    """Just before the first decision is kept, what a trial said is."""

    def __init__(self, inner: Proposals) -> None:
        self.inner, self.said = inner, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def move(self, before: Proposal, after: Proposal) -> bool:
        if not self.said:
            self.said = await self.inner.move(before, replace(before, trial="Not tried: no sandbox."))
        return await self.inner.move(before, after)


async def test_a_trial_that_is_over_just_while_the_file_is_written_loses_nothing(
    slack: Slack, here: Settings, writer: Writer, agents: Path
) -> None:
    async with desk_of(here, writer) as desk:
        deciding, proposing, over = desk.workshop.deciding, desk.workshop.proposing, asyncio.Event()
        deciding.shelf = slow = Slow(deciding.shelf, deciding.kept.proposals, over)
        deciding.kept = proposing.kept = replace(deciding.kept, proposals=slow)
        proposing.rehearsal = patient = Patient(over)
        root = await wanted(slack, desk)
        await patient.begun.wait()

        await slack.press(await card(slack, root), "Approve", "carla")

        await slack.until(lambda: find(slack, root, "`agents/reviewer.md`: Approved by carla."))
        await card(slack, root, "Not tried: no sandbox.")
        assert (await kept(desk)).state == "done"


class Patient:
    """A rehearsal whose trial takes till `over`."""

    def __init__(self, over: asyncio.Event) -> None:
        self.over, self.begun = over, asyncio.Event()

    async def ask(self, agent: Agent, words: str, by: Person, like: Agent) -> Outcome:
        raise ConfigError("nobody is asked")

    async def trial(self, old: Agent, new: Agent, by: str) -> Tried:
        self.begun.set()
        await self.over.wait()
        raise ConfigError("no sandbox.")


class Slow:
    """A folder in which a file is written just while a trial ends: only when what that said is kept, in `proposals`."""

    def __init__(self, shelf: Shelf, proposals: Proposals, over: asyncio.Event) -> None:
        self.shelf, self.proposals, self.over, self.told = shelf, proposals, over, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.shelf if hasattr(self.shelf, name) else self.proposals, name)

    async def move(self, before: Proposal, after: Proposal) -> bool:
        moved = await self.proposals.move(before, after)
        if moved and before.trial != after.trial == "Not tried: no sandbox.":
            self.told.set()
        return moved

    async def put(self, change: Change, note: Note) -> str:
        self.over.set()
        await self.told.wait()
        return await self.shelf.put(change, note)


async def test_a_press_that_comes_again_decides_nothing_again(slack: Slack, here: Settings, writer: Writer, agents: Path) -> None:
    async with desk_of(here, writer) as desk:
        root = await wanted(slack, desk)
        await card(slack, root)
        carla, deciding = await desk.directory.person(slack.user("carla")), desk.workshop.deciding
        (agents / "reviewer.md").write_text(REVIEWER + "Never touch production.\n")

        for _ in range(2):
            proposal = await kept(desk)
            said = await deciding.decide("approve", proposal.id, proposal.change.mark, carla, "p1")

    assert said.startswith("The file has changed since this was written.")
    assert "Never touch production." in (agents / "reviewer.md").read_text()


async def test_what_is_decided_before_it_is_tried_does_not_say_that_it_is_tried(slack: Slack, here: Settings, writer: Writer) -> None:
    async with desk_of(here, writer) as desk:
        root = await slack.say("(aside) What repeats?", by="ana")
        await begun(slack, desk, root, state="rejected", new=BETTER, outcome="Rejected by carla.")

        await desk.workshop.proposing.handlers["proposal_trial"](Delivery("t", "proposal_trial", ""), {"id": "p1"})

        assert "Not tried: it was decided before." in slack.text(await card(slack, root, "Rejected: `agents/reviewer.md`"))
