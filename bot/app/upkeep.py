"""What is done from time to time: old things taken away, and a copy made of what is kept."""

import asyncio
import re
import shutil
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import lent
from bot.settings import Settings
from bot.store import backup, prune
from bot.store.database import there
from bot.store.prune import Pruned
from bot.store.sql import SqlStore

Verb = Callable[..., ArgumentParser]
DAY = 86400.0
UNITS = {"h": 3600.0, "d": DAY, "w": 7 * DAY}


def verbs(verb: Verb) -> None:
    """The commands for it."""
    pruning = verb("prune", _prune, "take away what was over long ago: sessions with all that belongs to them, and their folders")
    pruning.add_argument("--older", type=age, default=age("90d"), metavar="AGE", help="over for at least so long: 90d, 12w, 36h (90d)")
    pruning.add_argument("--dry-run", action="store_true", help="only say what it would be")
    copying = verb("backup", _backup, "copy the SQLite database, also while the bot runs")
    copying.add_argument("file", type=Path, metavar="FILE", help="where the copy goes; what stands there is replaced when it is whole")


@asynccontextmanager
async def opened(url: str, *, alone: bool = False) -> AsyncIterator[SqlStore]:
    """The store, until the block is left; the bot may be running beside it, unless it has to be `alone`."""
    store = SqlStore(url)
    await store.open(alone=alone)
    try:
        yield store
    finally:
        await store.close_all()


def age(text: str) -> float:
    """Seconds."""
    if not (said := re.fullmatch(r"(\d+)([hdw])", text)):
        raise ArgumentTypeError(f"{text!r} is no age; write hours, days or weeks, as 36h, 90d or 12w")
    return int(said[1]) * UNITS[said[2]]


def _prune(settings: Settings, given: Namespace) -> None:
    there(settings.database_url)
    pruned, folders = asyncio.run(_take(settings, time.time() - given.older, given.dry_run))
    would = "would be taken away" if given.dry_run else "taken away"
    print(f"{len(pruned.sessions)} sessions, {folders} of their folders, and {pruned.deliveries} deliveries {would}.")
    for folder in asyncio.run(lent.tidied(settings, dry=given.dry_run)):
        print(f"{folder} {would}.")


async def _take(settings: Settings, before: float, dry: bool) -> tuple[Pruned, int]:
    async with opened(settings.database_url) as store:
        pruned = await (prune.look if dry else prune.prune)(store.db, before)
    folders = list(_folders(settings.sessions_dir, pruned.sessions))
    for folder in [] if dry else folders:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return pruned, len(folders)


def _folders(home: Path, sessions: Iterable[str]) -> Iterable[Path]:
    """The folders of these sessions, which stand right in `home` and nowhere else."""
    return (folder for name in sessions if name and (folder := home / name).parent == home and folder.is_dir())


def _backup(settings: Settings, given: Namespace) -> None:
    size = backup.backup(settings.database_url, given.file)
    print(f"{given.file}: {size:,} bytes. The sessions' folders are in {settings.sessions_dir}; copy that too.")
