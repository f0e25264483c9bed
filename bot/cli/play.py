"""Frontdesk and a stand-in for Slack in one process, with a page in the browser: for trying agents without a workspace."""

import asyncio
import errno
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import logs, processes
from bot.agent import Agent
from bot.app import Frontdesk, Parts, check, running
from bot.cli.bench import Watching
from bot.errors import ConfigError
from bot.playground import Slack
from bot.playground.bench import Desk
from bot.playground.page import Page
from bot.playground.recording import recorded
from bot.scratch import scratch
from bot.settings import Settings
from bot.slack.manifest import manifest
from bot.store.files import Agents
from bot.triggers import webhook
from bot.triggers.example import curl
from bot.triggers.hook import hooks

PEOPLE = ("ana", "ben", "carla", "frontdesk")
LOOK = 1.0  # seconds: whoever edits a file is waiting


class Folder(Agents):
    """The folder of agents; `changed` is called with what is new in it. A folder that is not there is a problem like any other."""

    def __init__(self, folder: Path, changed: Callable[["Folder"], None]) -> None:
        super().__init__(folder, LOOK)
        self.changed = changed

    def load(self) -> None:
        before = self.agents, self.problems
        try:
            super().load()
        except ConfigError as error:
            self._tell([str(error)])
        if (self.agents, self.problems) != before:
            self.changed(self)

    async def watch(self, changed: Callable[[], Awaitable[None]]) -> None:
        async def seen() -> None:
            await changed()
            self.changed(self)  # the desk has looked at it by now, and may have found more

        self.changed(self)
        await super().watch(seen)


class Stage:
    """The workspace, as the agents' files need it: with the channels, groups, commands and shortcuts that they name."""

    def __init__(self, slack: Slack, page: Page) -> None:
        self.slack, self.page = slack, page
        self.problems: list[str] = []
        self.desk: Frontdesk | None = None
        slack.routes.append(web.post(webhook.ROUTE, self.called))

    async def called(self, request: web.Request) -> web.StreamResponse:
        """Webhooks are served beside the page: two plays can be there at once."""
        if self.desk is None:
            raise web.HTTPServiceUnavailable(text=webhook.STARTING)
        return await self.desk.webhooks.called(request)

    def furnish(self, files: Folder) -> None:
        """Bring what is not there yet, and tell the page."""
        self.problems = [problem for agent in files.agents for name in sorted(agent.names()) if (problem := self._bring(agent, name))]
        for key in {key for agent in files.agents for key in _ids(agent)} - self.slack.world.channels.keys():
            self.slack.world.add_channel(key.lower(), PEOPLE, id=key)
        try:
            features = manifest(files.agents)["features"]
        except ConfigError as error:
            self.problems += str(error).splitlines()
        else:
            self._teach(features)
        self.tell()

    def _bring(self, agent: Agent, name: str) -> str:
        """A channel or a group of this name; or why there can be none, in words."""
        world, bare = self.slack.world, name[1:]
        if not re.fullmatch(r"[\w.-]{1,80}", bare) or bare != bare.lower():
            what = "channel" if name.startswith("#") else "user group"
            return f"{agent.file}: no {what} can be called {name}; Slack's names have small letters, digits, - and _"
        if name.startswith("@") and all(group.handle != bare for group in world.groups.values()):
            world.add_group(bare, PEOPLE[1:3])
        if name.startswith("#") and world.find_channel(name) is None:
            world.add_channel(bare, PEOPLE)
        return ""

    def _teach(self, features: Mapping[str, Any]) -> None:
        scene, world = self.page.scene, self.slack.world
        scene.commands, scene.shortcuts = features.get("slash_commands") or [], features.get("shortcuts") or []
        world.commands = {each["command"] for each in scene.commands}
        world.shortcuts = {each["callback_id"]: each["type"] for each in scene.shortcuts}

    def tell(self) -> None:
        self.slack.world.feed.tell("bench")


def _ids(agent: Agent) -> set[str]:
    """The channels that a file names by their ids."""
    places = {place for trigger in agent.triggers for place in trigger.places}
    return {place for place in places if re.fullmatch(r"[CG][A-Z0-9]{2,}", place)}


async def play(settings: Settings, port: int, record: Path | None = None) -> None:
    """Serve until interrupted, and write down what is done. Raises ConfigError where the port is taken, or is none."""
    logs.begin(settings)
    ended = interrupted()
    async with playing(settings, port) as (page, desk), recorded(page.tape, record, settings, _manifest(desk.files)):
        print(f"\n  Frontdesk plays at  {page.url}\n", flush=True)
        for line in [*_calls(desk, page.slack.world.url), beside(desk)]:
            print(f"  {line}\n", flush=True)
        print(f"  The agents in {settings.agents_dir}/ are read again when they change. Ctrl-C ends it.\n", flush=True)
        await ended.wait()


def _calls(desk: Frontdesk, site: str) -> list[str]:
    """How each webhook is tried."""
    agents, given = desk.files.agents, desk.settings.environment
    how = "To call {}'s {} webhook, in a shell where ${} is set as it is here:\n    {}"
    known = [hook for hook in hooks(agents) if given.get(hook.variable)]
    said = [how.format(hook.agent.name, hook.asks.source, hook.variable, curl(hook, site)) for hook in known]
    return [*check.secretless(agents, given), *said]


def beside(desk: Frontdesk) -> str:
    """The commands beside it look at another database, unless they are told."""
    words = "For schedules, feedback, reports, history and trial to look at what is played here, set this for them"
    return f"{words}:\n    export DATABASE_URL={desk.settings.database_url}"


def interrupted() -> asyncio.Event:
    """Is set when somebody ends the process, instead of that."""
    asked = asyncio.Event()
    for name in processes.ends():
        asyncio.get_running_loop().add_signal_handler(name, asked.set)
    return asked


@asynccontextmanager
async def playing(settings: Settings, port: int) -> AsyncIterator[tuple[Page, Frontdesk]]:
    """The desk beside its stand-in for Slack with its page, until the block is left."""
    slack = Slack(port, manifest=manifest(()))
    page = Page(slack, manifest(()))
    stage = Stage(slack, page)
    files = Folder(settings.agents_dir, stage.furnish)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(slack.stop_serving)
        await _open(slack, port)
        files.load()
        here = _settings(settings, slack, stack.enter_context(scratch()))
        watching = Watching(here, files, stage.tell, f"@{slack.world.bot.name}", slack.world.url)
        Desk(page, watching)
        stage.desk = desk = await stack.enter_async_context(running(here, Parts(files, watching.store, watching.runtime)))
        watching.wrong = lambda: [*stage.problems, *desk.problems, *check.secretless(files.agents, here.environment)]
        stack.push_async_callback(watching.close)
        yield page, desk


def _manifest(files: Agents) -> dict[str, Any]:
    """The app manifest that the agents need; none while one of them asks for what no manifest can hold."""
    try:
        return manifest(files.agents)
    except ConfigError:
        return {}


async def _open(slack: Slack, port: int) -> None:
    try:
        await slack.start()
    except OverflowError as error:
        raise ConfigError(f"--port: {port} is no port; it has to be a number from 0 to 65535, and 0 takes one that is free") from error
    except OSError as error:
        remedy = "choose another with --port, or let --port 0 take one that is free"
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"port {port} is taken, perhaps by another `frontdesk play`; {remedy}") from error
        raise ConfigError(f"port {port} cannot be used ({error.strerror}); {remedy}") from error


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
            "http_port": 0,  # two plays can be there at once, and nobody measures them
        }
    )
