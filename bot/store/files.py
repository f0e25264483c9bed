"""The folder of agents' files, and of each file its last good version."""

import asyncio
import logging
import re
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

from bot.agent import Agent, parse, remains, version
from bot.errors import ConfigError
from bot.route import conflicts

log = logging.getLogger(__name__)
MISNAMED = re.compile(r"([^_.].*)\.(md\.(txt|rtf|docx?)|markdown|md)", re.IGNORECASE)  # as editors of letters do
LARGE = 1 << 20  # bytes: some hundred pages, and what is larger would take seconds to read, each time


class Agents:
    """The agents of a folder, in the order in which they were first read: where two claim a place, the earlier one has it."""

    def __init__(self, folder: Path, look: float = 5.0) -> None:
        self.folder = folder
        self.look = look  # seconds: some file systems tell of no change, so look anyway
        self.problems: list[str] = []
        self.remains: list[Agent] = []  # of broken files, what can be read all the same
        self._good: dict[str, Agent] = {}

    @property
    def agents(self) -> tuple[Agent, ...]:
        """What can be used now: of a broken file the version before it broke."""
        return tuple(self._good.values())

    @property
    def version(self) -> str:
        """The same wherever the same agents are."""
        return " ".join(sorted(f"{agent.name}:{agent.version}" for agent in self.agents))

    def load(self) -> None:
        """Read the folder again. What is wrong with a file is told in `problems`. Raises ConfigError if there is no folder."""
        paths, self.remains = self._listed(), []
        found = {path.stem: path for path in paths if path.suffix == ".md" and not path.name.startswith(("_", "."))}
        problems = [
            f"agents/{path.name}: an agent's file ends in .md; name it {named[1]}.md, or put _ before its name if it is none"
            for path in paths
            if path.suffix != ".md" and (named := MISNAMED.fullmatch(path.name)) and named[1] != "README"
        ]
        problems += [problem for name, path in found.items() if (problem := self._read(name, path))]
        self._good = {name: agent for name, agent in self._good.items() if name in found}
        if not found:
            problems.append(f"{self.folder} has no agent yet; put a file into it, like {self.folder / 'helper.md'}")
        self._tell([*problems, *conflicts(self.agents)])

    async def watch(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Read the folder whenever something changes in it, and call `changed` if that made a difference; until cancelled."""
        async with aclosing(self._looks()) as looks:
            async for _ in looks:
                before = self.agents, self.problems
                try:
                    self.load()
                except ConfigError as error:
                    self._tell([f"{error}; until then its last agents go on"])
                if (self.agents, self.problems) != before:
                    await changed()

    async def _looks(self) -> AsyncGenerator[None, None]:
        """Each time that it is worth looking again."""
        wait = int(self.look * 1000)
        while True:
            try:
                yield  # what changed before this watch began, nobody tells
                async for _ in awatch(
                    self.folder, watch_filter=None, debounce=400, recursive=False, rust_timeout=wait, yield_on_timeout=True
                ):  # fmt: skip
                    yield
            except (OSError, RuntimeError):  # the folder is away, or the system watches too much already
                yield
                await asyncio.sleep(self.look)

    def _listed(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.name != "README.md")
        except FileNotFoundError as error:
            raise ConfigError(
                f"AGENTS_DIR: there is no folder {self.folder}; make it, or name the one that has the agents' files"
            ) from error
        except OSError as error:
            raise ConfigError(
                f"AGENTS_DIR: {self.folder} cannot be read ({error.strerror}); name a folder that this user may read"
            ) from error

    def _read(self, name: str, path: Path) -> str:
        """Keep what the file says; in words what is wrong with it, or nothing."""
        try:
            if why := _unfit(path):
                return self._kept(name, f"agents/{path.name}: {why}")
            text = path.read_text("utf-8")
            if name not in self._good or self._good[name].version != version(text):  # a hundred schedules take long to read
                self._good[name] = parse(name, text)
        except UnicodeDecodeError:
            problem = f"agents/{path.name}: this is not UTF-8; save it as UTF-8"
        except IsADirectoryError:
            problem = f"agents/{path.name}: this is a folder; an agent is one file, and what is not an agent's ends otherwise than in .md"
        except OSError as error:
            problem = f"agents/{path.name}: it cannot be read ({error.strerror}); give this user the right to, or remove it"
        except ConfigError as error:
            problem, rest = str(error), remains(name, text)
            self.remains += [rest] if rest else []
        except (ValueError, RecursionError) as error:
            problem = f"agents/{path.name}: the front matter is no YAML: {error}"
        else:
            return ""
        return self._kept(name, problem)

    def _kept(self, name: str, problem: str) -> str:
        return f"{problem}; until that is right, its last good version goes on" if name in self._good else problem

    def _tell(self, problems: Iterable[str]) -> None:
        """Note what is wrong, and log what was not wrong before."""
        lines = [line for problem in problems for line in problem.split("\n")]
        for line in lines:
            if line not in self.problems:
                log.warning("agents_file_wrong: %s", line, extra={"action": "agents_file_wrong"})
        self.problems = lines


def _unfit(path: Path) -> str:
    """Why it is not even read, in words. Raises OSError."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):  # to read it may take for ever
        return "this is no file, but a pipe, a socket or a device; remove it"
    if about.st_size > LARGE and stat.S_ISREG(about.st_mode):
        return f"this is {about.st_size >> 20} MB large, and an agent's file at most 1 MB; take out what need not be told each time"
    return ""
