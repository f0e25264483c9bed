"""What Pi asks of people, mostly by way of pi_extension.ts: it waits until they answer."""

import json
from typing import Any

from bot.event import ALLOW, Answered, Option, Part, Question, permission
from bot.message import Answer, Message
from bot.runtimes import coding
from bot.runtimes.held import closed
from bot.runtimes.pi_story import Story

Json = dict[str, Any]
PART = "answer"


class Questions:
    """`asked` makes a question of a record, `answered` what Pi is told when a person has answered it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._open: dict[str, Json] = {}

    def asked(self, record: Json) -> Question | None:
        match record:
            case {"type": "extension_ui_request", "id": str(id), "method": "select" | "confirm" | "input" | "editor"}:
                self._open[id] = record | {"ours": ours(record)}
                return question(id, self._open[id])
        return None

    def answered(self, message: Message) -> tuple[Json, Answered] | None:
        """None where nobody waits for this answer."""
        answer = message.answer
        request = self._open.pop(answer.question, None) if answer else None
        if answer is None or request is None:
            return None
        reply = chosen(request, answer)
        allowed = reply.get(
            "confirmed", reply.get("value") == "allow" if asks(request) else not reply.get("cancelled") and bool(answer.parts)
        )
        if asks(request) and not allowed:
            self.story.denied.add(str(request["ours"].get("call", "")))
        told = {"type": "extension_ui_response", "id": answer.question, **reply}
        return told, closed(answer.question, message, allowed)


def ours(record: Json) -> Json:
    """What our own extension asks; empty where another does."""
    try:
        told = json.loads(str(record.get("title", ""))) if record["method"] == "editor" else None
    except ValueError:
        return {}
    return told if isinstance(told, dict) and told.get("frontdesk") else {}


def asks(request: Json) -> bool:
    """Whether it is a permission of our own extension."""
    return bool(request["ours"].get("frontdesk") == "permission")


def question(id: str, request: Json) -> Question:
    match request:
        case {"ours": {"frontdesk": "permission", "tool": str(tool), "input": dict(given)}}:
            return permission(id, coding.question(tool), coding.exact(tool, given))
        case {"ours": {"frontdesk": "question"} as told}:
            options = tuple(Option(str(option)) for option in told.get("options") or ())
            return Question(id, "question", (Part(PART, str(told.get("question", "")), options, "", bool(told.get("multiple")), True),))
        case {"method": "confirm"}:
            title = str(request.get("title", ""))
            return permission(id, title, str(request.get("message") or title))
        case {"method": "select"}:
            options = tuple(Option(str(option)) for option in request.get("options") or ())
            return Question(id, "question", (Part(PART, str(request.get("title", "")), options),))
        case _:
            part = Part(PART, str(request.get("title", "")), free_text=True)
            return Question(id, "question", (part,), str(request.get("prefill") or ""))


def chosen(request: Json, answer: Answer) -> Json:
    """The answer as Pi takes it."""
    allow = tuple(answer.parts.get("decision", ())) == (ALLOW,)
    told = list(answer.parts.get(PART, ()))
    if asks(request):
        return {"value": "allow" if allow else coding.refused(answer)}
    if request["method"] == "confirm":
        return {"confirmed": allow}
    if request["ours"]:
        return {"value": ", ".join(told) + (f" ({answer.note})" if told and answer.note else answer.note) or coding.NOBODY}
    return {"value": told[0]} if told else {"cancelled": True}
