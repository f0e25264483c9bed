"""OpenCode's server: how it starts, or says why not, and how its events are read."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.ports import Turn
from bot.runtimes import opencode_server
from bot.runtimes.opencode_server import records
from bot.runtimes.opencode_setting import Options, Setting

from .talk import talked

OLD = """#!{python}
from http.server import BaseHTTPRequestHandler, HTTPServer

class Old(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{{"version": "0.9.4"}}')

server = HTTPServer(("127.0.0.1", 0), Old)
print("opencode server listening on http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
"""


def turn(folder: Path, script: str, model: str = "fake/stand-in", **options: Any) -> Turn:
    file = folder / "opencode"
    file.write_text(script)
    file.chmod(0o755)
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "opencode", "model": model}
    agent = Agent.model_validate({**given, "options": {"path": str(file), **options}})
    (folder / "s").mkdir()
    return Turn("s1", 1, agent, "Hello", folder=folder / "s")


async def test_without_a_key_or_a_model_nobody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="OpenCode has no key of a model"):
        await talked(turn(tmp_path, "#!/bin/sh\nexit 3\n", model=""))


@pytest.mark.parametrize(("model", "hosted"), [("", False), ("anthropic/claude", False), ("opencode/big-pickle", True)])
def test_models_of_opencodes_makers_are_asked_only_where_the_file_names_one(tmp_path: Path, model: str, hosted: bool) -> None:
    command = Setting(asked := turn(tmp_path, "#!/bin/sh\n", model=model), Options.model_validate(asked.agent.options)).begun("word")

    assert ("disabled_providers" not in command.environment["OPENCODE_CONFIG_CONTENT"]) is hosted


async def test_one_that_ends_at_once_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"ended by itself with code 3\. It said: no disk"):
        await talked(turn(tmp_path, "#!/bin/sh\necho no disk >&2\nexit 3\n"))


async def test_one_that_does_not_listen_in_time_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"did not start within 0\.2 seconds; allow it more in options\.start_seconds\. It said: Log in"):
        await talked(turn(tmp_path, "#!/bin/sh\necho Log in >&2\nexec sleep 60\n", start_seconds=0.2))


async def test_one_that_is_too_old_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"OpenCode 0\.9\.4 is too old; 1\.18 or newer is needed: install it"):
        await talked(turn(tmp_path, OLD.format(python=sys.executable)))


async def test_a_model_without_its_provider_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"write `model: anthropic/claude-sonnet-5` or the like in agents/coder\.md"):
        await talked(turn(tmp_path, "#!/bin/sh\n", model="claude-sonnet-5"))


def test_a_session_keeps_everything_in_its_own_folder_and_the_repositorys_rules_are_off(tmp_path: Path) -> None:
    given = turn(tmp_path, "#!/bin/sh\n")

    environment = Setting(given, Options(path=tmp_path / "opencode")).begun("secret").environment

    assert environment["XDG_DATA_HOME"] == str(tmp_path / "s" / "opencode" / "data")
    assert environment["OPENCODE_DISABLE_PROJECT_CONFIG"] == "1"
    assert environment["OPENCODE_SERVER_PASSWORD"] == "secret"


@pytest.mark.parametrize("place", ["opencode/config", "home/.opencode"])
@pytest.mark.parametrize("link", [False, True])
def test_a_plugin_that_a_turn_left_behind_runs_in_no_other(tmp_path: Path, place: str, link: bool) -> None:
    given = turn(tmp_path, "#!/bin/sh\n")
    (evil := tmp_path / "evil").mkdir()
    (evil / "plugin.js").touch()
    (left := given.folder / place).parent.mkdir(parents=True)
    left.symlink_to(evil) if link else shutil.copytree(evil, left)

    Setting(given, Options(path=tmp_path / "opencode")).begun("secret")

    assert not os.path.lexists(left)
    assert (evil / "plugin.js").exists()


@pytest.mark.parametrize("brought", [".opencode/plugins/evil.js", "opencode.json"])
def test_where_a_repository_brings_plugins_it_begins_only_if_its_file_says_so(tmp_path: Path, brought: str) -> None:
    """OpenCode runs them whatever it is told."""
    given = turn(tmp_path, "#!/bin/sh\n")
    (place := tmp_path / "repository" / brought).parent.mkdir(parents=True)
    place.touch()
    (tmp_path / "repository" / ".git").mkdir()
    (work := tmp_path / "repository" / "service").mkdir()

    with pytest.raises(Unavailable, match=rf"would do what {tmp_path}/repository/.* says, .* say `project_config: true`"):
        Setting(given, Options(path=tmp_path / "opencode", cwd=work)).begun("secret")
    assert Setting(given, Options(path=tmp_path / "opencode", cwd=work, project_config=True)).begun("secret")


def test_what_stands_above_a_folder_that_is_in_no_repository_is_no_matter(tmp_path: Path) -> None:
    given = turn(tmp_path, "#!/bin/sh\n")
    (tmp_path / "opencode.json").touch()
    (work := tmp_path / "work").mkdir()

    assert Setting(given, Options(path=tmp_path / "opencode", cwd=work)).begun("secret")


async def test_events_are_cut_at_line_feeds_only_and_what_is_none_is_left_out() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b': comment\n\ndata: {"type": "a", "prop'
        yield 'erties": {"text": "one\u2028two"}}\n\nid: 7\ndata: [1]\ndata: {"half":\n'.encode()
        yield b'data: {"type": "b", "properties": {}}\r\n'

    found = [event async for event in records(pieces())]

    assert found == [{"type": "a", "properties": {"text": "one\u2028two"}}, {"type": "b", "properties": {}}]


async def test_an_event_may_come_in_many_pieces_but_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pieces(size: int) -> AsyncIterator[bytes]:
        yield b'data: {"properties": {"text": "'
        for _ in range(size):
            yield b"x"
        yield b'"}}\n'

    monkeypatch.setattr(opencode_server, "LINE", 1000)

    assert [event async for event in records(pieces(900))] == [{"properties": {"text": "x" * 900}}]
    with pytest.raises(RuntimeFailed, match="OpenCode said more than"):
        await anext(records(pieces(1000)))
