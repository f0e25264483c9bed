"""What is tried can do nothing outside: it sees no other session, has no key but a model's, and writes only into a folder of its own."""

import json
import sys
from pathlib import Path

import pytest

from bot import sandbox
from bot.agent import Agent
from bot.app.lab import boxed, lab
from bot.app.lent import Lent
from bot.errors import ConfigError
from bot.improve.lab import Purse, ask
from bot.message import Message, Person
from bot.past import Outcome
from bot.settings import Settings
from tests.runtimes.test_stream_json import PROGRAM

WHY = sandbox.trouble(Path("/"))
needs = pytest.mark.skipif(bool(WHY), reason=WHY)
LOOKS = """
import os, pathlib
def tried(what):
    try:
        return str(what())
    except OSError as error:
        return type(error).__name__
prompt()
here = pathlib.Path(__file__).parent
done(json.dumps({
    "names": sorted(os.environ),
    "session": tried((here / "sessions" / "other" / "secret").read_text),
    "database": tried((here / "desk.db").read_text),
    "key": tried((here / "home" / ".ssh" / "id_ed25519").read_text),
    "tokens": tried((here / ".env").read_text),
    "outside": tried(lambda: (here / "made").write_text("x")),
    "own": tried(lambda: pathlib.Path("made").write_text("x")),
}))
"""


def agent(runtime: str = "stream_json", **more: object) -> Agent:
    return Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": runtime, **more})


def settings(folder: Path, **environment: str) -> Settings:
    places = {"agents_dir": folder / "agents", "sessions_dir": folder / "sessions", "database_url": f"sqlite:///{folder}/desk.db"}
    return Settings.model_validate({**places, "environment": environment})


async def seen(folder: Path, agent: Agent, *, unboxed: bool = False, **environment: str) -> Outcome:
    """What an agent says that is tried there."""
    lending = Lent(settings(folder, **environment))
    here = lab(settings(folder, **environment), lending, unboxed=unboxed)
    message = Message("m", "", "", Person("U1"), "look")
    outcome = await ask(here.box(agent), message, "look", "", Purse.of(here))
    await lending.close()
    return outcome


def program(folder: Path) -> list[str]:
    (folder / "program.py").write_text(PROGRAM + LOOKS)
    (folder / "sessions" / "other").mkdir(parents=True)
    (folder / "sessions" / "other" / "secret").write_text("a secret")
    (folder / "desk.db").write_text("what was said")
    (folder / "home" / ".ssh").mkdir(parents=True)
    (folder / "home" / ".ssh" / "id_ed25519").write_text("a key")
    (folder / ".env").write_text("SLACK_BOT_TOKEN=xoxb-1")
    return [sys.executable, str(folder / "program.py")]


@needs
async def test_it_sees_no_session_no_database_and_no_key_but_a_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    asked = agent(options={"command": program(tmp_path), "cwd": str(tmp_path)}, environment=("OPENAI_API_KEY", "GITHUB_TOKEN"))

    outcome = await seen(tmp_path, asked, OPENAI_API_KEY="k", GITHUB_TOKEN="t")

    told = json.loads(outcome.text)
    assert "OPENAI_API_KEY" in told["names"]
    assert "GITHUB_TOKEN" not in told["names"]
    assert (told["session"], told["database"]) == ("FileNotFoundError", "PermissionError")
    assert (told["key"], told["tokens"]) == ("FileNotFoundError", "PermissionError")
    assert (told["outside"], told["own"]) == ("OSError", "1")
    assert not (tmp_path / "made").exists()


async def test_unboxed_it_has_all_that_its_file_gives_it(tmp_path: Path) -> None:
    asked = agent(options={"command": program(tmp_path)}, environment=("GITHUB_TOKEN",))

    outcome = await seen(tmp_path, asked, unboxed=True, GITHUB_TOKEN="t")

    told = json.loads(outcome.text)
    assert "GITHUB_TOKEN" in told["names"]
    assert (told["session"], told["key"], told["outside"]) == ("a secret", "a key", "1")


@needs
def test_servers_and_settings_of_others_are_left_out() -> None:
    server = {"github": {"command": "gh"}}
    claude = boxed(agent("claude_code", options={"mcp_servers": server, "setting_sources": ["project"], "tools": ["Read"], "cwd": "/srv"}))
    opencode = boxed(agent("opencode", options={"config": {"mcp": server, "theme": "plain"}, "project_config": True}, tools=True))

    assert claude.options == {"tools": ["Read"], "sandbox": "bwrap"}
    assert "What you usually work on is in /srv" in claude.instructions
    assert opencode.options == {"config": {"theme": "plain"}, "sandbox": "bwrap"}
    assert not opencode.tools


@needs
def test_only_its_own_runtime_is_tried() -> None:
    assert boxed(agent("claude_code", fallback=("a2a",))).fallback == ()


@pytest.mark.parametrize(
    "asked",
    [
        agent("http", options={"profile": "elastic", "url": "https://agents.example.com", "values": {"agent": "a"}}),
        agent("hermes", options={"url": "https://hermes.example.com", "key": "K"}),
        agent("responses"),
    ],
    ids=["http", "hermes", "responses"],
)
def test_what_runs_elsewhere_cannot_be_held(asked: Agent) -> None:
    with pytest.raises(ConfigError, match=f"it runs on '{asked.runtime}', where no sandbox of ours reaches"):
        boxed(asked)


def test_where_there_is_no_sandbox_nothing_is_tried_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ConfigError, match=r"bubblewrap is not installed .* use: frontdesk trial --unboxed"):
        boxed(agent("claude_code"))


def test_tools_that_speak_with_people_are_lent_to_nobody(tmp_path: Path) -> None:
    lending = Lent(settings(tmp_path))

    here = lab(settings(tmp_path), lending)

    assert lending.tools not in here.aids
