"""A session's own copy of a repository: made once, from a mirror that all sessions of this machine fetch into."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import RuntimeFailed
from bot.event import Event, Step, StepKind
from bot.processes import MARK
from bot.sandbox import Cage
from bot.workspaces.git import USUAL, Git, hidden
from bot.workspaces.lock import held
from bot.workspaces.shell import Broke, Command, Hear, run

Tell = Callable[[Event], Awaitable[None]]
EACH = 0.5  # seconds between two signs of progress
PATIENCE = 1800.0  # seconds that another session may take to fetch the same
CLONED = "+refs/heads/*:refs/heads/*"
PERCENT = re.compile(r"(\w[\w ]+):\s+(\d+)%")


@dataclass(frozen=True, slots=True)
class Clone:
    """`place` is where it is made; `store` the folder of the mirrors and of what setups leave behind.

    Its setup is kept from the rest of this machine as its agent is: by `cage`, and in `memory` (bytes).
    """

    git: Git
    place: Path
    store: Path
    home: Path
    tell: Tell
    cage: Cage | None = None
    memory: int = 0

    @property
    def mirror(self) -> Path:
        url = self.git.workspace.repository
        plain = re.sub(r"[^a-z0-9]+", "-", self.git.workspace.title.lower()).strip("-")[:40]
        return self.store / f"{plain}-{hashlib.sha256(url.encode()).hexdigest()[:10]}.git"

    @property
    def cache(self) -> Path:
        """Named after all that it came from, so that nobody gets what another setup left."""
        made = repr((self.git.workspace.repository, self.git.workspace.setup, self.git.workspace.cache))
        return self.store / f"{self.git.name}-{hashlib.sha256(made.encode()).hexdigest()[:10]}.cache"

    async def make(self) -> None:
        """Raises RuntimeFailed, OSError."""
        workspace = self.git.workspace
        what = f"Fetch {workspace.title}" + (f" at {workspace.ref}" if workspace.ref else "")
        await asyncio.to_thread(_empty, self.place)
        async with Told(self.tell, "workspace-fetch", what, "fetch") as step:
            await self.fetch(step.progress)
            await self._check_out()
        await asyncio.to_thread(self._write)
        await self._set_up()

    async def fetch(self, hear: Hear) -> None:
        """Bring the mirror up to date."""
        new = self.mirror.with_suffix(".new")
        async with held(self.mirror.with_suffix(".lock"), PATIENCE):
            if self.mirror.is_dir():
                await self.git("fetch", "--prune", "--tags", "--force", "--progress", "origin", folder=self.mirror, hear=hear, token=True)
                self.mirror.touch()
                return
            await asyncio.to_thread(shutil.rmtree, new, True)
            words = ("clone", "--bare", "--template=", "--progress", "--", self.git.workspace.repository, str(new))
            await self.git(*words, folder=self.store, hear=hear, token=True)
            await self.git("config", "remote.origin.fetch", CLONED, folder=new)
            new.rename(self.mirror)

    async def _check_out(self) -> None:
        """With objects of the mirror, but branches, settings and hooks of its own: what one session does, no other sees."""
        workspace = self.git.workspace
        clone = ("clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", str(self.mirror), str(self.place))
        await self.git(*clone, folder=self.store)
        await self.git("remote", "set-url", "origin", workspace.repository, folder=self.place)
        await self.git("checkout", "--quiet", *([workspace.ref, "--"] if workspace.ref else []), folder=self.place)

    def _write(self) -> None:
        for name, text in self.git.workspace.files.items():
            self._inside(self.place, name).write_text(text, "utf-8")

    def _inside(self, root: Path, name: str) -> Path:
        """A path in a folder whose links others have made."""
        path = root / name
        if not path.parent.resolve().is_relative_to(root.resolve()) or path.is_symlink():
            raise RuntimeFailed(f"{self.git.broken} {name} leads out of the repository; correct `files` and `cache`.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    async def _set_up(self) -> None:
        workspace = self.git.workspace
        if not workspace.setup:
            return
        commit = await self.git("rev-parse", "HEAD", folder=self.place)
        lock, made = self.cache.with_suffix(".lock"), self.cache / "commit"
        async with held(lock, PATIENCE, shared=True):
            for name in workspace.cache:
                await self._copy(name, self.cache, self.place)
            if known := made.is_file() and made.read_text() == commit:
                self.cache.touch()  # it is used until now
        for number, words in enumerate(workspace.setup, 1):
            await self._run(number, words)
        if workspace.cache and not known:
            await self._keep(commit)

    async def _run(self, number: int, words: str) -> None:
        secrets = [*self.git.given.values()]
        environment = {**USUAL, **self.git.given, "HOME": str(self.home)}
        given = ("/bin/sh", "-c", words)
        command = Command(
            self.cage.wrapped(given, self.place) if self.cage else given, self.place, environment,
            self.git.workspace.setup_minutes * 60, f"{MARK}={self.place}", self.memory,
        )  # fmt: skip
        async with Told(self.tell, f"workspace-setup-{number}", f"Run: {words.splitlines()[0][:80]}", "execute", secrets) as step:
            try:
                await run(command, step.progress)
            except Broke as error:
                said = hidden(error.said, secrets)[-600:]
                raise RuntimeFailed(f"{self.git.broken} `{words}` failed. It said:\n{said}") from error

    async def _keep(self, commit: str) -> None:
        """What this setup has made, for the next: all of it, or what was there before."""
        new = self.cache.with_suffix(".new")
        async with held(self.cache.with_suffix(".lock"), PATIENCE):
            await asyncio.to_thread(_empty, new)
            new.mkdir(parents=True)
            for name in self.git.workspace.cache:
                await self._copy(name, self.place, new)
            (new / "commit").write_text(commit)
            await asyncio.to_thread(_empty, self.cache)
            new.rename(self.cache)

    async def _copy(self, name: str, source: Path, target: Path) -> None:
        if not (source / name).is_dir() or (target / name).exists():
            return
        words = ("cp", "-a", str(self._inside(source, name)), str(self._inside(target, name)))
        try:
            await run(Command(words, self.store, {"PATH": "/usr/bin:/bin"}))
        except Broke as error:
            raise RuntimeFailed(f"{self.git.broken} {name} could not be copied: {error.said[-200:]}") from error


@dataclass(slots=True)
class Told:
    """A step of the preparation, as people see it."""

    tell: Tell
    call_id: str
    title: str
    kind: StepKind
    secrets: list[str] = field(default_factory=list)
    _next: float = 0.0

    async def __aenter__(self) -> "Told":
        await self.tell(Step(self.call_id, self.title, self.kind))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, RuntimeFailed):
            await self.tell(Step(self.call_id, self.title, self.kind, "failed" if error else "completed"))

    async def progress(self, line: str) -> None:
        now = asyncio.get_running_loop().time()
        if now > self._next:
            self._next = now + EACH
            done = PERCENT.search(line)
            words = f"{done[1]}: {done[2]} %" if done and self.kind == "fetch" else hidden(line, self.secrets)[:200]
            await self.tell(Step(self.call_id, self.title, self.kind, detail=words))


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
