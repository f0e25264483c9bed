"""Texts as HTML: Slack's mrkdwn with its entities, plain text, and Markdown. All that comes from outside is escaped here."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from .emoji import EMOJI
from .words import unescape
from .world import TEAM, World, domain

SAFE = ("http", "https", "mailto")
FENCE = re.compile(r"```\n?(.+?)\n?```", re.S)
CODE = re.compile(r"`([^`\n]+)`")
ATOM = re.compile(r"`([^`\n]+)`|<([^<>\n]+)>")
NAMED = re.compile(r"<([@#!][^<>\n]+)>")
MARKED = re.compile(r"(?<![\w*~_])([*_~])(?=\S)(.+?)(?<=\S)\1(?![\w*~_])")
SHORT = re.compile(r":([a-z0-9_+\-]+):")
HELD = re.compile("\ue000(\\d+)\ue001")
PERMALINK = re.compile(rf"https://{re.escape(domain(TEAM))}\.slack\.com/archives/([CDG]\w+)/p(\d+)(\d{{6}})(?:\?thread_ts=([\d.]+)[^\s]*)?")
TAGS = {"*": "strong", "_": "em", "~": "s"}
DATES = {
    "{date_num}": "%Y-%m-%d", "{date_slash}": "%m/%d/%Y", "{date}": "%B %d, %Y", "{date_short}": "%b %d, %Y",
    "{date_long}": "%A, %B %d, %Y", "{date_pretty}": "%B %d, %Y", "{date_short_pretty}": "%b %d, %Y", "{date_long_pretty}": "%A, %B %d, %Y",
    "{time}": "%H:%M", "{time_secs}": "%H:%M:%S", "{ago}": "%b %d, %H:%M", "{day_divider_pretty}": "%A, %B %d",
}  # fmt: skip


def safe(url: object) -> bool:
    """Whether a link may be followed: http, https and mailto only."""
    try:
        return isinstance(url, str) and urlsplit(url.strip()).scheme.lower() in SAFE
    except ValueError:
        return False


def link(url: str, label: str = "") -> Markup:
    """A link to another site; the text alone where it leads nowhere good."""
    if not safe(url):
        return escape(label or url)
    if here := PERMALINK.fullmatch(url):
        return Markup('<a href="?{}" data-here>{}</a>').format(_asked(here), label or url)
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, label or url)


def _asked(permalink: re.Match[str]) -> str:
    """The page's own query for a message of this workspace."""
    place, seconds, rest, thread = permalink.groups()
    return urlencode({"in": place, "at": f"{seconds}.{rest}"} | ({"thread": thread} if thread else {}))


def code(text: str, language: str = "") -> Markup:
    """A block of code, with a button to copy it."""
    label = Markup('<span class="language">{}</span>').format(language) if language else ""
    button = Markup('<button type="button" class="small copy" data-copy>Copy</button>')
    return Markup('<div class="code">{}{}<pre tabindex="0"><code>{}</code></pre></div>').format(label, button, text)


def plain(text: object) -> Markup:
    """Plain text; emoji by name become emoji."""
    return escape(SHORT.sub(lambda found: EMOJI.get(found[1], found[0]), str(text)))


