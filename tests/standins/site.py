"""What the stand-ins for platforms have in common: they are served on loopback, go down, and make trouble."""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

NEVER = 10**9


class Site:
    """`async with` serves `app` at `url`. `cancels`: whoever hangs up ends what is done for him."""

    app: web.Application
    url = ""
    path = ""
    cancels = False

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.down()

    async def up(self, port: int = 0) -> None:
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1, handler_cancellation=self.cancels)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{self.path}"

    async def down(self) -> None:
        """Nobody answers any more."""
        await self._runner.cleanup()


class Shaky(Site):
    """One that a test makes refuse everything, break its streams, or be noisy."""

    def __init__(self) -> None:
        self.answer: tuple[int, bytes, dict[str, str]] | None = None
        self.cut_after, self.noise = NEVER, b""
        self._wires: list[asyncio.BaseTransport] = []

    async def down(self) -> None:
        """Nobody answers any more; what is known there stays."""
        self.cut()
        await super().down()

    def again(self) -> None:
        """Ready to go up, the first time or after it went down."""
        raise NotImplementedError

    async def restart(self) -> None:
        """What is known there stays; and so does where it is."""
        port = self._runner.addresses[0][1]
        await self.down()
        self.again()
        await self.up(port)

    def refuse(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answer everything with this, from now on."""
        self.answer = status, body, headers

    def cut(self) -> None:
        """Break all connections on which somebody listens."""
        for wire in self._wires:
            wire.close()
        self._wires.clear()

    def refused(self) -> web.Response | None:
        """What is answered to everything, if something is."""
        if self.answer is None:
            return None
        status, body, headers = self.answer
        return web.Response(body=body, status=status, headers=headers)

    def told(self) -> None:
        """One more piece of a stream was sent."""
        self.cut_after -= 1
        if not self.cut_after:
            self.cut()
