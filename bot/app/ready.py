"""Whether agents and the database are ready to serve, and what to do where they are not."""

import asyncio
import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from bot.agent import Agent
from bot.app import check, upkeep
from bot.errors import BotError, ConfigError
from bot.runtimes import build
from bot.runtimes.home import contained
from bot.settings import Settings
from bot.slack.doctor import Finding
from bot.store.database import PLACE, parse
from bot.triggers.hook import Hook, hooks
from bot.workspaces import files

AT_ONCE, LONGEST = 8, 90.0  # agents that are looked at together; seconds for what one of them runs on


async def examined(settings: Settings, agents: Sequence[Agent]) -> list[Finding]:
    """The agents in their order: what is wrong with their files, else whether what they run on can begin."""
    wrong = await check.mistakes(agents, settings.agents_dir)
    room = asyncio.Semaphore(AT_ONCE)
    looked = [*chain.from_iterable(await asyncio.gather(*(_looked(agent, wrong, settings, room) for agent in agents)))]
    said = {line for each in looked for line in each.words.splitlines()}
    found = [Finding("agents", False, line) for line in wrong if line not in said]
    return [*found, *looked, *(_open(hook, settings) for hook in hooks(agents))]


async def _looked(agent: Agent, wrong: Sequence[str], settings: Settings, room: asyncio.Semaphore) -> list[Finding]:
    if mistaken := [line for line in wrong if line.startswith(f"{agent.file}:")]:
        return [Finding(f"agent {agent.name}", False, "\n".join(mistaken), f"correct {agent.file}")]
    try:
        _ = agent.workspace and files.usable(files.read(settings.agents_dir), agent, settings.environment)
    except ConfigError as error:
        return [Finding(f"agent {agent.name}", False, str(error), f"its workspace stands in {files.FILE}")]
    async with room:
        return [await _reach(choice, settings) for choice in agent.choices]


def _open(hook: Hook, settings: Settings) -> Finding:
    """Whether others can call a webhook."""
    name = f"webhook {hook.agent.name}/{hook.asks.source}"
    if not settings.environment.get(hook.variable):
        remedy = f"set {hook.variable} to what the sender signs with, or sends as its token"
        return Finding(name, False, f"{hook.variable} is not set, so all calls are refused", remedy)
    if not settings.http_port:
        return Finding(name, False, "HTTP_PORT is 0, so nobody can call", "set HTTP_PORT, and let /hooks/ through to it from outside")
    return Finding(name, True, f"is called at {settings.public_url.rstrip('/') or f'port {settings.http_port}, '}{hook.path}")


async def _reach(agent: Agent, settings: Settings) -> Finding:
    """Whether a runtime can be loaded; and begin, or be reached, if it has a `reach` that says so."""
    what = f"correct {agent.file}, or what it names"
    name, unset = f"agent {agent.name}", [name for name in agent.environment if not settings.environment.get(name)]
    try:
        runtime = build(agent)
        if reach := getattr(runtime, "reach", None):
            gateway = ("LITELLM_API_BASE", "LITELLM_API_KEY") if settings.litellm_api_base else ()
            names = settings.environment.keys() & {*agent.environment, *gateway}
            async with asyncio.timeout(LONGEST):
                await reach(agent, {name: settings.environment[name] for name in names})
        kept = await asyncio.to_thread(contained, getattr(runtime, "options", None))
    except BotError as error:
        return Finding(name, False, str(error), f"what it runs on stands in {agent.file}")  # what to do is said already
    except TimeoutError:
        return Finding(name, False, f"{agent.runtime} cannot be looked at within {LONGEST:g} seconds", f"look whether it hangs, or {what}")
    said = [f"{agent.runtime} is ready", kept, f"not set: {', '.join(unset)}" if unset else ""]
    return Finding(name, True, "; ".join(filter(None, said)), "\n".join(check.unheard([agent])))


async def database(settings: Settings) -> Finding:
    """To look at one makes none."""
    try:
        if fresh := await asyncio.to_thread(_fresh, settings.database_url):
            return fresh
        async with upkeep.opened(settings.database_url) as store:
            await store.drop([])
    except BotError as error:
        return Finding("database", False, str(error))  # with what to do
    return Finding("database", True, "can be written")


def _fresh(address: str) -> Finding | None:
    """What can be said of one that is not made yet."""
    url = parse(address)
    file = Path(url.database or "").absolute()
    if url.get_backend_name() != "sqlite" or file.exists():
        return None
    if os.access(file.parent, os.W_OK | os.X_OK):
        return Finding("database", True, f"{file.name} is made by: frontdesk run")
    return Finding("database", False, f"{file} cannot be made", PLACE)
