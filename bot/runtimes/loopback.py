"""A harness's own server: a process of ours that listens on this machine only."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import httpx

from bot.errors import RuntimeFailed, Unavailable
from bot.processes import family
from bot.runtimes.child import Child

LOOK = 0.1  # seconds between two looks whether it listens
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENS = "0A"  # as a state there


class Loopback:
    """`over` is done when the process has ended. Each line that it says goes to `hear`, so that it never waits for us."""

    over: asyncio.Task[None]

    def __init__(self, child: Child, url: str, hear: Callable[[bytes], object] = bool) -> None:
        self.child, self.url, self.hear = child, url, hear

    async def start(self, path: str, seconds: float) -> None:
        """Until something is to be had at this path. Raises Unavailable."""
        await self.child.start()
        self.over = asyncio.create_task(self._listen(), name=f"loopback-{self.child.pid}")
        try:
            async with asyncio.timeout(seconds), httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
                while not await self._up(client, path):  # noqa: ASYNC110  (only it knows)
                    await asyncio.sleep(LOOK)
        except TimeoutError as error:
            raise Unavailable(self.child.slow(seconds)) from error
        if foreign(httpx.URL(self.url).port or 0, self.child.pid):
            name = self.child.command.name
            raise Unavailable(f"Another process has taken the port on which {name} was to listen, and would get its key. Ask again.")

    async def gone(self) -> str:
        """Why it is not there any more; empty where it is."""
        return self.child.why() if await self.child.ended() else ""

    async def close(self) -> None:
        try:
            await self.child.close()
        finally:
            self.child.kill()
            if self.child.pid:
                self.over.cancel()

    async def _up(self, client: httpx.AsyncClient, path: str) -> bool:
        try:
            return (await client.get(path)).is_success
        except httpx.TransportError as error:
            if self.over.done():
                raise Unavailable(self.child.unfit()) from error
            return False

    async def _listen(self) -> None:
        with suppress(RuntimeFailed):  # the child knows why it was ended
            async with aclosing(self.child.lines()) as lines:  # type: ignore[type-var]
                async for line in lines:
                    self.hear(line)
        await self.child.ended()


def free() -> int:
    """A port that nobody uses; where somebody takes it in between, the server does not start there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def foreign(port: int, pid: int) -> bool:
    """Whether somebody listens there who is neither this process nor begun by it, as far as /proc tells."""
    own = {link for each in family(pid) for link in _opened(each)}
    return not own.issuperset(_listening(port))


def _listening(port: int) -> Iterator[str]:
    for table in map(Path, TABLES):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _, address, _, state, *rest = line.split()
            if state == LISTENS and int(address.rpartition(":")[2], 16) == port:
                yield f"socket:[{rest[5]}]"


def _opened(pid: int) -> Iterator[str]:
    """What it has open; nothing where it has ended."""
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(OSError):
                yield os.readlink(f"{folder}/{name}")
