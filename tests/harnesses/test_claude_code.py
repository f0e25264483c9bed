"""Claude Code itself, driven by the contract of all runtimes; more of it stands in tests/runtimes/test_claude_*.py."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.playground import Slack
from bot.runtimes.claude_setting import BUNDLED
from tests.runtimes.contract import Harness
from tests.runtimes.hardship import Hardship
from tests.standins.model import Model
from tests.standins.postgres import cluster, database
from tests.test_path import said

from . import ROOT


def shell(command: str) -> str:
    return "!tool Bash " + json.dumps({"command": command})


def ask(text: str, options: tuple[str, ...]) -> str:
    given = {"question": text, "header": "Colour", "options": [{"label": label, "description": label} for label in options]}
    return "!tool AskUserQuestion " + json.dumps({"questions": [given]})


PLAN = (
    '!tool TaskCreate {"subject": "Look", "description": "."}\n!tool TaskCreate {"subject": "Mend", "description": "."}\n'
    '!think so\n!tool TaskUpdate {"taskId": "1", "status": "in_progress"}'
)


class TestClaudeCode(Hardship):
    name = "claude_code"
    harness = Harness(
        "claude_code",
        shell=shell,
        environment=lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-test", "CLAUDE_CODE_MAX_RETRIES": "0"},
        ask=ask,
        plan=PLAN,
        model="claude-sonnet-5",
        options={"tools": ["Bash"]},
        asks={"tools": []},
    )

    def _binary(self) -> str:
        return str(BUNDLED)


AGENT = """---
description: Codes.
runtime: claude_code
model: claude-sonnet-5
environment: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]
triggers: [{mention: ['*']}]
---
You code.
"""


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "coder.md").write_text(AGENT)
    return tmp_path / "agents"


@asynccontextmanager
async def replica(slack: Slack, environment: Mapping[str, str], folder: Path) -> AsyncIterator[None]:
    """`frontdesk run` on a machine that has this folder; in the end it is told to go, and has gone."""
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.url,
        "SESSIONS_DIR": str(folder), **environment,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", cwd=ROOT.parent, env=given)
    try:
        await slack.until(lambda: slack.sockets == 1 or process.returncode is not None, 60)
        yield
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)
        await slack.until(lambda: slack.sockets == 0, 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_another_replica_with_another_disk_knows_what_was_said(model: Model, agents: Path, tmp_path: Path) -> None:
    with cluster() as postgres:
        async with Slack(rates=None) as slack, database(postgres) as url:
            key = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-test"}
            environment = {"DATABASE_URL": url, "AGENTS_DIR": str(agents), "DRAIN_SECONDS": "5", "LOG_LEVEL": "ERROR", **key}
            async with replica(slack, environment, tmp_path / "one"):
                root = await slack.mention("!say the first thing")
                await slack.until(lambda: any("the first thing" in text for text in said(slack, root)), 60)

            async with replica(slack, environment, tmp_path / "two"):
                await slack.say("!say the second thing", thread=root)
                await slack.until(lambda: any("the second thing" in text for text in said(slack, root)), 60)

    told = [str(message["content"]) for message in model.log[-1].body["messages"] if message["role"] == "assistant"]
    assert any("the first thing" in words for words in told)
