"""An agent of the catalogue is added: for its channels, under its name, over nothing that is there, and with what it still needs."""

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bot.agent import parse
from bot.cli import parser
from bot.errors import ConfigError
from bot.settings import Settings
from bot.slack import manifest
from tests.cli.test_cli import HELPER, ROOT, Shell, shell

__all__ = ["shell"]
KEYS = {"ANTHROPIC_API_KEY": "k", "GITHUB_TOKEN": "t", "GITHUB_HOOK": "s"}
Said = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where frontdesk is called: it has no agents yet."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str, **environment: str) -> int:
    """`frontdesk agents …`"""
    given = parser().parse_args(["agents", *words])
    return given.run(Settings(http_port=8080, environment=environment), given) or 0


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_the_catalogue_is_listed_line_by_line(folder: Path, capsys: Said) -> None:
    assert call("catalogue") == 0
    lines = capsys.readouterr().out.splitlines()

    assert "dependency-review    Looks at a new dependency." in "\n".join(lines)
    assert (call("add"), capsys.readouterr().out.splitlines()) == (0, lines)
    assert (call("catalogue", "--json"), len(json.loads(capsys.readouterr().out))) == (0, len([line for line in lines if line]))


def test_one_is_added_for_the_channels_that_are_named(folder: Path, capsys: Said) -> None:
    code = call("add", "dependency-review", "--channel", "#deps", "#web", **KEYS)

    agent = parse("dependency-review", (folder / "agents/dependency-review.md").read_text())
    assert (code, capsys.readouterr().err) == (0, "")
    assert agent.triggers[0].mention == ("#deps", "#web")
    assert {place for trigger in agent.triggers for place in trigger.places} == {"#deps", "#web"}
    assert (folder / "agents/dependency-review.trial.yaml").exists()


def test_its_words_and_comments_stay_as_they_are(folder: Path) -> None:
    call("add", "security-triage", "--channel", "#alarm")

    ours = (ROOT / "agents/catalogue/security-triage.md").read_text()
    assert (folder / "agents/security-triage.md").read_text() == ours.replace("#security-alerts", "#alarm")


def test_it_can_have_another_name(folder: Path) -> None:
    call("add", "product-questions", "--as", "ask-product")

    assert sorted(path.name for path in (folder / "agents").iterdir()) == ["ask-product.md", "ask-product.trial.yaml"]


def test_where_nobody_can_be_asked_its_own_channel_stays_and_is_told(folder: Path, capsys: Said) -> None:
    call("add", "dependency-review")

    assert capsys.readouterr().out.startswith("It answers in #dependencies, as its file says; for other channels: --channel ")


@pytest.mark.parametrize(("typed", "channels"), [("#a, #b\n", ("#a", "#b")), ("\n", ("#dependencies",)), ("", ("#dependencies",))])
def test_at_a_terminal_the_channels_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str, channels: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    call("add", "dependency-review")

    agent = parse("dependency-review", (folder / "agents/dependency-review.md").read_text())
    assert agent.triggers[0].mention == channels


def test_what_is_there_stays(folder: Path, capsys: Said) -> None:
    (folder / "agents").mkdir()
    (folder / "agents/improver.md").write_text("mine")
    (folder / "agents/general-helper.md").symlink_to(folder / "elsewhere.md")

    codes = [call("add", "improver"), call("add", "general-helper")]

    assert codes == [1, 1]
    assert (folder / "agents/improver.md").read_text() == "mine"
    assert not (folder / "elsewhere.md").exists()
    assert "is there already, and stays as it is; rename it to have another" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../coder", "/etc/passwd", "catalogue/improver", "improver.md", "..", "Improver", "improver\n"])
def test_only_what_is_in_the_catalogue_is_added(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="in the catalogue; "):
        call("add", name)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "..", "X", "x.md", "x\n", "-x"])
def test_a_name_is_a_files_name_and_no_path(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="an agent's name is its file's"):
        call("add", "improver", f"--as={name}")

    assert not (folder / "agents").exists()


