"""What a graph tells as it runs, as our events."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from bot.event import Event, Item, Plan, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import langgraph_words as words
from bot.runtimes.claude_words import content, short

Json = dict[str, Any]
PLANNING = "write_todos"
ITEM: dict[str, Literal["pending", "in_progress", "done"]] = {"in_progress": "in_progress", "completed": "done"}
KNOWN = ("messages", "updates", "error", "metadata", "end", "values", "custom", "debug", "checkpoints", "tasks", "feedback", "")
APPROVING = "HumanInTheLoop"  # the node that says no in a person's name


class Story:
    """One turn, part by part. `error` is what ended it, `said` the answer as it came: messages by their ids."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.error: Json = {}
        self.said: dict[str, str] = {}
        self._last = ""
        self._whole: set[str] = set()
        self._steps: dict[str, Step] = {}
        self._agents: dict[str, str] = {}

    def tell(self, event: str, data: Any) -> Iterator[Event]:
        mode, _, place = event.partition("|")
        match mode, data:
            case "messages", [{"type": "AIMessageChunk" | "ai"} as message, _]:
                if isinstance(counted := message.get("usage_metadata"), dict):
                    yield usage(counted)
                if self._agent(place) is None:
                    yield from self._spoken(message)
            case "updates", dict():
                for node, update in data.items():
                    if isinstance(update, dict):
                        yield from self._updated(node, update, self._agent(place))
            case "error", dict():
                self.error = data

    def _agent(self, place: str) -> str | None:
        """The call of the sub-agent that speaks: one runs within a tool. None for the agent itself, wherever in the graph it is."""
        inside = next((part for part in place.split("|") if part.startswith("tools:")), "")
        if not inside:
            return None
        if inside not in self._agents:
            taken = self._agents.values()
            running = (id for id, step in self._steps.items() if (step.kind, step.status) == ("agent", "working") and id not in taken)
            self._agents[inside] = next(running, "")
        return self._agents[inside]

    def _spoken(self, message: Json) -> Iterator[Event]:
        """A piece of a message, or one that comes whole: then it is told once."""
        id = str(message.get("id"))
        if message["type"] == "ai" and (id in self._whole or id == self._last):
            return
        self._whole |= {id} if message["type"] == "ai" else set()
        if reasoned := (message.get("additional_kwargs") or {}).get("reasoning_content"):
            yield Thought(str(reasoned))
        for event in pieces(message.get("content")):
            if isinstance(event, Text):
                self.said[id] = self.said.get(id, "") + event.text
                event = replace(event, text=f"\n\n{event.text}") if self._last not in ("", id) else event
                self._last = id
            yield event

    def _updated(self, node: str, update: Json, agent: str | None) -> Iterator[Event]:
        messages = update.get("messages")
        for message in messages if isinstance(messages, list) else []:
            match message:
                case {"type": "ai", "tool_calls": list(calls)}:
                    yield from (told for call in calls for told in self._called(call, agent or ""))
                case {"type": "tool", "tool_call_id": str(id)}:
                    yield from self._returned(id, message, node)
        if isinstance(todos := update.get("todos"), list) and agent is None:
            yield Plan(tuple(Item(str(todo.get("content", "")), ITEM.get(str(todo.get("status")), "pending")) for todo in todos))

    def _called(self, call: Json, parent: str) -> Iterator[Event]:
        id, tool, given = str(call.get("id")), str(call.get("name")), call.get("args") or {}
        if tool == PLANNING or id in self._steps:
            return
        told = words.title(tool, given, self.folder), words.kind(tool)
        self._steps[id] = Step(id, *told, "working", words.detail(tool, given, self.folder), parent)
        yield self._steps[id]

    def _returned(self, id: str, message: Json, node: str) -> Iterator[Event]:
        if not (step := self._steps.get(id)) or step.status != "working":
            return
        status = outcome(message, node)
        lines = content(message.get("content")).strip().splitlines()[:4] if status == "failed" else []
        self._steps[id] = replace(step, status=status, detail=short("\n".join(lines), 300) or step.detail)
        yield self._steps[id]

    def whole(self, values: Any) -> str:
        """The answer as the thread's state has it, where a line that was cut has lost some of it; else empty.

        The development server (0.16) counts events in milliseconds: of two in one, the second is not told to whoever comes back.
        """
        messages = values.get("messages") if isinstance(values, dict) else None
        there = {str(each.get("id")): spoken(each) for each in messages or () if isinstance(each, dict) and each.get("type") == "ai"}
        whole = {id: there.get(id) or said for id, said in self.said.items()}
        return "\n\n".join(whole.values()) if whole != self.said else ""


def known(event: str) -> bool:
    """Whether this is one of the events that these servers tell, be it of use or not."""
    return re.split(r"[|/]", event)[0] in KNOWN


def pieces(spoken: Any) -> Iterator[Text | Thought]:
    """The blocks of a message's content, as the different models' clients write them."""
    for block in [spoken] if isinstance(spoken, str) else spoken or ():
        match block:
            case str() as text if text:
                yield Text(text)
            case {"type": "text", "text": str(text)} if text:
                yield Text(text)
            case {"type": "thinking", "thinking": str(text)} | {"type": "reasoning", "reasoning": str(text)} if text:
                yield Thought(text)


def outcome(message: Json, node: str) -> StepStatus:
    match message:
        case {"status": "error"}:
            return "denied" if APPROVING in node else "failed"
        case {"artifact": {"exit_code": int(code)}} if code:
            return "failed"
        case _:
            return "completed"


def usage(counted: Mapping[str, Any]) -> Usage:
    cached = int((counted.get("input_token_details") or {}).get("cache_read") or 0)
    return Usage(int(counted.get("input_tokens") or 0) - cached, int(counted.get("output_tokens") or 0), cached)


def answer(values: Any) -> str:
    """The last thing that the agent said, in the state of its thread."""
    messages = values.get("messages") if isinstance(values, dict) else None
    last = messages[-1] if isinstance(messages, list) and messages else {}
    return spoken(last) if isinstance(last, dict) and last.get("type") == "ai" else ""


def spoken(message: Json) -> str:
    return "".join(piece.text for piece in pieces(message.get("content")) if isinstance(piece, Text))


def plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
