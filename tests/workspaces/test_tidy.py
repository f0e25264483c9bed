"""What nobody has used for long is taken away, and the oldest of what takes too much room; never what is in use."""

import os
import shutil
import time
from pathlib import Path

import pytest

from bot import processes
from bot.agent import Agent
from bot.ports import Turn
from bot.runtimes.child import Child
from bot.runtimes.home import Home, Options
from bot.workspaces.lock import held
from bot.workspaces.tidy import tidy
from tests.standins.wait import until
from tests.workspaces.conftest import Yard
from tests.workspaces.test_lend import reads

DAY = 86400.0
AGENT = Agent(name="coder", version="1", description="Codes.", runtime="acp")


def age(yard: Yard, days: float) -> None:
    """Let so many days go by."""
    older(yard.folder / "sessions", yard.store, days * DAY)


def older(sessions: Path, store: Path, seconds: float) -> None:
    for mark in [*sessions.glob("*/workspace/*.ready"), *store.iterdir(), *sessions.parent.glob("other-*/workspace/*.ready")]:
        os.utime(mark, (then := mark.stat().st_mtime - seconds, then))


def tidied(yard: Yard, days: float = 30, gigabytes: float = 0, *, dry: bool = False) -> list[str]:
    gone = tidy(yard.folder / "sessions", yard.store, days, gigabytes, dry=dry)
    return [str(folder.relative_to(yard.folder)).rpartition("-")[0] or str(folder.relative_to(yard.folder)) for folder in gone]


async def test_what_was_not_used_for_long_goes_with_its_mirror_and_the_next_turn_says_so(yard: Yard) -> None:
    await yard.run(reads("README.md"))
    age(yard, 31)

    dry, gone = tidied(yard, dry=True), tidied(yard)
    session = await yard.run(reads("README.md"))

    assert dry == gone == ["sessions/s1/workspace/api", "workspaces/acme-api"]
    assert session.answer == "The first.\n"
    assert [notice.text for notice in session.notices] == [
        "The workspace acme/api was cleaned away since it was not used for long; it is made anew, without what had not been pushed."
    ]


async def test_what_was_used_lately_stays_with_its_mirror_however_old_that_is(yard: Yard) -> None:
    await yard.run(reads("README.md"))
    age(yard, 31)
    await yard.run(reads("README.md"))

    assert tidied(yard) == []


async def test_the_oldest_go_until_the_rest_fits(yard: Yard) -> None:
    yard.repository.commit("big", "x" * 200_000)
    for _ in range(2):
        await yard.run(reads("README.md"))
        yard.another()
        age(yard, 1)
    for number, other in enumerate(sorted(yard.folder.glob("other-*"))):
        other.rename(yard.folder / "sessions" / f"o{number}")
    files = [file for name in ("sessions", "workspaces") for file in (yard.folder / name).rglob("*") if file.is_file()]
    room = sum(file.stat().st_blocks * 512 for file in files)

    assert tidied(yard, gigabytes=room / 2**30) == []
    assert tidied(yard, gigabytes=(room - 200_000) / 2**30) == ["sessions/o0/workspace/api"]


async def test_of_a_workspace_that_could_not_be_taken_away_wholly_nothing_is_used(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    await yard.run(reads("README.md"))
    age(yard, 31)
    with monkeypatch.context() as broken:
        broken.setattr(shutil, "rmtree", lambda folder, **_: (folder / "README.md").unlink(missing_ok=True))
        tidied(yard)

    assert (await yard.run(reads("README.md"))).answer == "The first.\n"


async def test_what_a_turn_works_in_stays(yard: Yard) -> None:
    await yard.run(reads("README.md"))
    age(yard, 31)

    async with held(yard.place.with_name("api.lock"), 1):
        assert tidied(yard) == []

    assert yard.place.is_dir()


def harness(sessions: Path, session: str) -> Home:
    """One that has left something behind, and was used last a month ago."""
    home = Home(Turn(session, 1, AGENT, "", folder=sessions / session), Options(), "sh")
    home.turn.folder.mkdir(parents=True)
    home.prepare()
    for name in ("tmp/download", "home/.cache/model", "home/.bashrc", "sh/conversation", "work/report"):
        (file := home.turn.folder / name).parent.mkdir(exist_ok=True)
        file.touch()
    os.utime(home.turn.folder / "tmp", (then := time.time() - 31 * DAY, then))
    return home


def left(home: Home) -> set[str]:
    return {str(file.relative_to(home.turn.folder)) for file in home.turn.folder.rglob("*") if file.is_file()}


async def test_what_harnesses_left_beside_their_work_goes_where_no_turn_has_come_for_long(tmp_path: Path) -> None:
    old, used, running = (harness(tmp_path / "sessions", session) for session in ("old", "used", "running"))
    used.prepare()
    await (child := Child(running.command("The shell", "sh", "-c", "sleep 60", remedy="install it"))).start()
    try:
        await until(lambda: processes.marks(tmp_path / "sessions"))  # the system says nothing of it while it begins
        dry, gone = (tidy(tmp_path / "sessions", tmp_path / "workspaces", 30, 0, dry=dry) for dry in (True, False))
    finally:
        await child.close()

    assert dry == gone == [old.turn.folder / "tmp", old.turn.folder / "home" / ".cache"]
    assert left(old) == {"home/.bashrc", "sh/conversation", "work/report"}
    assert left(used) == left(running) == left(old) | {"tmp/download", "home/.cache/model"}


async def test_of_a_link_that_stands_there_only_the_link_goes(tmp_path: Path) -> None:
    home = harness(tmp_path / "sessions", "s1")
    (outside := tmp_path / "outside").mkdir()
    (outside / "file").touch()
    (home.turn.folder / "home" / ".npm").symlink_to(outside)

    tidy(tmp_path / "sessions", tmp_path / "workspaces", 30, 0)

    assert not (home.turn.folder / "home" / ".npm").exists()
    assert (outside / "file").exists()


async def test_a_lock_is_let_go_of_by_whoever_leaves(tmp_path: Path) -> None:
    async with held(tmp_path / "lock", 1):
        with pytest.raises(TimeoutError):
            async with held(tmp_path / "lock", 0):
                raise AssertionError("two have it")

    async with held(tmp_path / "lock", 0, shared=True), held(tmp_path / "lock", 0, shared=True):
        assert time.time()
