"""The loop once round on Claude Code itself: the reviewer and the catalogue's improver answer, report, find, write and are tried there."""

import json
from pathlib import Path

import pytest

from bot.app import Parts
from bot.playground import Slack
from bot.sandbox import trouble
from bot.settings import Settings
from bot.store.files import Agents
from bot.store.sql import SqlStore
from tests.app.test_loop import DONE, REVIEWER, Loop, Mind, helped, history, work
from tests.standins.model import Asked, Model, lines
from tests.standins.script import Block, Reply
from tests.test_catalogue import CATALOGUE
from tests.workspaces.conftest import Repository

__all__ = ["work"]
HARNESS = "runtime: claude_code\nmodel: claude-sonnet-5"
KEYS = "environment: [ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL]"
SANDBOX = trouble(Path("/"))


class Thinking(Model):
    """A model that thinks with a mind."""

    def __init__(self, mind: Mind) -> None:
        super().__init__()
        self.mind = mind

    def reply(self, asked: Asked) -> Reply:
        if lines(asked.body)[-1].role == "tool":
            return Reply([Block("say", DONE)])
        thought = self.mind.think(asked.system, asked.people[-1])
        if isinstance(thought, str):
            return Reply([Block("say", thought)])
        return Reply([Block("tool", json.dumps(thought), "mcp__frontdesk__report_findings")])


@pytest.mark.timeout(400)  # some twenty processes, one after the other
@pytest.mark.skipif(bool(SANDBOX), reason=SANDBOX)
async def test_a_bad_answer_becomes_a_change_that_helps(
    slack: Slack, settings: Settings, work: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    improver = (CATALOGUE / "improver.md").read_text("utf-8").replace("runtime: claude_code", HARNESS)
    mind = Mind(REVIEWER.format(f"{HARNESS}\n{KEYS}"))
    loop = Loop(slack, work, mind, improver, seconds=120)
    async with Thinking(mind) as model:
        keys = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-test"}
        settings = settings.model_copy(update={"agents_dir": loop.agents, "environment": keys})

        await loop.run(settings, Parts(Agents(loop.agents), SqlStore(settings.database_url)))

    assert helped(await history(settings, monkeypatch, capsys))
