"""What a program that speaks Claude Code's stream-json tells, as our events."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bot.event import Event, Finished, Item, Notice, Plan, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import claude_words as words
from bot.runtimes import memory

Json = dict[str, Any]
SILENT = frozenset({"TaskCreate", "TaskUpdate", "TaskGet", "TaskList", "TodoWrite", "AskUserQuestion"})
ITEM: dict[str, Literal["pending", "in_progress", "done"]] = {"in_progress": "in_progress", "completed": "done"}


class Memory(memory.Memory):
    """The plan, by its tasks' numbers."""

    file = "stream_json.json"
    tasks: dict[str, tuple[str, str]] = Field(default_factory=dict)

    def plan(self) -> Plan:
        return Plan(tuple(Item(text, ITEM.get(status, "pending")) for text, status in self.tasks.values()))


class Story:
    """One turn, message by message. `end` is set while the program has nothing to do; `calls` knows each call's tool and input."""

    def __init__(self, folder: Path, agent_file: str, key: str, memory: Memory) -> None:
        self.folder, self.file, self.key, self.memory = folder, agent_file, key, memory
        self.end: Finished | None = None
        self.denied: set[str] = set()
        self._calls: dict[str, tuple[str, Json]] = {}
        self._steps: dict[str, Step] = {}
        self._results: list[str] = []
        self._streams = self._said = False

    def tell(self, message: Json) -> Iterator[Event]:
        parent = str(message.get("parent_tool_use_id") or "")
        match message:
            case {"type": "stream_event", "event": dict(event)} if not parent:
                self._streams = True
                yield from self._streamed(event)
            case {"type": "assistant", "error": str()}:
                pass  # the result says it again
            case {"type": "assistant", "message": {"content": list(blocks)}}:
                yield from (told for block in blocks if isinstance(block, dict) for told in self._spoken(block, parent))
            case {"type": "user", "message": {"content": list(blocks)}}:
                outcome = message.get("tool_use_result")
                yield from (told for block in blocks if isinstance(block, dict) for told in self._returned(block, outcome))
            case {"type": "result"}:
                yield from self._ended(message)
            case {"type": "system", "subtype": "compact_boundary"}:
                yield Notice("The conversation had become long; its beginning was summarised.")
            case {"type": "system", "subtype": "permission_denied", "tool_use_id": str(call)}:
                self.denied.add(call)

    def _streamed(self, event: Json) -> Iterator[Event]:
        for told in words.streamed(event, self._said):
            self._said |= isinstance(told, Text)
            yield told

    def _spoken(self, block: Json, parent: str) -> Iterator[Event]:
        match block:
            case {"type": "tool_use", "id": str(call), "name": str(tool), "input": dict(given)}:
                self._calls[call] = tool, given
                if tool not in SILENT:
                    title, detail = words.title(tool, given, self.folder), words.detail(tool, given, self.folder)
                    self._steps[call] = Step(call, title, words.kind(tool), "working", detail, parent)
                    yield self._steps[call]
            case {"type": "text", "text": str(text)} if text and not parent and not self._streams:
                yield Text(f"\n\n{text}" if self._said else text)
                self._said = True
            case {"type": "thinking", "thinking": str(text)} if text and not parent and not self._streams:
                yield Thought(text)

    def _returned(self, block: Json, outcome: Any) -> Iterator[Event]:
        match block:
            case {"type": "tool_result", "tool_use_id": str(call)}:
                tool, given = self._calls.pop(call, ("", {}))
                failed = bool(block.get("is_error"))
                if tool in SILENT and not failed:
                    yield from self._planned(tool, given, outcome if isinstance(outcome, dict) else {})
                elif step := self._steps.get(call):
                    status: StepStatus = "denied" if call in self.denied else "failed" if failed else "completed"
                    lines = words.content(block.get("content")).strip().splitlines()[:4] if failed else []
                    yield replace(step, status=status, detail=words.short("\n".join(lines), 300) or step.detail)

    def _planned(self, tool: str, given: Json, outcome: Json) -> Iterator[Event]:
        tasks = self.memory.tasks
        match tool, outcome:
            case "TodoWrite", _:
                todos = [todo for todo in given.get("todos") or () if isinstance(todo, dict)]
                texts = [(str(todo.get("content", "")), str(todo.get("status"))) for todo in todos]
                self.memory.tasks = {str(number): task for number, task in enumerate(texts)}
            case "TaskCreate", {"task": {"id": number, "subject": text}}:
                tasks[str(number)] = str(text), "pending"
            case "TaskUpdate", {"taskId": number} if str(number) in tasks:
                text, status = tasks[str(number)]
                tasks[str(number)] = str(given.get("subject", text)), str(given.get("status", status))
                if given.get("status") == "deleted":
                    del tasks[str(number)]
            case _:
                return
        yield self.memory.plan()

    def _ended(self, result: Json) -> Iterator[Event]:
        used = result.get("usage") or {}
        fresh = int(used.get("input_tokens") or 0) + int(used.get("cache_creation_input_tokens") or 0)
        spent = self.memory.spend(float(result.get("total_cost_usd") or 0))
        yield Usage(fresh, int(used.get("output_tokens") or 0), int(used.get("cache_read_input_tokens") or 0), spent)
        self.end = self._outcome(result)
        if self.end.state == "completed" and result.get("result"):
            self._results.append(str(result["result"]))
            yield Text("\n\n".join(self._results), final=True)

    def _outcome(self, result: Json) -> Finished:
        said = "; ".join(map(str, result.get("errors") or ())) or str(result.get("result") or "")
        match result:
            case {"terminal_reason": "aborted_streaming" | "aborted_tools"}:
                return Finished("canceled")
            case {"subtype": "error_max_turns"}:
                return Finished("failed", "It was stopped: its command allows no more rounds of the model. Say how to go on.")
            case {"is_error": True, "api_error_status": int(status)}:
                return Finished("failed", words.failure(said, status, self.file, self.key), str(status))
            case {"is_error": True}:
                return Finished("failed", f"The program stopped with an error: {words.short(said or 'it did not say which', 300)}")
            case _:
                return Finished("completed")
