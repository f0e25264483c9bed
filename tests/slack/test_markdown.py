"""What a model writes: nothing in it pings, no link hides where it goes, and no word of it is lost."""

import random
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from bot.slack.markdown import PIECE, brief, mrkdwn, pieces, safe

READER = MarkdownIt("commonmark").enable("table")
EVIL = "(https://evil.example)"
DISGUISED = {
    "an address as its label": "[https://bank.example](https://evil.example)",
    "a host as its label": f"[bank.example]{EVIL}",
    "a host in capitals": f"[BANK.EXAMPLE]{EVIL}",
    "bold": f"[**bank.example**]{EVIL}",
    "a person": "[@ben](https://evil.example)",
    "a channel": "[#general](https://evil.example)",
    "mail": "[ben@bank.example](mailto:mallory@evil.example)",
    "a user of the host": "[https://bank.example](https://bank.example@evil.example)",
    "a line within": f"[bank.example\n]{EVIL}",
    "a title": '[bank.example](https://evil.example "bank.example")',
    "in angle brackets": "[bank.example](<https://evil.example>)",
    "by reference": "[bank.example][1]\n\n[1]: https://evil.example",
    "by its own name": "[bank.example]\n\n[bank.example]: https://evil.example",
    "an escaped tick": f"\\`[bank.example]{EVIL}\\`",
    "a fence that never ends": f"```\n[bank.example]{EVIL}",
    "a tick in its label": f"[bank.example`]`{EVIL}",
    "a longer fence around": f"````\n```\n````\n[bank.example]{EVIL}\n",
    "html": '<a href="https://evil.example">bank.example</a>',
}
KNOWN = {
    "in another link": f"[[bank.example]{EVIL}](https://other.example)",
    "an escaped dot": f"[bank\\.example]{EVIL}",
    "a bold dot": f"[bank.**example**]{EVIL} [bank**.**example]{EVIL}",
    "an invisible character": f"[bank\u200b.\u200bexample]{EVIL}",
    "a wide dot": f"[bank．example]{EVIL}",
    "a named entity": f"[bank&period;example]{EVIL}",
    "a host in other letters": f"[банк.рф]{EVIL}",
    "by reference to a quote": "[bank.example][1]\n\n> [1]: https://evil.example",
    "by reference to a list": "[bank.example][1]\n\n- [1]: https://evil.example",
    "by reference with brackets": "[bank.example][a\\]b]\n\n[a\\]b]: https://evil.example",
    "by reference behind a tick": '[bank.example][a `b]\n\n[a\n`b]: https://evil.example "`"',
    "ticks in cells": f"| a | b | c |\n|---|---|---|\n| ` | [bank.example]{EVIL} | ` |",
    "ticks on two lines": f"a ` b\n` [bank.example]{EVIL} `",
    "behind an indented fence": f" ```\nx\n```\n[bank.example]{EVIL}\n```\n",
    "behind an indented end": f"```\nx\n   ```\n[bank.example]{EVIL}\n```\n",
    "behind an end with a tab": f"```\nx\n```\t\n[bank.example]{EVIL}\n```\n",
    "behind an end that is none": f"```\nx\n```~\n```\n[bank.example]{EVIL}\n```\n",
    "lines of Windows": f"```\r\nx\r\n```\r\n[bank.example]{EVIL}\r\n```\n",
    "a label that begins a fence": f"[~~~](javascript:x)\n~~~\n[bank.example]{EVIL}\n~~~\n",
}
SCHEMES = ["javascript:alert(1)", "data:text/html,x", "slack://open", "file:///etc/passwd", "//evil.example", "/etc", "JaVaScRiPt:x"]
HONEST = [
    "[the docs](https://docs.example/a_b?c=d#e)",
    "[https://docs.example](https://docs.example)",
    "[docs.example](https://docs.example/)",
    "[write to us](mailto:desk@docs.example)",
    "[one](https://a.example) and [two](https://b.example/x_(y))",
    "# Head\n\n- **one**\n- _two_\n\n> three\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "Use `a[0](x)` and ``b ` c``.",
    "```python\nx = a[0](1)\n[x](y): z\n```",
    "~~~\n[a](b)\n~~~",
    "Tom & Jerry, R&D, 3 > 2, a_b_c, https://docs.example/?a=1&b=2",
]
HOSTILE = [
    "[" * 20_000, "[a" * 10_000, "[a](b" * 5_000, "[a](" + "x(y)" * 5_000, "`a``b```c" * 2_000, ">" * 20_000, "- " * 10_000,
    "[a](b" + " " * 20_000, "&#1" * 5_000, "![" * 10_000, "<" * 20_000, "|" * 20_000, "\\" * 20_000, "*a_" * 5_000, "~~~\n" * 3_000,
]  # fmt: skip


class Links(HTMLParser):
    """What a reader sees as links and pictures: the address and the label of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "img"):
            self.found.append((str(dict(attrs).get("href") or dict(attrs).get("src")), ""))
            self.open = tag == "a"

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open and tag != "a"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.found[-1] = (self.found[-1][0], self.found[-1][1] + data)


def links(markdown: str) -> list[tuple[str, str]]:
    return Links(READER.render(markdown)).found


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@pytest.mark.parametrize(
    "text", ["<!channel>", "<!here|here>", "<!everyone>", "<@U1>", "<@U1|ana>", "<#C1>", "<!subteam^S1|@oncall>", "<https://evil|bank>"]
)
def test_nothing_of_slacks_own_is_live(text: str) -> None:
    for written in (text, f"`{text}`", f"```\n{text}\n```", f"[x{text}](https://docs.example)", f"# {text}", f"| {text} |\n|---|"):
        assert "<" not in safe(written)


@pytest.mark.parametrize("text", ["&lt;!channel&gt;", "&#60;!here>", "&#x3C;@U1>", "&#x3c;@U1>", "&LT;@U1>", "&amp;lt;@U1>"])
def test_an_entity_stays_the_letters_that_it_is_written_with(text: str) -> None:
    assert not re.search(r"<|&(?!amp;)", safe(text))


@pytest.mark.parametrize("text", DISGUISED.values(), ids=DISGUISED)
def test_no_link_hides_where_it_goes(text: str) -> None:
    assert links(safe(text)) == []
    assert "evil.example" in safe(text)


@pytest.mark.parametrize("text", KNOWN.values(), ids=KNOWN)
def test_no_link_hides_where_it_goes_by_a_trick(text: str) -> None:
    assert links(safe(text)) == []


@pytest.mark.parametrize("url", SCHEMES)
def test_only_the_web_and_mail_are_linked_to(url: str) -> None:
    assert links(safe(f"[a]({url})")) == []
    assert url in safe(f"[a]({url})")


@pytest.mark.parametrize("url", ["http://[::1", "https://[x/", "https://a\u2100b"])
def test_an_address_that_is_none_breaks_nothing(url: str) -> None:
    assert url in safe(f"[a]({url})")


@pytest.mark.parametrize("text", ["![cat](https://evil.example/cat.png)", "![](https://evil.example/cat.png)", "![a][1]\n\n[1]: https://b"])
def test_no_image_is_fetched(text: str) -> None:
    assert links(safe(text)) == []


def test_no_image_in_a_link_is_fetched() -> None:
    assert links(safe("[![build](https://evil.example/badge.svg)](https://ci.bank.example)")) == []


@pytest.mark.parametrize("text", HONEST)
def test_what_is_honest_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_hostile_texts_do_not_grow_beyond_reason(text: str) -> None:
    found = safe(text)

    assert len(text) <= len(found) <= 4 * len(text) + 10
    assert all(len(piece) <= PIECE for piece in pieces(found))


def test_a_field_of_plain_words_has_nothing_live_in_it() -> None:
    assert mrkdwn("<!channel> & co") == "&lt;!channel&gt; &amp; co"


def test_a_field_that_is_too_long_is_cut_and_not_within_an_entity() -> None:
    assert mrkdwn("<" * 10, 11) == "&lt;&lt;…"
    assert mrkdwn("a" * 10, 10) == "a" * 10


def test_a_field_that_is_too_long_keeps_what_fits() -> None:
    assert len(mrkdwn("this & that " + "x" * 100, 50)) == 50


def test_a_line_is_one_line() -> None:
    assert brief("one\n two\t three", 9) == "one two…"
    assert brief(" a  b ", 3) == "a b"


def test_what_fits_is_one_piece() -> None:
    assert pieces("") == [""]
    assert pieces("one\n\ntwo") == ["one\n\ntwo"]


def test_a_text_is_cut_between_paragraphs() -> None:
    paragraphs = [f"{n} " + "word " * 30 + "end" for n in range(10)]

    found = pieces("\n\n".join(paragraphs), 400)

    assert "\n\n".join(found).split("\n\n") == paragraphs
    assert len(found) == 5


def test_a_fence_that_is_cut_begins_anew_in_each_piece() -> None:
    found = pieces("Look:\n\n```python\n" + "\n".join(f"line {n}" for n in range(100)) + "\n```\n\nDone.", 400)

    fences = [token for piece in found for token in READER.parse(piece) if token.type == "fence"]
    assert {token.info for token in fences} == {"python"}
    assert "".join(token.content for token in fences).split() == [word for n in range(100) for word in ("line", str(n))]


def test_a_table_that_is_cut_has_its_head_in_each_piece() -> None:
    found = pieces("| n | square |\n|---|---|\n" + "\n".join(f"| {n} | {n * n} |" for n in range(100)), 300)

    assert all(piece.startswith("| n | square |\n|---|---|\n|") for piece in found)
    assert [n for piece in found for n in words(piece)[2::2]] == [str(n) for n in range(100)]


def test_code_in_a_list_is_whole_in_each_piece() -> None:
    item = "\n".join(["1. Do this:", "   ```", *[f"   line {n}" for n in range(20)], "   ```"])

    found = pieces("\n".join([item] * 4), 450)

    assert all(piece.count("```") % 2 == 0 for piece in found)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_written_arrives_in_pieces_that_fit(seed: int) -> None:
    chance = random.Random(seed)
    parts = [
        "word",
        "a-much-longer-word" * 9,
        "\n",
        "\n\n",
        "```\n",
        "~~~\n",
        "| a | b |\n|---|---|\n",
        "- ",
        "> ",
        "    ",
        "# ",
        "é🙂",
        " ",
    ]
    text = "".join(chance.choice(parts) for _ in range(chance.randint(1, 800)))

    found = pieces(text, 700)

    assert all(0 < len(piece) <= 700 for piece in found if text.strip())
    assert lost("".join(words(text)), "".join(words("\n".join(found)))) == ""


def lost(text: str, found: str) -> str:
    """What of a text is not found, in its order; what is repeated, as the head of a table, does no harm."""
    at = 0
    for n, letter in enumerate(text):
        at = found.find(letter, at) + 1
        if not at:
            return text[n:]
    return ""
