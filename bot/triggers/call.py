"""A call from elsewhere: what happened there, and how people are told of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.prompt import line
from bot.trigger import Source

WHO: Mapping[Source, str] = {"github": "GitHub", "linear": "Linear", "generic": "a webhook"}
IDS: Mapping[Source, str] = {"github": "X-GitHub-Delivery", "linear": "Linear-Delivery", "generic": "Idempotency-Key"}
WORD, ID = re.compile(r"\w{1,80}"), re.compile(r"[\w.:-]{1,100}", re.ASCII)
ADDRESS = re.compile(r"https?://[\w./:?#@!$&'()*+,;=%~-]{1,500}", re.ASCII)
DEPTH = 50  # boxes within boxes: more of them nobody needs, and what writes or shows them comes to its limits
NESTED = "it is nested too deeply"
TITLES, PAGES = ("title", "name", "summary", "description", "message", "text"), ("html_url", "url")


@dataclass(frozen=True, slots=True)
class Call:
    """What was told. `event` and `action` are empty where nobody says them; `id` is the same when the same is told again.

    No signature covers that: so is `hash`, of what one covers, where no two things are told in the same words.
    """

    source: Source
    id: str
    event: str
    action: str
    body: Any
    hash: str = ""

    @property
    def ping(self) -> bool:
        """Whether it is only to see that somebody is there."""
        return self.source == "github" and self.event == "ping"

    def among(self, events: tuple[str, ...]) -> bool:
        """Whether these have it: `issues` means all that happens to issues, `issues.labeled` only that."""
        return {self.event.lower(), f"{self.event}.{self.action}".lower()} & {event.lower() for event in events} != set()

    @property
    def headline(self) -> str:
        """The message under which its session lives: one line, of what others wrote only the beginning."""
        happened = line(f"{self.event} {self.action}".replace("_", " "))
        where = line(_text(_within(self.body, "repository"), "full_name"))
        things = [*self._things()]
        thing = next(filter(_title, things), {})
        said = f"{WHO[self.source]}: {happened}" if happened else "A webhook was called"
        title = " ".join(filter(None, (line(_text(thing, "identifier")), _title(thing))))
        page = next(filter(None, map(_page, [thing, *things])), "")
        return "".join([said, f" in {where}" if where else "", f": {title}" if title else "", f" {page}" if page else ""])

    def _things(self) -> Iterator[dict[str, Any]]:
        """What it may be about, the nearest first."""
        for name in (self.event, "pull_request", "issue", "discussion", "release", "data", "head_commit", "alert"):
            yield (found := _within(self.body, name))
            yield from (_within(found, inner) for inner in ("security_advisory", "rule"))
        yield self.body if isinstance(self.body, dict) else {}


def read(source: Source, headers: Mapping[str, str], raw: bytes, now: float) -> Call:
    """What these bytes tell. Raises ValueError where they are no JSON."""
    body = _parsed(raw)
    event = {"github": headers.get("X-GitHub-Event", ""), "linear": _text(body, "type"), "generic": ""}[source]
    action = "" if source == "generic" else _text(body, "action")
    hash = sha256(raw).hexdigest() if source == "linear" else ""  # which says when; at GitHub two things may be told in the same words
    return Call(source, _id(headers.get(IDS[source], ""), raw, now), _word(event), _word(action), body, hash)


def _parsed(raw: bytes) -> Any:
    try:
        body = json.loads(raw)
    except RecursionError as error:
        raise ValueError(NESTED) from error
    level = [body]
    for _ in range(DEPTH):
        boxes = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [one for box in boxes for one in box]
    if level:
        raise ValueError(NESTED)
    return body


def _id(given: str, raw: bytes, now: float) -> str:
    """Who sends it says what is the same; else the same words within a minute are."""
    if not given:
        return f"{sha256(raw).hexdigest()}:{int(now // 60)}"
    return given if ID.fullmatch(given) else sha256(given.encode("utf-8", "surrogateescape")).hexdigest()


def _word(text: str) -> str:
    return text if WORD.fullmatch(text) else ""


def _within(body: Any, name: str) -> dict[str, Any]:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _text(body: Any, name: str) -> str:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""


def _title(thing: Mapping[str, Any]) -> str:
    return next(filter(None, (line(_text(thing, name)) for name in TITLES)), "")


def _page(thing: Mapping[str, Any]) -> str:
    return next((found for name in PAGES if ADDRESS.fullmatch(found := _text(thing, name))), "")
