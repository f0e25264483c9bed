"""A token opens a repository over HTTP, and is written nowhere."""

import logging
import threading
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.workspaces.conftest import Repository, Yard
from tests.workspaces.test_lend import reads

TOKEN = "ghs_0123456789"
LOGIN = "Basic " + b64encode(f"x-access-token:{TOKEN}".encode()).decode()


class Guarded(SimpleHTTPRequestHandler):
    """Files, for whoever has the token."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == LOGIN:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.end_headers()
        return None

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url(tmp_path: Path, repository: Repository) -> Iterator[str]:
    served = tmp_path / "served"
    repository.git("clone", "-q", "--bare", str(repository.folder), str(served / "acme" / "api.git"))
    repository.git("-C", str(served / "acme" / "api.git"), "update-server-info")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guarded, directory=str(served))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/acme/api.git"
        server.shutdown()


async def test_a_token_opens_a_repository_and_is_written_nowhere(yard: Yard, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    yard.environment["GITHUB_TOKEN"] = TOKEN
    yard.describe("token: GITHUB_TOKEN\nsetup: ['env > seen']", url)

    session = await yard.run(reads("seen"))

    assert session.state == "completed"
    assert TOKEN not in session.answer
    assert not written(yard.folder / "workspaces", TOKEN, LOGIN)
    assert not written(yard.folder / "sessions", TOKEN, LOGIN)
    assert TOKEN not in caplog.text


async def test_a_token_that_is_refused_is_told_and_not_shown(yard: Yard, url: str) -> None:
    yard.environment["GITHUB_TOKEN"] = TOKEN + "-old"
    yard.describe("token: GITHUB_TOKEN", url)

    session = await yard.run(reads("README.md"))

    assert session.reason == (
        "The workspace 'api' (acme/api) could not be made ready: its host does not take what GITHUB_TOKEN holds; that may have expired, "
        "or may not read this repository."
    )


async def test_without_a_token_nobody_is_asked_for_one(yard: Yard, url: str) -> None:
    yard.describe("", url)

    session = await yard.run(reads("README.md"))

    assert session.reason.endswith(
        "its host does not let Frontdesk in; put a token that may read it into a variable, and name that variable as `token` in "
        "agents/workspaces.yaml."
    )


def written(folder: Path, *words: str) -> list[Path]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [file for file in files if any(word.encode() in file.read_bytes() for word in words)]
