"""A real process is told to end, as in an upgrade: it says so, finishes what runs, and ends well."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot import app
from bot.playground import Slack
from bot.settings import Settings
from tests.ops.conftest import get, until
from tests.test_path import said

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@asynccontextmanager
async def process(settings: Settings, drain: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """`frontdesk run`, connected."""
    fields = ("slack_bot_token", "slack_app_token", "slack_api_url", "database_url", "agents_dir", "sessions_dir", "http_port")
    environment = {name.upper(): str(getattr(settings, name)) for name in fields}
    environment |= {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"DRAIN_SECONDS": str(drain), "LOG_LEVEL": "ERROR"}
    begun = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", cwd=ROOT, env=environment)
    try:
        await until(settings, 200)
        yield begun
    finally:
        if begun.returncode is None:
            begun.kill()
        await begun.wait()


async def test_what_runs_is_finished_before_the_process_ends(served: Settings, slack: Slack) -> None:
    async with process(served, 20) as begun:
        root = await slack.mention("!slow 0.5\n!say one\n!say two\n!say the end")
        await slack.until(lambda: said(slack, root))

        begun.send_signal(signal.SIGTERM)

        assert await until(served, 503) == {"process": "it is going away"}
        assert slack.sockets == 1
        assert (await get(served, "/healthz"))[0] == 200
        assert await begun.wait() == 0
    assert "the end" in said(slack, root)[-1]


async def test_a_person_is_still_heard_while_it_drains(served: Settings, slack: Slack) -> None:
    async with process(served, 30) as begun:
        root = await slack.mention("!slow 50\n!say never")
        await slack.until(lambda: said(slack, root))

        begun.send_signal(signal.SIGTERM)
        await until(served, 503)
        await slack.say("stop", thread=root)

        assert await begun.wait() == 0
    assert "Stopped by" in said(slack, root)[-1]


async def test_what_does_not_finish_in_time_is_left_to_the_next_process(served: Settings, slack: Slack) -> None:
    async with process(served, 0.2) as begun:
        root = await slack.mention("!slow 1\n!say one\n!say two\n!say the end")
        await slack.until(lambda: said(slack, root))

        begun.send_signal(signal.SIGTERM)

        assert await begun.wait() == 0
    assert "the end" not in said(slack, root)[-1]
    async with app.running(served):
        await slack.until(lambda: "the end" in said(slack, root)[-1], 15)
    assert len(said(slack, root)) == 1
