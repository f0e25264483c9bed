"""Whatever an agent or a person makes up: each view is one that Slack takes, and nothing in it pings."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from bot.event import Answered, Event, Finished, Item, Notice, Option, Part, Plan, Question, Started, Step, Text, Thought, Usage, permission
from bot.glance import OPINIONS, STUCK, Glance, Opinion, Running, Share, Waiting
from bot.message import Message, Person
from bot.playground.blocks import check_message, check_view
from bot.ports import Feedback
from bot.session import Session
from bot.slack.markdown import whole
from bot.slack.view import View
from bot.slack.views import feedback, home, question, triage
from bot.slack.views import session as turn
from bot.words import typed
from tests.standins.stage import agent

PING = "<!channel> <@U2BEN> <!subteam^S1> <https://evil.example|bank.example> "
WORDS = {
    "plain": "word ",
    "pings": PING,
    "ampersands": "&",
    "lesser": "<",
    "ticks": "`",
    "fences": "```\n",
    "links": "[bank.example](https://evil.example) ",
    "pictures": "![x](https://evil.example/x.png)\n\n",
    "table": "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
    "lines": "\n",
    "emoji": "🙂",
    "invisible": "\u200b\u202e",
    "one long word": "x",
    "no space": "a.b/c?d=e&f=",
}
FENCE = re.compile(r"```\\n(.*?)\\n```")  # as JSON has it
ENDS = ("", "completed", "failed", "canceled", "rejected", "input_required")
ALLOW_ALL = agent(description="d" * 300, allow={"answer": ["asker"], "approve": ["S1ABC"]})


def long(text: str, length: int) -> str:
    return (text * (length // len(text) + 1))[:length]


def session(text: str, *events: Event, ended: float = 190.0) -> Session:
    by = Person("U1", long(text, 300))
    first = Session("0123456789abcdef" * 2, "helper", "slack:T1:C1:1.0", by, "C1")
    return first.begin([Message("m1", first.thread, "C1", by, long(text, 500), at=100.0)]).fold(events, ended)


def told(text: str, end: str, size: int) -> Iterator[Event]:
    yield Started("r1", model=long(text, 100))
    yield Thought(long(text, 2000))
    yield Plan(tuple(Item(long(f"{n} {text}", 400), ("done", "in_progress", "pending")[n % 3]) for n in range(100)))
    for n in range(60):
        yield Step(f"c{n}", long(text, 500), status=("working", "completed", "failed", "denied")[n % 4], detail=long(text, 20_000))
    yield Text(long(text, size))
    yield Usage(usd=12.345)
    yield Notice(long(text, 500), "warning")
    if end:
        yield Finished(end, long(text, 5000), long(text, 500))  # type: ignore[arg-type]


def asked(text: str) -> Iterator[Question]:
    some = tuple(Option(long(f"{n}{text}", 200), long(text, 500)) for n in range(3))
    many = tuple(Option(long(f"{n}{text}", 200), long(text, 500)) for n in range(150))
    for options in ((), some, many):
        for multi in (False, True):
            yield Question("toolu_" + "q" * 24, "question", (Part("p1", long(text, 20_000), options, long(text, 300), multi, True),))
    yield Question("f", "form", tuple(Part(f"p{n}", long(text, 5000), (some, many, ())[n % 3], long(text, 300)) for n in range(12)))
    yield permission("p", long(text, 5000), long(text, 20_000), expires_at=1_800_000_000.0)


def fits(view: View) -> None:
    check_message(list(view.blocks))
    assert 0 < len(view.text) <= 4000
    assert len(view.blocks) <= 50
    assert sum(len(block["text"]) for block in view.blocks if block["type"] == "markdown") <= 12_000


def live(node: Any) -> Iterator[str]:
    """All texts in which Slack looks for mentions."""
    if isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
            yield node["text"]
        yield from (text for each in node.values() for text in live(each))
    if isinstance(node, list | tuple):
        yield from (text for each in node for text in live(each))


def pings(view: View, whom: Sequence[str] = ()) -> bool:
    """Whether anything of Slack's own is live, but for the people who are meant."""
    written = "\n".join([view.text, *live(view.blocks)])
    for each in whom:
        written = written.replace(each, "")
    return any(mark in written for mark in ("<!", "<@", "<#", "<http"))


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("size", [0, 1, 2400, 40_000])
def test_a_turn_is_shown_whatever_is_said_in_it(text: str, end: str, size: int) -> None:
    done = session(text, *told(text, end, size))

    for split in (False, True):
        for view in turn.render(done, ALLOW_ALL, 200.0, split).values():
            fits(view)
            assert not pings(view)


