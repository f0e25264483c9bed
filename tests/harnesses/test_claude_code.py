"""Claude Code itself, driven by the contract of all runtimes; more of it stands in tests/runtimes/test_claude_*.py."""

import json
from pathlib import Path

import pytest

from bot.errors import RuntimeFailed, Unavailable
from bot.runtimes.claude_setting import BUNDLED
from tests.runtimes.contract import Contract, Harness, family
from tests.runtimes.talk import talked
from tests.standins.model import Model


def shell(command: str) -> str:
    return "!tool Bash " + json.dumps({"command": command})


def ask(text: str, options: tuple[str, ...]) -> str:
    given = {"question": text, "header": "Colour", "options": [{"label": label, "description": label} for label in options]}
    return "!tool AskUserQuestion " + json.dumps({"questions": [given]})


PLAN = (
    '!tool TaskCreate {"subject": "Look", "description": "."}\n!tool TaskCreate {"subject": "Mend", "description": "."}\n'
    '!think so\n!tool TaskUpdate {"taskId": "1", "status": "in_progress"}'
)


class TestClaudeCode(Contract):
    name = "claude_code"
    harness = Harness(
        "claude_code",
        shell=shell,
        environment=lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-test", "CLAUDE_CODE_MAX_RETRIES": "0"},
        ask=ask,
        plan=PLAN,
        model="claude-sonnet-5",
        options={"tools": ["Bash"]},
        asks={"tools": []},
    )

    def _binary(self) -> str:
        return str(BUNDLED)

    async def test_a_hundred_megabytes_in_one_line_end_in_words(self, model: Model, folder: Path, tmp_path: Path) -> None:
        flood = tmp_path / "flood"
        flood.write_text("#!/bin/sh\nhead -c 104857600 /dev/zero | tr '\\0' 'x'\n")
        flood.chmod(0o755)

        with pytest.raises((RuntimeFailed, Unavailable), match="MiB in one line"):
            await talked(self.harness.turn(folder, model.url, "!say never", options={"path": str(flood)}))

        assert not family(folder)

    test_a_hundred_megabytes_in_one_line_end_in_words.column = "flood"  # type: ignore[attr-defined]