def coded(text: object) -> Markup:
    """Plain text, in which `words` are code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(plain(text))))


def moment(stamp: object, pattern: str, fallback: str = "", zone: str = "UTC") -> Markup:
    try:
        when = datetime.fromtimestamp(float(str(stamp)), UTC).astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError, OSError):
        return escape(fallback or str(stamp))
    text = pattern
    for word, form in DATES.items():
        text = text.replace(word, when.strftime(form))
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(when.isoformat(), pattern, text or fallback)


class Texts:
    """Texts of one workspace: knows its people, channels and groups by id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._md = self._parser()

    def name(self, user: str) -> str:
        person = self.world.people.get(user)
        return (person.name.title() if person.is_bot else person.name) if person else user

    def mention(self, user: str, me: str = "") -> Markup:
        return Markup('<span class="mention{}">@{}</span>').format(" me" if user == me else "", self.name(user))

    def place(self, channel: str, label: str = "") -> Markup:
        found = self.world.channels.get(channel)
        return Markup('<span class="mention">#{}</span>').format(found.name if found else label or channel)

    def group(self, key: str, label: str = "") -> Markup:
        found = self.world.groups.get(key)
        return Markup('<span class="mention">@{}</span>').format(found.handle if found else label.lstrip("@") or key)

    def entity(self, inner: str) -> Markup:
        """What stands in <…> of mrkdwn, already unescaped."""
        head, bar, label = inner.partition("|")
        if head.startswith("@"):
            return self.mention(head[1:])
        if head.startswith("#"):
            return self.place(head[1:], label)
        if head.startswith("!subteam^"):
            return self.group(head[9:], label)
        if head.startswith("!date^"):
            _, stamp, pattern, *_ = [*head.split("^"), "", ""]
            return moment(stamp, pattern, label)
        if head.startswith("!"):
            return Markup('<span class="mention">@{}</span>').format(head[1:])
        return link(head, label) if safe(head) or bar else escape(f"<{inner}>")

    def mrkdwn(self, text: object) -> Markup:
        """Slack's own markup, in which &, < and > stand as entities where they mean themselves."""
        held: list[Markup] = []

        def hold(html: Markup) -> str:
            held.append(html)
            return f"\ue000{len(held) - 1}\ue001"

        def atom(found: re.Match[str]) -> str:
            code, inner = found.groups()
            return hold(Markup("<code>{}</code>").format(unescape(code)) if code else self.entity(unescape(inner)))

        source = str(text).replace("\ue000", "").replace("\ue001", "")
        source = FENCE.sub(lambda found: hold(code(unescape(found[1]))), source)
        html = _lines(ATOM.sub(atom, source).split("\n"), _emphasis)
        return Markup(HELD.sub(lambda found: held[int(found[1])], html))

    def markdown(self, text: object) -> Markup:
        """Standard Markdown without HTML; pictures are their alt texts, links go to other sites only."""
        return Markup(self._md.render(str(text)))

    def _parser(self) -> MarkdownIt:
        md = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
        md.validateLink = safe  # type: ignore[method-assign]
        md.renderer.rules["text"] = self._text  # type: ignore[attr-defined]
        for name, rule in {
            "fence": _fence,
            "code_block": _fence,
            "code_inline": _code,
            "image": _image,
            "link_open": _link_open,
            "th_open": _cell,
            "td_open": _cell,
        }.items():
            md.add_render_rule(name, rule)
        return md

    def _text(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        parts = NAMED.split(tokens[index].content)
        return "".join(self.entity(part) if odd % 2 else plain(part) for odd, part in enumerate(parts))


def _lines(lines: list[str], inline: Callable[[str], Markup]) -> Markup:
    """Lines joined with breaks; those that begin with > are a quotation, and after >>> all are."""
    out, quoted, rest = Markup(), False, False
    for index, line in enumerate(lines):
        rest = rest or line.startswith(("&gt;&gt;&gt;", ">>>"))
        quote = rest or line.startswith(("&gt;", ">"))
        if quote != quoted:
            out += Markup("<blockquote>") if quote else Markup("</blockquote>")
        elif index:
            out += Markup("<br>")
        out += inline(re.sub(r"^(&gt;|>)+ ?", "", line) if quote else line)
        quoted = quote
    return out + Markup("</blockquote>") if quoted else out


def _emphasis(text: str) -> Markup:
    out, at = Markup(), 0
    for found in MARKED.finditer(text):
        tag = TAGS[found[1]]
        out += plain(unescape(text[at : found.start()])) + Markup(f"<{tag}>") + _emphasis(found[2]) + Markup(f"</{tag}>")
        at = found.end()
    return out + plain(unescape(text[at:]))


def _fence(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return str(code(unescape(tokens[index].content.rstrip("\n")), tokens[index].info.split(" ")[0]))


def _code(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    # Slack, unlike CommonMark, reads its three entities in code too.
    return str(Markup("<code>{}</code>").format(unescape(tokens[index].content)))


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return str(Markup('<span class="image">🖼 {}</span>').format(tokens[index].content or "picture"))


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    if here := PERMALINK.fullmatch(str(tokens[index].attrs.get("href"))):
        tokens[index].attrs = dict.fromkeys(("href", "data-here"), "?" + _asked(here))
        return renderer.renderToken(tokens, index, options, env)
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)


def _cell(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    # The page's policy forbids style attributes, in which markdown-it puts the alignment.
    side = str(tokens[index].attrs.pop("style", "")).removeprefix("text-align:")
    if side:
        tokens[index].attrSet("class", f"to-{side}")
    return renderer.renderToken(tokens, index, options, env)
