"""Where the agents' files are, for agents that people have thought up in Slack."""

import asyncio
from pathlib import Path

from bot.agent import parse
from bot.app import check
from bot.errors import ConfigError


class Folder:
    """Implements the port Shelf."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def wrong(self, name: str, text: str) -> list[str]:
        try:
            agent = parse(name, text)
        except ConfigError as error:
            return str(error).splitlines()
        there = [f"There is an agent {name!r} already; take another name."] if (self.folder / f"{name}.md").exists() else []
        return [*there, *await check.mistakes([agent])]

    async def put(self, name: str, text: str) -> None:
        parse(name, text)  # a name that is none must not become a path
        await asyncio.to_thread(_write, self.folder / f"{name}.md", text)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        if file.read_text("utf-8") == text:
            return  # it was pressed twice, or told twice
        raise ConfigError(f"agents/{file.name} is there already, and stays as it is.") from error
    except OSError as error:
        raise ConfigError(
            f"agents/{file.name} cannot be written here ({error.strerror}): put the file where your agents' files are kept, as it is above."
        ) from error
