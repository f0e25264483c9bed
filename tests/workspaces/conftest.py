"""A real repository, and a stage on whose runtime an agent may work in it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports import Runtime
from bot.session import Session
from bot.workspaces.lend import Workspaces
from tests.standins.stage import Stage, agent, staged

MAIL = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com")


class Repository:
    """One with a commit on its branch `main`, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commit("README.md", "The first.\n")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def git(self, *words: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *MAIL, *words], cwd=self.folder, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, name: str, text: str) -> str:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("add", name)
        self.git("commit", "-q", "-m", f"Write {name}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "acme" / "api")


class Yard:
    """A stage whose agent has the workspace `api`, as `describe` says."""

    def __init__(self, stage: Stage, folder: Path, repository: Repository) -> None:
        self.stage, self.folder, self.repository = stage, folder, repository
        self.environment: dict[str, str] = {}
        self._said = self._others = 0
        self.stage.agent = agent(workspace="api")
        (folder / "agents").mkdir()
        self.describe()
        self.lend()

    def lend(self) -> Workspaces:
        made = Workspaces(self.folder / "agents", self.store, self.environment)
        self.stage.aids = (made,)
        return made

    def describe(self, more: str = "", repository: str = "") -> None:
        lines = [f"  {line}" for line in more.splitlines()]
        about = "\n".join(["api:", f"  repository: {repository or self.repository.url}", *lines])
        (self.folder / "agents" / "workspaces.yaml").write_text(about + "\n")

    async def run(self, runtime: Runtime) -> Session:
        """The session after one more turn of it."""
        self._said += 1
        turns = self.stage.play(runtime)
        await self.stage.say("Look at this", f"m{self._said}", submit=False)
        await turns.run("s1", asyncio.Event())
        return await self.stage.store.load("s1")

    def another(self) -> None:
        """From now on the session is as one that has no workspace yet, beside the one that had it."""
        self._others += 1
        self.place.parents[1].rename(self.folder / f"other-{self._others}")

    @property
    def store(self) -> Path:
        return self.folder / "workspaces"

    @property
    def place(self) -> Path:
        return self.folder / "sessions" / "s1" / "workspace" / "api"


@pytest.fixture
async def yard(tmp_path: Path, repository: Repository) -> AsyncIterator[Yard]:
    async with staged(tmp_path) as stage:
        yield Yard(stage, tmp_path, repository)
