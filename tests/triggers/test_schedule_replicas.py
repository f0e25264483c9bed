"""One schedule, several processes: on PostgreSQL whichever sees that it is due, it begins once; and a kill at any point changes nothing."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import app
from bot.playground import Slack
from bot.settings import Settings
from tests.test_path import said
from tests.test_replicas import postgres, shared

__all__ = ["postgres", "shared"]
ROOT = Path(__file__).parents[2]
YEARLY = "{cron: '0 0 1 1 *', post_to: '#random', prompt: '!say all is well', missed: run}"
COUNTER = f"---\ndescription: Counts.\nruntime: echo\ntriggers: [{{schedule: {YEARLY}}}]\n---\n"
NEW_YEAR = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC).timestamp()
POINTS = ["write:before:5", "write:after:7", "call:before:8", "call:after:8"]


@pytest.fixture
def counter(agents: Path) -> None:
    (agents / "counter.md").write_text(COUNTER)


def begun(slack: Slack) -> list[dict[str, Any]]:
    return slack.messages("random", replies=False)


async def well(slack: Slack) -> None:
    """It has begun, and the agent has answered."""
    await slack.until(lambda: begun(slack), 30)
    await slack.until(lambda: "all is well" in said(slack, begun(slack)[0])[1:][-1], 20)


async def test_a_time_that_all_replicas_see_begins_one_session(slack: Slack, counter: None, shared: Settings) -> None:
    async with app.running(shared) as one, app.running(shared) as other:
        await one.scheduler.tick()
        for _ in range(3):  # also where a row is as it was, as from a backup
            await one.scheduler.plans.change("counter:1", due=NEW_YEAR)
            await asyncio.gather(*(desk.scheduler.tick() for desk in (one, other, one, other)))

        await well(slack)
        sessions = await one.store.sessions()

    assert (len(sessions), len(begun(slack))) == (1, 1)


async def test_what_one_replica_claimed_and_did_not_post_another_does(slack: Slack, counter: None, shared: Settings) -> None:
    async with app.running(shared) as one:
        await one.scheduler.tick()
        slack.fail("chat.postMessage", status=500, times=1000)
        await one.scheduler.plans.change("counter:1", due=NEW_YEAR)
        await one.scheduler.tick()
        await slack.until(lambda: slack.made("chat.postMessage"), 20)
        async with app.running(shared):
            await one.stop()
            slack.forgive()

            await well(slack)

    assert len(begun(slack)) == 1


@pytest.mark.parametrize("point", POINTS)
async def test_a_process_that_is_killed_while_it_begins_one_loses_and_repeats_nothing(
    slack: Slack, counter: None, settings: Settings, tmp_path: Path, point: str
) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        await desk.scheduler.plans.change("counter:1", due=NEW_YEAR)
    mortal = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.mortal", cwd=tmp_path, env=environment(settings) | {"CHAOS_DIES_AT": point},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(30):
        await mortal.wait()

    async with app.running(settings) as desk:
        await well(slack)
        sessions = await desk.store.sessions()

    assert mortal.returncode == -9
    assert (len(sessions), len(begun(slack))) == (1, 1)


def environment(settings: Settings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_APP_TOKEN": settings.slack_app_token,
        "SLACK_API_URL": settings.slack_api_url,
        "DATABASE_URL": settings.database_url,
        "AGENTS_DIR": str(settings.agents_dir),
        "SESSIONS_DIR": str(settings.sessions_dir),
        "CATCH_UP_HOURS": "0",
    }
