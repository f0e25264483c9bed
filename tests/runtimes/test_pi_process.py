"""Pi's process: how it starts, or says why not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import Unavailable
from bot.ports import Turn
from bot.runtimes.pi_process import read
from bot.runtimes.pi_setting import Options, Setting

from .talk import talked


def turn(folder: Path, script: str, **options: Any) -> Turn:
    file = folder / "pi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "pi", "model": "fake/stand-in"}
    agent = Agent.model_validate({**given, "options": {"path": str(file), **options}})
    (folder / "s").mkdir()
    return Turn("s1", 1, agent, "Hello", "You serve the API team.", folder=folder / "s")


async def test_one_that_ends_at_once_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"ended by itself with code 3\. It said: no disk\nPerhaps it is too old; install it with: npm"):
        await talked(turn(tmp_path, "echo no disk >&2; exit 3"))


async def test_one_that_says_nothing_in_time_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"did not start within 0\.2 seconds; allow it more in options\.start_seconds"):
        await talked(turn(tmp_path, "exec sleep 60", start_seconds=0.2))


async def test_an_older_node_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"Pi needs Node 22\.19 or newer, and found 20\.1\.0; .* PATH under `environment:`"):
        await talked(turn(tmp_path, "echo 'Node.js v20.1.0' >&2; exit 1"))


async def test_an_unknown_model_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"Pi does not know this model; correct `model:` in \S+coder\.md"):
        await talked(turn(tmp_path, """echo 'Error: Model "a/b" not found.' >&2; exit 1"""))


async def test_it_does_not_begin_where_nobody_would_be_asked(tmp_path: Path) -> None:
    state = {"type": "response", "id": "state", "success": True, "data": {"sessionFile": "/s/1.jsonl"}}
    messages = {"type": "response", "id": "messages", "success": True, "data": {"messages": []}}
    script = f"echo '{json.dumps(state)}'; echo '{json.dumps(messages)}'; exec sleep 60"

    with pytest.raises(Unavailable, match="has not loaded Frontdesk's extension"):
        await talked(turn(tmp_path, script))


def test_a_session_keeps_everything_in_its_own_folder_and_the_repositorys_extensions_are_off(tmp_path: Path) -> None:
    given = turn(tmp_path, "")
    kept = tmp_path / "s" / "pi"

    command = Setting(given, Options(path=tmp_path / "pi", ask=("bash",), models={"own": {"baseUrl": "http://own"}})).begun()

    assert command.environment["PI_CODING_AGENT_DIR"] == str(kept)
    assert command.environment["FRONTDESK_ASK"] == "bash"
    assert "--no-extensions" in command.words
    assert (kept / "instructions.md").read_text() == "You serve the API team."
    assert json.loads((kept / "models.json").read_text()) == {"providers": {"own": {"baseUrl": "http://own"}}}


@pytest.mark.parametrize("line", [b"no JSON\n", b'{"half":\n', b"[1]\n", b'{"type": 7}\n', b"\n"])
def test_what_cannot_be_read_is_no_record(line: bytes) -> None:
    assert read(line) is None
