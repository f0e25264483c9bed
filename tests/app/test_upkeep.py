"""Upkeep from the shell: old things go, and a copy made while the bot runs brings everything back."""

import asyncio
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from bot import app
from bot.playground import Slack
from bot.settings import Settings
from bot.store import prune
from bot.store.sql import SqlStore
from tests.cli.test_cli import Shell
from tests.standins.wait import until
from tests.test_path import find, said


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "shell"
    folder.mkdir()
    return Shell(folder)


def age(database: Path) -> None:
    """Let a year go by."""
    with sqlite3.connect(database) as connection:
        for table, column in (("sessions", "changed"), ("deliveries", "at"), ("posts", "at")):
            connection.execute(f"UPDATE {table} SET {column} = {column} - 365 * 86400")
    connection.close()


async def run(shell: Shell, settings: Settings, *words: str) -> tuple[int, str, str]:
    where = {"DATABASE_URL": settings.database_url, "SESSIONS_DIR": str(settings.sessions_dir)}
    ended = await asyncio.to_thread(lambda: shell.run(*words, **where))
    return ended.returncode, ended.stdout, ended.stderr


async def test_old_sessions_go_with_their_folders_and_open_ones_stay(shell: Shell, settings: Settings, slack: Slack) -> None:
    async with app.running(settings) as desk:
        over = await slack.mention("hello")
        asks = await slack.mention("!ask Which? | A | B")
        await slack.until(lambda: said(slack, over) and "You said: hello" in said(slack, over)[-1])
        await slack.until(lambda: any("Which?" in text for text in said(slack, asks)))
        await slack.until(lambda: not desk.engine.running)
    age(Path(settings.database_url.partition("///")[2]))

    dry = await run(shell, settings, "prune", "--older", "90d", "--dry-run")
    folders = len(list(settings.sessions_dir.iterdir()))
    done = await run(shell, settings, "prune", "--older", "90d")

    assert dry == (0, "1 sessions, 1 of their folders, and 1 deliveries would be taken away.\n", "")
    assert folders == 2
    assert done == (0, "1 sessions, 1 of their folders, and 1 deliveries taken away.\n", "")
    assert len(list(settings.sessions_dir.iterdir())) == 1


def test_an_age_that_is_none_is_told(shell: Shell) -> None:
    asked = shell.run("prune", "--older", "soon")

    assert asked.returncode == 2
    assert "'soon' is no age; write hours, days or weeks, as 36h, 90d or 12w" in asked.stderr


async def test_a_copy_made_while_the_bot_runs_brings_an_open_question_back(
    shell: Shell, settings: Settings, slack: Slack, tmp_path: Path
) -> None:
    copy, database = tmp_path / "copy.db", Path(settings.database_url.partition("///")[2])
    async with app.running(settings):
        root = await slack.mention("!ask Which colour? | Red | Blue\n!say It is {answer}.")
        card = await slack.until(lambda: find(slack, root, "Which colour?"))
        made = await run(shell, settings, "backup", str(copy))
        await slack.mention("what comes later is not in it")
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    shutil.copy(copy, database)  # as docs/operations.md says

    async with app.running(settings):
        await slack.press(card, "Red", "ana")
        await slack.until(lambda: "It is Red." in said(slack, root)[-1])

    assert made[0] == 0
    assert made[1].startswith(f"{copy}: ")
    assert not copy.with_name("copy.db.part").exists()


def test_what_cannot_be_copied_is_told_in_a_sentence(shell: Shell) -> None:
    postgres = shell.run("backup", "x.db", DATABASE_URL="postgresql+psycopg://localhost/x")
    nothing = shell.run("backup", "x.db")
    itself = shell.run("backup", "x.db", DATABASE_URL=kept(shell))
    nowhere = shell.run("backup", "nowhere/copy.db", DATABASE_URL=kept(shell))

    assert {each.returncode for each in (postgres, nothing, itself, nowhere)} == {2}
    assert "for PostgreSQL use pg_dump" in postgres.stderr
    assert nothing.stderr == "frontdesk: DATABASE_URL: there is no frontdesk.db yet; it is made by: frontdesk run\n"
    assert itself.stderr == "frontdesk: x.db cannot be the backup; name a file of its own\n"
    assert nowhere.stderr.startswith("frontdesk: nowhere/copy.db cannot be written: ")


def kept(shell: Shell) -> str:
    """The URL of a database that is there."""
    url = f"sqlite+aiosqlite:///{shell.folder}/x.db"

    async def make() -> None:
        store = SqlStore(url)
        await store.open()
        await store.close_all()

    asyncio.run(make())
    return url


async def test_old_deliveries_are_forgotten_by_the_bot_itself(settings: Settings, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "CLOCK", 0.05)
    async with app.running(settings) as desk:
        root = await slack.mention("hello")
        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)
    age(Path(settings.database_url.partition("///")[2]))

    async with app.running(settings) as desk:
        await until(lambda: forgotten(desk))


async def forgotten(desk: app.Frontdesk) -> bool:
    return not (await prune.look(desk.store.db, time.time())).deliveries


def test_a_database_that_is_not_there_is_not_made_by_tidying_up(shell: Shell) -> None:
    pruned = shell.run("prune")

    assert (pruned.returncode, pruned.stdout) == (2, "")
    assert pruned.stderr == "frontdesk: DATABASE_URL: there is no frontdesk.db yet; it is made by: frontdesk run\n"
    assert not [*shell.folder.iterdir()]
