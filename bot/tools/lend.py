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
from bot.event import Notice
from bot.found import Board
from bot.plan import PROPOSAL, Plans
from bot.ports import Runtime, Tools, Turn
from bot.tools import outside
from bot.tools.deeds import OURS, Errand, settle

if TYPE_CHECKING:
    from bot.tools.server import ToolServer


UNREACHED = "The agent works elsewhere and has none of our tools, since it cannot reach us: PUBLIC_URL and HTTP_PORT have to be set."


class Lending:
    """Serves from the first turn that wants it; most desks need no server, and it is large.

    `public` is where runtimes that say `elsewhere` reach our HTTP port; empty where they do not.
    """

    def __init__(self, public: str = "") -> None:
        self.public = public.rstrip("/")
        self.plans: Plans | None = None  # where schedules are kept, if something begins them
        self.board: Board | None = None  # where findings are shown, if people see them
        self._errands: dict[str, Errand] = {}
        self._secret = secrets.token_bytes(32)
        self._server: ToolServer | None = None
        self._starting = asyncio.Lock()
        self._url = ""

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        """Raises ConfigError, Unavailable."""
        if turn.answer and turn.answer.question.startswith(PROPOSAL) and self.plans:
            await settle(self.plans, turn.agent.name.partition("@")[0], turn.answer)
        if turn.answer and turn.answer.question.startswith(OURS):
            turn = replace(turn, answer=None)  # the runtime knows nothing of it; the prompt has it in words
        if not (turn.agent.tools or turn.agent.digest or getattr(runtime, "tools", False)):
            yield turn
            return
        elsewhere = getattr(runtime, "elsewhere", False)
        if elsewhere and not self.public:
            await talk.tell(Notice(UNREACHED, "warning"))
            yield turn
            return
        async with self._starting:
            if self._server is None:
                await self._start(turn.agent.file)
        token = self._token(turn.session_id)
        errand = self._errands[token] = Errand(turn, talk, self.plans, self.board)
        try:
            yield replace(turn, tools=Tools(self.public + outside.PATH if elsewhere else self._url, token))
        finally:
            errand.close()
            if self._errands.get(token) is errand:
                del self._errands[token]

    def address(self, token: str) -> str:
        """Where the server is, for a token that it knows; else empty."""
        return self._url if token in self._errands else ""

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
