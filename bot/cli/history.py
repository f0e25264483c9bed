"""What each version of an agent's file came to, and whether the newest change helped."""

import asyncio
import json
import shutil
import sys
import textwrap
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from bot.app import upkeep
from bot.errors import ConfigError
from bot.improve.history import Version, compared, count, dollars, helped, span, trial_words, versions
from bot.past import Past, Tried
from bot.settings import Settings
from bot.store.database import there

HEADS = ("VERSION", "SINCE", "TURNS", "RATED", "BAD", "FAILED", "COST", "EACH", "TIME")  # what 80 columns hold
Verb = Callable[..., ArgumentParser]


def verbs(verb: Verb) -> None:
    """The command for it."""
    made = verb("history", _history, "show what each version of an agent's file came to: whether the change helped", script=True)
    made.add_argument("agent", metavar="AGENT")
    made.add_argument("--since", type=upkeep.age, default=upkeep.age("365d"), metavar="AGE", help="since when (365d)")
    made.add_argument("--plot", type=Path, metavar="FILE", help="and draw it, as a PNG")


def _history(settings: Settings, given: Namespace) -> None:
    there(settings.database_url)
    past, tried = asyncio.run(_read(settings, given.agent, time.time() - given.since))
    found = versions(past)
    if not found:
        raise ConfigError(f"nothing is known of {given.agent!r}: no turn of it is over; its name is that of its file")
    verdict = helped(found, tried)
    if given.json:
        about = {
            "agent": given.agent,
            "verdict": verdict,
            "versions": [asdict(one) for one in found],
            "trials": [asdict(one) for one in tried],
        }
        print(json.dumps(about, ensure_ascii=False, indent=2))
    else:
        _show(found, tried, verdict)
    if given.plot:
        draw(given.plot, given.agent, found, verdict)
        print(f"frontdesk: {given.plot} is drawn", file=sys.stderr)


async def _read(settings: Settings, agent: str, since: float) -> tuple[Sequence[Past], Sequence[Tried]]:
    async with upkeep.opened(settings.database_url) as store:
        tried = [one for one in await store.trials(agent) if any(run.asked for run in one.runs)]  # else only its cost is known
        return await store.figures(agent, since), tried


def _show(found: Sequence[Version], tried: Sequence[Tried], verdict: str) -> None:
    rows = [HEADS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for one in reversed(tried):
        _say(f"Trial of {_day(one.at, '%Y-%m-%d %H:%M')}, {compared(one)}: {count(one)}; {trial_words(one)}.")
    _say(verdict)


def _row(one: Version) -> tuple[str, ...]:
    counts = (one.turns, one.rated, one.bad, one.failed)
    costs = (f"${one.usd:.2f}", dollars(one.each), span(one.seconds))
    return (one.version or "-", _day(one.first), *map(str, counts), *costs)


def _day(at: float, form: str = "%Y-%m-%d") -> str:
    return time.strftime(form, time.localtime(at))


def _say(words: str) -> None:
    print("\n" + textwrap.fill(words, min(shutil.get_terminal_size().columns, 120), break_long_words=False, break_on_hyphens=False))


def draw(file: Path, agent: str, found: Sequence[Version], verdict: str) -> None:
    """Raises ConfigError where that cannot be done."""
    try:
        plot = import_module("bot.improve.plot")  # large, and wanted seldom
    except ModuleNotFoundError as error:
        raise ConfigError("to draw needs a package more; install it with: pip install 'frontdesk[plot]'") from error
    try:
        file.write_bytes(plot.plot(agent, found, verdict))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
