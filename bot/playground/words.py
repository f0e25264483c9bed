"""Text as Slack keeps it: escaped on the way in, and as people see it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

TOKEN = re.compile(r"<(@[UW]\w+|#[CG]\w+(?:\|[^<>]*)?|!subteam\^\w+(?:\|[^<>]*)?|!(?:here|channel|everyone)|(?:https?|mailto):[^<>\s]+)>")
LINK = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]")
NAME = re.compile(r"(?<![\w<!])[@#][a-z][a-z0-9._-]*[a-z0-9]")

# The keys under which blocks keep what people read, in reading order.
VISIBLE = (
    "label", "title", "subtitle", "caption", "text", "alt_text", "body", "fields", "rows", "elements", "accessory", "element",
    "blocks", "options", "option_groups", "tasks", "details", "output", "sources", "child_blocks", "actions",
    "positive_button", "negative_button", "hint",
)  # fmt: skip


def typed(text: str, known: Callable[[str], str]) -> str:
    """What a person typed, as Slack stores it: `&<>` escaped, links and known names (by `known`: "@ana" -> "<@U…>") made live."""
    parts = TOKEN.split(text)
    return "".join(f"<{part}>" if index % 2 else _plain(part, known) for index, part in enumerate(parts))


def _plain(text: str, known: Callable[[str], str]) -> str:
    out, at = [], 0
    for link in LINK.finditer(text):
        out.append(_named(escape(text[at : link.start()]), known) + f"<{escape(link.group())}>")
        at = link.end()
    return "".join(out) + _named(escape(text[at:]), known)


def _named(text: str, known: Callable[[str], str]) -> str:
    return NAME.sub(lambda found: known(found.group()) or found.group(), text) if "@" in text or "#" in text else text


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def visible(message: Json) -> str:
    """All that people read of a message or view: its blocks where it has any (not the fallback text), attachments, and files' names."""
    if "type" in message and message["type"] in ("modal", "home"):
        return "\n".join(_read([message.get("title"), message.get("blocks"), message.get("submit"), message.get("close")]))
    parts = list(_read(message.get("blocks") or message.get("text") or ""))
    parts += _read(message.get("attachments") or [])
    parts += [str(file.get("title") or file.get("name")) for file in message.get("files") or []]
    return "\n".join(part for part in parts if part)


def _read(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from _read(each)
    elif isinstance(node, dict):
        yield from _read_one(node)


def _read_one(node: Json) -> Iterator[str]:
    kind = str(node.get("type", ""))
    if kind in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
        yield "".join(_inline(each) for each in node.get("elements", []))
        return
    for key in VISIBLE:
        if key in node:
            yield from _read(node[key])


def _inline(element: Json) -> str:
    kind = element.get("type")
    if kind in ("user", "usergroup", "channel", "broadcast"):
        mark = "#" if kind == "channel" else "@"
        return mark + str(element.get("user_id") or element.get("usergroup_id") or element.get("channel_id") or element.get("range"))
    if kind == "emoji":
        return f":{element.get('name')}:"
    return str(element.get("text") or element.get("url") or "")
