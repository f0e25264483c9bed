"""Frontdesk and a stand-in for Slack in one process, with a page in the browser: for trying agents without a workspace."""

import asyncio
import signal
import tempfile
from pathlib import Path

from bot import logs
from bot.app import running
from bot.errors import ConfigError
from bot.playground import Slack
from bot.playground.page import Page
from bot.settings import Settings
from bot.slack.manifest import manifest
from bot.store.files import Agents

PEOPLE = ("ana", "ben", "carla")


async def play(settings: Settings, port: int) -> None:
    """Serve until interrupted. Raises ConfigError where the port is taken, or there is nothing to play with."""
    logs.begin(settings)
    files = Agents(settings.agents_dir)
    files.load()
    made = manifest(files.agents)
    slack = Slack(port, manifest=made)
    page = Page(slack, made)
    try:
        await slack.start()
    except OSError as error:
        raise ConfigError(f"Port {port} is taken. Is another `frontdesk play` running? Stop it, or choose another with --port.") from error
    try:
        _furnish(slack, {name for agent in files.agents for name in agent.names()})
        with tempfile.TemporaryDirectory(prefix="frontdesk-play-") as folder:
            await _serve(_settings(settings, slack, Path(folder)), page.url, files.problems)
    finally:
        await slack.stop_serving()


def _furnish(slack: Slack, names: set[str]) -> None:
    """The channels and groups that the agents' files name, if the stand-in has them not yet."""
    for name in sorted(names):
        try:
            slack.channel(name) if name.startswith("#") else slack.add_group(name.strip("@"), ["carla", "ben"])
        except (ValueError, LookupError):
            if name.startswith("#"):
                slack.add_channel(name.strip("#"), PEOPLE)


def _settings(settings: Settings, slack: Slack, folder: Path) -> Settings:
    """The same, but everything that would last is thrown away in the end, and Slack is the stand-in."""
    return settings.model_copy(
        update={
            "slack_bot_token": slack.bot_token,
            "slack_app_token": slack.app_token,
            "slack_api_url": slack.url,
            "database_url": f"sqlite+aiosqlite:///{folder}/play.db",
            "sessions_dir": folder / "sessions",
            "drain_seconds": 0,
        }
    )


async def _serve(settings: Settings, url: str, problems: list[str]) -> None:
    asked = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, asked.set)
    async with running(settings) as desk:
        print(f"\n  Frontdesk plays at  {url}\n", flush=True)
        print(f"  {len(desk.desk.agents)} agents from {settings.agents_dir}/, read again when they change. Ctrl-C ends it.\n", flush=True)
        for problem in problems:
            print(f"  ! {problem}", flush=True)
        await asked.wait()
