"""What a message looks like: its text for notifications, its blocks, and how they are made."""

import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.slack import parse
from bot.slack.markdown import brief, mrkdwn

Block = dict[str, Any]
CardStatus = Literal["pending", "in_progress", "complete", "error"]
FILLERS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
UNSEEN = FILLERS | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0)}  # U+FE0F is part of emoji


@dataclass(frozen=True, slots=True)
class Task:
    """A card in a message that grows; its title is escaped."""

    id: str
    title: str
    status: CardStatus


@dataclass(frozen=True, slots=True)
class Flow:
    """What of a message can grow: the text as the agent wrote it, up to the end of a line, and cards."""

    text: str
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """One message. `text` is plain, and stands where blocks cannot. `rank`: 0 must be seen, 1 soon, 2 when there is room.

    `flow` is the same as it can be streamed: instead of all blocks, or with rank 0 instead of the first.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    rank: int = 0
    flow: Flow | None = None


def section(text: str, **more: Any) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}, **more}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:2000]} for text in texts]}


def markdown(text: str) -> Block:
    return {"type": "markdown", "text": text}


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def link(thread: str, words: str, site: str, post: str = "") -> str:
    """Leads to a thread, or to a message in it. `site` is the workspace's address, such as https://example.slack.com/."""
    label = mrkdwn(words, 500) or "(no words)"
    if not thread.startswith("slack:"):
        return label
    channel, ts = parse.place(thread)
    inside = f"?thread_ts={ts}&cid={channel}" if post not in ("", ts) else ""
    return f"<{site}archives/{channel}/p{(post or ts).replace('.', '')}{inside}|{label}>"


def date(at: float, form: str = "{date_short_pretty} {time}") -> str:
    """In the time zone of whoever reads it; where Slack fills nothing in, as in notifications, in UTC."""
    return f"<!date^{int(at)}^{form}|{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(at))}>"


def actions(*elements: Mapping[str, Any]) -> Block:
    return {"type": "actions", "elements": list(elements)}


def plain(text: str, limit: int = 75) -> dict[str, Any]:
    return {"type": "plain_text", "text": brief(text, limit) or " ", "emoji": False}


def button(name: str, text: str, value: str, style: str = "") -> Block:
    made: Block = {"type": "button", "action_id": name, "text": plain(text), "value": value}
    if style:
        made["style"] = style
    return made


def choice(text: str, value: str, description: str = "") -> Block:
    return {"text": plain(text), "value": value} | ({"description": plain(description)} if description else {})


def modal(name: str, title: str, submit: str, blocks: Sequence[Block], about: str) -> Block:
    """A form. `about` is what its submission has to know, at most 3,000 characters."""
    words = {"title": plain(title, 24), "submit": plain(submit, 24), "close": plain("Cancel", 24)}
    return {"type": "modal", "callback_id": name, "private_metadata": about, "blocks": list(blocks), **words}


def visible(text: str) -> str:
    """What would show nothing, or turn the letters around it, shows itself."""
    return "".join(rf"\u{ord(letter):04x}" if _unseen(letter) else letter for letter in text)


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or ord(letter) in UNSEEN


def code(text: str, limit: int = 2800) -> str:
    """Exactly this text in a fence, for a mrkdwn field."""
    return f"```\n{mrkdwn(text.replace('```', '`​``'), limit)}\n```"
