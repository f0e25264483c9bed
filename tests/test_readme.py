"""What the README shows works as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.runtimes import codex_setting, hermes_setting, opencode_setting, pi_setting
from bot.settings import Settings
from tests.cli.test_cli import HELPER, Shell, shell

__all__ = ["shell"]
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PICTURES = [
    (document, picture)
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks/README.md"]
    for picture in re.findall(r"!\[[^\]]*\]\((?!http)([^)]+)\)", document.read_text("utf-8"))
]


def block(language: str, words: str) -> str:
    """The code that holds these words."""
    return next(code for code in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if words in code)


@pytest.mark.parametrize("setting", [codex_setting, hermes_setting, opencode_setting, pi_setting])
def test_what_a_message_says_to_install_is_what_the_docs_say(setting: Any) -> None:
    command = setting.REMEDY.removeprefix("install it with: ").partition(", or ")[0]

    assert f"`{command}`" in (ROOT / "docs/runtimes.md").read_text("utf-8")


def test_the_runtime_runs(shell: Shell) -> None:
    shell.write("mine.py", block("python", "class Mine"))
    shell.write("agents/helper.md", HELPER.replace("echo", "mine:Mine\noptions: {greeting: Good morning}"))

    asked = shell.run("ask", "helper", "hello", PYTHONSAFEPATH="1")

    assert (asked.returncode, asked.stdout) == (0, "Good morning, the person at the terminal.\n")


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - {"environment"}))
def test_each_setting_is_named(name: str) -> None:
    assert name.upper() in README


@pytest.mark.parametrize(("document", "picture"), PICTURES, ids=lambda each: getattr(each, "name", each))
def test_each_picture_is_there_and_small(document: Path, picture: str) -> None:
    assert 0 < (document.parent / picture).stat().st_size <= 120 << 10


def test_no_picture_is_there_that_nothing_shows() -> None:
    shown = {(document.parent / picture).resolve() for document, picture in PICTURES}

    assert {*(ROOT / "docs/pictures").iterdir()} == shown