def test_many_long_notices_under_a_long_answer_fit() -> None:
    notices = [Notice(f"{n} " + "word " * 400) for n in range(3)]
    done = session("x", Text("word " * 1750), *notices, Finished("completed"))

    for view in turn.render(done, ALLOW_ALL, 200.0, False).values():
        fits(view)


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_all_that_was_done_can_be_looked_at(text: str) -> None:
    check_view(turn.steps([each for each in told(text, "completed", 10) if isinstance(each, Step)] * 10), "modal")


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_a_question_is_shown_whatever_it_says(text: str) -> None:
    for one in asked(text):
        for view in question.messages(session(text, one), one, None, ALLOW_ALL).values():
            fits(view)
            assert sum(map(len, live(view.blocks))) < 11_000
            assert not pings(view, ("<@U1>", "<!subteam^S1ABC>", "<!date^1800000000^"))


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("outcome", ["answered", "declined", "expired", "canceled", "lost"])
def test_a_closed_question_is_shown_whoever_answered_it(text: str, outcome: Any) -> None:
    for one in asked(text):
        answered = Answered(one.id, outcome, long(text, 300), (long(text, 3000), "Red"))
        fits(view := question.render(session(text, one), one, answered, ALLOW_ALL))

        assert not pings(view)


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_a_question_is_a_form_whatever_it_says(text: str) -> None:
    for one in asked(text):
        check_view(question.form(one, f"{'s' * 32} {one.id}"), "modal")


def wholly(one: Question) -> list[Any]:
    """The blocks of all messages of a question, from the first to the last."""
    return [block for view in question.messages(session("x"), one, None, ALLOW_ALL).values() for block in view.blocks]


@pytest.mark.parametrize("words", [100, 1500, 4000])
def test_all_of_a_question_is_shown_and_its_end_stands_at_the_buttons(words: int) -> None:
    text = " ".join(f"w{n}&" for n in range(words)) + " Shall I?"
    options = (Option("Yes " + "indeed " * 60, "because " * 90 + "so"), Option("No"))
    one = Question("q", "question", (Part("p", text, options, header="Head " * 40),))
    card = question.render(session("x"), one, None, ALLOW_ALL)

    texts = [block["text"]["text"] for block in wholly(one) if block["type"] == "section" and block != card.blocks[0]]
    shown = " ".join(texts).replace("&amp;", "&").split()

    assert " ".join(text.split()) in " ".join(shown)
    assert [shown.count(word) for word in ("because", "indeed")] == [90, 60]
    assert "Shall I?" in json.dumps(card.blocks)
    assert ("the beginning stands above" in json.dumps(card.blocks)) == (words > 1000)


def test_of_a_question_that_no_thread_takes_it_is_said_how_much_is_missing() -> None:
    text = " ".join(f"w{n}" for n in range(30_000)) + " Shall I?"
    views = [*question.messages(session("x"), Question("q", "question", (Part("p", text),)), None, ALLOW_ALL).values()]

    assert len(views) == question.MOST
    assert "Shall I?" in json.dumps(views[-1].blocks)
    assert re.search(r"\d\d,\d{3} characters before this do not fit here", json.dumps(views[-1].blocks))


def test_what_is_code_in_a_question_stays_so_where_it_is_cut() -> None:
    texts = whole("Look:\n```\n" + "x = 1\n" * 2000 + "```\nShall I?")

    assert [text.count("```") % 2 for text in texts] == [0] * len(texts)
    assert "".join(texts).count("x = 1") == 2000


def test_a_letter_that_is_written_as_several_is_not_cut() -> None:
    assert "".join(whole("x" + "&" * 5000)) == "x" + "&amp;" * 5000


@pytest.mark.parametrize(("words", "hint"), [(100, False), (5000, False), (30_000, True)])
def test_a_form_has_all_of_a_question_or_says_where_it_stands(words: int, hint: bool) -> None:
    text = " ".join(f"w{n}" for n in range(words)) + " Shall I?"
    view = question.form(Question("q", "question", (Part("p", text), Part("o", "Other?"))), "about")

    check_view(view, "modal")
    labels = [block["label"]["text"] for block in view["blocks"] if block["type"] == "input"]
    assert [label.endswith(end) for label, end in zip(labels, ("Shall I?", "Other?"), strict=True)] == [True, True]
    assert ("stands in the thread" in json.dumps(view)) == hint
    told = " ".join(block["text"]["text"] for block in view["blocks"] if block["type"] == "section")
    assert hint or text in (told, labels[0])