@pytest.mark.parametrize("channel", ["two words", "General", "#two words", '#a"]}, {dm: true}, {mention: ["#b'])
def test_what_is_no_channel_is_told_and_nothing_is_written(folder: Path, channel: str) -> None:
    with pytest.raises(ConfigError, match="is no channel: write its name in small letters, like '#deps' or deps, or its id"):
        call("add", "improver", "--channel", channel)

    assert not (folder / "agents").exists()


def test_one_that_has_no_channel_says_how_it_is_reached(folder: Path) -> None:
    with pytest.raises(ConfigError, match="people reach it by the command /digest; leave --channel out"):
        call("add", "personal-digest", "--channel", "#digest")


def test_a_channel_without_an_agent_is_a_mistake_in_the_call(folder: Path) -> None:
    with pytest.raises(ConfigError, match="say which agent first"):
        call("add", "--channel", "#deps", "dependency-review")


def test_a_channel_needs_no_mark(folder: Path) -> None:
    call("add", "dependency-review", "--channel", "deps", "C0DEPS", **KEYS)

    assert parse("dependency-review", (folder / "agents/dependency-review.md").read_text()).triggers[0].mention == ("#deps", "C0DEPS")


@pytest.mark.parametrize(("name", "needed"), [("compliance-check", True), ("security-triage", False)])
def test_a_workspace_that_it_cannot_do_without_is_told(folder: Path, capsys: Said, name: str, *, needed: bool) -> None:
    call("add", name, **KEYS)

    assert (f"agents/{name}.md: it needs a repository to work in; put one into" in capsys.readouterr().err) == needed


def test_what_it_still_needs_is_told(folder: Path, capsys: Said) -> None:
    code = call("add", "dependency-review")

    lines = capsys.readouterr().err.splitlines()
    assert code == 1
    assert lines[0].startswith("frontdesk: agent dependency-review: Claude Code has no credentials. Set ANTHROPIC_API_KEY")
    assert lines[1] == "      what it runs on stands in agents/dependency-review.md"
    assert lines[2] == "frontdesk: webhook dependency-review/github: GITHUB_HOOK is not set, so all calls are refused"
    assert lines[4:] == ["frontdesk: not set in this environment: ANTHROPIC_API_KEY, GITHUB_TOKEN"]


def test_a_place_that_another_has_already_is_told(folder: Path, capsys: Said) -> None:
    (folder / "agents").mkdir()
    (folder / "agents/helper.md").write_text(HELPER)
    (folder / "manifest.yaml").write_text(manifest.text(manifest.manifest([parse("helper", HELPER)])))

    call("add", "general-helper", **KEYS)

    said = capsys.readouterr().err
    assert "both claim mentions everywhere; remove it from one of them" in said
    assert "manifest.yaml lacks the suggested prompt Sum up this thread" in said


def test_a_runtime_that_is_not_installed_is_told(shell: Shell) -> None:
    shell.write("claude_agent_sdk.py", "raise ModuleNotFoundError(name='claude_agent_sdk')\n")

    added = shell.run("agents", "add", "improver", PYTHONPATH=f"{shell.folder}:{ROOT}", **KEYS)

    assert added.returncode == 1
    assert "install it with: pip install 'frontdesk[claude]'" in added.stderr
    assert (shell.folder / "agents/improver.md").exists()


def test_the_catalogue_is_in_what_the_image_installs(tmp_path: Path) -> None:
    stage = re.split(r"^FROM .*$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1]
    for words in (line.split()[1:] for line in stage.splitlines() if line.startswith("COPY ")):
        for source in words[:-1]:
            bring(ROOT / source, tmp_path / words[-1] / ("" if words[-1] == source else source))
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-W", "ignore", "-c", build], cwd=tmp_path, check=True, capture_output=True, timeout=50)

    [wheel] = tmp_path.glob("*.whl")
    ours = {f"bot/catalogue/{path.name}" for path in (ROOT / "agents/catalogue").iterdir()}
    assert ours <= {*zipfile.ZipFile(wheel).namelist()}


def bring(source: Path, target: Path) -> None:
    """As COPY does, with links as they are."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
