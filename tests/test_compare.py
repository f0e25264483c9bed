"""The same asked of two: each answers in a thread of its own, and people say which is better."""

import pytest

from bot.app import Frontdesk
from bot.playground import Slack
from bot.words import compared
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
        ("compare a b: go", ("a", "b", "go")),
        ("Compare a and b: go\non", ("a", "b", "go\non")),
        ("compare a, b: go", ("a", "b", "go")),
        ("compare a: go", None),
        ("please compare a b: go", None),
    ],
)
def test_a_comparison_is_asked_for_in_a_few_ways(text: str, found: object) -> None:
    assert compared(text) == found
