"""What a Claude Code process is begun with: its folders, its environment, its command line."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import claude_agent_sdk
from pydantic import Field, field_validator

from bot import nofollow
from bot.errors import Unavailable
from bot.runtimes import gateway, home
from bot.runtimes.child import Command
from bot.runtimes.claude_memory import Memory

BUNDLED = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
REMEDY = "install the wheel of claude-agent-sdk that brings it, or set options.path to where it is"
SWITCHES = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",  # off by default where nobody sits at a terminal
    "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",  # says when nothing more is to come
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
}
LATER = ("CronCreate", "CronDelete", "CronList", "ScheduleWakeup")  # the process ends with the turn: these would promise in vain
BEARER = "FRONTDESK_TOOLS"  # the variable with the token of our tools: a command line can be read by everybody
SECRET = re.compile(r"token|secret|key|password|authorization", re.IGNORECASE)
NAMED = re.compile(r"\$\{(\w+)")


class Options(home.Options):
    """The `options` of an agent that runs on Claude Code. A tool is named as in Claude Code's own settings: Read, Bash(git log *)."""

    tools: tuple[str, ...] = ()
    """Tools that need no approval. What is neither here nor in `ask` or `deny` asks a person, unless it only reads in `cwd`."""
    ask: tuple[str, ...] = ()
    """Tools that ask a person every time, even where Claude Code would see no harm."""
    deny: tuple[str, ...] = ()
    """Tools that the agent does not get."""
    permission_mode: Literal["default", "acceptEdits", "plan", "bypassPermissions"] = "default"
    """How much Claude Code asks: as above; no question for edits; only plans; nothing at all (as root only with IS_SANDBOX=1)."""
    max_turns: int | None = Field(default=None, gt=0)
    """After how many rounds of the model a turn is stopped."""
    system_prompt: Literal["append", "replace"] = "append"
    """Whether the instructions follow Claude Code's own system prompt, or stand in its place."""
    skills: Path | None = None
    """A folder of skills that the agent gets, each a folder with a SKILL.md."""
    mcp_servers: Mapping[str, Mapping[str, Any]] = {}
    """MCP servers, as in Claude Code's own settings. A secret is written as "${NAME}", and NAME stands under `environment:`."""
    setting_sources: tuple[Literal["project", "local"], ...] = ()
    """Whose settings, hooks and commands in `cwd` hold: the repository's (project), this machine's own (local); by default nobody's."""

    @field_validator("mcp_servers")
    @classmethod
    def _unspoken(cls, servers: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
        for name, server in servers.items():
            for key, value in [*(server.get("env") or {}).items(), *(server.get("headers") or {}).items()]:
                if SECRET.search(key) and not NAMED.search(str(value)):
                    raise ValueError(f"{name}: {key} looks like a secret; write ${{NAME}} for it, and name NAME under environment:")
        return servers


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    """All that Claude Code keeps is in the session's folder, so that no session sees another's."""

    options: Options
    name: str = "claude"

    def furnish(self) -> None:
        """Raises Unavailable."""
        self.prepare()
        nofollow.write(self._prompt, self.turn.instructions)
        named = set(NAMED.findall(json.dumps({name: dict(server) for name, server in self.options.mcp_servers.items()})))
        if unset := sorted(named - {name for name, value in self.turn.environment.items() if value}):
            file = self.turn.agent.file
            raise Unavailable(f"options.mcp_servers in {file} needs {', '.join(unset)}: name it under `environment:` there, and set it.")
        if self.options.skills:
            self._teach(self.options.skills)

    def _teach(self, skills: Path) -> None:
        """Skills come as a plugin of the session's own, so that no other setting comes with them."""
        if not skills.is_dir():
            raise Unavailable(f"There is no folder {skills}, which options.skills in {self.turn.agent.file} names; make it.")
        (self._plugin / ".claude-plugin").mkdir(parents=True, exist_ok=True)
        (self._plugin / ".claude-plugin" / "plugin.json").write_text('{"name": "agent", "version": "1.0.0"}')
        (self._plugin / "skills").unlink(missing_ok=True)
        (self._plugin / "skills").symlink_to(skills.resolve())

    @property
    def _prompt(self) -> Path:
        return self.turn.folder / "instructions.md"

    @property
    def _plugin(self) -> Path:
        return self.turn.folder / "plugin"

    def begun(self, session: str, resumed: bool, memory: Memory) -> Command:
        """Raises Unavailable."""
        way = gateway.of(self.turn)
        own = {"CLAUDE_CONFIG_DIR": str(self.kept), "CLAUDE_CODE_TMPDIR": str(self.turn.folder / "tmp")}
        switches = {name: value for name, value in SWITCHES.items() if name not in self.turn.environment}
        given = {**switches, **(way.environment if way else {}), **own}
        words = [f"--resume={session}" if resumed else f"--session-id={session}", *self._words(memory)]
        given |= {BEARER: self.turn.tools.headers["Authorization"]} if self.turn.tools else {}
        return self.command("Claude Code", str(BUNDLED), *words, remedy=REMEDY, environment=given)

    def _words(self, memory: Memory) -> list[str]:
        options, mode = self.options, self.options.permission_mode
        skills = [str(options.skills.resolve()), str(self._plugin)] if options.skills else []
        folders = dict.fromkeys([*(str(file.parent) for file in self.turn.files), *memory.folders, *skills])
        style = "append-system-prompt" if options.system_prompt == "append" else "system-prompt"
        rules = {"allow": [*options.tools, *memory.rules], "ask": list(options.ask)}
        servers = {name: dict(server) for name, server in options.mcp_servers.items()}
        if tools := self.turn.tools:
            servers[tools.name] = {"type": "http", "url": tools.url, "headers": {"Authorization": f"${{{BEARER}}}"}}
            rules["allow"].append(f"mcp__{tools.name}")
        return [
            "--output-format=stream-json", "--input-format=stream-json", "--verbose", "--include-partial-messages", "--session-mirror",
            "--permission-prompt-tool=stdio", f"--setting-sources={','.join(options.setting_sources)}", "--strict-mcp-config",
            f"--settings={json.dumps({'permissions': rules})}",
            f"--disallowedTools={','.join((*LATER, *options.deny))}",
            f"--permission-mode={memory.mode or mode if mode == 'default' else mode}",
            *([f"--mcp-config={json.dumps({'mcpServers': servers})}"] if servers else []),
            *([f"--plugin-dir={self._plugin}"] if options.skills else []),
            *([f"--{style}-file={self._prompt}"] if self.turn.instructions else []),
            *([f"--model={self.turn.agent.model}"] if self.turn.agent.model else []),
            *([f"--max-turns={options.max_turns}"] if options.max_turns else []),
            *(f"--add-dir={folder}" for folder in folders),
        ]  # fmt: skip
