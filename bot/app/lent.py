"""What turns are lent, put together; and what of it nobody uses any more taken away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bot.aid import Aid, Talk
from bot.bell import Bell
from bot.ports import Runtime, Turn
from bot.runtimes import SHUT
from bot.settings import Settings
from bot.store.database import parse
from bot.tools import outside
from bot.tools.lend import Lending
from bot.workspaces import tidy
from bot.workspaces.lend import Workspaces

if TYPE_CHECKING:
    from bot.runtimes.gateway_server import GatewayServer


class Lent:
    """`aids` can be lent until it is closed; `routes` are what is served of them at our HTTP port."""

    def __init__(self, settings: Settings) -> None:
        SHUT.add(settings.sessions_dir.resolve())
        public = settings.public_url if settings.http_port else ""
        self.tools, self.gateway, self.bell = Lending(public), gateway(settings), Bell(public)
        self.routes = [outside.route(self.tools.address)] if public else []
        workspaces = Workspaces(settings.agents_dir, store(settings), settings.environment, database(settings))
        self.aids: tuple[Aid, ...] = (workspaces, self.tools, Ringing(self.bell), *([self.gateway] if self.gateway else []))

    async def close(self) -> None:
        await self.tools.close()
        if self.gateway:
            await self.gateway.close()


class Ringing:
    """The bell, for runtimes whose agents can ring it."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        yield replace(turn, bell=self.bell)


def gateway(settings: Settings) -> "GatewayServer | None":
    """The way to LiteLLM; where there is none, nothing of it is loaded."""
    if not settings.litellm_api_base:
        return None
    made: GatewayServer = import_module("bot.runtimes.gateway_server").GatewayServer(settings.litellm_api_base, settings.litellm_api_key)
    return made


def store(settings: Settings) -> Path:
    """Where the mirrors of repositories are: beside the sessions' folders."""
    return settings.sessions_dir.resolve().parent / "workspaces"


def database(settings: Settings) -> tuple[Path, ...]:
    """Its files on this machine; none where it is elsewhere."""
    if not settings.database_url.startswith("sqlite"):
        return ()
    file = Path(parse(settings.database_url).database or "").resolve()
    return tuple(file.with_name(f"{file.name}{end}") for end in ("", "-wal", "-shm"))


async def tidied(settings: Settings, *, dry: bool = False) -> list[Path]:
    """The workspaces that were used too long ago, or took too much room, and are away; or would be."""
    limits = (settings.workspace_days, settings.workspace_gigabytes)
    return await asyncio.to_thread(tidy.tidy, settings.sessions_dir, store(settings), *limits, dry=dry)
