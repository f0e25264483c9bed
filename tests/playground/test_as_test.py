"""What people did at the page becomes a test: as it is written, and as it runs."""

import ast
from pathlib import Path
from typing import Any

import pytest

from bot import app
from bot.app import Frontdesk
from bot.playground import Slack
from bot.playground.as_test import as_test
from bot.playground.sights import Line, Shown
from bot.playground.source import literal, telling
from bot.playground.tape import Row, Tape
from bot.settings import Settings
from tests.conftest import slack

__all__ = ["slack"]
Json = dict[str, Any]
EVIL = '"""\')\nimport os; os._exit(1) #\u202e {0} \\ \x00 "'

QUESTION = """async def test_ask_which_colour_red_blue(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!ask Which colour? | Red | Blue", channel="random")
    card = await slack.until(lambda: find(slack, root, "Which colour?"))

    await slack.press(card, "Blue", by="ben")

    await slack.until(lambda: "It is Blue." in said(slack, root)[-1])
"""
FORM = """async def test_first(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.say("first", channel="triage")
    await slack.react(root, "eyes", by="ben")
    await slack.shortcut("triage", root)
    view = await slack.until(lambda: slack.modals("ana")[-1])

    await slack.submit(view, {"Note": "who is on call?"}, by="ana")
    await slack.until(lambda: any("On it" in slack.text(note) for note in slack.ephemerals("ana")))

    await slack.say("more", thread=root, files=[("a.txt", b"a"), "b.txt"])

    await slack.until(lambda: "It is ben." in said(slack, root)[-1])
"""
COMMAND = """async def test_pull_request_7(slack: Slack, desk: Frontdesk) -> None:
    slack.add_channel("ops", private=True)
    slack.duplicate()
    await slack.command("/review", "pull request 7", channel="reviews")
    post = await slack.until(lambda: [message for message in slack.messages("reviews", replies=False) if message.get("bot_id")][0])
    card = await slack.until(lambda: find(slack, post, "May I?"))

    await slack.press(card, "Yes", by="carla")

    await slack.until(lambda: "Done." in said(slack, post)[-1])
"""
MARKED = """async def test_second(slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("first")
    await slack.until(lambda: "One." in said(slack, root)[-1])

    await slack.say("second", thread=root)

    await slack.until(lambda: "Two." in said(slack, root)[-1])
"""


def row(deed: str, by: str = "ana", made: str = "", before: dict[str, Shown | None] | None = None, **args: Any) -> Row:
    return Row(0.0, deed, by, args, made, before or {})


def shown(*texts: str, busy: bool = False) -> Shown:
    """What stands in a thread: what Ana wrote, and then what the bot did."""
    return Shown((Line("ana", "hello"), *(Line("frontdesk", text) for text in texts)), busy)


def written(rows: list[Row], now: dict[str, Shown] | None = None, start: int = 0) -> str:
    """The test itself, without what stands above it."""
    source = as_test(rows, now or {}, start)
    return source[source.index("async def test_") :]


def test_a_question_and_its_answer_are_written_as_we_write_them() -> None:
    asked = shown("Asked after 0 s", "<@U0ANA> *A question*\nWhich colour?\nRed\nBlue")
    rows = [
        row("mention", made="m1", text="!ask Which colour? | Red | Blue", channel="random"),
        row("press", by="ben", before={"m1": asked}, message="m1.2", what="Blue"),
    ]

    assert written(rows, {"m1": shown("Asked after 0 s", "Which colour?\n✓ ben answered", "It is Blue.\nGood\nBad")}) == QUESTION


def test_shortcuts_forms_reactions_and_files_are_written_too() -> None:
    rows = [
        row("say", made="m1", text="first", channel="triage"),
        row("react", by="ben", message="m1", name="eyes"),
        row("shortcut", callback_id="triage", message="m1"),
        row("submit", before={"modal:ana": shown("A form")}, view="modal:ana", values={"Note": "who is on call?"}),
        row("say", made="m2", before={"modal:ana": None, "ana!": shown("On it")}, text="more", thread="m1",
            files=[["a.txt", b"a"], ["b.txt", b"b" * 999]]),
    ]  # fmt: skip

    assert written(rows, {"m1": shown("It is ben."), "ana!": shown("On it")}) == FORM


def test_what_the_bot_began_itself_is_found_in_its_channel() -> None:
    began = Shown((Line("frontdesk", "*ana* asked *reviewer*"), Line("frontdesk", "May I?\nYes")))
    rows = [
        row("add_channel", by="", name="ops", private=True),
        row("duplicate", by="", on=True),
        row("command", name="/review", text="pull request 7", channel="reviews"),
        row("press", by="carla", before={"#reviews.1": began}, message="#reviews.1.1", what="Yes"),
    ]

    assert written(rows, {"#reviews.1": Shown((*began.lines, Line("frontdesk", "Done.")))}) == COMMAND


def test_since_the_mark_there_is_only_what_the_rest_needs() -> None:
    rows = [
        row("mention", made="m1", text="first"),
        row("mention", made="m2", text="something else"),
        row("say", made="m3", before={"m1": shown("One."), "m2": shown("Else."), "ana!": shown("old")}, text="second", thread="m1"),
    ]

    assert written(rows, {"m1": shown("One.", "Two."), "m2": shown("Else."), "ana!": shown("old")}, start=2) == MARKED


