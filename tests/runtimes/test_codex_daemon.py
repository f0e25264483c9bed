"""A server that may go on without us, and is not forgotten; without Codex."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from bot import processes
from bot.errors import RuntimeFailed
from bot.processes import marked
from bot.runtimes.child import Command
from bot.runtimes.codex_daemon import Daemon

from .talk import gone

SERVER = str(Path(__file__).with_name("codex_echo.py"))


def daemon(folder: Path, hours: float = 1, memory: int = 0) -> Daemon:
    command = Command("Codex", (sys.executable, "-P", SERVER), folder, {"PATH": os.defpath}, mark(folder), "install it", memory)
    return Daemon(command, folder / "socket", hours)


def mark(folder: Path) -> str:
    return f"MARK={folder}"


def alive(folder: Path) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in marked(mark(folder))]


@asynccontextmanager
async def begun(folder: Path, hours: float = 1) -> AsyncIterator[Daemon]:
    made = daemon(folder, hours)
    try:
        await made.start()
        assert await echoed(made, "hello") == "hello"
        yield made
    finally:
        await made.close()


async def echoed(daemon: Daemon, text: str) -> str:
    async with aclosing(daemon.lines()) as lines, asyncio.timeout(10):  # type: ignore[type-var]
        first = asyncio.ensure_future(anext(lines))
        await daemon.write(text)
        return (await first).decode()


async def test_one_that_is_left_is_found_by_the_next_which_ends_it(tmp_path: Path) -> None:
    async with begun(tmp_path) as first:
        await first.leave()

    second = daemon(tmp_path)
    assert await second.find()
    assert await echoed(second, "again") == "again"
    await second.close()

    assert not alive(tmp_path)
    assert not second.socket.is_symlink()


async def test_one_that_is_not_left_ends_with_us(tmp_path: Path) -> None:
    async with begun(tmp_path):
        assert alive(tmp_path)

    assert not alive(tmp_path)


async def test_one_that_nobody_comes_for_ends_by_its_age(tmp_path: Path) -> None:
    async with begun(tmp_path, hours=2 / 3600) as first:
        left = alive(tmp_path)
        await first.leave()

    assert any(process.is_running() for process in left)
    assert await gone(left, 10)
    second = daemon(tmp_path)
    assert not await second.find()
    await second.close()


async def test_the_next_weighs_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WEIGH", 0.01)
    async with begun(tmp_path) as first:
        left = alive(tmp_path)
        await first.leave()

    second = daemon(tmp_path, memory=1 << 20)
    assert await second.find()
    assert await gone(left)
    assert "more than 1 MiB of memory" in second.why()
    await second.close()


async def test_one_that_has_gone_hears_nothing_and_that_is_told(tmp_path: Path) -> None:
    async with begun(tmp_path) as made:
        for process in alive(tmp_path):
            with suppress(psutil.NoSuchProcess):  # it may have gone with the one before
                process.kill()
        assert [line async for line in made.lines()] == []

        with pytest.raises(RuntimeFailed, match="Codex"):
            await made.write("hello")
