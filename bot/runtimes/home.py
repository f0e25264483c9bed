"""Where a local harness lives: folders, environment and limits of one session, so that no session sees another's."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.errors import Unavailable
from bot.ports import Turn
from bot.processes import MARK, MEMORY
from bot.runtimes.child import Command
from bot.sandbox import HIDDEN, Cage, trouble

USUAL = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

ONLINE = ("claude_code", "codex", "opencode", "pi", "hermes")  # whose models are reached over the network
BARE = "in no sandbox of ours"
ROOT = " and as root, so it can read frontdesk's own secrets"


class Options(BaseModel):
    """What can be said of every harness that runs on this machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cwd: Path | None = None
    """The folder that the agent works in; by default an empty one that belongs to the session."""
    path: Path | None = None
    """Where the harness is, if it is not found by its name."""
    start_seconds: float = Field(default=60, gt=0)
    """How long it may take to start."""
    memory_megabytes: int = Field(default=MEMORY, ge=0)
    """How much memory it may use, with all that it begins; 0 sets no limit."""
    sandbox: str = "none"
    """What keeps it from the rest of this machine: nothing; or bubblewrap (Linux), in which it can write only into folders of its own
    and where it works, and sees neither other sessions nor other processes."""
    network: bool = True
    """Whether it may reach the network from its sandbox; its model is there too."""

    @field_validator("sandbox", mode="before")
    @classmethod
    def _known(cls, sandbox: object) -> object:
        if sandbox not in ("none", "bwrap"):
            raise ValueError("write bwrap, which is bubblewrap, or none")
        return sandbox

    @field_validator("cwd", "path")
    @classmethod
    def _whole(cls, path: Path | None) -> Path | None:
        """A harness that is begun elsewhere would take it for another."""
        return path and Path(os.path.abspath(path))  # a link stays one: what it leads to may change


def cut(runtime: str, options: object) -> str:
    """Why what is said of the network cannot be meant, in words; empty where it can."""
    if not isinstance(options, Options) or options.network:
        return ""
    if options.sandbox == "none":
        return "network: false holds only in a sandbox; write sandbox: bwrap too"
    if (runtime in ONLINE or getattr(options, "harness", None)) and not getattr(options, "url", None):
        return f"network: false takes the network from {runtime} too, which reaches its model over it; leave it out"
    return ""


def contained(options: object) -> str:
    """What keeps a harness on this machine from the rest of it, in words; empty where it does not run here. Raises Unavailable."""
    if not isinstance(options, Options):
        return ""
    caged = options.sandbox == "bwrap"
    if caged and (why := trouble(Path.cwd())):
        raise Unavailable(why)
    sandbox = "in bubblewrap" + ("" if options.network else " without network") if caged else BARE if os.geteuid() else BARE + ROOT
    return f"{sandbox}, " + (f"with at most {options.memory_megabytes} MiB" if options.memory_megabytes else "with any memory")


def real(folder: Path) -> None:
    """Make it, unless it is there. Raises Unavailable where others have put a link in its place."""
    if folder.is_symlink():
        raise Unavailable(f"{folder} has become a link; say `new` to begin in a folder where it is none.")
    folder.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Home:
    """`name` is the harness's, in small letters: its folder in the session's is called so."""

    turn: Turn
    options: Options
    name: str

    @property
    def work(self) -> Path:
        return self.turn.workspace or self.options.cwd or self.turn.folder / "work"

    @property
    def kept(self) -> Path:
        """What the harness keeps of the conversation."""
        return self.turn.folder / self.name

    @property
    def environment(self) -> dict[str, str]:
        """Not a single variable of our own process."""
        own = {"HOME": self.turn.folder / "home", "TMPDIR": self.turn.folder / "tmp"}
        return {**USUAL, **self.turn.environment, **{name: str(folder) for name, folder in own.items()}}

    @property
    def own(self) -> list[Path]:
        """Folders of the session that are the harness's to write in."""
        return [self.turn.folder / part for part in ("home", "tmp", self.name)]

    def prepare(self) -> None:
        """Raises Unavailable."""
        made = self.turn.workspace is None and self.options.cwd is None
        for folder in [*self.own, *([self.work] if made else [])]:
            real(folder)
        os.utime(self.turn.folder / "tmp")  # whoever tidies up sees by it that the session is used
        if not self.work.is_dir():
            raise Unavailable(f"There is no folder {self.work}, which options.cwd in {self.turn.agent.file} names; make it.")

    def trust(self, title: str, *brought: str, remedy: str) -> None:
        """Raises Unavailable where the repository brings one of these, which the harness would run or obey whatever it is told."""
        folders = [self.work, *self.work.parents]
        root = next((place for place, folder in enumerate(folders) if (folder / ".git").exists()), 0)
        for path in (folder / name for folder in folders[: root + 1] for name in brought):
            if path.exists():
                raise Unavailable(f"{title} would do what {path} says, as it trusts every repository. {remedy}.")

    def command(self, title: str, *words: str, remedy: str, environment: dict[str, str] | None = None) -> Command:
        """`words` begin with the harness's name, which is looked for in PATH. Raises Unavailable where it is not found."""
        found = self.options.path or shutil.which(words[0], path=self.environment["PATH"]) or shutil.which(words[0])
        if found is None:
            raise Unavailable(f"{title} is not installed ({words[0]} is not found in PATH); {remedy}.")
        given = {**self.environment, **(environment or {})}
        words = (str(found), *words[1:])
        if self.options.sandbox == "bwrap":
            if self._cage.hides(Path(words[0])):
                raise Unavailable(HIDDEN.format(title, words[0]))
            words = self._cage.wrapped(words, self.work.resolve())
        return Command(
            title, words, self.work, given, f"{MARK}={self.kept}", remedy,
            self.options.memory_megabytes << 20,
        )  # fmt: skip

    @property
    def _cage(self) -> Cage:
        turn = self.turn
        return Cage(turn.folder, [*self.own, self.work.resolve()], turn.hidden, turn.shown, self.options.network)
