"""What has to be known of a Claude Code session in its next process."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from claude_agent_sdk import PermissionUpdate
from pydantic import BaseModel, Field

from bot.event import Item, Plan
from bot.runtimes import memory

STATUS: dict[str, Literal["pending", "in_progress", "done"]] = {"in_progress": "in_progress", "completed": "done"}


class Task(BaseModel):
    text: str
    status: str = "pending"


class Memory(memory.Memory):
    """`work` is where it worked, `owed` what of it nobody was told yet.

    `parked` is the call that asks a question, put off into the next process; `asked` holds by their calls the prints of what people
    were asked to allow. The rest is what people allowed for the session.
    """

    file = "claude.json"
    session: str = ""
    work: str = ""
    owed: float = 0.0
    tasks: dict[str, Task] = Field(default_factory=dict)
    rules: list[str] = Field(default_factory=list)
    folders: list[str] = Field(default_factory=list)
    mode: str = ""
    parked: str = ""
    asked: dict[str, str] = Field(default_factory=dict)

    def of(self, session: str, work: Path) -> None:
        """Forget what belongs to another session than this."""
        if session != self.session:
            self.session, self.usd, self.tasks, self.parked, self.asked = session, 0.0, {}, "", {}
        self.work = str(work)

    def spend(self, total: float) -> float:
        """What has been spent and not told."""
        owed, self.owed = self.owed, 0.0
        return owed + super().spend(total)

    def plan(self) -> Plan:
        return Plan(tuple(Item(task.text, STATUS.get(task.status, "pending")) for task in self.tasks.values()))

    def allow(self, updates: Iterable[PermissionUpdate]) -> None:
        for update in updates:
            rules = [written(rule.tool_name, rule.rule_content) for rule in update.rules or ()]
            self.rules += [rule for rule in rules if rule not in self.rules]
            self.folders += [folder for folder in update.directories or () if folder not in self.folders]
            self.mode = update.mode or self.mode


def covered(updates: Iterable[PermissionUpdate]) -> str:
    """What these would allow, in words."""
    words: list[str] = []
    for update in updates:
        words += [f"whatever fits {written(rule.tool_name, rule.rule_content)}" for rule in update.rules or ()]
        words += [f"to go into {folder}" for folder in update.directories or ()]
        words += ["all changes of files in its folder"] if update.mode else []
    return "; ".join(words)


def written(tool: str, content: str | None) -> str:
    """A rule as settings hold it: https://docs.claude.com/en/docs/claude-code/settings#permission-settings"""
    if not content:
        return tool
    for char in "\\()":
        content = content.replace(char, f"\\{char}")
    return f"{tool}({content})"
