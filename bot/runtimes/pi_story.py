"""What Pi tells, as our events."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.event import Event, Finished, Notice, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import coding
from bot.runtimes.claude_words import content, short

Json = dict[str, Any]
ASKING = "ask_user"
STATUS = re.compile(r"\s*(\d{3})\b")


class Story:
    """One turn, record by record. `settled` is true once Pi has nothing more to do; `denied` holds the calls that a person denied."""

    def __init__(self, file: str, folder: Path) -> None:
        self.file, self.folder = file, folder
        self.denied: set[str] = set()
        self.settled = False
        self._steps: dict[str, Step] = {}
        self._said = False
        self._last: Json = {}

    def tell(self, record: Json) -> Iterator[Event]:
        match record:
            case {"type": "agent_start"}:
                self.settled = False
            case {"type": "agent_settled"}:
                self.settled = True
            case {"type": "message_update", "assistantMessageEvent": dict(update)}:
                yield from self._streamed(update)
            case {"type": "tool_execution_start", "toolCallId": str(call), "toolName": str(tool), "args": dict(given)} if tool != ASKING:
                step = Step(call, coding.title(tool, given, self.folder), coding.kind(tool), "working", coding.detail(tool, given))
                self._steps[call] = step
                yield step
            case {"type": "tool_execution_end", "toolCallId": str(call)} if call in self._steps:
                yield self._closed(call, bool(record.get("isError")), record.get("result") or {})
            case {"type": "turn_end", "message": dict(message)}:
                self._last = message
                yield usage(message.get("usage") or {})
            case _:
                yield from self._noted(record)

    def end(self) -> Finished:
        match self._last.get("stopReason"):
            case "error":
                return refused(str(self._last.get("errorMessage") or "nothing"), self.file)
            case "aborted":
                return Finished("canceled")
            case _:
                return Finished("completed")

    def _streamed(self, update: Json) -> Iterator[Event]:
        match update:
            case {"type": "text_start"} if self._said:
                yield Text("\n\n")
            case {"type": "text_delta", "delta": str(text)}:
                self._said = True
                yield Text(text)
            case {"type": "thinking_delta", "delta": str(text)}:
                yield Thought(text)

    def _closed(self, call: str, error: bool, result: Mapping[str, Any]) -> Step:
        status: StepStatus = "denied" if call in self.denied else "failed" if error else "completed"
        lines = content(result.get("content")).strip().splitlines()[-4:] if status == "failed" else []
        self._steps[call] = replace(self._steps[call], status=status, detail=short("\n".join(lines), 300) or self._steps[call].detail)
        return self._steps[call]

    def _noted(self, record: Json) -> Iterator[Event]:
        match record:
            case {"type": "auto_retry_start"}:
                why = short(str(record.get("errorMessage") or "no reason given"), 200)
                yield Notice(f"The model's provider fails ({why}); trying again.", "warning")
            case {"type": "compaction_end", "result": dict(result)}:
                yield usage(result.get("usage") or {})
                yield Notice("The conversation had become long; its beginning was summarised.")
            case {"type": "extension_ui_request", "method": "notify", "notifyType": "warning" | "error", "message": str(text)}:
                yield Notice(short(text, 300), "warning")
            case {"type": "extension_error", "error": error}:
                yield Notice(f"An extension of Pi failed: {short(str(error), 200)}", "warning")


def usage(told: Json) -> Usage:
    fresh = int(told.get("input") or 0) + int(told.get("cacheWrite") or 0)
    cost = (told.get("cost") or {}).get("total") or 0.0
    return Usage(fresh, int(told.get("output") or 0), int(told.get("cacheRead") or 0), float(cost))


def refused(said: str, file: str) -> Finished:
    """Why there is no answer, and what helps."""
    if "API key" in said:
        return Finished("failed", f"Pi has no credentials for this model. {coding.key(file)} It said: {short(said.splitlines()[0], 300)}")
    found = STATUS.match(said)
    return Finished("failed", coding.failure(int(found[1]) if found else None, said, file), short(said, 300))
