"""What Claude Code tells, as our events."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    RateLimitEvent,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TaskNotificationMessage,
    TaskStartedMessage,
    TaskUpdatedMessage,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from bot.event import Event, Finished, Notice, Step, StepStatus, Text, Usage
from bot.runtimes import claude_words as words
from bot.runtimes.claude_memory import Memory, Task

PLANNING = frozenset({"TaskCreate", "TaskUpdate", "TaskGet", "TaskList"})
ASKING = "AskUserQuestion"
OVER: dict[str | None, StepStatus] = {"completed": "completed", "failed": "failed", "stopped": "failed", "killed": "failed"}


class Story:
    """One turn, message by message. `end` is how it stands when nothing more is to come; `state` is Claude Code's own word for it.

    `hopeless` says that it would not end by itself.
    """

    def __init__(self, folder: Path, file: str, memory: Memory, keep: Callable[[], None], key: str = "") -> None:
        """`key`: what to do about a key that Claude's API does not take."""
        self.folder, self.file, self.memory, self.keep, self.key = folder, file, memory, keep, key
        self.end: Finished | None = None
        self.state = ""
        self.hopeless = False
        self.denied: set[str] = set()
        self._steps: dict[str, Step] = {}
        self._calls: dict[str, ToolUseBlock] = {}
        self._background: dict[str, str] = {}
        self._results: list[str] = []
        self._said = False

    def tell(self, message: Message) -> Iterator[Event]:
        match message:
            case StreamEvent(parent_tool_use_id=None, event=event):
                yield from self._streamed(event)
            case AssistantMessage(content=blocks, parent_tool_use_id=parent):
                yield from (told for block in blocks if isinstance(block, ToolUseBlock) for told in self._called(block, parent or ""))
            case UserMessage(content=list() as blocks, tool_use_result=outcome):
                yield from (told for block in blocks if isinstance(block, ToolResultBlock) for told in self._returned(block, outcome))
            case ResultMessage():
                yield from self._ended(message)
            case RateLimitEvent(rate_limit_info=info) if info.status != "allowed":
                reached = "is used up" if info.status == "rejected" else "is nearly used up"
                yield Notice(f"The rate limit of the Claude account {reached}.", "warning")
            case SystemMessage():
                yield from self._noted(message)

    def park(self, call: str, total: float) -> None:
        """The question was put off; what it has cost so far is told by the next process."""
        self.memory.parked, self.memory.owed = call, self.memory.spend(total)
        self.keep()

    def _streamed(self, event: dict[str, Any]) -> Iterator[Event]:
        for told in words.streamed(event, self._said):
            self._said |= isinstance(told, Text)
            yield told

    def _called(self, call: ToolUseBlock, parent: str) -> Iterator[Event]:
        self._calls[call.id] = call
        if call.name in PLANNING or call.name == ASKING:
            return
        told = words.title(call.name, call.input, self.folder), words.kind(call.name)
        step = Step(call.id, *told, "working", words.detail(call.name, call.input, self.folder), parent)
        self._steps[call.id] = step
        yield step

    def _returned(self, result: ToolResultBlock, outcome: Any) -> Iterator[Event]:
        call = self._calls.pop(result.tool_use_id, None)
        if call and call.name in PLANNING and not result.is_error:
            yield from self._planned(call, outcome if isinstance(outcome, dict) else {})
        elif result.tool_use_id not in self._background.values():
            status: StepStatus = "failed" if result.is_error else "completed"
            yield from self._closed(result.tool_use_id, status, words.content(result.content) if result.is_error else "")

    def _closed(self, call_id: str, status: StepStatus, error: str = "") -> Iterator[Event]:
        if step := self._steps.get(call_id):
            status = "denied" if call_id in self.denied else status
            lines = error.replace("<tool_use_error>", "").replace("</tool_use_error>", "").strip().splitlines()[:4]
            self._steps[call_id] = replace(step, status=status, detail=words.short("\n".join(lines), 300) or step.detail)
            yield self._steps[call_id]

    def _planned(self, call: ToolUseBlock, outcome: dict[str, Any]) -> Iterator[Event]:
        match call.name, outcome:
            case "TaskCreate", {"task": {"id": number, "subject": text}}:
                self.memory.tasks[str(number)] = Task(text=str(text))
            case "TaskUpdate", {"taskId": number} if (task := self.memory.tasks.get(str(number))) is not None:
                task.text, task.status = str(call.input.get("subject", task.text)), str(call.input.get("status", task.status))
                if task.status == "deleted":
                    del self.memory.tasks[str(number)]
            case _:
                return
        self.keep()
        yield self.memory.plan()

    def _noted(self, message: SystemMessage) -> Iterator[Event]:
        match message:
            case TaskStartedMessage(task_id=task, tool_use_id=str(call_id), data={"is_backgrounded": True, "task_type": "local_agent"}):
                self._background[task] = call_id  # its end is worth a line; that of a shell in the background is the turn's
            case TaskNotificationMessage(task_id=task, status=status) | TaskUpdatedMessage(task_id=task, status=status) if status in OVER:
                yield from self._closed(self._background.pop(task, ""), OVER[status])
            case SystemMessage(subtype="session_state_changed", data={"state": str(state)}):
                self.state = state
            case SystemMessage(subtype="permission_denied", data={"tool_use_id": str(call_id)}):
                self.denied.add(call_id)
            case SystemMessage(subtype="compact_boundary"):
                yield Notice("The conversation had become long; its beginning was summarised.")
            case SystemMessage(subtype="api_retry", data={"error_status": 401 | 403 as status, "attempt": int(times)}) if times > 1:
                self.hopeless = True  # Claude Code would go on with that for minutes
                self.end = Finished("failed", words.failure("", status, self.file, self.key))
            case SystemMessage(subtype="api_retry", data=data):
                yield Notice(f"Claude's API fails ({data.get('error_status') or data.get('error')}); trying again.", "warning")

    def _ended(self, result: ResultMessage) -> Iterator[Event]:
        """A result ends what was asked, not always the turn: what was said too late to be part of it has a result of its own."""
        usage = result.usage or {}
        fresh = int(usage.get("input_tokens", 0)) + int(usage.get("cache_creation_input_tokens") or 0)
        spent = self.memory.spend(result.total_cost_usd or 0.0)
        self.keep()
        yield Usage(fresh, int(usage.get("output_tokens", 0)), int(usage.get("cache_read_input_tokens") or 0), spent)
        self.end = self._outcome(result)
        if result.result and self.end.state == "completed":
            self._results.append(result.result)
            yield Text("\n\n".join(self._results), final=True)

    def _outcome(self, result: ResultMessage) -> Finished:
        match result:
            case ResultMessage(terminal_reason="aborted_streaming" | "aborted_tools"):
                return Finished("canceled")
            case ResultMessage(subtype="error_max_turns"):
                return Finished("failed", f"It was stopped: `options.max_turns` in {self.file} allows no more rounds. Say how to go on.")
            case ResultMessage(is_error=True, errors=[*errors]) if errors:
                return Finished("failed", f"Claude Code stopped with an error: {words.short('; '.join(map(str, errors)), 300)}")
            case ResultMessage(is_error=True):
                return Finished("failed", words.failure(result.result or "", result.api_error_status, self.file, self.key))
        return Finished("completed")
