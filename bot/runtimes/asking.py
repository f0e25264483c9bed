"""The function `ask_user`, for models that are given functions: what it is, what they ask by it, and the answer as they get it. Pure."""

import json
from typing import Any

from bot.event import Option, Part
from bot.message import Answer
from bot.runtimes import coding
from bot.runtimes.claude_words import pretty

Json = dict[str, Any]
NAME = "ask_user"
ABOUT = "Ask the people who talk with you a question, where you cannot go on without their word. They choose an option or write their own."
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "description": "All that they need to know to answer; they see nothing of your thoughts."},
        "options": {"type": "array", "items": {"type": "string"}, "description": "What they can choose from, a few words each."},
        "multiple": {"type": "boolean", "description": "Whether they may choose several."},
    },
    "required": ["question"],
}


def part(id: str, name: str, given: Any) -> Part:
    """One call as a question; that of a function which is not ours is answered by a person too."""
    given = _read(given)
    if name != NAME:
        return Part(id, f"The agent calls the function {name}. What is its result?\n{pretty(given)}", free_text=True)
    options = given.get("options")
    choices = [_option(each) for each in options] if isinstance(options, list) else []
    text = str(given.get("question") or "The agent asks, and does not say what.")
    return Part(id, text, tuple(choices), multi=bool(given.get("multiple")), free_text=True)


def result(part: Part, answer: Answer | None, words: str) -> str:
    """What the model is told; `words` is what somebody said instead of an answer."""
    chosen = ", ".join(answer.parts.get(part.id, ())) if answer else words
    note = f" ({answer.note})" if answer and answer.note else ""
    return f"{chosen}{note}".strip() or coding.NOBODY


def _option(given: Any) -> Option:
    match given:
        case {"label": label}:
            return Option(str(label), str(given.get("description") or ""))
        case _:
            return Option(str(given))


def _read(given: Any) -> Json:
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except ValueError:
            return {"question": given}
    return given if isinstance(given, dict) else {"question": str(given)}
