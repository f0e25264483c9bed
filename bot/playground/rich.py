"""What people type, as the rich text that Slack keeps beside it."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from .emoji import EMOJI
from .words import TOKEN, unescape

Json = dict[str, Any]

FENCE = re.compile(r"```\n?(.+?)\n?```", re.S)
STYLED = r"(?<!\w)(?P<{0}>{1})(?=[^\s{1}])([^{1}\n]*[^\s{1}]){1}(?!\w)"
MARKS = {"code": "`", "bold": r"\*", "italic": "_", "strike": "~"}
PART = re.compile("|".join([TOKEN.pattern, *(STYLED.format(name, mark) for name, mark in MARKS.items()), r":(?P<emoji>[a-z0-9_+'-]+):"]))
ITEM = re.compile(r"(?:(?P<bullet>•)|(?P<ordered>\d+\.)) .")
QUOTE = "&gt;"


def rich_text(text: str, block_id: str) -> Json:
    """The block for a text as Slack stores it: escaped, links and names live."""
    elements: list[Json] = []
    for index, part in enumerate(FENCE.split(text)):
        elements += [{"type": "rich_text_preformatted", "elements": [_run(part, {})], "border": 0}] if index % 2 else _lines(part)
    return {"type": "rich_text", "block_id": block_id, "elements": elements or [_section(text)]}


def _section(text: str) -> Json:
    return {"type": "rich_text_section", "elements": inline(text, {})}


def _lines(text: str) -> Iterator[Json]:
    """Neighbouring lines of one kind are one element."""
    for kind, group in groupby(text.split("\n"), key=_kind):
        yield from _elements(kind, list(group))


def _elements(kind: str, lines: list[str]) -> list[Json]:
    """One, or none for empty lines."""
    if kind == "quote":
        return [_quote(lines)]
    if kind:
        items = [_section(line.split(" ", 1)[1]) for line in lines]
        return [{"type": "rich_text_list", "style": kind, "indent": 0, "border": 0, "elements": items}]
    return [_section("\n".join(lines))] if any(lines) else []


def _quote(lines: list[str]) -> Json:
    return {"type": "rich_text_quote", "elements": inline("\n".join(line.removeprefix(QUOTE).lstrip() for line in lines), {})}


def _kind(line: str) -> str:
    item = ITEM.match(line)
    return "quote" if line.startswith(QUOTE) else str(item.lastgroup) if item else ""


def inline(text: str, style: Json) -> list[Json]:
    """The runs of one paragraph; `style` is what holds around it."""
    runs: list[Json] = []
    at = 0
    for found in PART.finditer(text):
        made = _part(found, style)
        if made:
            runs += [_run(text[at : found.start()], style)] if found.start() > at else []
            runs += made
            at = found.end()
    return runs + ([_run(text[at:], style)] if text[at:] else [])


def _part(found: re.Match[str], style: Json) -> list[Json]:
    whole = found.group()
    name = next((each for each in MARKS if found.group(each)), "")
    if name == "code":
        return [_run(whole[1:-1], style | {"code": True})]
    if name:
        return inline(whole[1:-1], style | {name: True})
    if found["emoji"]:
        return [_styled({"type": "emoji", "name": found["emoji"]}, style)] if found["emoji"] in EMOJI else []
    return [_styled(_token(whole[1:-1]), style)]


def _run(text: str, style: Json) -> Json:
    return _styled({"type": "text", "text": unescape(text)}, style)


def _styled(run: Json, style: Json) -> Json:
    return run | ({"style": style} if style else {})


def _token(token: str) -> Json:
    if token.startswith("@"):
        return {"type": "user", "user_id": token[1:]}
    if token.startswith("#"):
        return {"type": "channel", "channel_id": token[1:].partition("|")[0]}
    if token.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": token[9:].partition("|")[0]}
    if token.startswith("!"):
        return {"type": "broadcast", "range": token[1:]}
    return {"type": "link", "url": unescape(token)}
