"""A command leaves nothing behind, whenever it is stopped."""

import asyncio
import os
from pathlib import Path

from bot.workspaces.shell import Command, run


async def test_whoever_is_stopped_while_a_command_begins_leaves_no_pipe_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        running = asyncio.create_task(run(Command(("true",), tmp_path, {})))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    assert len(os.listdir("/proc/self/fd")) == before