NAMES = tuple(Option(f"name {n}") for n in range(1, 251))


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("free", [False, True])
def test_options_that_no_menu_takes_are_listed_and_can_be_written(multi: bool, free: bool) -> None:
    one = Question("q", "question", (Part("p", "Which?", NAMES, multi=multi, free_text=free),))
    view = question.form(one, "about")

    texts = json.dumps(wholly(one))
    assert [f"{n}. *name {n}*" in texts for n in (100, 101, 250)] == [False, True, True]
    assert "The menu ends after 100 of 250 options" in texts
    assert typed(one, "name 249") == typed(one, "249") == {"p": ("name 249",)}
    check_view(view, "modal")
    assert "The list ends after 100 of 250 options" in json.dumps(view)
    assert ("write it below" in json.dumps(view)) == free


def test_of_many_questions_the_card_has_all_and_the_form_says_where_it_ends() -> None:
    one = Question("q", "form", tuple(Part(f"p{n}", f"Question {n}?", NAMES[: 120 * (n == 0)]) for n in range(100)))
    view = question.form(one, "about")

    texts = json.dumps(wholly(one))
    assert all(f"Question {n}?" in texts for n in range(100))
    check_view(view, "modal")
    assert "This form ends after 84 of 100 questions." in json.dumps(view)
    assert "write it in the thread once the form is sent" in json.dumps(view)
    assert sum(block["type"] == "input" and not block["optional"] for block in view["blocks"]) == 83
    assert "ends after" not in json.dumps(question.form(Question("q", "form", one.parts[1:61]), "about"))


@pytest.mark.parametrize("size", [100, 5000, 14_000, 20_000])
def test_a_permission_shows_all_of_what_is_done_or_says_how_much_is_missing(size: int) -> None:
    detail = "".join(f"{n}&<" for n in range(size))[:size]

    texts = json.dumps(wholly(permission("p", "May I?", detail)))

    shown = "".join(FENCE.findall(texts)).replace("&lt;", "<").replace("&amp;", "&")
    missing = re.findall(r"(\d+) characters more", texts)
    assert detail.startswith(shown)
    assert missing == ([] if size <= 5000 else [str(size - len(shown))])
    assert len(shown) == size or size > 5000


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_what_is_empty_is_shown_too(empty: str) -> None:
    one = Question("q", "question", (Part("p", empty, (Option(empty), Option("Red", empty))),))

    fits(question.render(session("x", one), one, None, ALLOW_ALL))
    check_view(question.form(one, "about"), "modal")


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_the_home_tab_and_the_forms_are_shown_whoever_wrote_them(text: str) -> None:
    agents = [agent(f"a{n}", description=long(text, 300) if text.strip() else "d") for n in range(120)]
    sessions = [session(text, *told(text, ENDS[n % len(ENDS)], 10)) for n in range(40)]
    about = "x" * 3000

    many = [Waiting(each, question, mine=bool(n % 2)) for n, each in enumerate(sessions) for question in asked(text)]
    opinions = [
        Opinion(Feedback("s", 1, "U1", "bad", ("wrong",), long(text, 2000), "helper"), "slack:T1:C1:1.0", each.title, "2.0")
        for each in sessions
    ]
    shares = [Share(long("a", 40), 10**6, 10**6, 10.0**6, 10**5, 10**5) for _ in range(100)]
    wrong, stuck = dict.fromkeys(("slack", "database", "migrations"), long(text, 3000)), [(1.8e9, each) for each in sessions[:STUCK]]
    running = Running(wrong, [long(text, 3000)] * 30, 3, shares, stuck)
    stops = frozenset(each.id for each in sessions)
    glance = Glance(agents, sessions, stops, many, opinions=opinions[:OPINIONS], troubles=[long(text, 500)] * 50, running=running)

    check_view(home.render(glance, "https://example.slack.com/"), "home")
    assert not re.search("<!channel>|<@U2BEN>|<!subteam", str(home.render(glance, "https://example.slack.com/")))
    check_view(home.trial(agents[0]), "modal")
    check_view(triage.form("t" * 24, long(text, 10_000), long(text, 300), agents, agents[-1], about), "modal")
    check_view(triage.form(long(text, 100), "", "", agents[:1], agents[0], about), "modal")
    check_view(feedback.form(about), "modal")
    check_view(question.why(about), "modal")
    check_view(triage.nobody(), "modal")


def parts(text: str, size: int) -> Mapping[str, View]:
    return turn.render(session("x", Text(long(text, size)), Finished("completed")), ALLOW_ALL, 200.0, False)


def test_an_answer_that_is_shown_in_pieces_is_whole() -> None:
    words = " ".join(f"word{n}" for n in range(4000))

    shown = " ".join(block["text"] for view in parts(words, len(words)).values() for block in view.blocks if block["type"] == "markdown")

    assert shown.split() == words.split()


def test_only_what_ends_an_answer_can_be_pressed() -> None:
    views = list(parts("word ", 40_000).values())

    assert [any(block["type"] == "context_actions" for block in view.blocks) for view in views] == [False] * (len(views) - 1) + [True]
