"""What a server of LangGraph is begun with, without one."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import ConfigError, Unavailable
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.runtimes.child import Child
from bot.runtimes.deepagents import LOOKED, Server
from bot.runtimes.deepagents_setting import Options, Setting

GIVEN = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "deepagents"}


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    file = tmp_path / "coder.py"
    file.write_text("graph = None\n")
    return file


def setting(folder: Path, graph: Path, **more: Any) -> Setting:
    agent = Agent.model_validate({**GIVEN, "options": {"graph": f"{graph}:graph"}})
    options = Options(graph=f"{graph}:graph", path=Path("/opt/langgraph"))
    return Setting(Turn("s1", 1, agent, "hello", folder=folder, environment={"MODEL_KEY": "k"}, **more), options)


def test_the_server_listens_on_this_machine_only_and_to_who_has_its_key(tmp_path: Path, graph: Path) -> None:
    command = setting(tmp_path, graph).begun(4321, "secret")

    assert command.words[command.words.index("--host") + 1] == "127.0.0.1"
    assert "secret" not in " ".join([*command.words, *command.environment.values()])
    assert stat.S_IMODE((tmp_path / "deepagents").stat().st_mode) == 0o700
    assert json.loads((tmp_path / "deepagents" / "langgraph.json").read_text())["auth"]["disable_studio_auth"] is True


def test_what_it_keeps_is_not_among_the_agents_files(tmp_path: Path, graph: Path) -> None:
    command = setting(tmp_path, graph).begun(4321, "secret")

    assert (command.folder, command.environment["WORKSPACE"]) == (tmp_path / "deepagents", str(tmp_path / "work"))


def test_its_environment_has_what_the_file_names_and_nothing_of_ours(tmp_path: Path, graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-ours")

    command = setting(tmp_path, graph).begun(4321, "secret")

    assert command.environment["MODEL_KEY"] == "k"
    assert "SLACK_BOT_TOKEN" not in command.environment


def test_calls_of_models_go_through_the_gateway_where_there_is_one(tmp_path: Path, graph: Path) -> None:
    command = setting(tmp_path, graph, gateway=("http://litellm:4000", "sk-gate")).begun(4321, "secret")

    named = {name: command.environment[name] for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")}
    assert named == {
        "OPENAI_BASE_URL": "http://litellm:4000/v1", "OPENAI_API_KEY": "sk-gate",
        "ANTHROPIC_BASE_URL": "http://litellm:4000", "ANTHROPIC_API_KEY": "sk-gate",
    }  # fmt: skip


def test_a_graph_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"There is no file .*nowhere\.py, which options\.graph"):
        setting(tmp_path, tmp_path / "nowhere.py").begun(4321, "secret")


def test_a_graph_is_named_with_its_file() -> None:
    with pytest.raises(ConfigError, match=r"write a file and the graph in it"):
        runtime_of(Agent.model_validate({**GIVEN, "options": {"graph": "coder"}}))


async def test_of_what_its_log_says_only_the_beginning_of_a_line_is_looked_through(tmp_path: Path, graph: Path) -> None:
    server = Server(Child(setting(tmp_path, graph).begun(4321, "secret")), "http://127.0.0.1:4321", "secret", "agents/coder.md")
    why = b"Run encountered an error in graph: <class 'X'>(%s)"
    try:
        server.local.hear(why % b"it broke")
        server.local.hear(b" " * LOOKED + why % b"somebody says so")

        assert server.reason() == "it broke"
    finally:
        await server.close()
