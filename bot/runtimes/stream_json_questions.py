"""What a program that speaks stream-json asks of people: a call to be allowed, or a question of its own."""

from collections.abc import Iterator
from typing import Any

from bot.event import ALLOW, Answered, Event, Option, Outcome, Part, Question, permission
from bot.message import Answer, Message
from bot.runtimes import claude_words as words
from bot.runtimes import coding
from bot.runtimes.stream_json_story import Story

Json = dict[str, Any]
ASKING = "AskUserQuestion"


class Questions:
    """Its requests are held open until somebody answers; each by the id of the call that it is about."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._open: dict[str, tuple[str, Json]] = {}

    def tell(self, message: Json) -> Iterator[Event]:
        match message:
            case {"type": "control_request", "request_id": str(id), "request": {"subtype": "can_use_tool"} as request}:
                question = asked(id, request)
                self._open[question.id] = id, request
                yield question
            case {"type": "control_cancel_request", "request_id": str(id)}:
                for question_id in [each for each, (request_id, _) in self._open.items() if request_id == id]:
                    del self._open[question_id]
                    yield Answered(question_id, "canceled")

    def reply(self, message: Message) -> tuple[Json, Answered] | None:
        """What the program is told, and how the question is closed; None where it waits for no such answer."""
        if message.answer is None or message.answer.question not in self._open:
            return None
        answer = message.answer
        id, request = self._open.pop(answer.question)
        verdict = chosen(request["input"], answer) if request.get("tool_name") == ASKING else allowed(request, answer)
        denied = verdict["behavior"] == "deny"
        if denied:
            self.story.denied.add(answer.question)
        refused: Outcome = "declined" if answer.parts or answer.note else "expired"
        told = tuple(word for part in answer.parts.values() for word in part)
        closed = Answered(answer.question, refused if denied else "answered", message.author.name or message.author.id, told)
        return {"type": "control_response", "response": {"subtype": "success", "request_id": id, "response": verdict}}, closed


def unknown(message: Json) -> Json | None:
    """The answer to a request that we do not serve: it would wait for ever."""
    match message:
        case {"type": "control_request", "request_id": str(id), "request": {"subtype": subtype}} if subtype != "can_use_tool":
            error = f"frontdesk does not serve {subtype}"
            return {"type": "control_response", "response": {"subtype": "error", "request_id": id, "error": error}}
    return None


def asked(id: str, request: Json) -> Question:
    tool, given = str(request.get("tool_name")), request.get("input") or {}
    call = str(request.get("tool_use_id") or id)
    if tool == ASKING:
        return Question(call, "question", tuple(_part(str(number), part) for number, part in enumerate(given.get("questions") or ())))
    text = str(request.get("title") or words.question(tool, request.get("decision_reason")))
    return permission(call, text, words.exact(tool, given))


def _part(id: str, part: Json) -> Part:
    options = tuple(Option(str(option.get("label", "")), str(option.get("description", ""))) for option in part.get("options") or ())
    return Part(id, str(part.get("question", "")), options, str(part.get("header", "")), bool(part.get("multiSelect")), free_text=True)


def allowed(request: Json, answer: Answer) -> Json:
    decided = next((chosen[0] for chosen in answer.parts.values() if chosen), "")
    if decided == ALLOW:
        return {"behavior": "allow", "updatedInput": request["input"]}
    return {"behavior": "deny", "message": coding.refused(answer)}


def chosen(given: Json, answer: Answer) -> Json:
    """The answers by each question's text."""
    texts = [str(part.get("question", "")) for part in given.get("questions") or ()]
    told = {text: ", ".join(answer.parts[str(number)]) for number, text in enumerate(texts) if answer.parts.get(str(number))}
    if not told:
        return {"behavior": "deny", "message": coding.refused(answer)}
    if answer.note:
        last = list(told)[-1]
        told[last] = f"{told[last]} ({answer.note})"
    return {"behavior": "allow", "updatedInput": {**given, "answers": told}}
