"""What a platform tells that nobody knows: kept for whoever looks into it, said once, and never the end of a turn."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.event import Event, Notice

FILE = "unknown-events.jsonl"
MOST = 1_000_000  # bytes of one that are kept
GARBLED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What it comes to where an event that we know has another shape than the one we know."""
MANY = 100  # kinds of them in one session: a platform may call each event by another name


class Unknown:
    """What nobody knew in the session of this folder. `mask` takes secrets out."""

    def __init__(self, folder: Path, mask: Callable[[str], str] = str) -> None:
        self.file, self.mask = folder / FILE, mask

    def read(self, tell: Callable[[Any], Iterable[Event]], raw: Any, name: str = "") -> Iterator[Event]:
        """What `tell` makes of an event, as far as it can read it."""
        try:
            yield from tell(raw)
        except GARBLED:
            yield from self.told(raw, name)

    def told(self, raw: Any, name: str = "") -> list[Notice]:
        """The notice, if nothing of this name was met before; what has none is called by what it has."""
        name = self.mask(name or (", ".join(raw) if isinstance(raw, dict) else type(raw).__name__))[:100]
        if name in self._met or len(self._met) >= MANY:
            return []
        self._met.add(name)
        try:
            self._keep(name, raw)
        except (OSError, ValueError, RecursionError):
            return [Notice(f"The agent told of something that frontdesk does not know ({name}); it could not be kept.")]
        return [Notice(f"The agent told of something that frontdesk does not know ({name}); it was kept in {FILE}.")]

    @cached_property
    def _met(self) -> set[str]:
        """Also in the turns before; a line that was cut is none."""
        found = set[str]()
        for line in self.file.read_text("utf-8", "replace").splitlines() if self.file.is_file() else ():
            with suppress(ValueError, TypeError, KeyError):
                found.add(str(json.loads(line)["name"]))
        return found

    def _keep(self, name: str, raw: Any) -> None:
        written = self.mask(json.dumps({"name": name, "raw": raw}, ensure_ascii=False, default=str))
        with open(self.file, "ab", opener=_own) as lines:
            line = written.encode("utf-8", "replace")
            lines.write((line if len(line) < MOST else json.dumps({"name": name}).encode()) + b"\n")


def _own(path: str, flags: int) -> int:
    """No link is followed: agents may write there too."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
