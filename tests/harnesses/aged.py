"""An agent on the real a2a-sdk 0.3, which wants an environment of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.runtimes.loopback import free

from . import ROOT


@asynccontextmanager
async def aged(folder: Path) -> AsyncIterator[int]:
    """The port where it is; in the folder its commands run, and a file tells of each task that was canceled."""
    python, port = ROOT / "a2a03" / "bin" / "python", free()
    assert python.exists(), f"a2a-sdk 0.3 is not in {ROOT}: run make test-harnesses, which installs it"
    process = await asyncio.create_subprocess_exec(str(python), str(Path(__file__).with_name("a2a_old.py")), str(port), cwd=folder)
    try:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.kill()
        await process.wait()
