"""What an ACP agent tells, as our events."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.event import Event, Finished, Item, Notice, Plan, Step, StepStatus, Text, Thought, Usage
from bot.runtimes import acp_words as words
from bot.runtimes.acp_memory import Memory, since
from bot.runtimes.acp_setting import Preset

Json = dict[str, Any]
STATUS: dict[str, StepStatus] = {"completed": "completed", "failed": "failed"}
AT = {"pending": "pending", "in_progress": "in_progress", "completed": "done"}
ENDS = {
    "max_tokens": "The answer grew longer than the model may write. Say how to go on.",
    "max_turn_requests": "It was stopped: the agent allows no more rounds in one turn. Say how to go on.",
    "refusal": "The model refused to go on with this. Ask for something else, or in other words.",
}
BROKEN = re.compile(
    r"(HTTP \d{3}|(API call failed|Invalid API response) after \d+ retries|Billing or credits exhausted): "
    r"|Context length exceeded|Request payload too large"
)
SILENT = "it stopped in the middle of its work and does not say why; mostly the model's provider has failed. Say how to go on."
UNSAID = "The agent stopped this by itself, and did not say why."
WARNING = "Warning: "
NOTHING = Usage()


class Story:
    """One turn, update by update, prompt by prompt. `denied` holds the calls that a person did not allow."""

    def __init__(self, preset: Preset, folder: Path, memory: Memory, agent_file: str) -> None:
        self.preset, self.folder, self.memory, self.file = preset, folder, memory, agent_file
        self.calls: dict[str, Json] = {}
        self.denied: set[str] = set()
        self._shown: dict[str, Step] = {}
        self._text = self._before = ""
        self._apart = self._refused = self._broken = False
        self._counted, self._usd, self._earlier = NOTHING, 0.0, 0

    def tell(self, update: Json) -> Iterator[Event]:
        match update:
            case {"sessionUpdate": "agent_message_chunk", "content": {"text": str(text)}} if text:
                yield from self._said(text)
            case {"sessionUpdate": "agent_thought_chunk", "content": {"text": str(text)}} if text:
                yield Thought(text)
            case {"sessionUpdate": "tool_call" | "tool_call_update", "toolCallId": str(call)}:
                yield from self._called(call, update)
            case {"sessionUpdate": "plan", "entries": list() as entries} | {"plan": {"entries": list() as entries}}:
                yield from planned(entries)
            case {"sessionUpdate": "usage_update", "cost": {"amount": int() | float() as total, "currency": "USD"}}:
                self._usd += self.memory.spend(float(total))
            case {"_meta": {"codex": {"threadStatus": {"type": "systemError"}}}}:
                self._broken = True

    def _said(self, text: str) -> Iterator[Event]:
        if text.startswith(WARNING) and self.preset.title == "Codex":  # it has no other way to say it
            yield Notice(text.removeprefix(WARNING).strip(), "warning")
            return
        said = self._before + self._text
        if said and self._apart and not text.startswith("\n"):
            text = f"\n\n{text}"
        self._apart = False
        self._text += text
        yield Text(text)

    def _called(self, id: str, patch: Json) -> Iterator[Event]:
        """An update says only what has changed."""
        call = self.calls.setdefault(id, {})
        call.update({key: value for key, value in patch.items() if value not in (None, [])})
        self._apart = True
        match call:
            case {"rawInput": {"todos": list() as todos}}:
                yield from planned(todos)
            case {"_meta": {"claudeCode": {"toolName": "AskUserQuestion"}}}:
                return  # the question itself is seen
            case _:
                yield from self._show(id, STATUS.get(str(call.get("status")), "working"))

    def _show(self, id: str, status: StepStatus) -> Iterator[Event]:
        call = self.calls[id]
        status = "denied" if id in self.denied and status != "working" else status
        step = Step(id, words.title(call, self.folder), words.kind(call), status, words.detail(call))
        if step != self._shown.get(id):
            self._shown[id] = step
            yield step

    def asked(self, id: str, given: Json) -> Json:
        """The call that a permission is about, whole: some agents give it another id there."""
        id = self.meant(id, given)
        return {**self.calls.get(id, {}), **{key: value for key, value in given.items() if value not in (None, [])}}

    def meant(self, id: str, given: Json) -> str:
        if id in self.calls:
            return id
        said, input = words.command(given), given.get("rawInput")
        open = (call for call in reversed(self.calls) if self.calls[call].get("status") not in STATUS)
        same = (
            call for call in open
            if (input and self.calls[call].get("rawInput") == input) or (said and said in str(self.calls[call].get("title")))
        )  # fmt: skip
        return next(same, id)

    def deny(self, id: str) -> None:
        self.denied.add(id)
        self._refused = True
        self._text, self._before = "", self._before + self._text

    def begin(self) -> None:
        """Another prompt."""
        self._before, self._text = self._before + self._text, ""
        self._apart, self._refused, self._broken = bool(self._before), False, False
        self._earlier = len(self.calls)

    def end(self, reason: str, usage: Usage | None) -> Iterator[Event]:
        """The prompt is over; the last event says how."""
        error = self._error(reason, usage)
        yield from self.spent(usage)
        yield from self._closed("failed" if reason == "cancelled" else "completed")
        if error:
            yield from self.failed(error)
        elif self._refused and not self._text.strip():
            yield Text(("\n\n" if self._before else "") + "That was denied, so the agent stopped here. Say how to go on.")
            yield Finished("completed")
        elif reason == "cancelled":
            yield Finished("canceled", UNSAID)
        else:
            yield Finished("failed", ENDS[reason]) if reason in ENDS else Finished("completed")

    def _error(self, reason: str, usage: Usage | None) -> str:
        """The error that was told as if it were the answer, or, by Hermes after its first words, not at all."""
        said = self._text.strip()
        if self._broken:
            return said or "the model answered with an error"
        if self.preset.title != "Hermes" or usage or reason != "end_turn":  # it counts tokens wherever the model has answered
            return ""
        return said if BROKEN.match(said) else SILENT if len(self.calls) > self._earlier else ""

    def failed(self, message: str, data: Any = None) -> Iterator[Event]:
        """An error, which some have told as their answer too: there it is taken back."""
        said = self._text.strip()
        if said and said in message:
            yield Text(self._before, final=True)
        yield from self._closed("failed")
        yield Finished("failed", words.failure(self.preset.title, message, data, self.file))

    def _closed(self, status: StepStatus) -> Iterator[Event]:
        for id, step in list(self._shown.items()):
            if step.status == "working":
                yield from self._show(id, status)

    def spent(self, usage: Usage | None) -> Iterator[Event]:
        now = usage or NOTHING
        new = since(now, self._counted) if self.preset.totals else now
        self._counted = now if usage else self._counted
        if new != NOTHING or self._usd:
            yield Usage(new.input_tokens, new.output_tokens, new.cached_tokens, self._usd)
        self._usd = 0.0


def planned(entries: list[Any]) -> Iterator[Plan]:
    items = (
        Item(str(entry["content"]), AT.get(str(entry.get("status")), "pending"))  # type: ignore[arg-type]
        for entry in entries
        if isinstance(entry, dict) and entry.get("content")
    )
    if plan := tuple(items):
        yield Plan(plan)
