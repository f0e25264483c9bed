"""A copy of the database, made while the bot runs."""

import asyncio
import sqlite3
from pathlib import Path

import aiosqlite

from bot.errors import ConfigError, StoreFailed
from bot.store.database import there, words

PAGES = 500  # copied at once: whoever writes meanwhile waits no longer than that takes


def backup(database: str, file: Path) -> int:
    """Copy the database there, whole or not at all; its size in bytes. Raises ConfigError where that is not ours to do, and StoreFailed."""
    if not database.startswith("sqlite"):
        raise ConfigError("frontdesk backup copies SQLite; for PostgreSQL use pg_dump, as docs/operations.md says")
    here = Path(there(database).database or "")
    if file.is_dir() or file.resolve() == here.resolve():
        raise ConfigError(f"{file} cannot be the backup; name a file of its own")
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_bytes(b"")
        asyncio.run(_copy(f"{here.resolve().as_uri()}?mode=ro", str(part)))
        part.replace(file)
    except sqlite3.Error as error:
        raise StoreFailed(words(error)) from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    return file.stat().st_size


async def _copy(source: str, part: str) -> None:
    async with aiosqlite.connect(source, uri=True) as kept, aiosqlite.connect(part) as copy:
        await kept.backup(copy, pages=PAGES)
        await copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
