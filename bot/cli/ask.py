"""Asks an agent in the terminal."""

import asyncio
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from bot import processes
from bot.agent import Agent
from bot.app import lent, upkeep
from bot.engine.local import LocalEngine
from bot.errors import ConfigError
from bot.line import Line
from bot.message import Message
from bot.runtimes import build, runtime_of
from bot.scratch import scratch
from bot.session import Session, heading
from bot.settings import Settings
from bot.store.database import Busy
from bot.store.files import Agents
from bot.store.sql import SqlStore
from bot.triggers.terminal import TYPIST, Talk, Terminal, keyboard
from bot.turn import House, Turns

KEYS = (
    "PATH", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
)  # fmt: skip
HERE = "the command line"
PLAIN = (  # what is said of a file, for whom there is none
    (rf",? and name (it|PATH) under `environment:` in {HERE}", ""),
    (rf"`model:` in {HERE}", "`--model`"),
    (rf"`?options\.(\w+)`? in {HERE}", r"`--option \1=…`"),
    (rf"{HERE}: options\.(\w+)", r"--option \1"),
    (rf"{HERE}: options:", "--option:"),
    (r"`(\w+):` under `options:`", r"`--option \1=…`"),
    (rf"{HERE}: (the )?runtime\b:?", r"--runtime:"),
)


class Asked(Agent):
    """An agent without a file."""

    @property
    def file(self) -> str:
        return HERE


class Here(Terminal):
    """The terminal; `home` has the sessions' folders, and what the agent made for the person there is in `kept` in the end."""

    home = kept = Path()

    def end(self, session: Session) -> None:
        folder = (self.home / session.id).resolve()
        moved = [replace(one, path=one.path.replace(f"{folder}/", f"{self.kept / session.id}/")) for one in session.artifacts]
        super().end(replace(session, artifacts=tuple(moved)))

    def keep(self, session: Session) -> None:
        """What was made goes where the person finds it."""
        folder, kept = (self.home / session.id).resolve(), self.kept / session.id
        if folder == kept.resolve() or not (made := parts(folder, session)):
            return
        kept.mkdir(parents=True)
        left = [why for name in made for why in moved(folder / name, kept / name)]
        self._say(f"What it made is in {kept}; take that away when you need it no more.")
        if left:
            self._say(f"Not all of it could be kept: {'; '.join(left)}.")

    def _say(self, line: str) -> None:
        super()._say(plain(line))


def moved(made: Path, kept: Path) -> list[str]:
    """Move a folder, also to another disk. Gives what could not be moved, and why."""
    try:
        shutil.move(made, kept, copied)
    except shutil.Error as error:
        return [str(why) for *_, why in error.args[0]]
    except OSError as error:
        return [str(error)]
    return []


def copied(made: str, kept: str) -> None:
    """Sockets and pipes are nothing without the process that made them."""
    if stat.S_ISREG(os.lstat(made).st_mode):
        shutil.copy2(made, kept)


def parts(folder: Path, session: Session) -> list[str]:
    """The folders in a session's in which something is for the person."""
    found = {Path(one.path).relative_to(folder).parts[0] for one in session.artifacts if one.path.startswith(f"{folder}/")}
    work = folder / "work"
    return sorted(found | ({"work"} if work.is_dir() and any(work.iterdir()) else set()))


def plain(text: str) -> str:
    for said, meant in PLAIN:
        text = re.sub(said, meant, text)
    return text


def made(settings: Settings, runtime: str, model: str, options: Sequence[str] = ()) -> Agent:
    """An agent without a file: what is asked goes to the runtime as it is, which gets PATH and the usual keys of models as they are here.

    And the variables that its options name. Raises ConfigError.
    """
    chosen = dict(map(option, options))
    named = [str(value) for value in chosen.values()]
    keys = [name for name in settings.environment if settings.environment[name] and name in (*KEYS, *named)]
    given = {"name": "agent", "version": "", "description": "Asked in the terminal.", "runtime": runtime, "model": model}
    agent = Asked.model_validate({**given, "environment": keys, "options": chosen})
    try:
        build(agent)
    except ConfigError as error:
        raise ConfigError(plain(str(error))) from error
    return agent


def option(text: str) -> tuple[str, Any]:
    """KEY=VALUE. Raises ConfigError."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ConfigError(f"--option: {text!r} is none; write it as in: --option url=http://127.0.0.1:2024")
    try:
        return key, yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"--option {key}: {value!r} is no YAML; put it in quotes, as in: --option '{key}=\"…\"'") from error


def called(settings: Settings, name: str) -> Agent:
    """The agent of this name; what is wrong with others' files is said, and is no reason not to ask it. Raises ConfigError."""
    folder = Agents(settings.agents_dir)
    folder.load()
    agents = {agent.name: agent for agent in folder.agents}
    if name not in agents:
        there = f"there is no agent {name!r}; there are {', '.join(sorted(agents))}"
        raise ConfigError("\n".join(folder.problems) or there)
    for problem in folder.problems:
        print(f"frontdesk: {problem}", file=sys.stderr)
    return agents[name]


def database(settings: Settings, agent: Agent) -> str:
    """Where it is kept that this was asked; nowhere where no agent was asked."""
    return "" if isinstance(agent, Asked) else settings.environment.get("DATABASE_URL", "")


@asynccontextmanager
async def opened(kept: str, folder: Path) -> AsyncIterator[SqlStore]:
    """Where it is kept, and else a folder that is thrown away: also where the desk, or another who asks, has that file."""
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(upkeep.opened(kept or f"sqlite+aiosqlite:///{folder}/ask.db", alone=True))
        except Busy:
            store = await stack.enter_async_context(upkeep.opened(f"sqlite+aiosqlite:///{folder}/ask.db", alone=True))
        yield store


async def converse(settings: Settings, agent: Agent, words: str) -> Session:
    message = Message(uuid4().hex, f"cli:{uuid4().hex}", "terminal", TYPIST, words, "cli", time.time(), agent=agent.name)
    session = Session(uuid4().hex, agent.name, message.thread, TYPIST, message.channel, title=heading(words), asked=message.at)
    terminal, stopped = Here(sys.stdout, sys.stderr, keyboard(sys.stdin)), asyncio.Event()
    agent = agent.model_copy(update={"improve": False})  # whoever waits has the answer
    lending, kept = lent.Lent(settings), database(settings, agent)
    _heed(stopped)
    with scratch() as folder:
        # what `frontdesk prune` finds, and a repository's copy, which it looks after too, have their place
        terminal.home = settings.sessions_dir if kept or agent.workspace else folder / "sessions"
        terminal.kept = settings.sessions_dir
        house = House(terminal.home, settings.environment, settings.hold_minutes * 60, Line(), lending.aids)
        async with opened(kept, folder) as store:
            engine = LocalEngine(Turns(lambda _: agent, runtime_of, store, terminal, house).run)
            try:
                return await Talk(terminal, store, engine).run(session, message, stopped)
            finally:
                await engine.close(5)
                await lending.close()
                terminal.keep(terminal.session or session)


def _heed(stopped: asyncio.Event) -> None:
    """Stop where somebody ends us; whoever does so again does not want to wait."""
    loop, ends = asyncio.get_running_loop(), processes.ends()

    def stop() -> None:
        stopped.set()
        for each in ends:
            loop.remove_signal_handler(each)

    for each in ends:
        loop.add_signal_handler(each, stop)
