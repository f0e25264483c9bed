"""Schedules on the playground's Slack, with a clock that the tests set: each time begins one session, whatever happens."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot import app, clock
from bot.agent import parse
from bot.app import Frontdesk
from bot.playground import Slack
from bot.settings import Settings
from bot.triggers.schedule import Scheduler
from tests.test_path import find, said

FRONT = (
    "description: Counts.\nruntime: echo\n"
    "triggers:\n  - schedule: {cron: '0 9 * * *', timezone: Europe/Berlin, post_to: '#random', prompt: '!say all is well', missed: tell}"
)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    """No test leaves another time behind."""
    move("2026-11-22T12:00+01:00")
    yield
    clock.agree(0.0, 0.0, 0.0)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody looks back in Slack, whose own clock is another."""
    return settings.model_copy(update={"catch_up_hours": 0})


@pytest.fixture
def counter(agents: Path) -> Path:
    """An agent that begins at nine each day."""
    return write(agents, FRONT)


def write(agents: Path, front: str) -> Path:
    file = agents / "counter.md"
    file.write_text(f"---\n{front}\n---\nCount.\n")
    return file


def move(words: str) -> None:
    """Set the clock that all replicas agree on."""
    sent = time.time()
    clock.agree(datetime.fromisoformat(words).timestamp(), sent, sent)


def roots(slack: Slack, channel: str = "random") -> list[dict[str, Any]]:
    """The messages under which a schedule's sessions live, or that say what was missed."""
    return [message for message in slack.messages(channel, replies=False) if "⏰" in slack.text(message)]


def answers(slack: Slack, root: dict[str, Any]) -> str:
    """What was said under such a message."""
    return "\n".join(said(slack, root)[1:])


async def begun(slack: Slack, desk: Frontdesk) -> dict[str, Any]:
    """It becomes nine, and the message stands there under which the session lives."""
    await desk.scheduler.tick()
    move("2026-11-23T09:00:01+01:00")
    await desk.scheduler.tick()
    [root] = await slack.until(lambda: roots(slack))
    return root


