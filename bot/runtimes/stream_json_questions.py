"""What a program that speaks stream-json asks of people: a call to be allowed, or a question of its own."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from bot.event import ALLOW, Answered, Event, Question, permission
from bot.message import Answer, Message
from bot.runtimes import claude_words as words
from bot.runtimes import coding
from bot.runtimes.held import closed
from bot.runtimes.stream_json_story import Story

Json = dict[str, Any]
ASKING = "AskUserQuestion"


class Questions:
    """Its requests are held open until somebody answers."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._open: dict[str, tuple[str, Json]] = {}

    def tell(self, message: Json) -> Iterator[Event]:
        match message:
            case {"type": "control_request", "request_id": str(id), "request": {"subtype": "can_use_tool"} as request}:
                request = {**request, "input": request.get("input") or {}, "tool_use_id": str(request.get("tool_use_id") or id)}
                question = asked(request)
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
            self.story.denied.add(request["tool_use_id"])
        told = {"type": "control_response", "response": {"subtype": "success", "request_id": id, "response": verdict}}
        return told, closed(answer.question, message, not denied)


def unknown(message: Json) -> Json | None:
    """The answer to a request that we do not serve: it would wait for ever."""
    match message:
        case {"type": "control_request", "request_id": str(id), "request": {"subtype": subtype}} if subtype != "can_use_tool":
            error = f"frontdesk does not serve {subtype}"
            return {"type": "control_response", "response": {"subtype": "error", "request_id": id, "error": error}}
    return None


def asked(request: Json) -> Question:
    """Under a name of our own: programs may count theirs anew in each process."""
    tool, given, id = str(request.get("tool_name")), request["input"], f"{request['tool_use_id']}-{uuid4().hex[:8]}"
    if tool == ASKING:
        return words.questioned(id, given)
    text = str(request.get("title") or words.question(tool, request.get("decision_reason")))
    return permission(id, text, words.exact(tool, given))


def allowed(request: Json, answer: Answer) -> Json:
    decided = next((chosen[0] for chosen in answer.parts.values() if chosen), "")
    if decided == ALLOW:
        return {"behavior": "allow", "updatedInput": request["input"]}
    return {"behavior": "deny", "message": coding.refused(answer)}


def chosen(given: Json, answer: Answer) -> Json:
    if told := words.answered(given, answer):
        return {"behavior": "allow", "updatedInput": {**given, "answers": told}}
    return {"behavior": "deny", "message": coding.refused(answer)}
