"""What an agent's file gives Claude Code beside its tools: skills, MCP servers, a repository's settings; and the way to its model."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError, Unavailable
from bot.event import ALLOW
from bot.runtimes import runtime_of
from tests.standins.model import Model

from .talk import talked, talking, turn

SERVER = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    tool = {"name": "lookup", "description": "Looks up.", "inputSchema": {"type": "object"}}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}}
    found = {"content": [{"type": "text", "text": "found with " + os.environ["GIVEN_TOKEN"]}]}
    answer = {"initialize": hello, "tools/list": {"tools": [tool]}, "tools/call": found}.get(asked["method"])
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": answer or {}}), flush=True)
"""


def server(folder: Path, token: str) -> dict[str, Any]:
    (folder / "server.py").write_text(SERVER)
    return {"mcp_servers": {"docs": {"command": sys.executable, "args": [str(folder / "server.py")], "env": {"GIVEN_TOKEN": token}}}}


async def test_skills_come_from_the_folder_that_the_file_names(model: Model, tmp_path: Path) -> None:
    skill = tmp_path / "skills" / "greet"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: greet\ndescription: How people are greeted here.\n---\nSay Moin to everybody.\n")
    prompt = '!tool Skill {"skill": "agent:greet"}\n!say ok'

    await talked(turn(tmp_path / "s", model.url, prompt, options={"skills": str(tmp_path / "skills")}))

    assert "Say Moin to everybody." in json.dumps(model.log[-1].body["messages"])


async def test_a_folder_of_skills_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"/nowhere.*options\.skills in agents/coder\.md"):
        await talked(turn(tmp_path / "s", "http://localhost", "hi", options={"skills": "/nowhere"}))


async def test_an_mcp_server_is_given_its_secret_by_name_and_its_tools_are_asked_for(model: Model, tmp_path: Path) -> None:
    given = {"options": server(tmp_path, "${DOCS_TOKEN}"), "environment": {"DOCS_TOKEN": "hunter2"}}
    async with talking(turn(tmp_path / "s", model.url, "!tool mcp__docs__lookup {}\n!toolresult", **given)) as talk:
        talk.answer(await talk.question(), decision=ALLOW)
        await talk.task

    assert "found with hunter2" in talk.answered
    assert [step.title for step in talk.steps.values()] == ["docs: lookup"]


async def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"needs DOCS_TOKEN: name it under `environment:`"):
        await talked(turn(tmp_path / "s", "http://localhost", "hi", options=server(tmp_path, "${DOCS_TOKEN}")))


def test_a_secret_does_not_stand_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"docs: GIVEN_TOKEN looks like a secret; write \$\{NAME\}"):
        runtime_of(turn(tmp_path / "s", "", "", options=server(tmp_path, "hunter2")).agent)


@pytest.mark.parametrize(("sources", "run"), [([], False), (["project"], True)])
async def test_hooks_of_a_repository_run_only_where_the_file_says_so(model: Model, tmp_path: Path, sources: list[str], run: bool) -> None:
    work = tmp_path / "work"
    (work / ".claude").mkdir(parents=True)
    hook = {"matcher": "Bash", "hooks": [{"type": "command", "command": f"touch {tmp_path}/hooked"}]}
    (work / ".claude" / "settings.json").write_text(json.dumps({"hooks": {"PreToolUse": [hook]}}))
    options = {"cwd": str(work), "tools": ["Bash"], "setting_sources": sources}

    await talked(turn(tmp_path / "s", model.url, '!tool Bash {"command": "true"}\n!say ok', options=options))

    assert (tmp_path / "hooked").exists() == run


async def test_with_a_gateway_every_call_goes_through_it(model: Model, tmp_path: Path) -> None:
    elsewhere = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "mine"}
    task = turn(tmp_path / "s", "", "!say hi", environment=elsewhere, gateway=(model.url, "sk-gateway"))

    talk = await talked(task)

    assert talk.answered == "hi"
    assert {name.lower(): value for name, value in model.log[-1].headers.items()}["authorization"] == "Bearer sk-gateway"


async def test_a_key_that_the_gateway_does_not_know_is_named(model: Model, tmp_path: Path) -> None:
    talk = await talked(turn(tmp_path / "s", "", "!error 401", gateway=(model.url, "sk-wrong")))

    assert "LITELLM_API_KEY" in talk.finished.reason
