"""The loop, whole: bad answers, what people and the agent say of them, what repeats, tickets, a change that was tried and allowed, and
history, which shows that it helped."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot import app
from bot.agent import Agent
from bot.app import Frontdesk, Parts
from bot.cli import main
from bot.event import Event, Finished, Started, Text, Usage
from bot.message import Message
from bot.playground import Slack
from bot.ports import Runtime, Turn
from bot.report import ASK
from bot.runtimes import runtime_of
from bot.settings import Settings
from bot.store.files import Agents
from bot.store.sql import SqlStore
from tests.app.conftest import written
from tests.slack.test_findings import labels, shown
from tests.standins.pulls import Pulls
from tests.standins.tickets import KEY, TOKEN, Linear
from tests.standins.wait import until
from tests.test_path import find, last, said
from tests.tools.conftest import connected
from tests.workspaces.conftest import Repository

Json = dict[str, Any]
REVIEWER = "---\ndescription: Reviews builds.\n{}\nallow: {{approve: [admins]}}\n---\nSay why the build is red.\n"
IMPROVER = (
    "---\ndescription: Makes agents better.\nruntime: pi\ndigest: true\nimprove: false\ntriggers: [{mention: ['#agents']}]\n"
    "allow: {answer: [members]}\n---\nYou make agents better.\n"
)
ASKERS = ("ana", "ben", "ana")  # as many as history needs to be sure
BAD = "The build is red because one of its steps did not end well."
GOOD = "The step `test` failed, at https://ci.example/1#step-3, with a KeyError."
WHY = "Which step? There is no link!"
REPORT = [{"kind": "missing", "text": "I was not told where the steps are.", "evidence": "no link"}]
TITLES = ("It gives no link", "It does not name the step")
DONE = "That is what repeats."


@dataclass
class Mind:
    """What agents think with: the reviewer answers by its file; the improver finds what repeats, and writes a better file when asked."""

    old: str
    digest: str = ""

    @property
    def better(self) -> str:
        return self.old.replace("Say why the build is red.", "Say why the build is red, with a link to the step that failed.")

    def think(self, instructions: str, prompt: str) -> str | Json:
        """What to say, or with what to call the tool `report_findings`."""
        if ASK in prompt:
            return json.dumps(REPORT)
        if "Say why the build is red" in instructions:
            return GOOD if "with a link" in instructions else BAD
        if "Write a new version of agents/reviewer.md" in prompt:
            return written(self.better, "It now gives a link.")
        self.digest = prompt
        turns = list(dict.fromkeys(re.findall(r"\b[0-9a-f]{8}-1\b", prompt)))
        found = {"agent": "reviewer", "what": "People ask for the step.", "change": "Add: with a link.", "evidence": turns}
        return {"findings": [found | {"title": title} for title in TITLES]}


class Minded:
    """The runtime of both agents, without any harness."""

    tools = True

    def __init__(self, mind: Mind) -> None:
        self.mind = mind

    def __call__(self, agent: Agent) -> Runtime:
        return self if agent.name in ("reviewer", "improver") else runtime_of(agent)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        yield Started("r1", model="m")
        yield Text(await self.said(turn))
        yield Usage(100, 10, usd=0.05)
        yield Finished("completed")

    async def said(self, turn: Turn) -> str:
        thought = self.mind.think(turn.instructions, turn.prompt)
        if isinstance(thought, str):
            return thought
        assert turn.tools
        async with connected(turn.tools) as client:
            await client("report_findings", **thought)
        return DONE


@pytest.fixture
def work(tmp_path: Path) -> Repository:
    """A clone whose remote is bare, on disk."""
    work, bare = Repository(tmp_path / "work"), tmp_path / "acme" / "agents.git"
    work.git("clone", "-q", "--bare", str(work.folder), str(bare))
    work.git("remote", "add", "origin", str(bare))
    work.git("fetch", "-q")
    work.git("branch", "-q", "--set-upstream-to=origin/main")
    return work


@dataclass
class Loop:
    """A desk whose agents stand in a repository; each step may take so many `seconds`."""

    slack: Slack
    work: Repository
    mind: Mind
    improver: str
    seconds: float = 10
    github: Pulls = field(default_factory=Pulls)
    linear: Linear = field(default_factory=Linear)

    @property
    def agents(self) -> Path:
        return self.work.folder / "agents"

    async def run(self, settings: Settings, parts: Parts) -> None:
        """Once round."""
        self.slack.add_channel("agents", ("ana", "ben", "carla", "frontdesk"))
        self.work.commit("agents/reviewer.md", self.mind.old)
        self.work.git("push", "-q")
        async with self.github, self.linear:
            self.file_at(f"github: acme/agents, token: GITHUB_TOKEN, url: '{self.github.url}'")
            keys = {**settings.environment, "GITHUB_TOKEN": TOKEN, "LINEAR_API_KEY": KEY}
            here = {"environment": keys, "agents_token": TOKEN, "agents_api_url": self.github.url}
            async with app.running(settings.model_copy(update=here), parts) as desk:
                await self.rated(desk, BAD, "Bad")
                card = await self.found(desk)
                await self.filed(desk)
                await self.changed(card)
                await self.merged(desk)
                await self.rated(desk, GOOD, "Good")

    def file_at(self, place: str) -> None:
        """Where the improver files tickets, from now on."""
        text = self.improver.replace("digest: true", f"digest: true\ntickets: {{{place}, private: true}}")
        (self.agents / "improver.md").write_text(text)

    async def rated(self, desk: Frontdesk, answer: str, thumb: str) -> None:
        """People ask, and say what they think of the answers."""
        before = len(await desk.store.feedback("reviewer"))
        for n, by in enumerate(ASKERS, before + 1):
            await self._rated(n, by, answer, thumb)
            await until(partial(self._kept, desk, n))

    async def _rated(self, n: int, by: str, answer: str, thumb: str) -> None:
        root = await self.slack.mention(f"reviewer: why is build {n} red?", by=by)
        await self.slack.until(lambda: answer[:20] in said(self.slack, root)[-1], self.seconds)
        await self.slack.press(await self.slack.until(lambda: self._ratable(root, thumb), self.seconds), thumb, by)
        if thumb == "Bad":
            view = await self.slack.until(lambda: self.slack.modals(by)[-1])
            await self.slack.submit(view, {"reasons": ["It is wrong"], "text": WHY}, by)

    def _ratable(self, root: Json, thumb: str) -> Json | None:
        message = last(self.slack, root)
        return message if f"\n{thumb}" in self.slack.text(message) else None

    async def _kept(self, desk: Frontdesk, count: int) -> bool:
        return sum(each.rating == "good" or bool(each.text) for each in await desk.store.feedback("reviewer")) == count

    async def found(self, desk: Frontdesk) -> Json:
        """The improver is asked what repeats; its first card."""
        await until(lambda: desk.store.reports("reviewer"), self.seconds)

        await self.slack.mention("What repeats?", channel="agents", by="ana")

        card = await self.slack.until(lambda: shown(self.slack, TITLES[0], "agents"), self.seconds)
        assert f"thumbs down: 2 people, {len(ASKERS)} turns" in self.mind.digest
        assert re.search(rf"^  > \| .*{re.escape(WHY)}$", self.mind.digest, re.MULTILINE)
        assert re.search(rf"^  > \| missing: {REPORT[0]['text']}", self.mind.digest, re.MULTILINE)
        assert f"hit 2 people in {len(ASKERS)} turns" in self.slack.text(card)
        assert labels(self.slack, card) == ["File a ticket", "Propose a change", "Not now"]
        return card

    async def filed(self, desk: Frontdesk) -> None:
        """A ticket at GitHub, and one at Linear."""
        await self._filed(TITLES[0], "acme/agents#1")
        self.file_at(f"linear: ENG, token: LINEAR_API_KEY, url: '{self.linear.url}'")
        await self.slack.until(lambda: desk.agent("improver").tickets.linear, 15)
        await self._filed(TITLES[1], "ENG-1")
        assert len(self.github.issues) == len(self.linear.issues) == 1

    async def _filed(self, title: str, ticket: str) -> None:
        card = await self.slack.until(lambda: shown(self.slack, title, "agents"))
        await self.slack.press(card, "File a ticket", "ben")
        await self.slack.until(lambda: ticket in self.slack.text(self.slack.message(card)))

    async def changed(self, card: Json) -> None:
        """Another file is written, tried on the old turns and allowed: a pull request, and nothing else."""
        await self.slack.press(card, "Propose a change", "ana")
        tried = f"Tried on what was asked before: {len(ASKERS)} tried; all were answered"
        proposal = await self.slack.until(lambda: find(self.slack, card, tried), 3 * self.seconds)
        assert "+Say why the build is red, with a link to the step that failed." in self.slack.text(proposal)
        assert "more than it has" not in self.slack.text(proposal)

        await self.slack.press(proposal, "Approve", "carla")

        told = "`agents/reviewer.md`: Approved by carla. It is proposed as https://github.test/acme/agents/pull/1"
        await self.slack.until(lambda: find(self.slack, card, told), 20)
        assert (self.agents / "reviewer.md").read_text() == self.mind.old

    async def merged(self, desk: Frontdesk) -> None:
        """Somebody merges it, and brings the folder up to date."""
        [pull] = self.github.pulls
        bare = self.work.git("remote", "get-url", "origin")
        self.work.git("-C", bare, "update-ref", "refs/heads/main", f"refs/heads/{pull['head']}")
        self.work.git("pull", "-q", "--ff-only")
        await self.slack.until(lambda: "with a link" in desk.agent("reviewer").instructions, 15)


async def history(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Json:
    """What `frontdesk history reviewer` says."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    capsys.readouterr()
    await asyncio.to_thread(main, ["history", "reviewer", "--json"])
    told: Json = json.loads(capsys.readouterr().out)
    return told


def helped(history: Json) -> bool:
    """Whether it says so, with what people thought of both versions and the trial between them."""
    (old, new), [tried] = (one["version"] for one in history["versions"]), history["trials"]
    many = len(ASKERS)
    assert f"0 of {many} rated answers were bad, and {many} of {many} before" in history["verdict"]
    assert (tried["old_version"], tried["new_version"], len(tried["runs"])) == (old, new, many)
    return str(history["verdict"]).startswith("The change helped")


async def test_a_bad_answer_becomes_a_change_that_helps(
    slack: Slack, settings: Settings, work: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mind = Mind(REVIEWER.format("runtime: echo\nimprove: true"))
    loop = Loop(slack, work, mind, IMPROVER)
    settings = settings.model_copy(update={"agents_dir": loop.agents})

    await loop.run(settings, Parts(Agents(loop.agents), SqlStore(settings.database_url), Minded(mind)))

    assert helped(await history(settings, monkeypatch, capsys))
