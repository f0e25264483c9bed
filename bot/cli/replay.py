"""A recorded session of play, done again: with the agents of the recording, in a folder that is thrown away."""

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from bot import logs
from bot.agent import parse
from bot.app import Frontdesk
from bot.cli.play import interrupted, playing
from bot.errors import ConfigError
from bot.playground.reading import Recording, read
from bot.playground.recording import MATTER
from bot.playground.replay import PATIENCE, again
from bot.runtimes import runtime_of
from bot.scratch import scratch
from bot.settings import Settings
from bot.store.files import Agents


async def replay(file: Path, settings: Settings | None = None, patience: float = PATIENCE) -> str:
    """Do again what a recording tells. Returns "" where people see the same in the end, else in words and as a diff what differs.

    The recording's agents run here with all rights of this process: look at them first. `patience` is in seconds, for each thing that
    has to come. Raises ConfigError for a file that is none, or agents that cannot run.
    """
    async with _replayed(read(file), settings or Settings(), 0, patience) as (_, difference):
        return difference


async def show(file: Path, settings: Settings, port: int) -> bool:
    """The same for the shell, which is told whether all was as it was; in a terminal the page stays open to look at."""
    logs.begin(settings)
    recording = read(file)
    _agreed(file, recording)
    if recording.cut:
        print(f"  ! {recording.cut}", flush=True)
    print(f"  {len(recording.rows)} deeds, recorded with Frontdesk {recording.version}; doing them again …", flush=True)
    async with _replayed(recording, settings, port, PATIENCE) as (url, difference):
        print(f"{difference}\n\n  It is not the same as in {file}." if difference else f"  It is the same as in {file}.", flush=True)
        if sys.stdin.isatty() and sys.stdout.isatty():
            print(f"\n  Look at it at  {url}\n  Ctrl-C ends it.\n", flush=True)
            await interrupted().wait()
    return not difference


def _agreed(file: Path, recording: Recording) -> None:
    """A recording comes from anybody, and most agents can do more than talk. Raises ConfigError where nobody agrees that they run."""
    if not (able := _able(recording)):
        return
    brings = f"{file} brings agents that work here with your rights: {', '.join(able)}"
    if not sys.stdin.isatty():
        raise ConfigError(f"{brings}; look at them in the file, then replay it in a terminal, which asks, or in a test")
    print(f"  {brings}. Look at them in the file first.", flush=True)
    if input("  Run them? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ConfigError("nothing was run")


def _able(recording: Recording) -> list[str]:
    """The recording's agents that do more than echo, at its beginning or after a change, with their runtimes."""
    found: dict[str, None] = {}
    states: list[Mapping[str, str | None]] = [recording.agents, *recording.changes.values()]
    for files in states:
        for name, text in files.items():
            with contextlib.suppress(ConfigError, ValueError, RecursionError):  # what is broken does not run
                agent = parse(Path(name).stem, text or "")
                found |= {f"{agent.name} on {runtime!r}": None for runtime in [each.runtime for each in agent.choices] if runtime != "echo"}
    return list(found)


@asynccontextmanager
async def _replayed(recording: Recording, settings: Settings, port: int, patience: float) -> AsyncIterator[tuple[str, str]]:
    """The page's address, and how what came of it differs."""
    with scratch() as folder:
        _write(folder, recording.agents)
        _loadable(folder)
        async with playing(_settings(settings, recording, folder), port) as (page, desk):
            page.slack.world.rates.factor = None  # people are faster this time

            async def changed(files: Mapping[str, str | None]) -> None:
                _write(folder, files)
                await _noticed(desk)

            yield page.url, await again(page.tape, recording, changed, patience)


def _write(folder: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        if text is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(text, "utf-8")


def _loadable(folder: Path) -> None:
    """Raises ConfigError, with the remedy, for an agent whose runtime is not installed here."""
    files = Agents(folder)
    files.load()
    for agent in files.agents:
        runtime_of(agent)


def _settings(settings: Settings, recording: Recording, folder: Path) -> Settings:
    known = {name: recording.settings[name] for name in MATTER if name in recording.settings}
    try:
        return Settings.model_validate({**settings.model_dump(), **known, "agents_dir": folder})
    except ValidationError as error:
        raise ConfigError(f"the recording's settings are broken: {error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}") from error


async def _noticed(desk: Frontdesk) -> None:
    """Have the agents' files read now, rather than when the folder is looked at again."""
    desk.files.load()
    await desk.resolve()
