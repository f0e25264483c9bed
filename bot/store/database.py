"""A database: opened, migrated, and written to in groups, so that many small writes cost one commit."""

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import ConfigError, StoreFailed
from bot.store.migrations import upgrade

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[Any]]


class Database:
    """Reads go their own way; writes stand in one queue, and all that wait are one transaction."""

    def __init__(self, url: str) -> None:
        self.url = parse(url)
        self.engine: AsyncEngine = create_async_engine(self.url, hide_parameters=True)
        self._queue: asyncio.Queue[tuple[Work, asyncio.Future[Any]]] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None

    async def open(self, *, alone: bool = True) -> None:
        """Raises ConfigError where another process has the file (unless it is only looked at), or the schema is not ours; StoreFailed."""
        if self.url.get_backend_name() == "sqlite":
            self._lock = lock(Path(self.url.database or "")) if alone else None
            sa.event.listen(self.engine.sync_engine, "connect", _pragmas)
        with told():
            await asyncio.to_thread(upgrade, self.url.render_as_string(hide_password=False).replace("+aiosqlite", ""))
        self._writer = asyncio.create_task(self._write(), name="database-writer")

    async def close(self) -> None:
        if self._writer:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        await self.engine.dispose()
        if self._lock:
            self._lock.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with told():
            async with self.engine.connect() as connection:
                yield connection

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `work` returns, once it is durable. It may be run twice, so it must do nothing but write here."""
        if self._writer is None or self._writer.done():
            raise StoreFailed("The database is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put((work, future))
        return await future

    async def _write(self) -> None:
        while True:
            group = [await self._queue.get()]
            while not self._queue.empty() and len(group) < 200:
                group.append(self._queue.get_nowait())
            group = [(work, future) for work, future in group if not future.done()]
            if not await self._commit(group):
                for alone in group:
                    await self._commit([alone])

    async def _commit(self, group: list[tuple[Work, "asyncio.Future[Any]"]]) -> bool:
        """Whether all went well; a group that fails is tried one by one, so that one bad write harms no other."""
        outcomes = await asyncio.gather(self._transact([work for work, _ in group]), return_exceptions=True)
        results = outcomes[0]
        if isinstance(results, BaseException):
            if len(group) == 1 and not group[0][1].done():
                group[0][1].set_exception(results)
            return len(group) < 2
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)
        return True

    async def _transact(self, group: list[Work]) -> list[Any]:
        with told():
            async with self.engine.begin() as connection:
                return [await work(connection) for work in group]


def parse(url: str) -> URL:
    """Raises ConfigError for what is no address of a database we know."""
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"DATABASE_URL: {error}; write sqlite+aiosqlite:///frontdesk.db") from error
    if parsed.get_driver_name() != "aiosqlite":
        raise ConfigError(f"DATABASE_URL: {parsed.drivername} is not supported; write sqlite+aiosqlite:///frontdesk.db")
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("DATABASE_URL: a file is needed, as in sqlite+aiosqlite:///frontdesk.db")
    return parsed


def lock(path: Path) -> IO[str]:
    """Hold the file that says that one process has this database. Raises ConfigError where another has it."""
    try:
        held = path.with_name(path.name + ".lock").open("a")
    except OSError as error:
        raise ConfigError(f"DATABASE_URL: {path} can't be opened: {error.strerror}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise ConfigError(f"{path} is in use by another frontdesk; stop that one, or give this one its own DATABASE_URL") from error
    return held


def _pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class told:
    """The one seam at which the driver's errors become ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, sa.exc.IntegrityError):
            return
        if isinstance(error, DBAPIError | sqlite3.Error | OSError):
            raise StoreFailed(words(error)) from error


def words(error: BaseException) -> str:
    text = str(getattr(error, "orig", error))
    if "full" in text:
        return "The disk that holds the database is full. Make room on it; nothing more can be kept until then."
    if "readonly" in text or "read-only" in text:
        return "The database is read-only. Give the process the right to write to its folder."
    if "malformed" in text or "not a database" in text:
        return f"The database is damaged ({text}). Restore it from a backup."
    return f"The database does not answer: {text}."
