"""What a Kelos Session tells, as our events. Pure."""

from collections.abc import Iterator
from typing import Any

from bot.event import Answered, Event, Finished, Notice, Option, Part, Question, Step, Text
from bot.runtimes import claude_words as words
from bot.spoken import Json

SILENT = frozenset({
    "history.start", "history.end", "runtime.status", "request.accepted", "user.message", "user.message.updated", "user.message.removed",
    "turn.started", "turn.interrupting", "tool.delta", "goal.updated", "file.diff", "input.resolved",
})  # fmt: skip
KNOWN = SILENT | {
    "runtime.recovered", "assistant.delta", "assistant.message", "tool.started", "tool.completed", "input.requested", "turn.completed",
    "error",
}  # fmt: skip
RECOVERED = "The session's pod was begun anew in the middle of this."
LONG = 2000  # characters of a tool's output that are shown


class Story:
    """One turn. `end` is set when it is over, or waits for a person; `resolved` are the questions that are closed."""

    def __init__(self) -> None:
        self.end: Finished | None = None
        self.resolved: set[str] = set()
        self.reason = ""
        self._said, self._several = "", False

    def tell(self, event: Json) -> Iterator[Event]:
        match event:
            case {"type": "assistant.delta"}:
                yield from self._delta(_text(event))
            case {"type": "assistant.message"}:
                yield from self._whole(_text(event))
            case {"type": "tool.started" | "tool.completed"}:
                yield _step(event)
            case {"type": "input.requested", "inputId": str(id)} if id not in self.resolved:
                yield asked(event)
                self.end = Finished("input_required")
            case {"type": "runtime.recovered"}:
                yield Notice(_text(event) or RECOVERED, "warning")
            case {"type": "error"}:
                self.reason = _text(event)
            case {"type": "turn.completed"}:
                self.end = self._ended(str(event.get("status")))

    def _delta(self, text: str) -> Iterator[Event]:
        if text:
            yield Text(("\n\n" if self._several and not self._said else "") + text)
            self._said += text

    def _whole(self, text: str) -> Iterator[Event]:
        """A message that is over; most of it was told in pieces."""
        yield from self._delta(text.removeprefix(self._said) if text.startswith(self._said) else "")
        self._several, self._said = True, ""

    def _ended(self, status: str) -> Finished:
        match status:
            case "completed":
                return Finished("completed")
            case "interrupted":
                return Finished("canceled")
        return Finished(
            "failed", self.reason or f"The session's turn ended as {status}, and does not say why: look at it in Kelos.", status
        )


def asked(event: Json) -> Question:
    return Question(str(event["inputId"]), "question", tuple(map(_part, event.get("questions") or ({"id": "answer"},))))


def closed(event: Json) -> Answered:
    return Answered(str(event["inputId"]), "answered" if event.get("status") == "answered" else "canceled")


def _part(question: Any) -> Part:
    options = tuple(Option(str(each.get("label") or ""), str(each.get("description") or "")) for each in question.get("options") or ())
    return Part(
        str(question.get("id") or "answer"), str(question.get("question") or "?"), options, str(question.get("header") or ""),
        bool(question.get("multiSelect")), True, bool(question.get("secret")),
    )  # fmt: skip


def _step(event: Json) -> Step:
    name = str(event.get("toolName") or "a tool")
    done = event["type"] == "tool.completed"
    status = "working" if not done else "failed" if event.get("status") in ("failed", "error") else "completed"
    return Step(
        str(event.get("toolId") or name), words.short(name, words.LONG), words.kind(name), status,  # type: ignore[arg-type]
        words.short(str(event.get("output") or ""), LONG) if done else "",
    )  # fmt: skip


def _text(event: Json) -> str:
    return str(event.get("text") or "")
