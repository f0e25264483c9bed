"""The forms by which ACP agents ask: as a question, and its answer as they take it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.event import Option, Part
from bot.message import Answer

Json = dict[str, Any]
YES, NO = "Yes", "No"
OTHERS = ("_custom", "_note")  # where Claude Code and Codex take what is typed in place of an option


@dataclass(frozen=True, slots=True)
class Field:
    """One property of the form; `other` is the one that takes words of one's own, `instead` the option that then has to be chosen."""

    key: str
    given: Json
    other: str = ""
    instead: Any = None

    @property
    def choices(self) -> dict[str, Any]:
        """What may be chosen: its value by the label that people see."""
        if self.given.get("type") == "boolean":
            return {YES: True, NO: False}
        items = self.given.get("items")
        source = items if isinstance(items, dict) else self.given
        found = source.get("oneOf") or source.get("anyOf") or source.get("enum") or ()
        told = [(str(each.get("title") or each["const"]), each["const"]) if isinstance(each, dict) else (str(each), each) for each in found]
        return {label: value for label, value in told if self.instead is None or value != self.instead}

    @property
    def multi(self) -> bool:
        return self.given.get("type") == "array"

    def part(self, message: str) -> Part:
        title, more = str(self.given.get("title") or ""), str(self.given.get("description") or "")
        match self.other.removeprefix(self.key):
            case "_custom":
                header, text = title, more or message
            case "_note":
                header, text = more, title or message
            case _:
                header, text = "", "\n".join(filter(None, [message, title or self.key, more]))
        source = self.given.get("items") if isinstance(self.given.get("items"), dict) else self.given
        told = {str(each.get("title") or each.get("const")): str(each.get("description") or "") for each in _described(source)}
        options = tuple(Option(label, told.get(label, "")) for label in self.choices)
        hidden = self.given.get("format") == "password" or bool(_codex(self.given).get("isSecret"))
        return Part(self.key, text, options, header, self.multi, bool(self.other) or not options, hidden)

    def take(self, chosen: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        """The properties that the answer fills in. Raises ValueError for a number that is none."""
        values = [self.choices[word] for word in chosen if word in self.choices]
        typed = ", ".join(word for word in chosen if word not in self.choices)
        if self.multi and values:
            yield self.key, values
        elif values:
            yield self.key, values[0]
        if typed and self.other:
            yield self.other, typed
            if not values and self.instead is not None:
                yield self.key, self.instead
        elif typed and not values:
            yield self.key, self._typed(typed)

    def _typed(self, word: str) -> Any:
        match self.given.get("type"):
            case "integer":
                return int(word)
            case "number":
                return float(word)
            case "array":
                return [word]
            case _:
                return word


def fields(schema: Json) -> list[Field]:
    given = {key: value for key, value in (schema.get("properties") or {}).items() if isinstance(value, dict)}
    others = {key + ending for key in given for ending in OTHERS if key + ending in given}
    found = []
    for key, value in given.items():
        other = next((key + ending for ending in OTHERS if key + ending in given), "")
        choices = list(Field(key, value).choices.values())
        instead = choices[-1] if other and choices and _codex(value).get("isOther") else None
        found += [Field(key, value, other, instead)] if key not in others else []
    return found


def parts(message: str, schema: Json) -> tuple[Part, ...]:
    """The form's own words stand before its first question."""
    return tuple(field.part("" if place else message) for place, field in enumerate(fields(schema)))


def filled(schema: Json, answer: Answer) -> Json:
    """Raises ValueError."""
    return dict(pair for field in fields(schema) for pair in field.take(tuple(answer.parts.get(field.key, ()))))


def _codex(given: Json) -> Json:
    meta = given.get("_meta")
    codex = meta.get("codex") if isinstance(meta, dict) else None
    return codex if isinstance(codex, dict) else {}


def _described(source: Any) -> Iterator[Json]:
    for each in source.get("oneOf") or source.get("anyOf") or ():
        if isinstance(each, dict):
            yield each
