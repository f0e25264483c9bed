"""How long a session waits for its copy of a repository."""

import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from benchmarks.rows import Row, millis, share
from bot.agent import Agent
from bot.aid import Talk
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.workspaces.lend import Workspaces

FILES, LINES = 2000, 100
SOON = 0.3  # seconds
AGENT = Agent(name="coder", version="1", description="Codes.", runtime="echo", workspace="api")


class Silent:
    """Told everything, and does nothing; in the place of a runtime and of a thread."""

    async def tell(self, event: Event) -> None: ...

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        return
        yield cast(Any, None)


async def measure(quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as name:
        folder = Path(name)
        _repository(folder / "acme" / "api")
        (folder / "workspaces.yaml").write_text(f"api:\n  repository: file://{folder}/acme/api\n")
        workspaces = Workspaces(folder, folder / "workspaces", {})
        cold, *warm = [await _lent(workspaces, folder / "sessions" / str(number)) for number in range(6 if quick else 31)]
        again = [await _lent(workspaces, folder / "sessions" / str(number)) for number in range(len(warm))]
    about = f"{FILES:,} files on this machine"
    return [
        Row(
            f"workspace of a new session, {about}, p50 / p95", millis(warm, 50, 95), "", f"p95 < {SOON * 1000:g} ms", share(warm, 95) < SOON
        ),
        Row("… the first of all, which clones", millis([cold], 50)),
        Row("… of a session that goes on, p50 / p95", millis(again, 50, 95)),
    ]


async def _lent(workspaces: Workspaces, folder: Path) -> float:
    os.makedirs(folder, exist_ok=True)
    began, silent = time.monotonic(), Silent()
    async with workspaces.lend(Turn(folder.name, 1, AGENT, "", folder=folder), silent, cast(Talk, silent)) as turn:
        took = time.monotonic() - began
        assert turn.workspace
        assert (turn.workspace / "1" / "1.txt").is_file()
    return took


def _repository(folder: Path) -> None:
    for number in range(FILES):
        file = folder / str(number % 50) / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"Line {line} of file {number}.\n" for line in range(LINES)))
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        ("-c", "user.name=Ana", "-c", "user.email=ana@x", "commit", "-q", "-m", "All"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
