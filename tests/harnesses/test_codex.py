"""The real Codex, driven by the contract, and what goes wrong with it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.event import ALLOW_SESSION, Notice, Question
from tests.harnesses import harness
from tests.runtimes.contract import Harness
from tests.runtimes.hardship import Hardship
from tests.runtimes.talk import after, talked, talking
from tests.standins.model import Model


def shell(command: str) -> str:
    return f"!tool exec_command {json.dumps({'cmd': command})}"


def ask(text: str, options: tuple[str, ...]) -> str:
    listed = [{"label": option, "description": option} for option in options]
    return f"!tool request_user_input {json.dumps({'questions': [{'id': 'c', 'header': 'Choice', 'question': text, 'options': listed}]})}"


def environment(url: str) -> Mapping[str, str]:
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{url}/v1"}


OPTIONS = {"path": harness("codex"), "retries": 0, "approvals": "never", "commands": "danger-full-access"}
PLAN = '!tool update_plan {"plan": [{"step": "Look", "status": "in_progress"}, {"step": "Mend", "status": "pending"}]}'
CODEX = Harness(
    "codex", shell, environment, ask, PLAN, model="gpt-5.4", options=OPTIONS, asks={"approvals": "untrusted"},
    cannot={
        "plan": "Codex 0.169 gives its models no tool for a plan",
        "cost": "Codex tells tokens, and no price.",
    },
)  # fmt: skip


class TestCodex(Hardship):
    name = "codex"
    harness = CODEX
    old = """read line; echo '{"id": 1, "result": {"userAgent": "frontdesk/0.90.2 (Linux)"}}'; read line"""
    aged = "Codex 0.90.2 is too old"

    def _binary(self) -> str:
        return harness("codex")


async def test_without_a_key_it_is_told_how_to_give_one(model: Model, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Put a valid OPENAI_API_KEY into frontdesk's environment"):
        await talked(CODEX.turn(tmp_path / "s", model.url, "!say never", environment={"OPENAI_API_KEY": ""}))


async def test_a_model_that_cannot_be_reached_is_told_early_and_then_ends_the_turn(tmp_path: Path) -> None:
    talk = await talked(CODEX.turn(tmp_path / "s", "http://127.0.0.1:9", "!say never", options={"retries": 1}))

    assert [notice.text for notice in talk.all(Notice)] == [
        "The model's API fails; trying again. Codex said: Connection failed: error sending request"
    ]
    assert talk.finished.state == "failed"
    assert talk.finished.reason.startswith(
        "The model's API cannot be reached, or broke off. Look at its address (OPENAI_BASE_URL, or options.base_url in agents/"
    )


async def test_a_change_of_a_file_is_shown_before_it_is_done(model: Model, tmp_path: Path) -> None:
    patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch\nEOF"
    async with talking(CODEX.turn(tmp_path / "s", model.url, shell(patch), asks=True)) as talk:
        question = await talk.question()

    assert question.detail == "New file new.txt:\nhello"
    assert not list((tmp_path / "s").rglob("new.txt"))


async def test_what_is_allowed_for_the_session_is_not_asked_again_in_its_next_turn(model: Model, tmp_path: Path) -> None:
    script = shell("echo again >> here.txt")
    async with talking(CODEX.turn(tmp_path / "s", model.url, script, asks=True)) as first:
        first.answer(await first.question(), decision=ALLOW_SESSION)
        await first.task

    second = await talked(after(first, script))

    assert not second.all(Question)
    assert (tmp_path / "s" / "work" / "here.txt").read_text() == "again\nagain\n"


async def test_what_is_allowed_for_the_session_allows_nothing_else(model: Model, tmp_path: Path) -> None:
    async with talking(CODEX.turn(tmp_path / "s", model.url, shell("echo a >> here.txt"), asks=True)) as first:
        first.answer(await first.question(), decision=ALLOW_SESSION)
        await first.task

    async with talking(after(first, shell("echo b >> here.txt"))) as second:
        question = await second.question()

    assert question.detail == "echo b >> here.txt"
