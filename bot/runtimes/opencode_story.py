"""What OpenCode tells, as our events."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from bot.event import Event, Finished, Item, Notice, Plan, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import coding
from bot.runtimes import opencode_words as words
from bot.runtimes.claude_words import short

Json = dict[str, Any]
SILENT = frozenset({"todowrite", "question"})  # told as what they are
ITEM: dict[str, Literal["pending", "in_progress", "done"]] = {"in_progress": "in_progress", "completed": "done", "cancelled": "done"}


class Story:
    """One turn, event by event: of its own session, and of those that sub-agents have.

    `calls` knows each tool's name and input by its call, `denied` which of them a person denied, `heard` what people said.
    `idle` is true while OpenCode does nothing.
    """

    def __init__(self, session: str, file: str, folder: Path, before: Iterable[str] = ()) -> None:
        """`before`: the messages of the turns before, which are told again when OpenCode sums them up."""
        self.session, self.file, self.folder = session, file, folder
        self.calls: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.denied: set[str] = set()
        self.heard: set[str] = set()
        self._before = frozenset(before)
        self.idle = False
        self._error: Json | None = None
        self._parents = {session: ""}
        self._parts: dict[str, str] = {}
        self._steps: dict[str, Step] = {}
        self._counted: set[str] = set()
        self._last = ""

    def tell(self, event: Json) -> Iterator[Event]:
        told = event["properties"]
        match event.get("type"), told:
            case "session.created" | "session.updated", {"info": {"id": str(id), "parentID": str(parent)}} if parent in self._parents:
                self._parents.setdefault(id, "")
            case "message.part.updated", {"part": {"sessionID": str(id)} as part} if id in self._parents:
                yield from self._part(part)
            case _, {"sessionID": id} if id == self.session:
                yield from self._own(str(event.get("type")), told)

    def end(self) -> Finished:
        if self._error is None:
            return Finished("completed")
        if self._error.get("name") == "MessageAbortedError":
            return Finished("canceled")
        return Finished("failed", words.failure(self._error, self.file), short(str(self._error.get("name", "")), 100))

    def _own(self, kind: str, told: Json) -> Iterator[Event]:
        match kind, told:
            case "message.part.delta", {"partID": str(id), "field": "text", "delta": str(text)}:
                yield from self._delta(id, text)
            case "message.updated", {"info": {"id": str(id), "role": "user"}} if id not in self._before:
                self.heard.add(id)
            case "todo.updated", {"todos": list(todos)}:
                yield Plan(tuple(Item(str(todo.get("content", "")), ITEM.get(str(todo.get("status")), "pending")) for todo in todos))
            case "session.status", {"status": {"type": "busy"}}:
                self.idle = False
            case "session.status", {"status": {"type": "retry"} as status}:
                yield Notice(words.retried(status), "warning")
            case "session.compacted", _:
                yield Notice("The conversation had become long; its beginning was summarised.")
            case "session.error", {"error": dict(error)}:
                self._error = self._error or error
            case "session.idle", _:
                self.idle = True

    def _delta(self, id: str, text: str) -> Iterator[Event]:
        if self._parts.get(id) == "reasoning":
            yield Thought(text)
        elif self._parts.get(id) == "text":
            yield Text(f"\n\n{text}" if self._last not in ("", id) else text)
            self._last = id

    def _part(self, part: Json) -> Iterator[Event]:
        match part:
            case {"type": "tool", "callID": str(call), "tool": str(tool), "state": dict(state)}:
                self.calls[call] = tool, state.get("input") or {}
                yield from self._step(call, tool, state, self._parents[part["sessionID"]])
            case {"type": "step-finish", "id": str(id), "tokens": dict(tokens)} if id not in self._counted:
                self._counted.add(id)
                yield usage(tokens, part.get("cost"))
            case {"type": "text" | "reasoning" as kind, "id": str(id), "sessionID": self.session}:
                self._parts[id] = str(kind)

    def _step(self, call: str, tool: str, state: Json, parent: str) -> Iterator[Event]:
        given = self.calls[call][1]
        match state:
            case {"metadata": {"sessionId": str(child)}} if tool == "task":
                self._parents[child] = call
        if tool in SILENT or state.get("status") == "pending":
            return
        status = self._status(call, state)
        error = short("\n".join(str(state.get("error") or "").strip().splitlines()[:4]), 300) if status == "failed" else ""
        step = Step(call, coding.title(tool, given, self.folder), coding.kind(tool), status, error or coding.detail(tool, given), parent)
        if step != self._steps.get(call):
            self._steps[call] = step
            yield step

    def _status(self, call: str, state: Json) -> StepStatus:
        match state:
            case {"status": "completed", "metadata": {"exit": int(code)}} if code:
                return "failed"
            case {"status": "completed"}:
                return "completed"
            case {"status": "error"}:
                return "denied" if call in self.denied else "failed"
            case _:
                return "working"


def usage(tokens: Json, cost: Any) -> Usage:
    cache = tokens.get("cache") or {}
    fresh = int(tokens.get("input") or 0) + int(cache.get("write") or 0)
    told = int(tokens.get("output") or 0) + int(tokens.get("reasoning") or 0)
    return Usage(fresh, told, int(cache.get("read") or 0), float(cost or 0))
