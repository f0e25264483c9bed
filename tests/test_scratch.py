"""What a process that was killed has left is taken away by the next, and nothing of one that still works."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot import processes
from bot.scratch import LOCK, scratch

ROOT = Path(__file__).parents[1]
DESK = f"""
import subprocess, sys
from bot.scratch import scratch
with scratch() as folder:
    harness = subprocess.Popen(["sleep", "60"], env={{"{processes.MARK}": f"{{folder}}/s1/opencode"}}, start_new_session=True)
    print(folder, harness.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[subprocess.Popen[str]]":
    """A process of ours with a folder of its own, in which a harness works."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", DESK], env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as made:
        yield made
        made.kill()
        for mark in processes.marks(tmp_path):
            processes.end_all(mark)


def left(desk: "subprocess.Popen[str]") -> tuple[Path, psutil.Process]:
    assert desk.stdout
    folder, harness = desk.stdout.readline().split()
    process = psutil.Process(int(harness))
    while processes.MARK not in process.environ():  # which is empty just while a process begins
        time.sleep(0.01)
    return Path(folder), process


def test_what_one_that_was_killed_has_left_is_ended_and_taken_away(desk: "subprocess.Popen[str]") -> None:
    folder, harness = left(desk)
    desk.kill()
    desk.wait()

    with scratch() as mine:
        assert [each.name for each in folder.parent.iterdir()] == [mine.name]

    psutil.wait_procs([harness], timeout=5)
    assert not harness.is_running() or harness.status() == psutil.STATUS_ZOMBIE


def test_the_folder_of_one_that_works_is_left_alone(desk: "subprocess.Popen[str]") -> None:
    folder, harness = left(desk)

    with scratch():
        assert folder.is_dir()

    assert harness.status() != psutil.STATUS_ZOMBIE


def test_a_folder_that_is_none_of_ours_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "frontdesk-notes").mkdir()

    with scratch():
        pass

    assert [each.name for each in tmp_path.iterdir()] == ["frontdesk-notes"]


def test_what_others_put_in_place_of_a_lock_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (other := tmp_path / "frontdesk-x").mkdir()
    os.mkfifo(other / LOCK)

    with scratch():
        assert other.is_dir()
