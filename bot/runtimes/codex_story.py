"""What Codex tells, as our events."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from bot.event import Event, Finished, Item, Notice, Plan, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import codex_words as words
from bot.runtimes.codex_setting import Memory
from bot.runtimes.rpc import Json

STATUS: dict[str, StepStatus] = {"inProgress": "working", "completed": "completed", "failed": "failed", "declined": "denied"}
PLANNED: dict[str, Literal["pending", "in_progress", "done"]] = {"inProgress": "in_progress", "completed": "done"}
NOISE = "Model metadata for"  # said in every turn of a model that this Codex does not list


class Story:
    """One turn, notification by notification. `end` is how it stands when nothing more is to come; `turn` the id of what runs."""

    def __init__(self, thread: str, folder: Path, memory: Memory, keep: Callable[[], None], fail: Callable[[Json], str]) -> None:
        """`fail` says in words what an error is."""
        self.thread, self.folder, self.memory, self.keep, self.fail = thread, folder, memory, keep, fail
        self.turn = ""
        self.end: Finished | None = None
        self._open: dict[str, Step] = {}
        self._parents: dict[str, str] = {}
        self._told: set[str] = set()
        self._part = ""
        self._retried = False

    def tell(self, method: str, params: Json) -> Iterator[Event]:
        """What belongs to sub-agents comes with a thread of their own: of that only steps are told."""
        thread = params.get("threadId") or self.thread
        match method, params:
            case "item/started" | "item/completed", {"item": dict(item)}:
                yield from self._item(item, method == "item/completed", thread)
            case _ if thread == self.thread:
                yield from self._ours(method, params)

    def _ours(self, method: str, params: Json) -> Iterator[Event]:
        match method, params:
            case "item/agentMessage/delta", {"itemId": str(item), "delta": str(text)}:
                yield from self._said(item, text)
            case "item/reasoning/summaryTextDelta" | "item/reasoning/textDelta", {"delta": str(text)}:
                yield from self._thought(f"{params.get('itemId')}-{params.get('summaryIndex', params.get('contentIndex'))}", text)
            case "turn/plan/updated", {"plan": list(plan)}:
                yield Plan(tuple(Item(str(step.get("step", "")), PLANNED.get(step.get("status"), "pending")) for step in plan))
            case "thread/tokenUsage/updated", {"tokenUsage": {"total": dict(total)}}:
                yield from self._spent(total)
            case "turn/started", {"turn": {"id": str(turn)}}:
                self.turn, self.end = turn, None
            case "turn/completed", {"turn": dict(turn)}:
                yield from self._ended(turn)
            case _:
                yield from self._noted(method, params)

    def _noted(self, method: str, params: Json) -> Iterator[Event]:
        match method, params:
            case "error", {"willRetry": True, "error": dict(error)} if not self._retried:
                self._retried = True  # told once; Codex says it for each try
                said = words.short(words.plain(str(error.get("additionalDetails") or error.get("message", ""))), 200)
                yield Notice(f"The model's API fails; trying again. Codex said: {said}", "warning")
            case "model/rerouted", {"toModel": str(model)}:
                yield Notice(f"OpenAI has given this to another model: {model}.")
            case "warning" | "guardianWarning", {"message": str(text)} if not text.startswith(NOISE):
                yield Notice(words.short(text, 300), "warning")
            case "mcpServer/startupStatus/updated", {"name": str(name), "status": "failed"}:
                said = words.short(str(params.get("error") or "nothing"), 200)
                yield Notice(f"The MCP server {name} did not start. It said: {said}", "warning")

    def _item(self, item: Json, over: bool, thread: str) -> Iterator[Event]:
        kind, ours = item.get("type"), thread == self.thread
        if kind == "agentMessage" and over and ours and item.get("id") not in self._told:
            yield from self._said(str(item.get("id")), str(item.get("text", "")))
        elif kind == "contextCompaction" and over and ours:
            yield Notice("The conversation had become long; its beginning was summarised.")
        elif told := words.shown(item, self.folder):
            yield self._step(item, *told, over, thread)

    def _step(self, item: Json, title: str, kind: Any, detail: str, over: bool, thread: str) -> Step:
        for child in item.get("receiverThreadIds") or ():
            self._parents.setdefault(str(child), str(item.get("id")))
        status = STATUS.get(str(item.get("status")), "working")
        if over and status == "working":
            status = "completed"  # what has no status of its own: a search, a look at a picture
        step = Step(str(item.get("id")), title, kind, status, failed(item) or detail, self._parents.get(thread, ""))
        if over:
            self._open.pop(step.call_id, None)
        else:
            self._open[step.call_id] = step
        return step

    def _said(self, item: str, text: str) -> Iterator[Event]:
        if item not in self._told and self._told and text:
            yield Text("\n\n")
        self._told.add(item)
        yield Text(text)

    def _thought(self, part: str, text: str) -> Iterator[Event]:
        if self._part and part != self._part:
            yield Thought("\n\n")
        self._part = part
        yield Thought(text)

    def _spent(self, total: Json) -> Iterator[Event]:
        """Codex counts what was cached as input too. A total that is smaller than the last has begun anew."""
        told, cached, out = (int(total.get(f"{name}Tokens") or 0) for name in ("input", "cachedInput", "output"))
        memory = self.memory
        if told < memory.input or out < memory.output:
            memory.input = memory.cached = memory.output = 0
        new = told - memory.input, cached - memory.cached, out - memory.output
        memory.input, memory.cached, memory.output = told, cached, out
        if any(new):
            self.keep()
            yield Usage(new[0] - new[1], new[2], new[1])

    def _ended(self, turn: Json) -> Iterator[Event]:
        self.turn = ""
        for step in self._open.values():
            yield Step(step.call_id, step.title, step.kind, "failed", step.detail, step.parent)
        self._open.clear()
        match turn.get("status"):
            case "failed":
                error = turn.get("error") or {}
                self.end = Finished("failed", self.fail(error), words.named(error.get("codexErrorInfo"))[0])
            case "interrupted":
                self.end = Finished("canceled")
            case _:
                self.end = Finished("completed")


def failed(item: Json) -> str:
    """What went wrong in a step, in a few lines."""
    match item:
        case {"status": "failed", "aggregatedOutput": str(text)} if text.strip():
            return words.short("\n".join(text.strip().splitlines()[-4:]), 300)
        case {"status": "failed", "error": {"message": str(text)}}:
            return words.short(text, 300)
        case _:
            return ""
