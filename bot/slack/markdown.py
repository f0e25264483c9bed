"""What a model or a person wrote, made harmless and cut to what Slack takes."""

import html
import re
import unicodedata
from itertools import pairwise

from markdown_it import MarkdownIt

PIECE = 9_000  # characters of one message; Slack takes 12,000 of markdown
PARSER = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["inline", "reference"])
SPAN = re.compile(r"(?<![\\`])(?P<ticks>`{1,8})(?!`)[^\n|]+?(?<!`)(?P=ticks)(?!`)")  # a table's cells end at each |, also in code
NAMES = re.compile(r"^[\s>*+.)\d-]*\[", re.M)
UNSEEN = re.compile(r"[\\*_`~\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
LINK = re.compile(
    r"!?\[(?P<label>(?:[^\[\]\\\n]|\\.|\[[^\[\]\n]*\]){0,500})\]"
    r"\((?P<url>[^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\)"
)
ENTITY = re.compile(r"&(?=(?:lt|gt|amp|quot|#\d+|#x[0-9a-f]+);)", re.I)


def safe(text: str) -> str:
    """Markdown in which nothing pings, no link hides where it goes, and no image is fetched. What it says stays readable."""
    text = re.sub(r"\r\n?", "\n", text)
    lines, at = text.split("\n"), 0
    found: list[str] = []
    for token in PARSER.parse(text):
        if token.type == "fence" and token.level == 0 and token.map:
            start, end = token.map
            found += [_paragraphs(lines[at:start]), *map(_disarm, lines[start:end])] if start > at else map(_disarm, lines[start:end])
            at = end
    return "\n".join([*found, _paragraphs(lines[at:])] if at < len(lines) else found)


def _paragraphs(lines: list[str]) -> str:
    """A blank line ends whatever is inline."""
    return "".join(map(_spans, re.split(r"(\n[ \t]*\n)", "\n".join(lines))))


def _spans(text: str) -> str:
    """Code in a line stays as it is, unless a tick is left over, or a link is named, with which it could be read otherwise."""
    if "`" in SPAN.sub("", text) or ("]:" in text and NAMES.search(text)):
        return _prose(text)
    pieces, at = [], 0
    for code in SPAN.finditer(text):
        pieces += [_prose(text[at : code.start()]), _disarm(code[0])]
        at = code.end()
    return "".join([*pieces, _prose(text[at:])])


def _prose(text: str) -> str:
    """Links that are understood stay, or are written out; whatever else could be one no longer is."""
    pieces, at = [], 0
    for link in LINK.finditer(text):
        pieces += [text[at : link.start()].replace("](", "] ("), _link(link)]
        at = link.end()
    return _disarm("".join([*pieces, text[at:].replace("](", "] (")]).replace("]:", "]\\:"))


def _disarm(text: str) -> str:
    """`<` begins every mention and every link of Slack's own; without it there is none."""
    return ENTITY.sub("&amp;", text).replace("<", "&lt;")


def _link(found: re.Match[str]) -> str:
    """A link stays one if its label does not pretend; else both are shown."""
    label, url = found["label"].strip().replace("](", "] ("), found["url"]
    bare = label.lstrip("`~")  # it may not begin a fence
    if url.partition(":")[0].lower() not in ("http", "https", "mailto"):
        return f"{bare} ({url})"
    if found[0].startswith("!") or _pretends(label, url):
        return url if bare in ("", url) else f"{bare} ({url})"
    return f"[{label}]({url})"


def _pretends(label: str, url: str) -> bool:
    bare, there = _read(label), _read(url)
    looks = re.search(r"https?:|www\.|[\w-]\.[^\W\d_]{2,}", bare) or bare.startswith(("@", "#"))
    return bool(looks) and bare.rstrip("/") not in (there.rstrip("/"), there.partition("://")[2].rstrip("/"))


def _read(text: str) -> str:
    """What a reader takes it for, whatever it is made of."""
    return UNSEEN.sub("", unicodedata.normalize("NFKC", html.unescape(text))).strip().lower()


def mrkdwn(text: str, limit: int = 3000) -> str:
    """Plain words for a mrkdwn field: nothing in them is live."""
    flat = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return flat if len(flat) <= limit else re.sub(r"&[a-z]{0,3}$", "", flat[: limit - 1]) + "…"


def whole(text: str, limit: int = 2900) -> list[str]:
    """Plain words for mrkdwn fields, nothing left out: in parts of about `limit`, cut between lines or words where there are some."""
    found, rest = [], mrkdwn(text, 6 * len(text))
    while len(rest) > limit:
        at = max(rest.rfind("\n", limit // 2, limit), 0) or max(rest.rfind(" ", limit // 2, limit), 0)
        end = at or _unescaped(rest, limit)
        part, rest = rest[:end], rest[end + 1 if at else end :]
        if part.count("```") % 2:  # what is code stays so
            part, rest = f"{part}\n```", f"```\n{rest}"
        found.append(part)
    return [part for part in (*found, rest) if part.strip()] or ["…"]


def _unescaped(flat: str, end: int) -> int:
    """The same end, or the one before a letter that is written as several."""
    at = flat.rfind("&", end - 5, end)
    return at if at >= 0 and ";" not in flat[at:end] else end


def brief(text: str, limit: int) -> str:
    """One line of plain words, at most so long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def pieces(text: str, limit: int = PIECE) -> list[str]:
    """The text in parts of at most `limit`, cut between paragraphs; a fence or a table that is cut begins anew in each part."""
    found: list[str] = []
    for block in _blocks(text):
        if found and len(found[-1]) + len(block) + 2 <= limit:
            found[-1] += "\n\n" + block
        else:
            found += _cut(block, limit)
    return found or [""]


def _blocks(text: str) -> list[str]:
    """The top-level blocks: paragraphs, lists, fences, tables."""
    lines = text.split("\n")
    starts = sorted({0, len(lines), *(token.map[0] for token in PARSER.parse(text) if token.map and token.level == 0)})
    return [block for a, b in pairwise(starts) if (block := "\n".join(lines[a:b]).strip("\n"))]


def _cut(block: str, limit: int) -> list[str]:
    """One block in parts, each whole in itself."""
    if len(block) <= limit:
        return [block]
    lines = block.split("\n")
    head, tail = _frame(lines)
    room = limit - len(head) - len(tail) - 2
    found, part, inner = [], "", ""
    for line in lines[head.count("\n") + 1 if head else 0 : len(lines) - (1 if tail and lines[-1].strip() == tail else 0)]:
        for bit in _bits(line, room - 2 * len(inner) - 8):
            if part and len(part) + len(bit) + 2 * len(inner) + 2 > room:
                found.append(f"{part}\n{inner}" if inner else part)
                part = f"{inner}\n{bit}" if inner else bit
            else:
                part = f"{part}\n{bit}" if part else bit
        inner = _nested(line, inner) if not tail else ""
    return ["\n".join(filter(None, (head, each, tail))) for each in [*found, part] if each]


def _nested(line: str, inner: str) -> str:
    """The fence that is open after this line, within a list or a quote; each part closes it, and opens it anew."""
    fence = re.match(r"( {0,20}(?:`{3,20}|~{3,20}))(?![`~])", line)
    if inner:
        return "" if fence and fence[1].strip() == inner.strip() else inner
    return fence[1] if fence else ""


def _frame(lines: list[str]) -> tuple[str, str]:
    """What has to stand before and after each part of this block: a fence, or a table's head."""
    if fence := re.match(r" {0,3}(`{3,99}|~{3,99})(?![`~])", lines[0]):
        return lines[0][:200], fence[1]
    if len(lines) > 2 and len(lines[0]) + len(lines[1]) < 2000 and "|" in lines[1] and "-" in lines[1] and not lines[1].strip(" \t|:-"):
        return f"{lines[0]}\n{lines[1]}", ""
    return "", ""


def _bits(line: str, room: int) -> list[str]:
    """A line in parts, cut at spaces where there are some."""
    found = []
    while len(line) > room:
        at = line.rfind(" ", room // 2, room)
        at = at if at > 0 else room
        found.append(line[:at])
        line = line[at:].lstrip(" ") if at < room else line[at:]
    return [*found, line]