async def test_a_session_begins_at_its_time_in_a_thread_under_a_message_of_ours(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        root = await begun(slack, desk)

        await slack.until(lambda: "all is well" in answers(slack, root))
    assert "counter:1" in slack.text(root)
    assert len(roots(slack)) == 1


async def test_people_go_on_in_that_thread_as_in_any_other(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        root = await begun(slack, desk)
        await slack.until(lambda: "all is well" in answers(slack, root))

        await slack.say("and tomorrow?", by="ben", channel="random", thread=root)

        await slack.until(lambda: "You said: and tomorrow?" in answers(slack, root))


async def test_whoever_may_ask_answers_what_nobody_asked_for(slack: Slack, agents: Path, settings: Settings) -> None:
    write(agents, FRONT.replace("'!say all is well'", '"!ask Which colour? | Red | Blue\\n!say It is {answer}."'))
    async with app.running(settings) as desk:
        root = await begun(slack, desk)
        card = await slack.until(lambda: "Which colour?" in answers(slack, root) and find(slack, root, "Which colour?"))

        await slack.press(card, "Red", "ben")

        await slack.until(lambda: "It is Red." in answers(slack, root))
    assert "<@>" not in str(card)


async def test_whoever_may_ask_denies_what_nobody_asked_for(slack: Slack, agents: Path, settings: Settings) -> None:
    write(agents, FRONT.replace("!say all is well", "!approve git push"))
    async with app.running(settings) as desk:
        root = await begun(slack, desk)
        card = await slack.until(lambda: "Permission needed" in answers(slack, root) and find(slack, root, "Permission needed"))

        await slack.press(card, "Deny", "ben")

        await slack.until(lambda: "ben answered: *Deny*" in answers(slack, root))


async def test_a_person_is_written_to_directly_and_is_the_one_who_asked(slack: Slack, agents: Path, settings: Settings) -> None:
    write(agents, FRONT.replace("'#random'", slack.user("ben")))
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        move("2026-11-23T09:00:01+01:00")
        await desk.scheduler.tick()

        [root] = await slack.until(lambda: roots(slack, slack.dm("ben")))
        await slack.until(lambda: "all is well" in answers(slack, root))
        [session] = await desk.store.sessions(person=slack.user("ben"))
    assert session.agent == "counter"


async def test_a_process_that_ends_between_the_claim_and_the_post_loses_nothing(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        slack.fail("chat.postMessage", status=500, times=1000)
        move("2026-11-23T09:00:01+01:00")
        await desk.scheduler.tick()
        await slack.until(lambda: slack.made("chat.postMessage"))

    slack.forgive()
    async with app.running(settings):
        [root] = await slack.until(lambda: roots(slack))
        await slack.until(lambda: "all is well" in answers(slack, root))
    assert len(roots(slack)) == 1


async def test_a_message_that_was_sent_and_not_noted_is_not_sent_again(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        slack.fail("chat.postMessage", status=500, after=True)
        move("2026-11-23T09:00:01+01:00")
        await desk.scheduler.tick()

        [root] = await slack.until(lambda: roots(slack))
        await slack.until(lambda: "all is well" in answers(slack, root), 10)

    assert len(roots(slack)) == 1


async def test_a_clock_that_is_set_back_begins_nothing_twice(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        root = await begun(slack, desk)
        await slack.until(lambda: "all is well" in answers(slack, root))

        for moment in ("2026-11-23T08:59:59+01:00", "2026-11-23T09:00:02+01:00"):
            move(moment)
            await desk.scheduler.tick()

        assert len(await desk.store.sessions()) == 1


async def test_what_was_missed_while_the_desk_was_down_is_told_once(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
    move("2026-11-25T10:00+01:00")

    for _ in range(2):
        async with app.running(settings):
            [told] = await slack.until(lambda: roots(slack))

    assert "3 times were missed while I was away" in slack.text(told)
    assert said(slack, told) == [slack.text(told)]


async def test_what_was_missed_is_done_once_where_the_file_says_so(slack: Slack, agents: Path, settings: Settings) -> None:
    write(agents, FRONT.replace("missed: tell", "missed: run"))
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
    move("2026-11-25T10:00+01:00")

    async with app.running(settings) as desk:
        [root] = await slack.until(lambda: roots(slack))
        await slack.until(lambda: "all is well" in answers(slack, root))

        assert len(await desk.store.sessions()) == 1


async def test_another_time_in_the_file_is_another_plan_and_misses_nothing(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
    write(counter.parent, FRONT.replace("0 9 * * *", "0 11 * * *"))
    move("2026-11-23T10:59+01:00")

    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        assert not roots(slack)
        move("2026-11-23T11:00+01:00")
        await desk.scheduler.tick()

        await slack.until(lambda: roots(slack))


async def test_what_another_replica_still_has_in_its_file_is_taken_away_when_that_is_gone(
    slack: Slack, counter: Path, settings: Settings
) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        agents, others = [parse("counter", "---\ndescription: Counts no more.\nruntime: echo\n---\n")], [True]
        newer = Scheduler(lambda: agents, desk.scheduler.plans, desk.scheduler.fire, lambda: not others)
        await newer.tick()
        kept = await newer.plans.all()

        others.clear()
        await newer.tick()

        assert len(kept) == 1
        assert await newer.plans.all() == []


async def test_a_schedule_that_is_no_longer_in_the_file_begins_no_more(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
    write(settings.agents_dir, "description: Counts no more.\nruntime: echo")
    move("2026-11-23T09:00:01+01:00")

    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        plans = await desk.scheduler.plans.all()

    assert not plans
    assert not roots(slack)


async def test_a_channel_that_is_gone_is_logged_and_told_to_whoever_looks_at_the_schedules(
    slack: Slack, counter: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        await slack.archive("random")
        move("2026-11-23T09:00:01+01:00")
        await desk.scheduler.tick()
        await slack.until(lambda: any(getattr(record, "action", "") == "not_fired" for record in caplog.records))

        await slack.mention("schedules", by="ben")

        await slack.until(lambda: any("could not begin then" in slack.text(message) for message in slack.ephemerals("ben")))


async def test_trouble_is_over_with_the_next_time(slack: Slack, counter: Path, settings: Settings) -> None:
    async with app.running(settings) as desk:
        await desk.scheduler.tick()
        await desk.scheduler.plans.change("counter:1", trouble="I could not write to #random: is_archived.")
        move("2026-11-23T09:00:01+01:00")

        await desk.scheduler.tick()

        [plan] = await desk.scheduler.plans.all()
    assert not plan.trouble
