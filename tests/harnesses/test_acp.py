"""Real harnesses over ACP, each through the whole contract."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.event import Usage
from tests.runtimes.contract import Harness, after
from tests.runtimes.hardship import Hardship
from tests.runtimes.talk import talked
from tests.standins.model import Model

from . import ROOT, harness, test_hermes, test_opencode

COUNTS = (
    "totalAPIDuration", "totalAPIDurationWithoutRetries", "totalToolDuration", "totalLinesAdded", "totalLinesRemoved", "totalDuration",
    "startTime",
)  # fmt: skip
NO_QUESTION = {"question": "{} has no question over ACP", "typed": "{} has no question over ACP", "restart": "{} has no question over ACP"}


def tool(name: str, key: str = "command", **more: str) -> Callable[[str], str]:
    return lambda command: f"!tool {name} " + json.dumps({key: command, **more})


def without_questions(name: str, **more: str) -> dict[str, str]:
    return {**{column: why.format(name) for column, why in NO_QUESTION.items()}, **more}


def options(labels: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"label": label, "description": label.lower()} for label in labels]


def ask_claude(text: str, labels: tuple[str, ...]) -> str:
    asked = {"question": text, "header": "Colour", "multiSelect": False, "options": options(labels)}
    return "!tool AskUserQuestion " + json.dumps({"questions": [asked]})


def ask_codex(text: str, labels: tuple[str, ...]) -> str:
    asked = {"id": "c", "header": "Colour", "question": text, "options": options(labels)}
    return "!tool request_user_input " + json.dumps({"questions": [asked]})


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def prepare_claude(folder: Path, url: str) -> None:
    allowed = {"permissions": {"allow": ["Bash(echo:*)", "Bash(sleep:*)", "Bash(tail:*)"]}}
    write(folder / "home" / ".claude" / "settings.json", json.dumps(allowed))


def prepare_codex(folder: Path, url: str) -> None:
    config = f'''model = "gpt-5.4"
model_provider = "stand-in"
approval_policy = "on-request"
[model_providers.stand-in]
name = "stand-in"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "MODEL_KEY"
request_max_retries = 0
stream_max_retries = 0
[features]
default_mode_request_user_input = true
'''
    write(folder / "home" / ".codex" / "config.toml", config)


def prepare_hermes(folder: Path, url: str) -> None:
    model = f"model:\n  default: stand-in\n  provider: custom\n  base_url: {url}/v1\n  api_key: x\n"
    write(folder / "home" / ".hermes" / "config.yaml", model)


def opencode(url: str) -> Mapping[str, str]:
    model = {
        "name": "Stand-in", "reasoning": True, "tool_call": True, "limit": {"context": 200_000, "output": 8000},
        "cost": {"input": 3, "output": 15},
    }  # fmt: skip
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "S", "options": {"baseURL": f"{url}/v1", "apiKey": "x"}, "models": {"m": model}}
    config: dict[str, Any] = {
        "model": "s/m", "small_model": "s/m", "share": "disabled", "enabled_providers": ["s"], "provider": {"s": provider},
        "permission": {"bash": {"*": "allow", "touch *": "ask"}},
    }  # fmt: skip
    return {"OPENCODE_CONFIG_CONTENT": json.dumps(config), "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}


def escalated(command: str) -> str:
    """Codex asks only where its model wants out of the sandbox."""
    more = {"sandbox_permissions": "require_escalated", "justification": "May I?"} if command.startswith("touch") else {}
    return tool("exec_command", "cmd", **more)(command)


def dangerous(command: str) -> str:
    """Hermes asks only where it sees danger."""
    return tool("terminal")(f"{command}; rm -rf nowhere" if command.startswith("touch") else command)


class OverACP(Hardship):
    name: str
    old = """read line; echo '{"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": 0}}'; read line"""
    aged = "speaks version 0 of ACP"

    def _binary(self) -> str:
        return str(self.harness.options["path"])


class TestClaude(OverACP):
    name = "acp: Claude Code"
    harness = Harness(
        "acp", shell=tool("Bash", description="run it"), ask=ask_claude, prepare=prepare_claude,
        environment=lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "x", "CLAUDE_CODE_MAX_RETRIES": "0"},
        plan='!tool TaskCreate {"subject": "Look", "description": "l"}\n!tool TaskCreate {"subject": "Mend", "description": "m"}\n'
        '!say so\n!tool TaskUpdate {"taskId": "1", "status": "in_progress"}',
        options={"harness": "claude", "path": harness("claude-agent-acp")},
    )  # fmt: skip


class TestCodex(OverACP):
    name = "acp: Codex"
    harness = Harness(
        "acp", shell=escalated, ask=ask_codex,
        prepare=prepare_codex, environment=lambda url: {"MODEL_KEY": "x", "CODEX_PATH": harness("codex")},
        options={"harness": "codex", "path": harness("codex-acp"), "mode": "agent-full-access"}, asks={"mode": "workspace-write"},
        plan='!tool update_plan {"plan": [{"step": "Look", "status": "in_progress"}, {"step": "Mend", "status": "pending"}]}',
        cannot={"plan": "Codex 0.169 gives its models no tool for a plan", "cost": "Codex tells tokens and no cost"},
    )  # fmt: skip


class TestOpenCode(OverACP):
    name = "acp: OpenCode"
    harness = Harness(
        "acp", shell=tool("bash", description="run it"), environment=opencode, ask=test_opencode.ask,
        plan='!tool todowrite {"todos": [{"content": "Look", "status": "in_progress", "priority": "high", "id": "1"},'
        ' {"content": "Mend", "status": "pending", "priority": "low", "id": "2"}]}',
        options={"harness": "opencode", "path": harness("opencode")}, cannot=without_questions("OpenCode"),
    )  # fmt: skip


class TestHermes(OverACP):
    name = "acp: Hermes"
    harness = Harness(
        "acp", shell=dangerous, environment=lambda url: {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"{url}/v1"}, prepare=prepare_hermes,
        ask=test_hermes.ask, plan=test_hermes.HERMES.plan, options={"harness": "hermes", "path": harness("hermes")}, 
        cannot=without_questions("Hermes", cost="Hermes tells tokens and no cost"),
    )  # fmt: skip


AGENT = str(Path(__file__).with_name("deep_agent.py"))
DEEP = {"harness": "deepagents", "path": str(ROOT / "deepagents" / "bin" / "python")}
DEEP_CANNOT = {
    "thoughts": "DeepAgents' ACP server tells text only", "resume": "DeepAgents' ACP server keeps no conversation",
    "usage": "DeepAgents' ACP server tells no usage", "cost": "DeepAgents' ACP server tells no usage",
}  # fmt: skip


class TestDeepAgents(OverACP):
    name = "acp: DeepAgents"
    harness = Harness(
        "acp", shell=tool("execute"), environment=lambda url: {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"{url}/v1"},
        plan='!tool write_todos {"todos": [{"content": "Look", "status": "in_progress"}, {"content": "Mend", "status": "pending"}]}',
        options={**DEEP, "command": ["python", AGENT]}, asks={"command": ["python", AGENT, "--asks"]},
        cannot=without_questions("DeepAgents", **DEEP_CANNOT),
    )  # fmt: skip


async def test_a_key_in_its_environment_is_enough_for_codex(model: Model, tmp_path: Path) -> None:
    """As with OpenAI itself, where nobody writes a file for it."""
    asked = TestCodex.harness.turn(tmp_path / "s", model.url, "!say hello", environment={"OPENAI_API_KEY": "sk-own"})
    config = tmp_path / "s" / "home" / ".codex" / "config.toml"
    config.write_text(config.read_text().replace('env_key = "MODEL_KEY"', "requires_openai_auth = true"))

    talk = await talked(asked)

    assert talk.answered == "hello"
    assert model.log[-1].headers["Authorization"] == "Bearer sk-own"


@pytest.mark.parametrize("written", [True, False])
async def test_claudes_cost_is_told_whether_or_not_it_had_time_to_write_it_down(model: Model, tmp_path: Path, written: bool) -> None:
    first = await talked(TestClaude.harness.turn(tmp_path / "s", model.url, "!usage 1000 100\n!say one"))
    [spent] = first.all(Usage)
    await asyncio.to_thread(written_down, tmp_path / "s", first.resume, spent.usd if written else None)

    second = await talked(after(first, "!usage 2000 200\n!say two"))

    assert second.all(Usage)[0].usd == pytest.approx(2 * spent.usd, rel=0.01)
    assert len([asked for asked in model.log if asked.tools]) == 2  # nothing beside the answers, as a guess at what is said next


def written_down(folder: Path, session: str, usd: float | None) -> None:
    """Its transcript as it is where the process had time for that, or had not."""
    [transcript] = folder.glob(f"home/.claude/projects/*/{session}.jsonl")
    lines = [line for line in transcript.read_text().splitlines() if '"cost-state"' not in line]
    total = {"type": "cost-state", "sessionId": session, "totalCostUSD": usd, **dict.fromkeys(COUNTS, 0), "modelUsage": {}}
    transcript.write_text("\n".join([*lines, *([json.dumps(total)] if usd else []), ""]))
