"""Each local harness works in our sandbox as it does without: it runs tools, goes on with its conversation, and writes nowhere else."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox import trouble
from tests.harnesses import test_acp, test_claude_code, test_codex, test_deepagents, test_hermes, test_opencode, test_pi
from tests.runtimes.contract import Harness
from tests.runtimes.talk import after, talked
from tests.standins.model import Model

HARNESSES = [
    test_claude_code.TestClaudeCode.harness, test_codex.CODEX, test_opencode.OPENCODE, test_pi.PI, test_hermes.HERMES,
    test_deepagents.DEEPAGENTS, test_acp.TestOpenCode.harness,
]  # fmt: skip


@pytest.mark.skipif(bool(trouble(Path("/"))), reason="needs bubblewrap")
@pytest.mark.parametrize("harness", HARNESSES, ids=lambda harness: harness.runtime)
async def test_it_works_in_its_sandbox(model: Model, tmp_path: Path, harness: Harness) -> None:
    caged = replace(harness, options={**harness.options, "sandbox": "bwrap"})
    (tmp_path / "s2").mkdir()
    (folder := tmp_path / "s" / "work").mkdir(parents=True)
    (folder / "look").write_text(f"ls {tmp_path}; touch here {tmp_path}/s/there")

    first = await talked(caged.turn(tmp_path / "s", model.url, f"{caged.shell('sh look')}\n!toolresult"))
    second = await talked(after(first, "!say and again"))

    assert "s2" not in first.answered.split()
    assert "Read-only file system" in first.answered
    assert (folder / "here").exists()
    assert second.answered.strip() == "and again"


@pytest.mark.skipif(bool(trouble(Path("/"))), reason="needs bubblewrap")
async def test_codexs_own_sandbox_can_stand_in_ours(model: Model, tmp_path: Path) -> None:
    caged = replace(test_codex.CODEX, options={**test_codex.OPTIONS, "sandbox": "bwrap", "commands": "workspace-write"})

    talk = await talked(caged.turn(tmp_path / "s", model.url, f"{caged.shell('touch here; echo over')}\n!toolresult"))

    assert "over" in talk.answered
    assert (tmp_path / "s" / "work" / "here").exists()
