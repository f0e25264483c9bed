"""What a model tells by OpenAI's Responses, as our events: nothing twice. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.event import Event, Finished, Notice, Step, Thought, Usage
from bot.runtimes import asking, coding, responses_steps
from bot.runtimes.claude_words import short
from bot.runtimes.growing import Told

Json = dict[str, Any]
OVER = ("completed", "incomplete", "failed", "cancelled")
QUIET = ("response.", "keepalive", "ping")
STRANGE = ("response.steer", "response.task")  # of those that begin so, what asks something of us
CODES = {"rate_limit_exceeded": 429, "insufficient_quota": 429, "server_error": 500, "invalid_api_key": 401, "model_not_found": 404}


class Story:
    """One answer, event by event. `end` is set when it is over, `last` is the number of the last event, `items` what it is made of."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.id = ""
        self.last = -1
        self.end: Finished | None = None
        self.items: list[Json] = []
        self.used: Usage | None = None
        self.odd: Json | None = None
        self._told = Told()
        self._steps: dict[str, Step] = {}

    @property
    def text(self) -> str:
        return self._told.whole

    def tell(self, event: Json) -> Iterator[Event]:
        number = event.get("sequence_number")
        if isinstance(number, int) and event.get("type") != "error":
            if number <= self.last:
                return
            self.last = number
        match event:
            case {"type": "response.output_text.delta" | "response.refusal.delta", "delta": str(text)}:
                yield from self._told.piece(_key(event), text)
            case {"type": "response.output_text.done", "text": str(text)} | {"type": "response.refusal.done", "refusal": str(text)}:
                yield from self._told.message(_key(event), text)
            case {"type": "response.reasoning_summary_text.delta" | "response.reasoning_text.delta", "delta": str(text)}:
                yield Thought(text)
            case {"type": "response.output_item.added" | "response.output_item.done" as kind, "item": dict(item)}:
                yield from self._item(item, done=kind.endswith("done"))
            case {"type": "error"} | {"error": dict(), "object": None}:
                self._failed(event.get("error") if isinstance(event.get("error"), dict) else event)
            case {"response": dict(response)} | ({"object": "response"} as response):
                yield from self._response(response)
            case {"error": dict(error)}:
                self._failed(error)
            case {"type": str(kind)} if not kind.startswith(QUIET) or kind.startswith(STRANGE):
                self.odd = event

    def _response(self, response: Json) -> Iterator[Event]:
        """How the whole stands; its items are told if they were not."""
        self.id = self.id or str(response.get("id") or "")
        if response.get("status", "completed") not in OVER:
            return
        output = [item for item in response.get("output") or () if isinstance(item, dict)]
        fresh = not self.items
        for item in output if fresh else ():
            yield from self._item(item, done=True)
        if texts := [] if fresh else [text for item in output for _, text in texts_of(item)]:
            yield from self._told.all(texts)
        self.items = output or self.items
        self.used = usage(response.get("usage"))
        yield from self._ended(response)

    def _item(self, item: Json, *, done: bool) -> Iterator[Event]:
        self.items += [item] if done else []
        for number, text in texts_of(item) if done else ():
            yield from self._told.message(f"{item.get('id')}/{number}", text)
        step = responses_steps.step(item, done=done)
        if item.get("type") == "function_call":  # it waits for somebody until its output is there
            step = step and replace(step, status="working")
        if item.get("type") == "function_call_output" and (known := self._steps.get(str(item.get("call_id")))):
            step = replace(known, status="completed")
        if step and item.get("name") != asking.NAME and self._steps.get(step.call_id) != step:
            self._steps[step.call_id] = step
            yield step

    def _ended(self, response: Json) -> Iterator[Notice]:
        match response.get("status", "completed"), response.get("incomplete_details"):
            case "completed", _:
                self.end = Finished("completed")
            case "cancelled", _:
                self.end = Finished("canceled")
            case "incomplete", {"reason": "content_filter"}:
                self.end = Finished("failed", "The platform's filter stopped the answer.", "content_filter")
            case "incomplete", details:
                why = details.get("reason") if isinstance(details, dict) else ""
                yield Notice(f"The answer was cut before its end ({why or 'the platform does not say why'}).", "warning")
                self.end = Finished("completed")
            case _:
                self._failed(response.get("error") or {})

    def _failed(self, error: Mapping[str, Any] | None) -> None:
        code, said = (
            str((error or {}).get("code") or (error or {}).get("type") or ""),
            str((error or {}).get("message") or "it does not say why"),
        )
        status = CODES.get(code) or (int(code) if code.isdigit() else None)
        self.end = Finished("failed", coding.failure(status, said, self.file), short(code, 100))


def texts_of(item: Json) -> list[tuple[int, str]]:
    """What a message says, part by part."""
    parts = item.get("content") if item.get("type") == "message" else None
    said = enumerate(parts if isinstance(parts, list) else ())
    return [(number, str(part.get("text") or part.get("refusal") or "")) for number, part in said if isinstance(part, dict)]


def _key(event: Json) -> str:
    return f"{event.get('item_id')}/{event.get('content_index', 0)}"


def usage(counted: Any) -> Usage | None:
    """Tokens as both APIs count them; what it has cost where the platform says so."""
    if not isinstance(counted, dict):
        return None
    details = counted.get("input_tokens_details") or counted.get("prompt_tokens_details") or {}
    cached = int(details.get("cached_tokens") or 0)
    given = int(counted.get("input_tokens") or counted.get("prompt_tokens") or 0)
    told = int(counted.get("output_tokens") or counted.get("completion_tokens") or 0)
    cost = counted.get("cost")
    return Usage(max(0, given - cached), told, cached, float(cost) if isinstance(cost, int | float) else 0.0)
