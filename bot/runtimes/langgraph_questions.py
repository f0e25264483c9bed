"""Where a graph waits for a person, as our questions, and the answer as the graph wants it. Pure."""

from collections.abc import Sequence
from typing import Any, cast

from bot.event import ALLOW, Option, Part, Question, permission
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes import coding
from bot.runtimes import langgraph_words as words
from bot.runtimes.langgraph_story import plain

Json = dict[str, Any]
TEXTS = ("question", "message", "prompt")


def asked(interrupt: Json, number: int) -> Question:
    """A graph may wait twice at the same place under the same id: the turn's number makes it ours."""
    id, value = f"{interrupt['id']}/{number}", cast(Any, interrupt.get("value"))
    match value:
        case {"action_requests": [_, *_] as actions}:
            return _permission(id, actions, value.get("review_configs") or [])
        case {"type": "tool_approval", "name": str(), "args": dict()}:
            return _permission(id, [value], [])
        case dict() if text := next((str(value[name]) for name in TEXTS if value.get(name)), ""):
            return Question(id, "question", (Part("answer", text, _options(value.get("options")), free_text=True),))
        case _:
            return Question(id, "question", (Part("answer", plain(value), free_text=True),))


def _permission(id: str, actions: Sequence[Json], reviews: Sequence[Json]) -> Question:
    """Several calls at once are allowed or denied together, and all of them are shown."""
    if not _allowable(reviews):
        return Question(id, "question", (Part("answer", "\n\n".join(map(_exact, actions)), free_text=True),))
    first = actions[0]
    why = str(first.get("description") or "").strip()
    why = "" if "\nTool: " in why else why  # the words that LangChain puts there where the author wrote none
    text = words.question(str(first.get("name")), why) if len(actions) == 1 else f"Do all these {len(actions)} things?"
    return permission(id, text, "\n\n".join(map(_exact, actions)))


def _allowable(reviews: Sequence[Json]) -> bool:
    """Whether a person may say yes or no, rather than answer in the tool's place."""
    return all({"approve", "reject"} <= set(review.get("allowed_decisions") or ("approve", "reject")) for review in reviews)


def _exact(action: Json) -> str:
    return words.exact(str(action.get("name")), action.get("args") or {})


def _options(given: Any) -> tuple[Option, ...]:
    found = []
    for option in given if isinstance(given, list) else ():
        match option:
            case {"label": label}:
                found.append(Option(str(label), str(option.get("description") or "")))
            case _:
                found.append(Option(plain(option)))
    return tuple(found)


def waits(interrupts: Sequence[Json], answer: Answer | None) -> Json | None:
    """Where the graph goes on: what was answered, or else the first place where it waits."""
    if answer is None:
        return next(iter(interrupts), None)
    return next((each for each in interrupts if each["id"] == answer.question.rpartition("/")[0]), None)


def resumed(interrupt: Json, turn: Turn) -> Any:
    """What the graph is given. Where somebody said something else instead of an answer, that is the answer."""
    value, answer = interrupt.get("value"), turn.answer
    question = asked(interrupt, turn.number)
    spoken = "; ".join(word for words in answer.parts.values() for word in words) if answer else turn.prompt
    allowed = answer is not None and question.kind == "permission" and spoken == ALLOW  # a message that says so is no leave
    note = answer.note if answer else ""
    match value:
        case {"action_requests": [*actions]}:
            return {"decisions": [_decision(question, allowed, spoken, note, answered=answer is not None)] * len(actions)}
        case {"type": "tool_approval"}:
            return _decision(question, allowed, spoken, note, answered=answer is not None)
        case _:
            return (f"{spoken}\n({note})" if note else spoken) or coding.NOBODY


def _decision(question: Question, allowed: bool, spoken: str, note: str, *, answered: bool) -> Json:
    if question.kind != "permission":
        return {"type": "respond", "message": spoken or coding.NOBODY}
    if allowed:
        return {"type": "approve"}
    why = note if answered else spoken
    return {"type": "reject", "message": f"A person denied this. {why}".strip() if spoken else coding.NOBODY}
