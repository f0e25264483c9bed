"""The same asked of two: each answers in a thread of its own, and people say which is better."""

import pytest

from bot import app
from bot.app import Frontdesk
from bot.compare import tried_on
from bot.playground import Slack
from bot.settings import Settings
from bot.words import compared
from tests.standins.stage import agent
from tests.test_path import Json, find, said


async def asked(slack: Slack, words: str) -> tuple[Json, Json]:
    """The message, and the card under it."""
    root = await slack.mention(words)
    return root, await slack.until(lambda: find(slack, root, "The same was asked of"))


def begun(slack: Slack) -> list[Json]:
    """What the bot has begun threads with."""
    return [message for message in slack.messages("general", replies=False) if " asked " in slack.text(message)]


async def test_both_answer_each_in_a_thread_of_its_own(slack: Slack, desk: Frontdesk) -> None:
    _, card = await asked(slack, "compare helper reviewer: !say the answer")

    await slack.until(lambda: [said(slack, root)[-1].startswith("the answer") for root in begun(slack)] == [True, True])
    assert {session.agent for session in await desk.store.sessions()} == {"helper", "reviewer"}
    assert [f"p{str(root['ts']).replace('.', '')}" in str(card["blocks"]) for root in begun(slack)] == [True, True]


async def test_a_runtime_is_named_as_well_as_an_agent(slack: Slack, desk: Frontdesk) -> None:
    await asked(slack, "compare echo reviewer: !say the answer")

    await slack.until(lambda: [said(slack, root)[-1].startswith("the answer") for root in begun(slack)] == [True, True])
    assert {session.agent for session in await desk.store.sessions()} == {"helper@echo", "reviewer"}


async def test_a_vote_is_counted_once_for_each_person_and_may_change(slack: Slack, desk: Frontdesk) -> None:
    root, card = await asked(slack, "compare helper reviewer: !say the answer")
    await slack.press(card, "helper (0)", "ana")
    card = await slack.until(lambda: find(slack, root, "helper (1)"))
    await slack.press(card, "helper (1)", "ben")
    card = await slack.until(lambda: find(slack, root, "helper (2)"))

    await slack.press(card, "reviewer (0)", "ana")

    await slack.until(lambda: find(slack, root, "helper (1)\nreviewer (1)"))
    given = {(one.agent, one.person, one.rating) for one in await desk.store.feedback()}
    assert ("reviewer", slack.user("ana"), "good") in given
    assert ("helper", slack.user("ana"), "bad") in given


async def test_who_may_not_ask_an_agent_has_no_vote(slack: Slack, desk: Frontdesk) -> None:
    root, card = await asked(slack, "compare helper reviewer: !say the answer")
    await slack.invite("general", "dan")

    await slack.press(card, "helper (0)", "dan")

    await slack.until(lambda: any("You may not ask helper" in slack.text(each) for each in slack.ephemerals("dan")))
    assert find(slack, root, "helper (0)")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("compare a b: go", (["a", "b"], "go")),
        ("Compare A and b: go\non", (["a", "b"], "go\non")),
        ("compare a, b: go", (["a", "b"], "go")),
        ("compare a:", (["a"], "")),
        ("compare a b c: go", (["a", "b", "c"], "go")),
        ("compare a b", (["a", "b"], "")),
        ("compare a few of these", None),
        ("compare these two files: x and y", None),
        ("please compare a b: go", None),
    ],
)
def test_a_comparison_is_asked_for_in_a_few_ways(text: str, found: object) -> None:
    assert compared(text, ["a", "b"]) == found


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("compare helper nosuch: go", "There is no agent and no runtime `nosuch`. Write `compare ONE OTHER: what both are asked`"),
        ("compare helper helper: go", "`helper` cannot be compared with itself."),
        ("compare helper:", "Two are compared, and you named 1."),
        ("compare helper reviewer echo: go", "Two are compared, and you named 3."),
        ("compare helper reviewer", "You did not say what both are asked."),
    ],
)
async def test_a_comparison_that_cannot_be_is_told_and_how_it_is_written(slack: Slack, desk: Frontdesk, text: str, wrong: str) -> None:
    await slack.mention(text)

    await slack.until(lambda: any(wrong in slack.text(each) for each in slack.ephemerals("ana")))
    assert not await desk.store.sessions()


async def test_a_runtime_needs_an_agent_that_is_tried_on_it(slack: Slack, settings: Settings) -> None:
    (settings.agents_dir / "helper.md").write_text("---\ndescription: Helps.\nruntime: echo\n---\nHelp.\n")
    async with app.running(settings):
        await slack.mention("compare codex echo: go")

        await slack.until(
            lambda: any("`codex` is a runtime, on which the agent of this place" in slack.text(each) for each in slack.ephemerals("ana"))
        )


def test_on_its_own_runtime_an_agent_is_tried_as_it_is() -> None:
    helper = agent(runtime="claude_code", model="opus", options={"deny": ["Bash"]}, fallback=["pi"])

    tried = tried_on("helper@claude_code", [helper])

    assert tried
    assert (tried.runtime, tried.model, tried.options, tried.fallback) == ("claude_code", "opus", {"deny": ["Bash"]}, ())


def test_on_another_runtime_an_agent_is_tried_as_its_file_says_of_that() -> None:
    helper = agent(runtime="claude_code", model="opus", fallback=[{"runtime": "pi", "model": "m", "options": {"ask": []}}])

    tried = tried_on("helper@pi", [helper])

    assert tried
    assert (tried.name, tried.runtime, tried.model, tried.options) == ("helper@pi", "pi", "m", {"ask": []})


def test_where_its_file_says_nothing_what_contains_it_has_to_hold_there() -> None:
    helper = agent(runtime="claude_code", options={"sandbox": "bwrap"})

    tried = tried_on("helper@pi", [helper])

    assert tried
    assert (tried.options, tried.held) == ({}, {"sandbox": "bwrap"})
