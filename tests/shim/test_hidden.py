"""The shim's token is nothing that a harness in the same container could read."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from bot.spoken import SESSION

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-this-shim"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.getuid() == 0 else ()
ALONE = ("bwrap", "--unshare-pid", "--as-pid-1", "--die-with-parent", "--dev-bind", "/", "/", "--proc", "/proc")
NOSY = """#!/bin/sh
read -r asked
(sleep 0.1 &)  # which is left to the first process
found=$(cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c -f FOLDER/token)
sleep 0.5
dead=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z ')
[ "$ALONE" = 1 ] || dead=0  # others bury, or do not
echo '{"type": "system", "subtype": "init", "session_id": "s", "model": "none"}'
said="$found times, $dead dead, the key is $KEY"
echo '{"type": "stream_event", "event": {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "'$said'"}}}'
echo '{"type": "result", "subtype": "success", "is_error": false}'
"""


@asynccontextmanager
async def container(folder: Path, before: Sequence[str]) -> AsyncIterator[aiohttp.ClientSession]:
    """A shim as nobody that root would listen to, begun with these words before it: its door."""
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SHIM_TOKEN": TOKEN, "KEY": "k", "ALONE": str(int(bool(before)))}
    settings = {"SESSIONS_DIR": str(folder), "HTTP_HOST": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
    process = await asyncio.create_subprocess_exec(
        *before, *NOBODY, sys.executable, "-m", "bot", "shim", "--port", "0", cwd=folder, env={**given, **settings},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        async with aiohttp.ClientSession(f"http://{line.removeprefix('listening on ').strip()}") as http:
            yield http
    finally:
        outer = psutil.Process(process.pid)
        (outer.children()[0] if before else outer).terminate()  # who began the container does not pass it on
        await process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        (Path(name) / "nosy").write_text(NOSY.replace("FOLDER", name))
        (Path(name) / "nosy").chmod(0o755)
        (Path(name) / "token").write_text(TOKEN)
        yield Path(name)


@pytest.mark.skipif(bool(NOBODY) and not shutil.which("setpriv"), reason="as root everything can be read")
@pytest.mark.parametrize("before", [(), ALONE], ids=["beside others", "first in its container"])
async def test_a_harness_cannot_read_the_token_of_its_shim(before: Sequence[str], folder: Path) -> None:
    asked = {
        "op": "run", "token": TOKEN, "turn": "t1", "runtime": "stream_json", "prompt": "hello",
        "options": {"command": [str(folder / "nosy")]}, "environment": ["KEY", "ALONE"],
    }  # fmt: skip
    async with container(folder, before) as http, http.post("/invocations", json=asked, headers={SESSION: "c1"}) as response:
        told = [json.loads(line[6:]) for line in (await response.text()).splitlines() if line.startswith("data: ")]

    said = [record["event"].get("text") or record["event"].get("reason") for record in told if "event" in record]
    assert "0 times, 0 dead, the key is k" in said, said
