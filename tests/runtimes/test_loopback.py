"""A server of ours listens on this machine, and is asked only where it is ours."""

import socket
import sys
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.runtimes.child import Child, Command
from bot.runtimes.loopback import Loopback, foreign, free
from tests.standins.wall import Wall, says

SERVER = """
import http.server, subprocess, sys
code = "import http.server; http.server.HTTPServer(('127.0.0.1', %s), http.server.SimpleHTTPRequestHandler).serve_forever()"
subprocess.run([sys.executable, "-c", code % sys.argv[1]])
"""


def server(folder: Path, port: int, words: tuple[str, ...]) -> Loopback:
    return Loopback(
        Child(Command("The server", words, folder, {}, f"FRONTDESK_HARNESS={folder}", "install it")), f"http://127.0.0.1:{port}"
    )


async def test_a_server_that_is_ours_may_be_another_process_that_it_began(tmp_path: Path) -> None:
    local = server(tmp_path, port := free(), (sys.executable, "-c", SERVER, str(port)))
    try:
        await local.start("/", 20)
    finally:
        await local.close()


async def test_one_that_came_before_it_is_not_asked_again(tmp_path: Path) -> None:
    """It would be given the key, and all that is said."""
    async with Wall() as wall:
        wall.on("GET", "/health", says({}))
        local = server(tmp_path, int(wall.url.rpartition(":")[2]), ("/bin/sleep", "60"))
        with pytest.raises(Unavailable, match="Another process has taken the port on which The server was to listen"):
            await local.start("/health", 20)
        await local.close()

    assert [path for _, path, _ in wall.asked] == ["/health"]


def test_who_does_not_listen_is_no_stranger() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))

        assert not foreign(bound.getsockname()[1], 1)
