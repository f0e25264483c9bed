"""Blocks and messages as HTML, by jinja2 with escaping on; what cannot be drawn is shown as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

from .elements import CHOSEN, initial, options
from .emoji import EMOJI, ICONS, QUICK, face
from .mrkdwn import Texts, code, coded, moment, plain, safe
from .things import Json
from .world import World

TEMPLATES = Path(__file__).parent / "templates"
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif"}
BROKEN = (TypeError, AttributeError, ValueError, LookupError)  # what an app's odd JSON does to a template


@dataclass(frozen=True, slots=True)
class At:
    """Where blocks are shown: who looks, what is chosen there so far, and for the page which surface to act on."""

    user: str
    surface: Json
    state: dict[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return str(self.surface.get("ts") or self.surface.get("id"))

    def chosen(self, block: Json, node: Json) -> Any:
        """What an element holds now."""
        kept = self.state.get(block.get("block_id", ""), {}).get(node.get("action_id", ""))
        return initial(node) if kept is None else kept.get(CHOSEN[node["type"]])

    def values(self, block: Json, node: Json) -> list[str]:
        """The values of the options that are chosen now; ids where people or channels are."""
        now = self.chosen(block, node)
        many = now if isinstance(now, list) else [] if now is None else [now]
        return [str(each.get("value")) if isinstance(each, dict) else str(each) for each in many]

    def sees(self, node: Json) -> bool:
        return self.user in node.get("visible_to_user_ids", [self.user])


class Renderer:
    """Templates of one workspace; `base` is the path under which the page lives."""

    def __init__(self, world: World, base: str) -> None:
        self.world = world
        self.texts = Texts(world)
        self.env = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.env.filters |= {
            "mrkdwn": self.texts.mrkdwn, "plain": plain, "coded": coded, "markdown": self.texts.markdown, "text": self.text, "when": clock,
            "json": pretty, "hue": hue, "bare": bare, "size": size,
        }  # fmt: skip
        self.env.globals |= {
            "show": self.block, "texts": self.texts, "safe": safe, "moment": moment, "base": base, "options": options, "world": world,
            "domain": world.domain, "emoji": EMOJI, "quick": QUICK, "icons": ICONS, "known": self.known, "pictured": self.pictured,
            "code": code, "face": face,
        }  # fmt: skip

    def page(self, name: str, /, **facts: Any) -> Markup:
        html = self.env.get_template(name).render(**facts)
        return Markup(html.encode(errors="replace").decode())  # an app that cuts a text in the middle of an emoji sends half of it

    def text(self, node: Any) -> Markup:
        """A text object, by its own type."""
        if not isinstance(node, dict):
            return plain(node or "")
        words = str(node.get("text") or "")
        return self.texts.mrkdwn(words) if node.get("type") == "mrkdwn" else plain(words)

    def known(self, kind: str, node: Json | None = None) -> list[tuple[str, str]]:
        """What a select of this kind offers: (value, text)."""
        if "users" in kind:
            return [(person.id, person.name) for person in self.world.people.values()]
        if "channels" in kind or "conversations" in kind:
            return [(place.id, f"#{place.name}") for place in self.world.channels.values() if place.kind != "im"]
        return [(str(each.get("value")), bare(each.get("text"))) for each in options(node or {})]

    def pictured(self, node: Any) -> str:
        """The id of a file of this workspace that is a picture, "" for all other images: the page loads nothing from elsewhere."""
        key = str((node.get("slack_file") or {}).get("id") or node.get("id") or "")
        file = self.world.files.get(key)
        return key if file and picture(file.content) else ""

    def block(self, block: Any, at: At) -> Markup:
        """One block; JSON where it is unknown, or not as it should be."""
        try:
            return self._drawn(block, at)
        except BROKEN:
            return self.page("odd.html", node=block)

    def _drawn(self, block: Json, at: At) -> Markup:
        macro = getattr(self.env.get_template("kit.html").module, f"block_{block['type']}", None)
        return self.page("odd.html", node=block) if macro is None else Markup(macro(block, at))

    def blocks(self, blocks: Iterable[Json], at: At) -> Markup:
        return Markup().join(self.block(each, at) for each in blocks)


def pretty(node: Any) -> str:
    return json.dumps(node, indent=1, ensure_ascii=False, default=str)


def bare(node: Any) -> str:
    """The text of a text object without any markup."""
    return str(node.get("text") or "") if isinstance(node, dict) else str(node or "")


def clock(ts: object, form: str = "{time}") -> Markup:
    """A moment; the page puts it into the zone and the language of the browser."""
    when = datetime.fromtimestamp(float(str(ts)), UTC)
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(when.isoformat(), form, when.strftime("%H:%M"))


def picture(content: bytes) -> str:
    """The kind of a picture by its first bytes, "" for all else."""
    for start, kind in PICTURES.items():
        if content.startswith(start):
            return kind
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def hue(name: object) -> int:
    """One of 8 colours for a name, the same each time."""
    return sum(map(ord, str(name))) % 8


def size(count: object) -> str:
    amount = float(str(count or 0))
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
