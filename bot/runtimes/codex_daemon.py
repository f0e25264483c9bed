"""Codex as a server on a Unix socket: while a person is asked it can go on without us, until the next process finds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp

from bot.errors import RuntimeFailed
from bot.processes import marked
from bot.runtimes.child import LINE, PATIENCE, Child, Command

LOOK = 0.05  # seconds between two looks whether it listens
APART = 'setsid timeout -s KILL "$0" "$@" >/dev/null & wait $!'  # in a session of its own, and not for ever


class Daemon(Child):
    """The same as a child, but for the way in and out. `found` says that the process before this one has begun it."""

    def __init__(self, command: Command, socket: Path, hours: float) -> None:
        words = ("/bin/sh", "-c", APART, f"{max(1, hours * 3600):.0f}", *command.words, "--listen", f"unix://{socket}")
        super().__init__(replace(command, words=words))
        self.socket, self.found = socket, False
        self._line: asyncio.Future[aiohttp.ClientWebSocketResponse] = asyncio.get_running_loop().create_future()
        self._http: aiohttp.ClientSession | None = None

    async def find(self) -> bool:
        """Whether it is there still."""
        self.found = await self._connected()
        if self.found:
            self.weigh()
        return self.found

    async def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        await super().start()

    @property
    def pid(self) -> int:
        return super().pid or min(marked(self.command.mark), default=0)

    async def write(self, text: str) -> None:
        try:
            await (await asyncio.shield(self._line)).send_str(text)
        except (aiohttp.ClientError, ConnectionError) as error:
            await self.ended()
            raise RuntimeFailed(self.why()) from error

    async def lines(self) -> AsyncIterator[bytes]:
        while not (self.found or self.code is not None or await self._connected()):  # noqa: ASYNC110  (only it knows)
            await asyncio.sleep(LOOK)
        if self._line.done():
            async for message in self._line.result():
                yield str(message.data).encode()

    async def leave(self) -> None:
        """Let it go on; whoever wants it has to find it within its hours."""
        self.left = True
        await self.close()

    async def close(self, *, politely: bool = False) -> None:
        try:
            await self.ended() if politely else None
            await self._hang_up()
        finally:
            await super().close()
        if not self.left:
            await self._vanish()

    async def _hang_up(self) -> None:
        if self._http:
            await self._line.result().close()
            await self._http.close()

    async def _vanish(self) -> None:
        """Until what was killed is no more; it is not our child. Codex leaves its socket, and what it locked it with."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while list(marked(self.command.mark)):  # noqa: ASYNC110  (nobody tells)
                    await asyncio.sleep(LOOK)
        for file in (real := self.socket.resolve(), Path(f"{real}.lock"), self.socket):
            file.unlink(missing_ok=True)

    async def _connected(self) -> bool:
        http = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.socket.resolve())))  # a link, for paths of sockets are short
        try:
            with suppress(OSError, aiohttp.ClientError):
                waits = aiohttp.ClientWSTimeout(ws_close=PATIENCE)
                self._line.set_result(await http.ws_connect("ws://codex/", max_msg_size=LINE, timeout=waits))
                self._http = http
        finally:
            if self._http is not http:
                await http.close()
        return self._line.done()
