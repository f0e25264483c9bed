"""People say in Slack which answer of a trial is better, and are not told which is the new one."""

from dataclasses import replace

import pytest

from bot.app import Frontdesk
from bot.improve.trial import delivery
from bot.past import Outcome, Run, Tried, Vote
from bot.playground import Slack
from bot.slack.views.trial import card, order
from tests.test_path import Json

OLD, NEW = Outcome("It is red.", "completed", version="v1"), Outcome("It is *blue*, <!channel>.", "completed", version="v2")
RUN = Run("1", "", "Which colour?", OLD, NEW)
TRIED = Tried("t1", "helper", "v1", "v2", (RUN,))


async def shown(slack: Slack, desk: Frontdesk, *runs: Run, place: str = "#general") -> list[Json]:
    """A trial of what was asked there, and the cards of it that people see."""
    kept = tuple(replace(run, channel=run.channel or slack.channel("general")) for run in runs)
    await desk.store.keep_trial(replace(TRIED, runs=kept))
    await desk.store.receive(delivery(TRIED, place))
    await desk.door.adopt()
    await slack.until(lambda: cards(slack, place))
    return cards(slack, place)


def cards(slack: Slack, place: str = "#general") -> list[Json]:
    return [message for message in slack.messages(place) if "Answer A" in slack.text(message)]


async def votes(desk: Frontdesk) -> tuple[Vote, ...]:
    kept = await desk.store.trial("t1")
    return tuple(replace(vote, at=0.0) for vote in kept.votes) if kept else ()


def label(choice: str) -> str:
    return "A is better" if order(TRIED, RUN)[0] == choice else "B is better"


async def test_each_question_has_a_card_with_both_answers_in_a_thread(slack: Slack, desk: Frontdesk) -> None:
    (found,) = await shown(slack, desk, RUN)

    text = slack.text(found)
    assert found["thread_ts"] != found["ts"]
    assert all(words in text for words in ("Which colour?", "It is red.", "Answer A", "Answer B", "No difference"))
    assert not any(word in text for word in ("v1", "v2", "new", "old"))


async def test_a_vote_counts_once_for_each_person_and_may_change(slack: Slack, desk: Frontdesk) -> None:
    (found,) = await shown(slack, desk, RUN)

    await slack.press(found, label("old"), "ana")
    await slack.until(lambda: "1 person has voted" in slack.text(cards(slack)[0]))
    await slack.press(cards(slack)[0], label("new"), "ben")
    await slack.until(lambda: "2 people have voted" in slack.text(cards(slack)[0]))
    await slack.press(cards(slack)[0], label("new"), "ana")

    await slack.until(lambda: len([each for each in slack.ephemerals("ana") if "it is noted" in slack.text(each)]) == 2)
    assert set(await votes(desk)) == {Vote("1", "new", slack.user("ana")), Vote("1", "new", slack.user("ben"))}


async def test_who_may_not_ask_the_agent_has_no_vote(slack: Slack, desk: Frontdesk) -> None:
    await slack.invite("general", "dan")
    (found,) = await shown(slack, desk, RUN)

    await slack.press(found, "No difference", "dan")

    await slack.until(lambda: any("You may not ask helper" in slack.text(each) for each in slack.ephemerals("dan")))
    assert await votes(desk) == ()


async def test_what_was_private_is_shown_to_nobody(slack: Slack, desk: Frontdesk) -> None:
    found = await shown(
        slack, desk, RUN, replace(RUN, id="2", asked="A secret?", private=True), replace(RUN, id="3", asked="?", channel="D9")
    )

    assert ["Which colour?" in slack.text(one) for one in found] == [True]


async def test_where_another_company_reads_along_only_what_was_asked_there_is_shown(slack: Slack, desk: Frontdesk) -> None:
    await slack.invite("partners", "frontdesk")
    there = replace(RUN, id="2", asked="When?", channel=slack.channel("partners"))

    found = await shown(slack, desk, RUN, there, place="#partners")

    assert ["When?" in slack.text(one) for one in found] == [True]


async def test_where_nothing_can_be_shown_nothing_is_begun(slack: Slack, desk: Frontdesk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.store.keep_trial(replace(TRIED, runs=(replace(RUN, private=True),)))
    await desk.store.receive(delivery(TRIED, "#general"))

    await desk.door.adopt()

    await slack.until(lambda: "Nothing of this trial can be shown in #general" in caplog.text)
    assert slack.messages("general") == []


async def test_a_channel_that_there_is_not_is_told_in_the_log(slack: Slack, desk: Frontdesk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.store.keep_trial(TRIED)
    await desk.store.receive(delivery(TRIED, "#nowhere"))

    await desk.door.adopt()

    await slack.until(lambda: "No channel is called #nowhere" in caplog.text)


async def test_a_trial_that_is_gone_is_told_in_the_log(slack: Slack, desk: Frontdesk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.store.receive(delivery(TRIED, "#general"))

    await desk.door.adopt()

    await slack.until(lambda: "That trial is no longer known." in caplog.text)


async def test_a_trial_that_is_gone_has_no_votes(slack: Slack, desk: Frontdesk) -> None:
    said = await desk.trying.prefer("new gone 1 slack:T1:C1:1.0", await desk.directory.person(slack.user("ana")), 1.0)

    assert said == "That trial is no longer known."


def test_what_answers_say_pings_nobody() -> None:
    text = str(card(TRIED, RUN, "slack:T1:C1:1.0").blocks)

    assert "&lt;!channel&gt;" in text
    assert "<!channel>" not in text


def test_an_answer_that_failed_says_why() -> None:
    failed = replace(RUN, new=Outcome("", "failed", "It broke."))

    assert "_(No answer: It broke.)_" in str(card(TRIED, failed, "slack:T1:C1:1.0").blocks)


def test_the_order_differs_from_run_to_run_and_stays() -> None:
    orders = [order(TRIED, replace(RUN, id=str(n))) for n in range(20)]

    assert set(orders) == {("old", "new"), ("new", "old")}
    assert orders == [order(TRIED, replace(RUN, id=str(n))) for n in range(20)]
