"""What turns are lent, put together; and what of it nobody uses any more taken away."""

import asyncio
from pathlib import Path

from bot.aid import Aid
from bot.settings import Settings
from bot.tools.lend import Lending
from bot.workspaces import tidy
from bot.workspaces.lend import Workspaces


class Lent:
    """`aids` can be lent until it is closed."""

    def __init__(self, settings: Settings) -> None:
        self.tools = Lending()
        self.aids: tuple[Aid, ...] = (Workspaces(settings.agents_dir, store(settings), settings.environment), self.tools)

    async def close(self) -> None:
        await self.tools.close()


def store(settings: Settings) -> Path:
    """Where the mirrors of repositories are: beside the sessions' folders."""
    return settings.sessions_dir.resolve().parent / "workspaces"


async def tidied(settings: Settings, *, dry: bool = False) -> list[Path]:
    """The workspaces that were used too long ago, or took too much room, and are away; or would be."""
    limits = (settings.workspace_days, settings.workspace_gigabytes)
    return await asyncio.to_thread(tidy.tidy, settings.sessions_dir, store(settings), *limits, dry=dry)
