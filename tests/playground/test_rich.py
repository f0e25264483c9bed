"""Contract: what people type becomes rich text beside the text, as in Slack."""

from typing import Any

import pytest

from bot.playground import Slack
from bot.playground.rich import rich_text

from .conftest import Json, events


def run(text: str, **style: bool) -> Json:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def section(*runs: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(runs)}


def lines(style: str, *items: str) -> Json:
    return {"type": "rich_text_list", "style": style, "indent": 0, "border": 0, "elements": [section(run(each)) for each in items]}


@pytest.mark.parametrize(
    ("typed", "elements"),
    [
        ("plain", [section(run("plain"))]),
        ("a &lt; b", [section(run("a < b"))]),
        ("*bold* word", [section(run("bold", bold=True), run(" word"))]),
        ("_it_ ~gone~", [section(run("it", italic=True), run(" "), run("gone", strike=True))]),
        ("*_both_*", [section(run("both", bold=True, italic=True))]),
        ("`a *b*`", [section(run("a *b*", code=True))]),
        ("2*3*4 snake_case_name", [section(run("2*3*4 snake_case_name"))]),
        ("at 10:30:45 :tada:", [section(run("at 10:30:45 "), {"type": "emoji", "name": "tada"})]),
        ("*<@U1>*", [section({"type": "user", "user_id": "U1", "style": {"bold": True}})]),
        ("<#C1> <!subteam^S1> <!here>", [section(
            {"type": "channel", "channel_id": "C1"}, run(" "), {"type": "usergroup", "usergroup_id": "S1"}, run(" "),
            {"type": "broadcast", "range": "here"},
        )]),
        ("<https://x.test/?a=1&amp;b=2>", [section({"type": "link", "url": "https://x.test/?a=1&b=2"})]),
        ("&gt; said\nno", [{"type": "rich_text_quote", "elements": [run("said")]}, section(run("no"))]),
        ("• one\n• two", [lines("bullet", "one", "two")]),
        ("1. one\n2. two\nend", [lines("ordered", "one", "two"), section(run("end"))]),
        ("see\n```\nx = *1*\n```", [section(run("see\n")), {"type": "rich_text_preformatted", "elements": [run("x = *1*")], "border": 0}]),
        ("  ", [section(run("  "))]),
    ],
)  # fmt: skip
def test_what_is_typed_becomes_rich_text(typed: str, elements: list[Any]) -> None:
    assert rich_text(typed, "b") == {"type": "rich_text", "block_id": "b", "elements": elements}


async def test_the_app_gets_both(slack: Slack) -> None:
    await slack.say("*now* please")

    event = events(slack)[0]
    assert (event["text"], event["blocks"][0]["elements"]) == ("*now* please", [section(run("now", bold=True), run(" please"))])


async def test_people_read_the_words(slack: Slack) -> None:
    said = await slack.say("*now* please\n• one\n• two")

    assert slack.text(said) == "now please\none\ntwo"
