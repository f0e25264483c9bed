"""Where it is measured: a stand-in for Slack in this process, and each bot in a process of its own."""

import asyncio
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.playground import Slack
from tests.standins.postgres import Cluster, cluster

ROOT = Path(__file__).parents[1]
OURS = ("-m", "bot", "run")
BARE = ("-m", "benchmarks.bare")
HELPER = "description: Says back what it is told.\nruntime: echo\ntriggers: [{mention: ['*']}]"
START = 60.0  # seconds that a process may take to connect


@dataclass(frozen=True, slots=True)
class Stage:
    """A stand-in, and the folder of the bot that works on it; `url` is its database's address, where that is no file in there."""

    slack: Slack
    folder: Path
    url: str = ""

    def environment(self) -> dict[str, str]:
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")}
        return keep | {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.url,
            "DATABASE_URL": self.url or f"sqlite:///{self.database}",
            "AGENTS_DIR": str(self.folder / "agents"),
            "SESSIONS_DIR": str(self.folder / "sessions"),
            "DRAIN_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
        }

    @property
    def database(self) -> Path:
        return self.folder / "frontdesk.db"


@dataclass(frozen=True, slots=True)
class Bot:
    """A process that is connected; `start` is how many seconds that took."""

    process: psutil.Process
    start: float

    def memory(self) -> tuple[float, float]:
        """RSS and PSS in MiB."""
        info = self.process.memory_full_info()
        return info.rss / 2**20, info.pss / 2**20

    def cpu(self) -> float:
        """Seconds of CPU time since it began."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def stage(
    rates: float | None = None, agents: Mapping[str, str] | None = None, url: str = "", ack_seconds: float = 3.0
) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as name:
        folder = Path(name)
        (folder / "agents").mkdir()
        for agent, front in (agents or {"helper": HELPER}).items():
            (folder / "agents" / f"{agent}.md").write_text(f"---\n{front}\n---\nYou help.\n")
        async with Slack(rates=rates, ack_seconds=ack_seconds) as slack:
            yield Stage(slack, folder, url)


@asynccontextmanager
async def postgres() -> AsyncIterator[Cluster]:
    """A PostgreSQL that keeps what it has committed, as in production."""
    with cluster(()) as made:
        await made.ready()
        yield made


@asynccontextmanager
async def process(arguments: tuple[str, ...], environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process, until the block is left: asked to end, and then made to. One that was killed meanwhile, was killed by us."""
    with tempfile.TemporaryFile() as told:
        child = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=told
        )
        try:
            yield child
            if child.returncode not in (None, -signal.SIGKILL):
                told.seek(0)
                raise RuntimeError(f"{' '.join(arguments)} ended by itself:\n{told.read().decode()[-2000:]}")
        finally:
            await _end(child)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(15):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


@asynccontextmanager
async def bot(place: Stage, arguments: tuple[str, ...] = OURS) -> AsyncIterator[Bot]:
    """A bot, connected to the stand-in, beside those that are already."""
    began, before = time.monotonic(), place.slack.sockets
    async with process(arguments, place.environment()) as child:
        await place.slack.until(lambda: place.slack.sockets > before or child.returncode is not None, START)
        start = time.monotonic() - began
        if child.returncode is None:
            yield Bot(psutil.Process(child.pid), start)
    await place.slack.until(lambda: place.slack.sockets <= before, 10)


def widen() -> None:
    """Allow as many open files as this user may have: a thousand sessions are a thousand connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if most != resource.RLIM_INFINITY else 1 << 16, most))


async def pace(began: float, number: int, rate: float) -> None:
    """Wait until the moment of this event, at so many a second; one that is late delays no other."""
    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
