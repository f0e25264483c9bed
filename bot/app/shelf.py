"""Where the agents' files are: read, found good or not, and written or proposed to those who look after them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import nofollow
from bot.agent import Agent, parse
from bot.app import check
from bot.app.changes import Repository, differs, text
from bot.change import Note
from bot.errors import ConfigError
from bot.past import Change
from bot.route import conflicts
from bot.runtimes import RUNTIMES

USUAL = 0o644  # who may read a new file: it holds nothing secret
HERE = " where this folder is read. Replicas with a folder of their own go on without it: bring it there too, or give all of them one."
STRANGE = "a person has to write that into the file. Others are"


async def _same(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True)
class Folder:
    """Implements the port Shelf. `agents` are those that people have allowed; `place` finds a channel's id by its name, empty for none.

    `shared` says that other processes serve as well, and may have folders of their own.
    """

    folder: Path
    repository: Repository | None = None
    agents: Callable[[], Sequence[Agent]] = tuple
    place: Callable[[str], Awaitable[str]] = _same
    shared: bool = False

    async def read(self, name: str) -> str:
        try:
            return await asyncio.to_thread(text, self._file(name))
        except OSError as error:
            raise ConfigError(f"agents/{name}.md cannot be read ({error.strerror}); give this user the right to.") from error

    async def wrong(self, name: str, text: str, *, new: bool) -> list[str]:
        try:
            agent = parse(name, text)
        except ConfigError as error:
            return str(error).splitlines()
        if strange := [*self._strange(agent)]:
            return strange
        there = [f"There is an agent {name!r} already; take another name."] if new and self._file(name).exists() else []
        found = await check.mistakes([agent], self.folder)
        found = [line for line in found if line.startswith(agent.file)]  # what else is wrong there is not its fault
        return [*there, *found, *await self._claimed(agent)]

    def _strange(self, agent: Agent) -> Iterator[str]:
        """The modules that nobody has let in: to look at one is to run it."""
        known = {choice.runtime for each in self.agents() for choice in each.choices}
        for runtime in dict.fromkeys(choice.runtime for choice in agent.choices):
            if ":" in runtime and runtime not in known:
                yield f"{agent.file}: no agent here has the runtime {runtime[:80]!r}, so it is not loaded: {STRANGE} {', '.join(RUNTIMES)}"

    async def _claimed(self, agent: Agent) -> list[str]:
        """The places that it would have beside another, and does not have already."""
        ids = {name: id for name in agent.names() if name.startswith("#") and (id := await self.place(name))}
        before = [each for each in self.agents() if each.name == agent.name]
        others = [each for each in self.agents() if each.name != agent.name]
        known, found = conflicts([*others, *before]), conflicts([*others, agent.resolved(ids)])
        lines = [line for line in found if line not in known]
        for name, id in ids.items():
            lines = [line.replace(id, name) for line in lines]
        return lines

    async def put(self, change: Change, note: Note) -> str:
        parse(change.agent, change.new)  # a name that is none must not become a path
        if self.repository and (place := await self.repository.place()):
            return await self.repository.propose(place, change, note)
        await asyncio.to_thread(_write, self._file(change.agent), change)
        return f"agents/{change.agent}.md is written, and counts from now on{HERE if self.shared else '.'}"

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.md"


def _write(file: Path, change: Change) -> None:
    """Raises Stale, ConfigError."""
    try:
        there = text(file)
        if there == change.new:
            return  # it was pressed twice, or told twice
        differs(change, there)
        if file.is_symlink():
            raise ConfigError(f"agents/{file.name} is a link here; change the file that it leads to.")
        mode = file.stat().st_mode & 0o777 if there else USUAL
        nofollow.write(file, change.new)
        os.chmod(file, mode)
    except OSError as error:
        raise ConfigError(
            f"agents/{file.name} cannot be written here ({error.strerror}): put the file where your agents' files are kept, as it is above."
        ) from error
