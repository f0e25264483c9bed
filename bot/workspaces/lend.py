"""Workspaces for turns: what an agent's file names is made ready for the session, and is the session's own from then on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.aid import Talk
from bot.errors import ConfigError, RuntimeFailed
from bot.event import Notice
from bot.ports import Runtime, Turn
from bot.workspaces import files
from bot.workspaces.clone import Clone
from bot.workspaces.files import FILE
from bot.workspaces.git import Git
from bot.workspaces.lock import held
from bot.workspaces.shell import nobody

PATIENCE = 20.0  # seconds for the one before to let go of it
AWAY = "The workspace {} was cleaned away since it was not used for long; it is made anew, without what had not been pushed."
BUSY = "The workspace {!r} of this session is still used by another process of Frontdesk. Try again in a minute, or stop that process."


@dataclass(frozen=True, slots=True)
class Workspaces:
    """`agents` is the folder in which workspaces.yaml stands, `store` that of the mirrors; `environment` has what it may name."""

    agents: Path
    store: Path
    environment: Mapping[str, str]

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        """Raises ConfigError, RuntimeFailed."""
        if not turn.agent.workspace:
            yield turn
            return
        clone = Clone(self._git(turn), turn.folder / "workspace" / turn.agent.workspace, self.store, turn.folder / "home", talk.tell)
        async with AsyncExitStack() as stack:
            await self._open(stack, clone, talk)
            yield replace(turn, workspace=clone.place)
            _mark(clone.place).touch()  # it is used until now

    async def _open(self, stack: AsyncExitStack, clone: Clone, talk: Talk) -> None:
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
        workspace = files.find(files.read(self.agents), turn.agent)
        names = [*workspace.environment, *filter(None, [workspace.token])]
        if missing := [name for name in names if not self.environment.get(name)]:
            raise ConfigError(f"{FILE}: {turn.agent.workspace}: the variable {missing[0]} is not set; set it where Frontdesk is started")
        given = {name: self.environment[name] for name in workspace.environment}
        return Git(turn.agent.workspace, workspace, given, self.environment.get(workspace.token, ""))


def _mark(place: Path) -> Path:
    """The file that says that a workspace was made, and when it was last used."""
    return place.with_name(f"{place.name}.ready")
