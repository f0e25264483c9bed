"""A proxy that cuts connections where a test says: after so many bytes of an answer, or never."""

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Self

CLOSED = 9


class Cutter:
    """`async with Cutter(port, iter([300, 20])) as cutter:` the first connections end after so many bytes of answers; the others do not."""

    def __init__(self, port: int, cuts: Iterator[int]) -> None:
        self.port, self.cuts = port, cuts
        self.cut = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begun, "127.0.0.1", 0)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def away(self, seconds: float) -> None:
        """All connections break, and nobody answers for so long."""
        port, self.port = self.port, CLOSED
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(seconds)
        self.port = port

    def _begun(self, ours: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._connected(ours, back)))

    async def _connected(self, ours: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        left = next(self.cuts, 1 << 60)
        try:
            theirs, there = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return back.transport.abort()
        self._open |= {back, there}
        asking = asyncio.create_task(_pass(ours, there))
        try:
            while left > 0 and (chunk := await theirs.read(min(left, 65536))):
                left -= len(chunk)
                back.write(chunk)
                await back.drain()
            self.cut += left <= 0
        except OSError:
            pass
        finally:
            asking.cancel()
            back.transport.abort() if left <= 0 else back.close()
            there.close()
            self._open -= {back, there}


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    except OSError:
        pass
