"""What a Claude Code process is begun with: its folders, its environment, its command line."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import claude_agent_sdk
from pydantic import BaseModel, ConfigDict, Field

from bot.errors import Unavailable
from bot.ports import Turn
from bot.runtimes.claude_memory import Memory

BUNDLED = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
USUAL = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
SWITCHES = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",  # off by default where nobody sits at a terminal
    "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",  # says when nothing more is to come
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
}
LATER = ("CronCreate", "CronDelete", "CronList", "ScheduleWakeup")  # the process ends with the turn: these would promise in vain


class Options(BaseModel):
    """The `options` of an agent that runs on Claude Code. A tool is named as in Claude Code's own settings: Read, Bash(git log *)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    cwd: Path | None = None
    """The folder that the agent works in; by default an empty one that belongs to the session."""
    cli_path: Path | None = None
    """Another Claude Code than the one that comes with claude-agent-sdk."""
    system_prompt: Literal["append", "replace"] = "append"
    """Whether the instructions follow Claude Code's own system prompt, or stand in its place."""
    start_seconds: float = Field(default=60, gt=0)
    """How long Claude Code may take to start."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The folders of one session. All that Claude Code keeps is in them, so that no session sees another's."""

    turn: Turn
    options: Options

    @property
    def work(self) -> Path:
        return self.options.cwd or self.turn.folder / "work"

    @property
    def kept(self) -> Path:
        return self.turn.folder / "claude"

    @property
    def mark(self) -> str:
        return f"CLAUDE_CONFIG_DIR={self.kept}"

    @property
    def environment(self) -> dict[str, str]:
        """Not a single variable of our own process."""
        own = {"HOME": "home", "CLAUDE_CONFIG_DIR": "claude", "CLAUDE_CODE_TMPDIR": "tmp"}
        return {**USUAL, **SWITCHES, **self.turn.environment, **{name: str(self.turn.folder / part) for name, part in own.items()}}

    def prepare(self) -> None:
        """Raises Unavailable."""
        for part in ("home", "claude", "tmp"):
            (self.turn.folder / part).mkdir(mode=0o700, exist_ok=True)
        if self.options.cwd is None:
            self.work.mkdir(exist_ok=True)
        elif not self.work.is_dir():
            raise Unavailable(f"There is no folder {self.work}, which options.cwd in {self.turn.agent.file} names; make it.")
        self._prompt.write_text(self.turn.instructions)

    @property
    def _prompt(self) -> Path:
        return self.turn.folder / "instructions.md"

    def transcript(self, memory: Memory) -> Path | None:
        """What Claude Code wrote down of the conversation that the turn goes on with; it finds it again only where it worked before."""
        if memory.work not in ("", str(self.work)):
            return None
        found = self.kept.glob(f"projects/*/{self.turn.resume}.jsonl") if self.turn.resume else iter(())
        return next(found, None)

    def command(self, session: str, resumed: bool, memory: Memory) -> list[str]:
        options, mode = self.options, self.options.permission_mode
        folders = dict.fromkeys([*(str(file.parent) for file in self.turn.files), *memory.folders])
        style = "append-system-prompt" if options.system_prompt == "append" else "system-prompt"
        rules = {"allow": [*options.tools, *memory.rules], "ask": list(options.ask)}
        return [
            str(options.cli_path or BUNDLED), "--output-format=stream-json", "--input-format=stream-json", "--verbose",
            "--include-partial-messages", "--permission-prompt-tool=stdio", "--setting-sources=", "--strict-mcp-config",
            f"--resume={session}" if resumed else f"--session-id={session}",
            f"--settings={json.dumps({'permissions': rules})}",
            f"--disallowedTools={','.join((*LATER, *options.deny))}",
            f"--permission-mode={memory.mode or mode if mode == 'default' else mode}",
            *([f"--{style}-file={self._prompt}"] if self.turn.instructions else []),
            *([f"--model={self.turn.agent.model}"] if self.turn.agent.model else []),
            *([f"--max-turns={options.max_turns}"] if options.max_turns else []),
            *(f"--add-dir={folder}" for folder in folders),
        ]  # fmt: skip


def knows(transcript: Path, prompt: str) -> bool:
    """Whether the conversation holds these words of a person."""
    with transcript.open(encoding="utf-8", errors="replace") as lines:
        return any(_says(line, prompt) for line in lines if '"user"' in line)


def _says(line: str, prompt: str) -> bool:
    try:
        match json.loads(line):
            case {"type": "user", "message": {"content": str(text)}}:
                return prompt in text
            case {"type": "user", "message": {"content": list() as blocks}}:
                return any(isinstance(block, dict) and prompt in str(block.get("text", "")) for block in blocks)
            case _:
                return False
    except ValueError:
        return False  # the line that was being written when the process died
