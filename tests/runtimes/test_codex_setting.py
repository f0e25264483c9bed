"""What Codex is begun with."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.agent import Agent
from bot.ports import Tools, Turn
from bot.runtimes.codex_setting import Memory, Options, Setting
from bot.runtimes.home import contained
from bot.sandbox import trouble

TOOLS = Tools("http://127.0.0.1:9/mcp", "s3cret")


def setting(folder: Path, **more: object) -> Setting:
    agent = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "codex"})
    return Setting(replace(Turn("s1", 1, agent, "Hello", folder=folder), **more), Options(path=Path("/bin/true"), daemon_hours=1))  # type: ignore[arg-type]


def test_our_tools_are_there_where_they_are_lent_and_their_token_stands_in_no_file(tmp_path: Path) -> None:
    lent = setting(tmp_path, tools=TOOLS)
    begun = lent.begun()

    written = (tmp_path / "codex" / "config.toml").read_text()
    assert TOOLS.url in written
    assert TOOLS.token not in written
    assert TOOLS.token in begun.environment.values()


def test_commands_do_not_see_the_token(tmp_path: Path) -> None:
    lent = setting(tmp_path, tools=TOOLS)

    [name] = [name for name, value in lent.begun().environment.items() if value == TOOLS.token]
    assert name in lent.config()["shell_environment_policy"]["exclude"]


def test_it_goes_on_without_us_only_where_it_needs_nothing_of_ours(tmp_path: Path) -> None:
    assert setting(tmp_path).alone
    assert not setting(tmp_path, tools=TOOLS).alone
    assert not setting(tmp_path, gateway=("http://127.0.0.1:9", "key")).alone
    assert not replace(setting(tmp_path), options=Options(daemon_hours=1, sandbox="bwrap")).alone


def test_a_folder_named_from_where_we_are_is_named_whole_for_what_stands_in_it_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "link").symlink_to("repo")
    monkeypatch.chdir(tmp_path / "repo")

    for cwd, found in ((".", {"repo"}), ("../link", {"link", "repo"})):
        made = replace(setting(tmp_path), options=Options(cwd=Path(cwd), path=Path("codex")))

        assert {Path(path).resolve() for path in made.config()["projects"]} == {tmp_path / "repo"}
        assert not any(".." in path or not path.startswith("/") for path in made.config()["projects"])
        assert {Path(path).name for path in made.config()["projects"]} == found
        assert made.options.path == tmp_path / "repo" / "codex"


def test_what_codex_left_as_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "codex").mkdir()
    (tmp_path / "codex" / "config.toml").symlink_to(tmp_path / "precious")
    (tmp_path / "codex.json.new").symlink_to(tmp_path / "precious")

    setting(tmp_path).begun()
    Memory(thread="t").write(tmp_path)

    assert (tmp_path / "precious").read_text() == "mine"
    assert Memory.read(tmp_path).thread == "t"


@pytest.mark.skipif(bool(trouble(Path("/"))), reason="needs bubblewrap")
def test_our_sandbox_and_codexs_own_are_said_apart(tmp_path: Path) -> None:
    made = replace(setting(tmp_path), options=Options(path=Path("/bin/true"), sandbox="bwrap", network=False, commands="read-only"))

    assert contained(made.options) == "in bubblewrap without network, with at most 4096 MiB"
    assert made.thread()["sandbox"] == "read-only"
    assert made.config()["sandbox_workspace_write"] == {"network_access": False}


def test_a_word_of_codexs_own_sandbox_is_told_with_the_key_it_belongs_to() -> None:
    with pytest.raises(ValidationError, match="a word of Codex's own sandbox; write commands: workspace-write"):
        Options.model_validate({"sandbox": "workspace-write"})
