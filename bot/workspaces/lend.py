"""Workspaces for turns: what an agent's file names is made ready for the session, and is the session's own from then on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.aid import Talk
from bot.errors import RuntimeFailed
from bot.event import Notice
from bot.ports import Runtime, Turn
from bot.processes import MEMORY
from bot.sandbox import Cage
from bot.workspaces import files
from bot.workspaces.clone import Clone
from bot.workspaces.git import Git
from bot.workspaces.lock import held
from bot.workspaces.shell import nobody

PATIENCE = 20.0  # seconds for the one before to let go of it
AWAY = "The workspace {} was cleaned away since it was not used for long; it is made anew, without what had not been pushed."
LINK = "a link stands where it was. Say `new` to begin with another."
BUSY = "The workspace {!r} of this session is still used by another process of Frontdesk. Try again in a minute, or stop that process."


@dataclass(frozen=True, slots=True)
class Workspaces:
    """`agents` is the folder in which workspaces.yaml stands, `store` that of the mirrors; `environment` has what it may name.

    `hidden` is what else of this machine agents in sandboxes are not to see, `known` the last good version of each workspace.
    """

    agents: Path
    store: Path
    environment: Mapping[str, str]
    hidden: tuple[Path, ...] = ()
    known: files.Known = field(default_factory=dict)

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        """Raises ConfigError, RuntimeFailed."""
        turn = replace(turn, hidden=(self.store, *self.hidden))
        with suppress(OSError):
            self.store.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is made later would be seen in a sandbox that is there
        if not turn.agent.workspace:
            yield turn
            return
        clone = self._clone(turn, talk)
        async with AsyncExitStack() as stack:
            await self._open(stack, clone, talk)
            yield replace(turn, workspace=clone.place, shown=(clone.mirror,))
            _mark(clone.place).touch()  # it is used until now

    def _clone(self, turn: Turn, talk: Talk) -> Clone:
        options = turn.agent.options
        place, home = turn.folder / "workspace" / turn.agent.workspace, turn.folder / "home"
        clone = Clone(self._git(turn), place, self.store, home, talk.tell, memory=int(options.get("memory_megabytes", MEMORY)) << 20)
        cage = Cage(turn.folder, [home, place], turn.hidden, (clone.mirror,)) if options.get("sandbox") == "bwrap" else None
        return replace(clone, cage=cage)

    async def _open(self, stack: AsyncExitStack, clone: Clone, talk: Talk) -> None:
        if clone.place.parent.is_symlink() or clone.place.is_symlink():
            raise RuntimeFailed(f"{clone.git.broken} {LINK}")
        try:
            for folder in (clone.home, clone.store):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await stack.enter_async_context(held(clone.place.with_name(f"{clone.place.name}.lock"), PATIENCE))
            await self._ready(clone, talk)
        except TimeoutError as error:
            raise RuntimeFailed(BUSY.format(clone.git.name)) from error
        except OSError as error:
            raise RuntimeFailed(f"{clone.git.broken} {error.strerror}; see to the disk of this machine.") from error

    async def _ready(self, clone: Clone, talk: Talk) -> None:
        """Make it, unless it is there; git is not run in a folder in which an agent has worked."""
        mark = _mark(clone.place)
        if clone.place.is_dir() and mark.exists():
            if not clone.mirror.is_dir():
                await clone.fetch(nobody)
            return mark.touch()
        if mark.exists():
            await talk.tell(Notice(AWAY.format(clone.git.workspace.title), "warning"))
            mark.unlink()
        await clone.make()
        mark.write_text(clone.mirror.name)

    def _git(self, turn: Turn) -> Git:
        known = files.renewed(self.known, self.agents)
        self.known.clear()
        self.known.update(known)
        workspace = files.usable(known, turn.agent, self.environment)
        given = {name: self.environment[name] for name in workspace.environment}
        return Git(turn.agent.workspace, workspace, given, self.environment.get(workspace.token, ""))


def _mark(place: Path) -> Path:
    """The file that says that a workspace was made, and when it was last used."""
    return place.with_name(f"{place.name}.ready")
