"""Where an agent of kagent waits for a person, in each of its generations: as our question, and the answer as it wants it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from a2a.types import Message
from a2a.types import Part as Piece
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]

from bot.event import ALLOW, Option, Part, Question, permission
from bot.message import Answer
from bot.runtimes import coding
from bot.runtimes.a2a_parts import plain
from bot.runtimes.claude_words import pretty, short

Json = dict[str, Any]
EXTENSION = "https://kagent.dev/extensions/hitl/v1"
CONFIRM, ASK = "adk_request_confirmation", "ask_user"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that waits for leave; `id` is what the leave names."""

    id: str
    name: str
    given: Json


@dataclass(frozen=True, slots=True)
class Wait:
    """What it waits for: answers to all `questions`, else leave for all `calls`. `old` is 0.9 and before, which has no extension."""

    old: bool
    id: str = ""
    questions: tuple[Json, ...] = ()
    calls: tuple[Call, ...] = ()
    hint: str = ""
    agent: str = ""

    @property
    def ids(self) -> list[str]:
        """Each once: that is how it wants to be answered."""
        return list(dict.fromkeys(call.id for call in self.calls))


def waits(message: Message) -> Wait | None:
    """What this message waits for, if it is one of kagent's."""
    if EXTENSION in message.extensions:
        return _new(plain(message.metadata).get(EXTENSION))
    return _old([data for piece in message.parts if confirms(data := plain(piece.data))])


def confirms(data: Any) -> bool:
    return isinstance(data, dict) and data.get("name") == CONFIRM


def _new(asked: Any) -> Wait | None:
    if not isinstance(asked, dict):
        return None
    nested = _dict(asked.get("nested"))
    calls = [_call(call, "") for call in _list(nested.get("tools")) or _list(asked.get("tools"))]
    agent, hint = str(nested.get("subagent_name") or ""), str(asked.get("hint") or "")
    match asked:
        case {"type": "ask_user_request", "questions": [_, *_] as questions}:
            inner = next((call.id for call in calls if call.name == ASK), calls[0].id if calls else "")
            return Wait(False, inner or str(asked.get("id")), _dicts(questions), agent=agent)
        case {"type": "tool_approval_request"} if calls:
            return Wait(False, "", (), tuple(calls), hint, agent)
        case _:
            return None


def _old(confirmed: Sequence[Json]) -> Wait | None:
    calls, agent = list[Call](), ""
    for asked in confirmed:
        given = _dict(asked.get("args"))
        payload = _dict(_dict(given.get("toolConfirmation")).get("payload"))
        inner = [_dict(part.get("originalFunctionCall")) for part in map(_dict, _list(payload.get("hitl_parts")))]
        agent = agent or str(payload.get("subagent_name") or "")
        calls += [_call(call, str(asked.get("id"))) for call in inner or [_dict(given.get("originalFunctionCall"))]]
    if calls and all(call.name == ASK for call in calls):
        return Wait(True, "", _dicts([each for call in calls for each in _list(call.given.get("questions"))]), agent=agent)
    return Wait(True, "", (), tuple(calls), "", agent) if calls else None


def _call(call: Any, id: str) -> Call:
    call = _dict(call)
    return Call(str(call.get("id") or id), str(call.get("name") or "something that it does not name"), _dict(call.get("args")))


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(questions: Sequence[Any]) -> tuple[Json, ...]:
    """One for each, since each has to be answered."""
    return tuple(each if isinstance(each, dict) else {"question": str(each)} for each in questions)


def question(id: str, wait: Wait) -> Question:
    """Several calls are allowed or denied together, and all of them are shown."""
    by = f" (asked by {wait.agent})" if wait.agent else ""
    if wait.questions:
        return Question(id, "question", tuple(_part(str(number), one, by) for number, one in enumerate(wait.questions, 1)))
    one = len(wait.calls) == 1
    text = f"Use {wait.calls[0].name.replace('_', ' ')}?" if one else f"Do all these {len(wait.calls)} things?"
    hint = f" ({short(wait.hint, 300)})" if wait.hint else ""
    return permission(id, text + by + hint, "\n\n".join(f"{call.name} {pretty(call.given)}" for call in wait.calls))


def _part(id: str, asked: Json, by: str) -> Part:
    text = str(asked.get("question") or "The agent asks, and does not say what.")
    choices = asked.get("choices")
    options = tuple(Option(str(choice)) for choice in choices if str(choice)) if isinstance(choices, list) else ()
    return Part(id, text + by, options, multi=bool(asked.get("multiple")), free_text=True)


def answered(wait: Wait, answer: Answer | None, words: str) -> Json:
    """What it is told; `words` is what somebody said instead of an answer, which is no leave."""
    if wait.questions:
        return _answers(wait, answer, words)
    allowed = answer is not None and answer.parts.get("decision") == (ALLOW,)
    why = (answer.note if answer.parts else coding.NOBODY) if answer else words
    if wait.old:
        return _decision(wait, why, allowed=allowed)
    reason = {} if allowed or not why else {"rejection_reason": why}
    return {"type": "tool_approval_response", "approvals": [{"id": id, "approved": allowed, **reason} for id in wait.ids]}


def _decision(wait: Wait, why: str, *, allowed: bool) -> Json:
    if allowed or not why:
        return {"decision_type": "approve" if allowed else "reject"}
    return {"decision_type": "batch", "decisions": dict.fromkeys(wait.ids, "reject"), "rejection_reasons": dict.fromkeys(wait.ids, why)}


def _answers(wait: Wait, answer: Answer | None, words: str) -> Json:
    given = [list(_said(answer, str(number), words)) for number in range(1, len(wait.questions) + 1)]
    answers = [{"answer": one or [coding.NOBODY]} for one in given]
    if wait.old:
        return {"decision_type": "approve", "ask_user_answers": answers}
    return {"type": "ask_user_response", "id": wait.id, "answers": answers}


def _said(answer: Answer | None, part: str, words: str) -> Sequence[str]:
    if answer is None:
        return [words] if words else []
    return [*answer.parts.get(part, ()), *([answer.note] if answer.note else [])]


def reply(letter: Message, asked: Message, answer: Answer | None, words: str) -> None:
    """Put the answer into our letter, where kagent looks for it; nothing for other agents, who read the words."""
    if not (wait := waits(asked)):
        return
    told = answered(wait, answer, words)
    if wait.old:
        letter.parts.insert(0, ParseDict({"data": told}, Piece()))
    else:
        letter.extensions.append(EXTENSION)
        ParseDict({EXTENSION: told}, letter.metadata)
