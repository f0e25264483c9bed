"""Our tools for turns: of agents that have no way of their own to ask people, and of those whose files say `tools: true`."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from bot.aid import Talk
from bot.errors import ConfigError
from bot.ports import Runtime, Tools, Turn
from bot.tools.deeds import OURS, Errand

if TYPE_CHECKING:
    from bot.tools.server import ToolServer


class Lending:
    """Serves from the first turn that wants it; most desks need no server, and it is large."""

    def __init__(self) -> None:
        self._errands: dict[str, Errand] = {}
        self._secret = secrets.token_bytes(32)
        self._server: ToolServer | None = None
        self._starting = asyncio.Lock()
        self._url = ""

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        """Raises ConfigError, Unavailable."""
        if turn.answer and turn.answer.question.startswith(OURS):
            turn = replace(turn, answer=None)  # the runtime knows nothing of it; the prompt has it in words
        if not (turn.agent.tools or getattr(runtime, "tools", False)):
            yield turn
            return
        async with self._starting:
            if self._server is None:
                await self._start(turn.agent.file)
        token = self._token(turn.session_id)
        errand = self._errands[token] = Errand(turn, talk)
        try:
            yield replace(turn, tools=Tools(self._url, token))
        finally:
            errand.close()
            if self._errands.get(token) is errand:
                del self._errands[token]

    async def close(self) -> None:
        if self._server:
            await self._server.close()

    def _token(self, session_id: str) -> str:
        """The same for all turns of a session in this process: a harness may outlive its turn."""
        return hmac.new(self._secret, session_id.encode(), hashlib.sha256).hexdigest()

    async def _start(self, file: str) -> None:
        try:
            module = await asyncio.to_thread(import_module, "bot.tools.server")
        except ModuleNotFoundError as error:
            raise ConfigError(f"{file}: its tools need a package more; install it with: pip install 'frontdesk[tools]'") from error
        server: ToolServer = module.ToolServer(self._errands.get)
        self._url = await server.start()
        self._server = server
