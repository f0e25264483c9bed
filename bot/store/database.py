"""A database: opened, migrated, and written to in groups, so that many small writes cost one commit."""

import asyncio
import fcntl
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bot.errors import ConfigError, StoreFailed, away
from bot.store.migrations import upgrade

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sa.Connection], Any]
THREADS = 5  # as many connections as the engine's pool keeps: one writes, the others read
PATIENCE, PAUSE = 2.0, 0.1  # seconds for which a lost connection is tried again, since Slack waits 3; and between two tries
CONNECT = {"connect_timeout": 3, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
WRITE = "write sqlite:///frontdesk.db, or postgresql://user:password@host/name"
ESCAPE = "in a password write @ as %40, : as %3A and / as %2F"
PLACE = "give DATABASE_URL a place where this user may write"


@dataclass(frozen=True, slots=True)
class Write:
    """One of those that wait. `hard` says that not even a power cut may lose it; `alone`, that it holds a row that others wait for."""

    work: Work
    hard: bool
    alone: bool
    done: asyncio.Future[Any]


class Database:
    """Reads go their own way; writes stand in one queue, and all that wait are one transaction.

    Whatever is done with a connection is done in a thread, from its first statement to its last: to go there and back for each
    takes longer than the statements do.
    """

    def __init__(self, url: str) -> None:
        self.url = parse(url)
        self.shared = self.url.get_backend_name() == "postgresql"  # by several replicas
        more: dict[str, Any] = {"connect_args": CONNECT} if self.shared else {}
        self.engine = sa.create_engine(self.url, hide_parameters=True, **more)
        self._threads = ThreadPoolExecutor(THREADS, "database")
        self._queue: asyncio.Queue[Write] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None

    async def open(self, *, alone: bool = True) -> None:
        """Raises ConfigError where another process has the file (unless it is only looked at), or the schema is not ours; StoreFailed."""
        if not self.shared:
            self._lock = lock(Path(self.url.database or "")) if alone else None
            sa.event.listen(self.engine, "connect", _pragmas)
        with told():
            await asyncio.to_thread(upgrade, self.url.render_as_string(hide_password=False))
        self._writer = asyncio.create_task(self._write(), name="database-writer")
        self._writer.add_done_callback(self._ended)

    async def close(self) -> None:
        if self._writer:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        await asyncio.to_thread(self._threads.shutdown)
        self.engine.dispose()
        if self._lock:
            self._lock.close()

    async def read(self, query: sa.Select[Any], given: Mapping[str, object] | None = None) -> Sequence[sa.Row[Any]]:
        self._check()
        return await self._patiently(self._look, (query, given))

    async def write(self, work: Callable[[sa.Connection], T], hard: bool = True, alone: bool = False) -> T:
        """What `work` returns, once it is durable. It may be run twice, so it must do nothing but write here.

        What is not `hard` outlives the process, and waits for no disk. What is `alone` is a transaction of its own.
        """
        self._check()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put(Write(work, hard, alone, done))
        return await done

    def _check(self) -> None:
        if self._writer is None or self._writer.done():
            raise StoreFailed("The database is closed.")

    async def _patiently(self, what: Callable[[Any], T], given: object) -> T:
        """In a thread; and again for a while, where the database is away."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with told():
                    return await asyncio.get_running_loop().run_in_executor(self._threads, what, given)
            except ConnectionLost:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(PAUSE)

    def _look(self, asked: tuple[sa.Select[Any], Mapping[str, object] | None]) -> Sequence[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(*asked).all()

    async def _write(self) -> None:
        while True:
            group = [await self._queue.get()]
            while not self._queue.empty() and len(group) < 200:
                group.append(self._queue.get_nowait())
            group = [write for write in group if not write.done.done()]
            together = [write for write in group if not write.alone]
            hopeful = together if together and await self._commit(together) else []
            for write in group:
                if write not in hopeful:
                    await self._commit([write])

    def _ended(self, writer: "asyncio.Task[None]") -> None:
        """Nobody waits for a writer that is no more."""
        if not writer.cancelled():
            log.critical("database_writer_broke", exc_info=writer.exception(), extra={"action": "database_writer_broke"})
        while not self._queue.empty():
            if not (write := self._queue.get_nowait()).done.done():
                write.done.set_exception(StoreFailed("The database is closed."))

    async def _commit(self, group: list[Write]) -> bool:
        """Whether all went well; a group that fails is tried one by one, so that one bad write harms no other."""
        outcomes = await asyncio.gather(self._patiently(self._transact, group), return_exceptions=True)
        results = outcomes[0]
        if isinstance(results, BaseException):
            hopeless = group if isinstance(results, ConnectionLost) or len(group) == 1 else []
            for write in hopeless:
                if not write.done.done():
                    write.done.set_exception(results)
            return bool(hopeless)
        for write, result in zip(group, results, strict=True):
            if not write.done.done():
                write.done.set_result(result)
        return True

    def _transact(self, group: list[Write]) -> list[Any]:
        hard = any(write.hard for write in group)
        with self.engine.begin() as connection:
            if not self.shared:
                connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if hard else 'NORMAL'}")
            elif not hard:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            return [write.work(connection) for write in group]


def parse(url: str) -> URL:
    """Raises ConfigError for what is no address of a database we know."""
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"DATABASE_URL: {error}; {WRITE}") from error
    except ValueError:  # which quotes what may be a piece of a password
        raise ConfigError(f"DATABASE_URL: its port is no number; {WRITE}, and {ESCAPE}") from None
    if parsed.get_backend_name() == "postgresql":
        return _postgres(parsed)
    if parsed.get_backend_name() != "sqlite":
        raise ConfigError(f"DATABASE_URL: {parsed.drivername} is not supported; {WRITE}")
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("DATABASE_URL: a file is needed, as in sqlite:///frontdesk.db")
    return parsed.set(drivername="sqlite")  # whichever driver is named: an address from before is as good


def _postgres(parsed: URL) -> URL:
    """Whichever driver is named, it is psycopg."""
    if "@" in f"{parsed.host}{parsed.database}":  # what stands before it is a piece of a password
        raise ConfigError(f"DATABASE_URL: there is one @ too many; {ESCAPE}")
    if find_spec("psycopg") is None:
        raise ConfigError("DATABASE_URL: PostgreSQL needs more packages; install them by: pip install 'frontdesk[postgres]'")
    return parsed.set(drivername="postgresql+psycopg")


def there(url: str) -> URL:
    """The address of a database that has been made. Raises ConfigError where there is none: to look at one makes none."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite" and not (file := Path(parsed.database or "")).exists():
        raise ConfigError(f"DATABASE_URL: there is no {file} yet; it is made by: frontdesk run")
    return parsed


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert:
    """An insert that knows `on_conflict`, which both databases write the same way and SQLAlchemy does not."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)  # type: ignore[return-value]


def either(table: sa.Table, more: Callable[[sqlite.Insert], Any]) -> Mapping[str, Any]:
    """The same, made once, by the name of the dialect."""
    return {"postgresql": more(postgresql.insert(table)), "sqlite": more(sqlite.insert(table))}  # type: ignore[arg-type]


def named(column: str) -> sa.BindParameter[Any]:
    """What is put there each time, under the name of `its_` column, which no column has."""
    return sa.bindparam(f"its_{column}")


class Busy(ConfigError):
    """Another process has this database."""


def lock(path: Path) -> IO[str]:
    """Hold the file that says that one process has this database. Raises Busy where another has it; ConfigError."""
    try:
        held = path.with_name(path.name + ".lock").open("a")
    except OSError as error:
        raise ConfigError(f"DATABASE_URL: {path} can't be opened: {error.strerror}; {PLACE}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise Busy(f"{path} is in use by another frontdesk; stop that one, or give this one its own DATABASE_URL") from error
    return held


def _pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class ConnectionLost(StoreFailed):
    """The database was there and went away, or is not there yet: another try may help."""


class told:
    """The one seam at which the driver's errors become ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, sa.exc.IntegrityError):
            return
        if error and _lost(error):
            raise ConnectionLost(words(error)) from error
        if isinstance(error, DBAPIError | sqlite3.Error | OSError):
            raise StoreFailed(words(error)) from error


def _lost(error: BaseException) -> bool:
    return isinstance(error, sa.exc.OperationalError) and "sqlite" not in type(error.orig).__module__


def words(error: BaseException) -> str:
    text = str(getattr(error, "orig", error))
    if "is full" in text or "No space left" in text:
        return "The disk that holds the database is full. Make room on it; nothing more can be kept until then."
    if "readonly" in text or "read-only" in text:
        return "The database is read-only. Give the process the right to write to its folder."
    if "malformed" in text or "not a database" in text:
        return f"The database is damaged ({text}). Restore it from a backup."
    if "unable to open" in text:
        return f"The database cannot be opened; {PLACE}."
    return away(text) if _lost(error) else f"The database does not answer: {text}."
