"""What OpenCode asks of people: a call to be allowed, or its own questions; its server holds them until they are answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.event import ALLOW, ALLOW_SESSION, Answered, Event, Option, Part, Question, permission
from bot.message import Answer, Message
from bot.runtimes import coding
from bot.runtimes import opencode_words as words
from bot.runtimes.held import closed
from bot.runtimes.opencode_story import Story

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What OpenCode is told: where, and in which words; and which rules a person made with it, for the rest of the session."""

    path: str
    body: Json
    rules: tuple[Json, ...] = ()


class Questions:
    """`tell` makes events of what OpenCode asks and hears; `reply` is what it is told when a person has answered."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._open: dict[str, Json] = {}
        self._closing: dict[str, Answered] = {}

    def tell(self, event: Json) -> Iterator[Event]:
        match event:
            case {"type": "permission.asked" | "question.asked", "properties": {"id": str(id)} as request}:
                self._open[id] = request
                yield self._asked(id, request)
            case {"type": str(kind), "properties": {"requestID": str(id)}} if kind.startswith(("permission.re", "question.re")):
                if self._open.pop(id, None):
                    yield self._closing.pop(id, Answered(id, "canceled"))  # one answer may settle others of its kind

    def reply(self, message: Message) -> Reply | None:
        """None where nobody waits for this answer."""
        answer = message.answer
        request = self._open.get(answer.question) if answer else None
        if answer is None or request is None or answer.question in self._closing:
            return None
        body = chosen(request, answer) if "questions" in request else allowed(request, answer)
        if body.get("reply") == "reject":
            self.story.denied.add((request.get("tool") or {}).get("callID", ""))
        self._closing[answer.question] = closed(answer.question, message, body.get("reply") != "reject" and bool(answer.parts))
        rules = lasting(request) if body.get("reply") == "always" else ()
        return Reply(f"/{'question' if 'questions' in request else 'permission'}/{answer.question}/reply", body, rules)

    def _asked(self, id: str, request: Json) -> Question:
        if "questions" not in request:
            call = self.story.calls.get((request.get("tool") or {}).get("callID", ""))
            return permission(id, words.asked(request), words.exact(request, call), session=words.always(request))
        parts = (
            Part(
                id=str(number), text=str(part.get("question", "")), header=str(part.get("header", "")),
                options=tuple(Option(str(each.get("label", "")), str(each.get("description", ""))) for each in part.get("options") or ()),
                multi=bool(part.get("multiple")), free_text=part.get("custom") is not False,
            )
            for number, part in enumerate(request["questions"])
        )  # fmt: skip
        return Question(id, "question", tuple(parts))


def allowed(request: Json, answer: Answer) -> Json:
    """A refusal carries words: without them OpenCode ends the turn in silence."""
    match tuple(answer.parts.get("decision", ())):
        case (decision,) if decision == ALLOW_SESSION and request.get("always"):
            return {"reply": "always"}
        case (decision,) if decision in (ALLOW, ALLOW_SESSION):
            return {"reply": "once"}
        case _:
            return {"reply": "reject", "message": coding.refused(answer)}


def lasting(request: Json) -> tuple[Json, ...]:
    return tuple({"permission": request["permission"], "pattern": pattern, "action": "allow"} for pattern in request["always"])


def chosen(request: Json, answer: Answer) -> Json:
    """The labels chosen or the words typed, question by question; a note goes with the last."""
    told = [list(answer.parts.get(str(number), ())) for number in range(len(request["questions"]))]
    if note := answer.note or ("" if any(told) else coding.NOBODY):
        told[-1].append(note)
    return {"answers": told}
