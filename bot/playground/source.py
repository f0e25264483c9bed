"""Python as it is written: calls that fit their lines, values as literals, and words to wait for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDE = 140  # characters of a line
LONG = 60  # characters to wait for
VARYING = re.compile(r"<[@!#]|\d+(\.\d+)?\s?(s|ms|min|h|%|tokens?)\b|\$\d|\b\d\d:\d\d\b")


@dataclass(slots=True)
class Statement:
    """One call in the test: `name` is the variable that keeps what it returns, "" while nothing asks for it."""

    name: str
    verb: str
    arguments: list[str]
    waits: bool = False

    def lines(self) -> list[str]:
        """On one line, or if it is too wide one argument a line."""
        head = f"{self.name} = {self.verb}" if self.name else self.verb
        line = f"{head}({', '.join(self.arguments)})"
        if len(line) + 4 <= WIDE and "\n" not in line:
            return [line]
        inner = [f"    {line}" for each in self.arguments for line in (each if len(self.arguments) == 1 else each + ",").splitlines()]
        return [f"{head}(", *inner, ")"]


def telling(text: str) -> str:
    """The words of a text that are best to wait for: its first line without people, times and amounts."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
    line = next((line for line in lines if not VARYING.search(line)), lines[0] if lines else "")
    return line if len(line) <= LONG else line[:LONG].rpartition(" ")[0] or line[:LONG]


def literal(value: Any) -> str:
    """A value as Python, with double quotes where they can be; what cannot be printed is escaped."""
    if isinstance(value, str | bytes):
        start, _, text = repr(value).partition("'")
        return f'{start}"{text[:-1]}"' if start in ("", "b") and '"' not in text else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


def filed(files: Sequence[Sequence[Any]]) -> str:
    """Files by name alone where their content is as good as any other."""
    return literal(
        [name if len(content) > 200 or content == b"content of " + name.encode() else (name, content) for name, content in files]
    )


def lengthy(value: Any) -> str:
    """A literal; of a long text in pieces, a line each."""
    if not isinstance(value, str) or len(value) < 100:
        return literal(value)
    pieces = [line[at : at + 100] for line in value.splitlines(keepends=True) for at in range(0, len(line), 100)]
    return "\n".join(map(literal, pieces))