def test_since_the_mark_a_command_stays_whose_answer_goes_on() -> None:
    began = Shown((Line("frontdesk", "*ana* asked *reviewer*"), Line("frontdesk", "May I?\nYes")))
    rows = [
        row("command", name="/other", channel="general"),
        row("command", name="/review", channel="reviews"),
        row("press", by="carla", before={"#reviews.1": began}, message="#reviews.1.1", what="Yes"),
    ]

    source = written(rows, {"#reviews.1": began}, start=2)

    assert ("/review" in source, "/other" in source) == (True, False)


def test_it_says_so_where_nothing_came_of_it_yet() -> None:
    assert "# Nothing new was to be seen" in written([row("mention", made="m1", text="hello")], {"m1": shown("Working", busy=True)})


def test_a_test_cannot_begin_with_what_was_there_before_the_record() -> None:
    with pytest.raises(ValueError, match="'m9' was there before the record began"):
        as_test([row("react", message="m9", name="eyes")], {})


def test_what_hostile_people_and_models_write_stays_text() -> None:
    rows = [
        row("mention", by=EVIL, made="m1", text=EVIL, channel=EVIL, files=[[EVIL, b"'"]]),
        row("press", before={"m1": shown(EVIL)}, message="m1.1", what=EVIL, value={EVIL: [EVIL]}),
    ]

    module = ast.parse(as_test(rows, {f"{EVIL}!": shown(EVIL), "m1": shown(EVIL, EVIL)}))

    kinds = [type(node) for node in module.body]
    assert kinds == [ast.Expr, ast.ImportFrom, ast.ImportFrom, ast.ImportFrom, ast.FunctionDef, ast.FunctionDef, ast.AsyncFunctionDef]
    assert not [node for node in ast.walk(module) if isinstance(node, ast.Import) or getattr(node, "id", "") == "os"]


def test_a_long_text_is_written_over_several_lines() -> None:
    text = "".join(f"!say line {n} {'x' * 40}\n" for n in range(5)) + "y" * 250

    source = as_test([row("mention", made="m1", text=text)], {"m1": shown("Well.")})

    assert max(map(len, source.splitlines())) <= 140
    assert text in [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]


@pytest.mark.parametrize("value", [EVIL, "it's", 'say "yes"', "both ' and \"", {"a": ["ä", 1, None, True]}, b"\x00'", 2.5])
def test_a_literal_means_what_it_was(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You said: hello\nGood\nBad", "You said: hello"),
        ("Done after 3.2 s\nThe pool was full.", "The pool was full."),
        ("<@U0ANA> *A question*\nHow many?", "How many?"),
        ("12 min", "12 min"),
        ("—\n", ""),
        ("word " * 20, "word " * 11 + "word"),
    ],
)
def test_it_waits_for_words_that_stay_the_same(text: str, words: str) -> None:
    assert telling(text) == words


def last(slack: Slack, root: Json) -> str:
    return slack.text(slack.thread(root)[-1])


async def test_what_was_done_with_the_real_bot_can_be_done_again_by_the_test(
    slack: Slack, desk: Frontdesk, settings: Settings, tmp_path: Path
) -> None:
    tape = Tape(slack)
    root = await slack.mention("!ask How many?\n!say {answer} it is.")
    card = await slack.until(lambda: [m for m in slack.thread(root) if m.get("bot_id") and "How many" in slack.text(m)][-1])
    await slack.press(card, "reply", "ana")
    await slack.submit(await slack.until(lambda: slack.modals("ana")[-1]), {"How many?": "twelve"}, "ana")
    await slack.until(lambda: "twelve it is." in last(slack, root))
    await slack.command("/review", "pull request 7", by="ana", channel="reviews")
    await slack.until(lambda: "You said: pull" in slack.text(slack.messages("reviews")[-1]))
    root = await slack.mention("!approve make\n!say decided: {answer}", channel="reviews")
    card = await slack.until(lambda: [m for m in slack.thread(root) if m.get("bot_id") and "Permission" in slack.text(m)][-1])
    await slack.press(card, "Allow once", "ana")
    await slack.until(lambda: any("You may not approve" in slack.text(m) for m in slack.ephemerals("ana")))
    await slack.press(card, "Allow once", "carla")
    await slack.until(lambda: "decided: Allow once" in last(slack, root))
    await slack.until(lambda: not any(place.busy for place in tape.sight.now().values()))
    source = as_test(tape.rows, tape.sight.now())

    made: Json = {}
    exec(compile(source, "copied.py", "exec"), made)
    async with Slack(rates=None) as fresh:
        where = {
            "slack_api_url": fresh.url, "slack_bot_token": fresh.bot_token, "slack_app_token": fresh.app_token,
            "database_url": f"sqlite+aiosqlite:///{tmp_path}/fresh.db", "sessions_dir": tmp_path / "fresh",
        }  # fmt: skip
        where |= {"slack_bot_token": fresh.bot_token, "slack_app_token": fresh.app_token}
        async with app.running(settings.model_copy(update=where)) as other:
            await made["test_ask_how_many"](fresh, other)
            done = {line.text.splitlines()[0] for each in Tape(fresh).sight.now().values() for line in each.lines}

    assert {"twelve it is.", "You said: pull request 7", "decided: Allow once"} <= done
