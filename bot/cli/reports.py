"""What agents said would have helped them."""

import asyncio
import json
import shutil
import sys
import textwrap
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence

from bot.app import upkeep
from bot.past import Report
from bot.settings import Settings
from bot.store.database import there


def verbs(verb: Callable[..., ArgumentParser]) -> None:
    """The command for it."""
    made = verb("reports", _reports, "list what agents said would have helped them", script=True)
    made.add_argument("--agent", default="", help="only of this agent")
    made.add_argument("--days", type=float, default=30, help="since so many days ago (30)")


def _reports(settings: Settings, given: Namespace) -> None:
    there(settings.database_url)
    found = asyncio.run(_read(settings, given.agent, time.time() - given.days * 86400))
    if given.json:
        print(json.dumps([_row(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        print(*told(one, min(shutil.get_terminal_size().columns, 120)), sep="\n", end="\n\n")
    if not found:
        print(f"frontdesk: no agent has said so in the last {given.days:g} days", file=sys.stderr)


async def _read(settings: Settings, agent: str, since: float) -> Sequence[Report]:
    async with upkeep.opened(settings.database_url) as store:
        return await store.reports(agent, since)


def _row(one: Report) -> dict[str, object]:
    about = {"at": _when(one), "agent": one.agent, "version": one.version, "kind": one.kind, "session": one.session_id, "turn": one.turn}
    return {**about, "text": one.text, "evidence": one.evidence}


def told(one: Report, width: int) -> Iterator[str]:
    """What one says, line by line; what a terminal would obey shows itself as nothing."""
    yield f"{_when(one)}  {one.agent}: {one.kind}"
    yield f"  turn {one.turn} of {one.session_id}, version {one.version}"
    for mark, text in (("  ", one.text), ("  > ", one.evidence)):
        plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        yield from textwrap.wrap(plain, width, initial_indent=mark, subsequent_indent=mark)


def _when(one: Report) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at))
