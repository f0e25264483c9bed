"""The whole bot: an agent's file names a workspace, and whoever runs the bot sees what is wrong and what is old."""

import asyncio
from pathlib import Path

import pytest

from bot import app
from bot.app import lent
from bot.playground import Slack
from bot.settings import Settings
from tests.app.test_upkeep import run
from tests.cli.test_cli import Shell
from tests.test_path import said
from tests.workspaces.conftest import Repository
from tests.workspaces.test_tidy import DAY, older

CODER = "---\ndescription: Codes.\nruntime: echo\nworkspace: api\ntriggers: [{mention: ['#reviews']}]\n---\nYou code.\n"


@pytest.fixture
def agents(tmp_path: Path, repository: Repository) -> Path:
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "coder.md").write_text(CODER)
    (folder / "workspaces.yaml").write_text(f"api:\n  repository: {repository.url}\n")
    return folder


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


async def worked(slack: Slack, settings: Settings) -> None:
    """Let the agent have done something in its workspace."""
    async with app.running(settings) as desk:
        root = await slack.mention("hello", channel="reviews")
        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)


async def test_an_agents_file_names_a_workspace_and_its_session_has_it(slack: Slack, settings: Settings) -> None:
    await worked(slack, settings)

    [readme] = settings.sessions_dir.glob("*/workspace/api/README.md")
    assert await asyncio.to_thread(readme.read_text) == "The first.\n"


async def test_a_workspace_that_there_is_not_is_told_by_check(shell: Shell, agents: Path) -> None:
    (agents / "coder.md").write_text(CODER.replace("workspace: api", "workspace: apy"))
    (agents / "workspaces.yaml").write_text("api:\n  repositry: x\n")

    ended = await asyncio.to_thread(shell.run, "check")
    (agents / "workspaces.yaml").write_text("api:\n  repository: /srv/api\n")
    then = await asyncio.to_thread(shell.run, "check")

    assert "frontdesk: agents/workspaces.yaml: api.repositry: unknown key; did you mean 'repository'?" in ended.stderr
    assert "frontdesk: agents/coder.md: workspace: there is no 'apy' in agents/workspaces.yaml; did you mean 'api'?" in then.stderr
    assert (ended.returncode, then.returncode) == (1, 1)


async def test_prune_takes_old_workspaces_away(shell: Shell, settings: Settings, slack: Slack) -> None:
    await worked(slack, settings)
    await asyncio.to_thread(older, settings.sessions_dir, lent.store(settings), 31 * DAY)

    dry = await run(shell, settings, "prune", "--dry-run")
    done = await run(shell, settings, "prune")

    assert [line.rpartition("/")[2].partition("-")[0] for line in dry[1].splitlines()[1:]] == ["api would be taken away.", "acme"]
    assert dry[1].count(" would be taken away.") == done[1].count(" taken away.") == 3
    assert not list(settings.sessions_dir.glob("*/workspace/api"))


async def test_a_bot_that_runs_takes_them_away_by_itself(slack: Slack, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await worked(slack, settings)
    await asyncio.to_thread(older, settings.sessions_dir, lent.store(settings), 31 * DAY)
    monkeypatch.setattr(app, "CLOCK", 0.02)

    async with app.running(settings):
        for _ in range(500):
            if not list(settings.sessions_dir.glob("*/workspace/api")):
                break
            await asyncio.sleep(0.02)  # a folder tells nobody

    assert not list(settings.sessions_dir.glob("*/workspace/api"))
