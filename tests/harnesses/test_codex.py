"""The real Codex, driven by the contract, and what goes wrong with it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.errors import RuntimeFailed, Unavailable
from tests.harnesses import harness
from tests.runtimes.contract import Contract, Harness, family
from tests.runtimes.talk import talked, talking
from tests.standins.model import Model


def shell(command: str) -> str:
    return f"!tool exec_command {json.dumps({'cmd': command})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    listed = [{"label": option, "description": option} for option in options]
    return f"!tool request_user_input {json.dumps({'questions': [{'id': 'c', 'header': 'Choice', 'question': text, 'options': listed}]})}"


def environment(url: str) -> Mapping[str, str]:
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{url}/v1"}


OPTIONS = {"path": harness("codex"), "retries": 0, "approvals": "never", "sandbox": "danger-full-access"}
PLAN = '!tool update_plan {"plan": [{"step": "Look", "status": "in_progress"}, {"step": "Mend", "status": "pending"}]}'
CODEX = Harness(
    "codex", shell, environment, ask, PLAN, model="gpt-5.4", options=OPTIONS, asks={"approvals": "untrusted"},
    cannot={
        "plan": "Codex 0.169 gives its models no tool for a plan.",
        "cost": "Codex tells tokens, and no price.",
    },
)  # fmt: skip


class TestCodex(Contract):
    name = "codex"
    harness = CODEX

    def _binary(self) -> str:
        return harness("codex")


async def test_without_a_key_it_is_told_how_to_give_one(model: Model, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Put a valid OPENAI_API_KEY into frontdesk's environment"):
        await talked(CODEX.turn(tmp_path / "s", model.url, "!say never", environment={"OPENAI_API_KEY": ""}))


async def test_a_key_that_is_not_taken_is_told(model: Model, tmp_path: Path) -> None:
    talk = await talked(CODEX.turn(tmp_path / "s", model.url, "!error 401 invalid_api_key"))

    assert "did not accept the key (401). Put a valid OPENAI_API_KEY" in talk.finished.reason


async def test_a_model_that_there_is_not_is_told(model: Model, tmp_path: Path) -> None:
    talk = await talked(CODEX.turn(tmp_path / "s", model.url, "!error 404 model_not_found"))

    assert "correct `model:` in" in talk.finished.reason


async def test_one_that_is_too_old_is_told(model: Model, tmp_path: Path) -> None:
    old = fake(tmp_path, """read line; echo '{"id": 1, "result": {"userAgent": "frontdesk/0.90.2 (Linux)"}}'; read line""")

    with pytest.raises(Unavailable, match=r"Codex 0\.90\.2 is too old"):
        await talked(CODEX.turn(tmp_path / "s", model.url, "!say never", options={"path": old}))


async def test_one_that_floods_with_a_line_without_end_is_ended(model: Model, tmp_path: Path) -> None:
    flood = fake(tmp_path, "head -c 100000000 /dev/zero | tr '\\0' x; sleep 60")

    with pytest.raises(RuntimeFailed, match="more than 64 MiB in one line"):
        await talked(CODEX.turn(tmp_path / "s", model.url, "!say never", options={"path": flood}))


async def test_one_that_dies_while_it_asks_leaves_nothing(model: Model, tmp_path: Path) -> None:
    async with talking(CODEX.turn(tmp_path / "s", model.url, ask("Which?", ("Red", "Blue")))) as talk:
        await talk.question()
        for process in family(tmp_path / "s"):
            process.kill()

        with pytest.raises(RuntimeFailed):
            await talk.task

    assert not family(tmp_path / "s")


async def test_a_change_of_a_file_is_shown_before_it_is_done(model: Model, tmp_path: Path) -> None:
    patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch\nEOF"
    async with talking(CODEX.turn(tmp_path / "s", model.url, shell(patch), asks=True)) as talk:
        question = await talk.question()

    assert question.detail == "New file new.txt:\nhello"
    assert not list((tmp_path / "s").rglob("new.txt"))


def fake(folder: Path, script: str) -> str:
    """A harness that does only this."""
    (folder / "fake").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "fake").chmod(0o755)
    return str(folder / "fake")
