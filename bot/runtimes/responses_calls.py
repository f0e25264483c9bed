"""What a model waits for: calls of functions, and leave for its MCP servers; as questions, and the answers to them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.event import ALLOW, Question, Step, permission
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes import asking, coding, responses_steps
from bot.runtimes.attached import Attached

Json = dict[str, Any]
LEAVE = "mcp_approval_request"
CALLS = ("function_call", LEAVE)


def waiting(items: Sequence[Json]) -> list[Json]:
    """The calls that the platform has not answered itself."""
    done = {str(item.get("call_id")) for item in items if item.get("type") == "function_call_output"}
    return [item for item in items if item.get("type") in CALLS and id_of(item) not in done]


def id_of(call: Json) -> str:
    return str(call.get("call_id") or call.get("id"))


def asked(calls: Sequence[Json]) -> Question:
    """A leave is asked for by itself, the rest all at once."""
    leave = next((call for call in calls if call["type"] == LEAVE), None)
    if leave:
        return permission(id_of(leave), f"Use {responses_steps.named(leave)}?", responses_steps.exact(leave))
    parts = tuple(asking.part(id_of(call), str(call.get("name")), call.get("arguments")) for call in calls)
    return Question(parts[0].id, "question", parts)


def denied(calls: Sequence[Json], given: Mapping[str, Json]) -> list[Step]:
    """What was not allowed."""
    return [
        Step(id_of(call), responses_steps.named(call), status="denied", detail=responses_steps.exact(call))
        for call in calls if given.get(id_of(call), {}).get("approve") is False
    ]  # fmt: skip


def answered(calls: Sequence[Json], turn: Turn) -> dict[str, Json]:
    """By the ids of the calls that the question was about, what the model is given for each."""
    question = asked(calls)
    answer = turn.answer if turn.answer and turn.answer.question == question.id else None
    if question.kind == "permission":
        return {question.id: _leave(question.id, answer, turn.prompt)}
    results = {part.id: asking.result(part, answer, turn.prompt) for part in question.parts}
    return {id: {"type": "function_call_output", "call_id": id, "output": text} for id, text in results.items()}


def _leave(id: str, answer: Answer | None, words: str) -> Json:
    """What somebody says instead of an answer is no leave."""
    allowed = answer is not None and answer.parts.get("decision") == (ALLOW,)
    why = coding.refused(answer) if answer else f"A person did not allow this. They said: {words}"
    return {"type": "mcp_approval_response", "approval_request_id": id, "approve": allowed, **({} if allowed else {"reason": why})}


def message(prompt: str, files: Sequence[Attached]) -> Json:
    """What a person says, with what they attached."""
    if not files:
        return {"role": "user", "content": prompt}
    return {"role": "user", "content": [{"type": "input_text", "text": prompt}, *map(_part, files)]}


def _part(file: Attached) -> Json:
    if file.kind == "picture":
        return {"type": "input_image", "image_url": file.url, "detail": "auto"}
    return {"type": "input_file", "filename": file.name, "file_data": file.url}
