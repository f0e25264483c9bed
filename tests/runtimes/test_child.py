"""A harness's process: nothing of it stays, and it takes no more of this machine than it may."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bot import processes
from bot.runtimes import child
from bot.runtimes.child import Child, Command
from tests.standins.running import running
from tests.standins.wait import until

GREEDY = "import time; x = bytearray(200 << 20); time.sleep(60)"
LOOK = """
import ctypes, sys
sys.path.insert(0, sys.argv[1])
from bot.cli import main
before = ctypes.CDLL(None).prctl(3)
main(["check"])
print(before, ctypes.CDLL(None).prctl(3))
"""


@asynccontextmanager
async def begun(folder: Path, script: str, memory: int = 0) -> AsyncIterator[Child]:
    environment = {"PATH": "/usr/bin:/bin"}
    made = Child(Command("The shell", ("/bin/sh", "-c", script), folder, environment, f"{processes.MARK}={folder}", "install it", memory))
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def test_a_process_that_drops_its_mark_ends_with_it(tmp_path: Path) -> None:
    async with begun(tmp_path, "env -i /usr/bin/setsid sleep 4325 & echo begun; sleep 4325") as made:
        await anext(made.lines())
        await until(lambda: len(running("sleep", "4325")) == 2)

    assert await until(lambda: not running("sleep", "4325"))


async def test_one_that_drops_its_mark_and_has_lost_its_parent_ends_too_once_it_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "WEIGH", 0.05)
    script = "sh -c 'env -i /usr/bin/setsid sleep 4326 & read line' & echo begun; sleep 4327"
    async with begun(tmp_path, f"exec 3<&0; {script.replace('read line', 'read line <&3')}") as made:
        await anext(made.lines())
        await until(lambda: any(pid in dict(made._began) for pid in running("sleep", "4326")))
        await made.write("\n")
        await until(lambda: all(psutil.Process(pid).ppid() == 1 for pid in running("sleep", "4326")))

    assert await until(lambda: not running("sleep", "4326"))


async def test_where_it_is_killed_what_holds_its_pipes_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WEIGH", 0.05)
    async with begun(tmp_path, "sleep 4328 & echo begun; wait") as made:
        lines = made.lines()
        await anext(lines)
        os.kill(made.pid, signal.SIGKILL)

        assert [line async for line in lines] == []

    assert made.why().startswith("The shell was killed (signal 9)")
    assert not running("sleep", "4328")


async def test_where_closing_it_is_cut_it_is_gone_all_the_same(tmp_path: Path) -> None:
    async with begun(tmp_path, "trap 'echo asked' TERM; echo begun; while true; do read line || sleep 0.01; done") as made:
        lines = made.lines()
        await anext(lines)
        closing = asyncio.create_task(made.close())
        assert await anext(lines) == b"asked\n"

        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

        assert made.code == -signal.SIGKILL


async def test_memory_counts_also_where_it_was_begun_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WEIGH", 0.1)
    async with begun(tmp_path, f"(setsid {sys.executable} -c '{GREEDY}' >&- 2>&- &); sleep 60", 50 << 20) as made:
        await until(lambda: made.broken)

        assert made.why() == "The shell used more than 50 MiB of memory, so it was ended."


async def test_endless_complaints_do_not_fill_the_disk_and_the_last_is_still_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WEIGH", 0.05)
    async with begun(tmp_path, "yes complaint | head -c 30000000 >&2; echo over; read line; echo And that is that. >&2; exit 3") as made:
        await anext(made.lines())
        complaints = made._complaints.fileno()
        await until(lambda: os.fstat(complaints).st_size < child.LOUD)
        await made.write("\n")
        await made.ended()

        assert made.why().endswith("And that is that.")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'Not logged in. Run: it login' >&2; exit 1", f"with code 1. It said: Not logged in. Run: it login\n{child.KEY}"),
        ("echo 'OPENAI_API_KEY is not set' >&2; exit 1", f"with code 1. It said: OPENAI_API_KEY is not set\n{child.KEY}"),
        ("echo no such option >&2; exit 2", "with code 2. It said: no such option\nPerhaps it is too old; install it."),
        ("", "with code 0. It said: nothing\nPerhaps it is too old to know how it is begun here, or another program; install it."),
    ],
)
async def test_one_that_never_came_to_its_work_is_told_with_what_helps(tmp_path: Path, script: str, words: str) -> None:
    async with begun(tmp_path, script) as made:
        await made.ended()

        assert made.unfit() == f"The shell ended by itself {words}"


def test_what_stands_in_our_environment_no_other_process_of_our_user_can_read(tmp_path: Path) -> None:
    root = Path(processes.__file__).parents[1]

    said = subprocess.run([sys.executable, "-c", LOOK, str(root)], capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    assert said.split()[-2:] == ["1", "0"]
