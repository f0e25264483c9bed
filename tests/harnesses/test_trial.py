"""A real harness in a trial: it answers as its new file says, and what it is asked to do outside its folder does not happen."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot import sandbox
from bot.agent import parse
from bot.app.lab import lab
from bot.app.lent import Lent
from bot.improve.judge import judged
from bot.improve.trial import trial
from bot.past import Past, Tried
from bot.settings import Settings
from tests.standins.model import Model

WHY = sandbox.trouble(Path("/"))
pytestmark = [pytest.mark.skipif(bool(WHY), reason=WHY), pytest.mark.timeout(300)]
FRONT = """---
description: Codes.
runtime: claude_code
model: claude-sonnet-5
environment: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, GITHUB_TOKEN]
options:
  tools: [Bash]
  cwd: {cwd}
  mcp_servers: {{github: {{type: http, url: "https://example.com/mcp", headers: {{Authorization: "Bearer ${{GITHUB_TOKEN}}"}}}}}}
---
"""


def past(asked: str) -> Past:
    return Past("s1", 1, "coder", "v1", "claude_code", "slack:T1:C1:1.0", "U1", asked, "Red.", "completed", at=100.0)


async def tried(folder: Path, model: Model, asked: str, *, judges: bool = False) -> Tried:
    (folder / "work").mkdir()
    keys = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-test", "CLAUDE_CODE_MAX_RETRIES": "0", "GITHUB_TOKEN": "t"}
    settings = Settings(sessions_dir=folder / "sessions", database_url=f"sqlite:///{folder}/desk.db", environment=keys)
    lending = Lent(settings)
    room, front = lab(settings, lending), FRONT.format(cwd=folder / "work")
    old, new = parse("coder", f"{front}You code."), parse("coder", f"{front}You code well.")
    found = await trial(old, new, [past(asked)], room)
    if judges:
        found = await judged(found, parse("critic", front + "You judge."), replace(room, usd=5.0))
    await lending.close()
    return found


async def test_it_answers_by_its_new_file_and_writes_nowhere_else(tmp_path: Path, model: Model) -> None:
    command = f"touch {tmp_path}/work/made; touch mine && echo $GITHUB_TOKEN it is $(ls)"

    found = await tried(tmp_path, model, f"!tool Bash {json.dumps({'command': command})}\n!toolresult")

    (run,) = found.runs
    assert (run.new.state, run.new.reason) == ("completed", "")
    assert "it is mine" in run.new.text
    assert not (tmp_path / "work" / "made").exists()
    assert any("You code well." in asked.system for asked in model.log)
    assert not any("mcp__github" in tool for asked in model.log for tool in asked.tools)


async def test_a_judge_is_shown_answers_as_quotes(tmp_path: Path, model: Model) -> None:
    found = await tried(tmp_path, model, "!say SAME", judges=True)

    judging = [asked for asked in model.log if "You judge." in asked.system]
    shown = {words for asked in judging for words in asked.people if "The first answer:" in words}
    assert len(shown) == 2  # in both orders
    assert all("> | Red." in words and "> | !say SAME" in words for words in shown)
    assert found.votes == ()  # the stand-in says no single word
