"""What an ACP agent is begun with: its command, its switches, its folders."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from acp.schema import AgentCapabilities, HttpHeader, HttpMcpServer
from pydantic import model_validator

from bot.agent import Agent
from bot.runtimes import gateway, hermes_setting, home, opencode_setting
from bot.runtimes.child import Command
from bot.runtimes.opencode_setting import BROUGHT, CONFIG, HOSTED, VENDORLESS

NPM = "install it with: npm install -g"
OWN = {"claudeCode": {"options": {"settingSources": ["user"], "strictMcpConfig": True}}}
"""What stands in a repository may run nothing; each harness takes of this, and of the switches for it, what it knows."""


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of a harness. `mode` is the one in which it asks people; `totals`: it counts tokens from its own start on.

    `questions`: its agent can ask people more than for leave. `obeys` is what of a repository it does whatever it is told.
    """

    title: str
    command: tuple[str, ...]
    remedy: str
    switches: Mapping[str, str] = field(default_factory=dict)
    mode: str = ""
    totals: bool = False
    questions: bool = False
    obeys: tuple[str, ...] = ()


PRESETS = {
    "claude": Preset(
        "Claude Code", ("claude-agent-acp",), f"{NPM} @agentclientprotocol/claude-agent-acp",
        {
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
            "CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION": "0",  # which would cost a call of the model for each turn, and nobody sees it
        },
        questions=True,
    ),
    "codex": Preset(
        "Codex", ("codex-acp",), f"{NPM} @agentclientprotocol/codex-acp", mode="workspace-write", questions=True, obeys=(".codex",),
    ),
    "opencode": Preset(
        "OpenCode", ("opencode", "acp"), opencode_setting.REMEDY,
        {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_ENABLE_QUESTION_TOOL": "0"},  # over ACP nobody hears that tool: it waits for ever
        obeys=BROUGHT,
    ),
    "hermes": Preset("Hermes", ("hermes", "acp"), hermes_setting.REMEDY, totals=True),
    "deepagents": Preset("DeepAgents", (), "install deepagents-acp for the Python that options.command names"),
    "gemini": Preset("Gemini CLI", ("gemini", "--acp"), f"{NPM} @google/gemini-cli"),
    "copilot": Preset("Copilot CLI", ("copilot", "--acp"), f"{NPM} @github/copilot"),
    "goose": Preset("Goose", ("goose", "acp"), "install it as Goose's own page says"),
    "cursor": Preset("Cursor", ("agent", "acp"), "install Cursor's command line as its own page says"),
}  # fmt: skip


class Options(home.Options):
    """The `options` of an agent that speaks ACP, the Agent Client Protocol. One of `harness` and `command` is needed."""

    harness: Literal["claude", "codex", "opencode", "hermes", "deepagents", "gemini", "copilot", "goose", "cursor"] | None = None
    """One that is known here, with its command and switches."""
    command: tuple[str, ...] = ()
    """What begins the agent, word by word; with `harness`, in place of the command that is known."""
    mode: str = ""
    """The mode to work in, by the agent's own name; by default the agent's own, or the one in which it asks people."""

    @model_validator(mode="after")
    def _begun(self) -> "Options":
        if not self.command and not (self.harness and PRESETS[self.harness].command):
            raise ValueError(
                "nothing says what to begin; write `command:` under `options:`, a list of words, or the `harness:` of one that is known"
            )
        return self


def preset(options: Options, agent: Agent) -> Preset:
    if options.harness:
        return PRESETS[options.harness]
    return Preset(agent.name, (), f"install it, or correct options.command in {agent.file}")


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    options: Options
    name: str = "acp"

    @property
    def preset(self) -> Preset:
        return preset(self.options, self.turn.agent)

    @property
    def mode(self) -> str:
        return self.options.mode or self.preset.mode

    @property
    def files(self) -> list[str]:
        """The folders of what came with the message, where the agent has to be let in."""
        folders = dict.fromkeys(file.parent for file in self.turn.files)
        return [str(folder) for folder in folders if not folder.is_relative_to(self.work)]

    def servers(self, can: AgentCapabilities) -> list[HttpMcpServer]:
        """Our tools, where the turn is lent them and the agent takes them."""
        tools = self.turn.tools
        if tools is None or not (can.mcp_capabilities and can.mcp_capabilities.http):
            return []
        headers = [HttpHeader(name=name, value=value) for name, value in tools.headers.items()]
        return [HttpMcpServer(type="http", name=tools.name, url=tools.url, headers=headers)]

    def begun(self) -> Command:
        """Raises Unavailable."""
        self.prepare()
        self.trust(self.preset.title, *self.preset.obeys, remedy=f"Take the runtime `{self.options.harness}` for this one")
        words = self.options.command or self.preset.command
        way = gateway.of(self.turn)
        alone = {"OPENCODE_DISABLE_PROJECT_CONFIG": "1", "OPENCODE_SERVER_PASSWORD": secrets.token_urlsafe(32)}  # it serves HTTP beside
        if not (self.turn.agent.model.startswith(HOSTED) or CONFIG in self.turn.environment):
            alone[CONFIG] = json.dumps(VENDORLESS)
        environment = {**alone, **self.preset.switches, **(way.acp(self.turn.agent.model) if way else {})}
        return self.command(self.preset.title, *words, remedy=self.preset.remedy, environment=environment)
