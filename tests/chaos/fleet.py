"""The replicas: real processes of the bot, that can be killed, frozen and started again."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from bot.playground import Slack

ROOT = Path(__file__).parents[2]
AGENTS = {
    "helper": "description: Says back what it is told.\nruntime: echo\nallow: {answer: [everyone]}\n"
    "triggers: [{mention: ['*']}, {dm: true}, {command: /helper}, {shortcut: {callback: look, name: Look into it}}]",
}
LOG = Path(tempfile.gettempdir(), "frontdesk-chaos.log")
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


class Replica:
    """One process. `points` are where the next start of it is to die: (write or call, before or after, which one)."""

    def __init__(self, number: int, environment: Mapping[str, str], log: IO[bytes]) -> None:
        self.number, self.environment, self.log = number, environment, log
        self.points: list[str] = []
        self.process: asyncio.subprocess.Process | None = None
        self.frozen = False

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        dies = {"CHAOS_DIES_AT": self.points.pop(0)} if self.points else {}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.mortal", cwd=ROOT, env={**self.environment, **dies}, stdout=self.log, stderr=self.log
        )
        self.frozen = False

    async def kill(self) -> None:
        if self.process and self.alive:
            self.process.kill()
            await self.process.wait()

    def freeze(self) -> None:
        if self.process and self.alive and not self.frozen:
            self.process.send_signal(signal.SIGSTOP)
            self.frozen = True

    def thaw(self) -> None:
        if self.process and self.alive and self.frozen:
            self.process.send_signal(signal.SIGCONT)
        self.frozen = False

    async def leave(self) -> None:
        """As in a rolling upgrade: SIGTERM, and it drains."""
        if self.process and self.alive:
            self.thaw()
            self.process.send_signal(signal.SIGTERM)
            await self.process.wait()


@asynccontextmanager
async def fleet(slack: Slack, database: str, count: int) -> AsyncIterator[list[Replica]]:
    """So many replicas, started; what they have logged stands in frontdesk-chaos.log afterwards, where temporary files are."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-chaos-") as name:
        folder = Path(name)
        (folder / "agents").mkdir()
        for agent, front in AGENTS.items():
            (folder / "agents" / f"{agent}.md").write_text(f"---\n{front}\n---\nYou help.\n")
        with (folder / "log").open("wb") as log:
            replicas = [Replica(number, _environment(slack, database, folder), log) for number in range(count)]
            try:
                await asyncio.gather(*(replica.start() for replica in replicas))
                await slack.until(lambda: slack.sockets >= count, 60)
                yield replicas
            finally:
                await asyncio.gather(*(replica.kill() for replica in replicas))
                shutil.copy(log.name, LOG)


def _environment(slack: Slack, database: str, folder: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in KEPT} | {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.url,
        "DATABASE_URL": database or f"sqlite+aiosqlite:///{folder}/frontdesk.db",
        "AGENTS_DIR": str(folder / "agents"),
        "SESSIONS_DIR": str(folder / "sessions"),
        "DRAIN_SECONDS": "2",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "json",
    }
