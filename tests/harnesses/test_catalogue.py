"""Each agent of the catalogue on Claude Code itself: it is told what stands in its file, and may do no more than that."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.event import ALLOW, DENY, Question
from bot.ports import Turn
from bot.prompt import instructions
from bot.sandbox import trouble
from tests.runtimes.talk import ANNA, Talk, talked, talking
from tests.standins.model import Model
from tests.test_catalogue import AGENTS, HARM, options

GITHUB = ("pull_request_read", "pull_request_review_write")
EACH = pytest.mark.parametrize("name", AGENTS)
SANDBOX = not trouble(Path("/"))


async def rpc(request: web.Request) -> web.Response:
    """An MCP server with a tool that reads and one that writes, in place of GitHub's."""
    said = await request.json()
    tools = [{"name": name, "description": name, "inputSchema": {"type": "object"}} for name in GITHUB]
    results: dict[str, Any] = {
        "initialize": {
            "protocolVersion": said.get("params", {}).get("protocolVersion"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "GitHub", "version": "1"},
        },
        "tools/list": {"tools": tools},
        "tools/call": {"content": [{"type": "text", "text": f"GitHub did {said.get('params', {}).get('name')}"}]},
    }
    if "id" not in said:
        return web.Response(status=202)
    return web.json_response({"jsonrpc": "2.0", "id": said["id"], "result": results.get(said["method"], {})})


@pytest.fixture
async def github() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/mcp", rpc)
    async with TestServer(app) as server:
        yield str(server.make_url("/mcp"))


def turn(name: str, folder: Path, model: Model, github: str, prompt: str) -> Turn:
    """What the desk would give it; GitHub is elsewhere, and where there can be no sandbox there is none."""
    agent = AGENTS[name]
    given = {**agent.options, "mcp_servers": {key: {**server, "url": github} for key, server in options(agent).mcp_servers.items()}}
    given |= {} if SANDBOX else {"sandbox": "none"}
    keys = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-test", "GITHUB_TOKEN": "t", "CLAUDE_CODE_MAX_RETRIES": "0"}
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "page.md").write_text("What stands in a page.\n")
    return Turn(
        "s1", 1, agent.model_copy(update={"options": given, "model": "claude-sonnet-5"}), prompt, folder=folder, person=ANNA,
        instructions=instructions(agent, ANNA, "general", time.time()), environment=keys,
    )  # fmt: skip


def tool(name: str, **given: Any) -> str:
    return f"!tool {name} {json.dumps(given)}"


def asked(talk: Talk) -> list[str]:
    return [question.detail for question in talk.all(Question)]


@EACH
async def test_each_runs_with_its_own_words_and_without_what_is_denied(name: str, tmp_path: Path, model: Model, github: str) -> None:
    talk = await talked(turn(name, tmp_path / "s", model, github, "!say Here is what I found."))

    assert talk.answered.strip() == "Here is what I found."
    assert AGENTS[name].instructions.splitlines()[-1] in model.log[-1].system
    assert not {*options(AGENTS[name]).deny} & HARM & {*model.log[-1].tools}
    assert "Read" in model.log[-1].tools


async def test_what_it_works_on_is_read_without_asking_and_nothing_else(tmp_path: Path, model: Model, github: str) -> None:
    folder = tmp_path / "s"
    (tmp_path / "secret.txt").write_text("s3cret")
    script = f"{tool('Read', file_path=str(folder / 'work/page.md'))}\n!toolresult\n{tool('Read', file_path=str(tmp_path / 'secret.txt'))}"

    async with talking(turn("product-questions", folder, model, github, f"{script}\n!toolresult")) as talk:
        question = await talk.question()
        assert "What stands in a page" in talk.answered
        talk.answer(question, **{question.parts[0].id: DENY})
        await talk.task

    assert asked(talk) == [str(tmp_path / "secret.txt")]
    assert "s3cret" not in talk.answered


async def test_a_pull_request_is_read_without_asking_and_a_review_is_allowed_by_a_person(tmp_path: Path, model: Model, github: str) -> None:
    script = f"{tool('mcp__github__pull_request_read')}\n!toolresult\n{tool('mcp__review__pull_request_review_write', event='APPROVE')}"

    async with talking(turn("pull-request-risk", tmp_path / "s", model, github, f"{script}\n!toolresult")) as talk:
        question = await talk.question()
        assert "GitHub did pull_request_read" in talk.answered
        talk.answer(question, **{question.parts[0].id: ALLOW})
        await talk.task

    assert ["APPROVE" in detail for detail in asked(talk)] == [True]
    assert "GitHub did pull_request_review_write" in talk.answered


@pytest.mark.parametrize("name", ["cve-updates", "docs-maintenance", "migration-conflicts"])
async def test_its_copy_is_changed_without_asking_and_nothing_is_pushed(name: str, tmp_path: Path, model: Model, github: str) -> None:
    folder = tmp_path / "s"
    script = f"{tool('Write', file_path=str(folder / 'work/new.md'), content='new')}\n{tool('Bash', command='git push origin main')}"

    async with talking(turn(name, folder, model, github, f"{script}\n!toolresult")) as talk:
        question = await talk.question()
        talk.answer(question, **{question.parts[0].id: DENY})
        await talk.task

    assert asked(talk) == ["git push origin main"]
    assert (folder / "work" / "new.md").read_text() == "new"
