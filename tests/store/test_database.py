"""The database itself: writes in groups, one process at a time, one schema, and what goes wrong with files, in words."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from bot.errors import ConfigError, StoreFailed
from bot.message import Message, Person
from bot.session import Session
from bot.store import figures, migrations
from bot.store.database import parse
from bot.store.migrations import HEAD
from bot.store.sql import SqlStore
from bot.store.tables import meta

ANA = Person("U1", "Ana")


def at(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "desk.db"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(at(file))
    await store.open()
    yield store
    await store.close_all()


def message(id: str, text: str = "hello") -> Message:
    return Message(id, "t", "C1", ANA, text, at=1.0)


def pragma(text: str) -> Callable[[Any, Any], None]:
    """Says this to each connection that is made from now on."""

    def say(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {text}")
        cursor.close()

    return say


def damage(file: Path, after: int) -> None:
    content = file.read_bytes()[:after] if file.exists() else b""
    file.write_bytes(content + b"this was never a database " * 2000)


def limited(store: SqlStore, text: str) -> None:
    sa.event.listen(store.db.engine, "connect", pragma(text))
    store.db.engine.dispose()


async def test_what_was_kept_is_there_at_the_next_start(file: Path) -> None:
    for _ in range(2):
        store = SqlStore(at(file))
        await store.open()
        await store.start(Session("s1", "helper", "t", ANA), message("m1")) if not await store.sessions() else None
        kept = await store.unread("s1")
        await store.close_all()

    assert [one.message for one in kept] == [message("m1")]


async def test_one_write_that_fails_harms_no_other_of_its_group(store: SqlStore) -> None:
    await store.start(Session("s1", "helper", "t", ANA))

    done = await asyncio.gather(
        *[store.put("s1", message(f"m{n}")) for n in range(5)],
        store.put("nobody", message("bad")),
        *[store.put("s1", message(f"m{n}")) for n in range(5, 10)],
        return_exceptions=True,
    )

    assert [isinstance(each, IntegrityError) for each in done] == [False] * 5 + [True] + [False] * 5
    assert len(await store.unread("s1")) == 10


async def test_a_write_that_nobody_waits_for_any_more_harms_no_other(store: SqlStore) -> None:
    await store.start(Session("s1", "helper", "t", ANA))

    writes = [asyncio.ensure_future(store.put("s1", message(f"m{n}"))) for n in range(3)]
    writes[1].cancel()
    done = await asyncio.gather(*writes, return_exceptions=True)

    assert [done[0], done[2]] == [True, True]
    assert isinstance(done[1], asyncio.CancelledError)


async def test_a_group_waits_for_the_disk_if_one_of_its_writes_has_to(store: SqlStore) -> None:
    def synchronous(connection: sa.Connection) -> str:
        return {1: "NORMAL", 2: "FULL"}[connection.exec_driver_sql("PRAGMA synchronous").scalar_one()]

    alone = await store.db.write(synchronous, hard=False)
    together = await asyncio.gather(store.db.write(synchronous, hard=False), store.db.write(synchronous))

    assert (alone, together) == ("NORMAL", ["FULL", "FULL"])


async def test_a_read_after_the_end_is_refused(file: Path) -> None:
    store = SqlStore(at(file))
    await store.open()
    await store.close_all()

    with pytest.raises(StoreFailed, match="closed"):
        await store.sessions()


async def test_a_write_after_the_end_is_refused(file: Path) -> None:
    store = SqlStore(at(file))
    await store.open()
    await store.close_all()

    with pytest.raises(StoreFailed):
        async with asyncio.timeout(0.2):
            await store.put("s1", message("m1"))


async def test_a_second_process_is_told_that_the_file_is_in_use(store: SqlStore, file: Path) -> None:
    other = SqlStore(at(file))

    with pytest.raises(ConfigError, match="in use by another frontdesk"):
        await other.open()
    await other.close_all()


async def test_looking_at_it_is_allowed_to_everybody(store: SqlStore, file: Path) -> None:
    await store.start(Session("s1", "helper", "t", ANA))
    other = SqlStore(at(file))

    await other.open(alone=False)
    seen = await other.sessions()
    await other.close_all()

    assert [each.id for each in seen] == ["s1"]


async def test_the_lock_is_free_when_its_process_is_done(file: Path) -> None:
    first, second = SqlStore(at(file)), SqlStore(at(file))
    await first.open()
    await first.close_all()

    await second.open()

    assert await second.sessions() == []
    await second.close_all()


async def test_the_migrations_make_the_very_tables(store: SqlStore) -> None:
    with store.db.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), meta)

    assert differences == []


async def test_a_database_of_the_version_before_is_brought_to_ours(file: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("sqlalchemy.url", at(file))
    script = ScriptDirectory.from_config(config)
    newest = script.get_revision("head")
    await asyncio.to_thread(command.upgrade, config, str(newest.down_revision))

    store = SqlStore(at(file))
    await store.open()

    assert (await store.db.read(figures.VERSION))[0][0] == newest.revision == migrations.HEAD
    await store.close_all()


async def test_what_was_said_in_direct_messages_before_that_was_kept_is_private(file: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("sqlalchemy.url", at(file))
    await asyncio.to_thread(command.upgrade, config, "0009")
    with sa.create_engine(at(file)).begin() as connection:
        for id, channel in (("open", "C1"), ("direct", "D1")):
            data = f'{{"id":"{id}","agent":"helper","thread":"t","asker":{{"id":"U1"}},"channel":"{channel}","title":"\\"channel\\":\\"D"}}'
            row = (id, "t", "helper", "U1", "completed", True, False, 0, 0, 0.0, data)
            connection.exec_driver_sql(f"INSERT INTO sessions VALUES ({', '.join('?' * len(row))})", row)

    store = SqlStore(at(file))
    await store.open()

    assert {id: (await store.load(id)).private for id in ("open", "direct")} == {"open": False, "direct": True}
    await store.close_all()


async def test_a_newer_schema_is_refused(store: SqlStore, file: Path) -> None:
    with store.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer = SqlStore(at(file))

    with pytest.raises(ConfigError, match=f"schema 9999, and this frontdesk knows {HEAD}"):
        await newer.open(alone=False)
    await newer.close_all()


async def test_a_file_that_is_no_database_is_said_to_be_damaged(file: Path) -> None:
    damage(file, 0)
    store = SqlStore(at(file))

    with pytest.raises(StoreFailed, match="damaged"):
        await store.open()
    await store.close_all()


async def test_a_file_that_is_damaged_in_the_middle_is_said_to_be(file: Path) -> None:
    store = SqlStore(at(file))
    await store.open()
    await store.start(Session("s1", "helper", "t", ANA), message("m1", "x" * 50_000))
    await store.close_all()
    damage(file, 4096)
    broken = SqlStore(at(file))

    with pytest.raises(StoreFailed, match="damaged"):
        await broken.open()
    await broken.close_all()


async def test_a_folder_that_there_is_not_is_a_setting_to_change(tmp_path: Path) -> None:
    store = SqlStore(at(tmp_path / "nowhere" / "desk.db"))

    with pytest.raises(ConfigError, match=r"DATABASE_URL: .*nowhere/desk.db can't be opened: No such file"):
        await store.open()
    await store.close_all()


async def test_a_read_only_database_says_what_to_do(store: SqlStore) -> None:
    limited(store, "query_only=ON")

    with pytest.raises(StoreFailed, match=r"read-only\. Give the process the right to write"):
        await store.start(Session("s1", "helper", "t", ANA))


async def test_a_full_disk_says_what_to_do(store: SqlStore) -> None:
    await store.start(Session("s1", "helper", "t", ANA))
    limited(store, "max_page_count=1")

    with pytest.raises(StoreFailed, match="disk that holds the database is full"):
        await store.put("s1", message("m1", "x" * 1_000_000))


async def test_after_a_full_disk_whatever_fits_is_kept(store: SqlStore) -> None:
    await store.start(Session("s1", "helper", "t", ANA))
    limited(store, "max_page_count=1")

    done = await asyncio.gather(store.put("s1", message("m1", "x" * 1_000_000)), store.put("s1", message("m2")), return_exceptions=True)

    assert [isinstance(done[0], StoreFailed), done[1]] == [True, True]
    assert [one.message.id for one in await store.unread("s1")] == ["m2"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("no address", "write sqlite"),
        ("oracle://x", "not supported"),
        ("mysql+pymysql://x/desk", "write sqlite"),
        ("sqlite://", "a file is needed"),
        ("sqlite:///:memory:", "a file is needed"),
        ("nonsense://x", "write sqlite"),
    ],
)
def test_an_address_that_will_not_do_names_one_that_does(url: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        SqlStore(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://user:s3cret@host:notaport/x", "DATABASE_URL: its port is no number; write sqlite:///frontdesk.db, or "),
        (
            "postgresql://user:s3c@ret@127.0.0.1/x",
            "DATABASE_URL: there is one @ too many; in a password write @ as %40, : as %3A and / as %2F",
        ),
        ("postgresql://user:s3c@r/et@127.0.0.1/x", "DATABASE_URL: there is one @ too many; "),
    ],
)
def test_an_address_that_cannot_be_read_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SqlStore(url)

    assert str(refused.value).startswith(words)
    assert not [piece for piece in ("s3c", "ret", "et@", "notaport") if piece in str(refused.value)]


def test_a_password_may_hold_any_sign_that_is_written_as_said() -> None:
    assert parse("postgresql://user:a%40b%3Ac%2Fd@host/x").password == "a@b:c/d"


async def test_a_postgresql_that_is_not_there_is_told_with_what_to_look_at() -> None:
    store = SqlStore("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(StoreFailed) as failed:
        await store.open()
    await store.close_all()

    assert re.fullmatch(r"The database does not answer: [^\t\n?]*Connection refused\. Look whether PostgreSQL runs, .*", str(failed.value))
    assert "DATABASE_URL names its host, port, user, password and database." in str(failed.value)


async def test_a_file_that_cannot_be_opened_says_where_one_can(tmp_path: Path) -> None:
    store = SqlStore(at(tmp_path))

    with pytest.raises(StoreFailed, match="cannot be opened; give DATABASE_URL a place where this user may write"):
        await store.open()
    await store.close_all()
