"""A recording, read from its file: whole, or with one sentence that says what is wrong with it."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import ConfigError

from .recording import FILE_BYTES, FORMAT
from .sights import Line, Shown
from .tape import Row
from .things import Json

MOST_BYTES = 1 << 28  # of a file; the stand-in takes no larger one


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file holds.

    `changes` are the agents' files that had changed before the row of that number, None for one that was gone. `after` is what
    stood in sight at the end, and `cut` says in words that the last line was not written to its end.
    """

    version: str
    manifest: Json
    agents: dict[str, str]
    settings: Json
    rows: list[Row]
    changes: dict[int, dict[str, str | None]]
    after: dict[str, Shown]
    cut: str = ""


def _unpacked(file: Json) -> list[Any]:
    """A file again; what was not kept of it is zeros. Raises ValueError."""
    if not 0 <= file["size"] <= MOST_BYTES:
        raise ValueError(f"no file has {file['size']} bytes")
    if "text" in file:
        return [file["name"], str(file["text"]).encode().ljust(file["size"] if file["size"] > FILE_BYTES else 0, b"\0")]
    return [file["name"], base64.b64decode(file["base64"]).ljust(file["size"], b"\0")]


def read(path: Path) -> Recording:
    """The recording in a file; a last line that was not written to its end is left out. Raises ConfigError, in one sentence."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no recording of `frontdesk play --record`") from error
    head = _header(path, lines[0])
    _agents(path, 1, head["agents"])
    cut = f"{path} ends in the middle of line {len(lines)}; what stands before it is done again" if lines[-1] else ""
    whole = [_line(path, number, text) for number, text in enumerate(lines[1:-1], 2)]
    story = _Story()
    for number, line in enumerate(whole, 2):
        try:
            story.add(line)
            _agents(path, number, line.get("agents", {}))
        except KeyError as error:
            raise ConfigError(f"line {number} of {path} is broken ({error} is missing in it); record it again") from error
        except (TypeError, ValueError, StopIteration) as error:
            raise ConfigError(f"line {number} of {path} is broken ({error or 'it does not fit'}); record it again") from error
    settings, manifest = head["settings"], head["manifest"]
    return Recording(head["version"], manifest, head["agents"], settings, story.rows, story.changes, story.shown, cut)


def _header(path: Path, line: str) -> Json:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or not isinstance(head.get("frontdesk_play"), int):
        raise ConfigError(f"{path} is no recording of `frontdesk play --record`")
    if head["frontdesk_play"] > FORMAT:
        newer = f"by a newer Frontdesk ({head.get('version')}), in format {head['frontdesk_play']}"
        raise ConfigError(f"{path} was recorded {newer}; this one reads up to {FORMAT}: update it with pip install -U frontdesk")
    for name, kind in {"version": str, "settings": dict, "agents": dict, "manifest": dict}.items():
        if not isinstance(head.get(name), kind):
            raise ConfigError(f"line 1 of {path} is broken (it has no {name}); record it again")
    return head


def _agents(path: Path, number: int, files: Mapping[str, Any]) -> None:
    """Whoever made the recording must not choose where in this machine its files are written."""
    for name, text in files.items():
        if not re.fullmatch(r"[^/\\\0\ud800-\udfff]{1,60}\.md", name) or not isinstance(text, str | None):
            raise ConfigError(f"line {number} of {path} is broken ({name!r} is no agent's file); record it again")


def _line(path: Path, number: int, text: str) -> Json:
    try:
        line = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"line {number} of {path} is broken ({error}); record it again") from error
    if not isinstance(line, dict):
        raise ConfigError(f"line {number} of {path} is broken (it is no object); record it again")
    return line


class _Story:
    """The lines put together again."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.changes: dict[int, dict[str, str | None]] = {}
        self.shown: dict[str, Shown] = {}
        self._before: dict[str, Shown | None] = {}

    def add(self, line: Json) -> None:
        """Lines of a kind that is not known are of no matter here."""
        match line:
            case {"shown": str(place)}:
                self._see(place, _shown(line) if "lines" in line else None)
            case {"deed": str(deed), "at": at, "by": str(by), "args": dict(args)}:
                args = args | ({"files": [_unpacked(file) for file in args["files"]]} if "files" in args else {})
                self.rows.append(Row(float(at), deed, by, args, line.get("made", ""), self._before))
                self._before = {}
            case {"refused": deed, "at": at}:
                last = next(row for row in reversed(self.rows) if (row.deed, row.at) == (deed, at))
                self.rows.remove(last)
                self._before = last.before | self._before
            case {"agents": dict(files)}:
                self.changes[len(self.rows)] = self.changes.get(len(self.rows), {}) | files
            case {"deed": _} | {"agents": _}:
                raise ValueError("something is missing in it")

    def _see(self, place: str, shown: Shown | None) -> None:
        self._before[place] = shown
        if shown is None:
            self.shown.pop(place, None)
        else:
            self.shown[place] = shown


def _shown(line: Json) -> Shown:
    return Shown(tuple(Line(each["who"], each["text"], tuple(each["buttons"])) for each in line["lines"]), bool(line["busy"]))
