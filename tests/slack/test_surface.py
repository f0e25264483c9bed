"""What people see of a session while nothing happens in it, or nothing can be said."""

import time

import pytest

from bot import app, line
from bot.app import Frontdesk
from bot.playground import Slack
from bot.settings import Settings
from bot.slack import surface
from bot.slack.limits import POST, SESSION


class Clock:
    """The surface's clock, and how far it is ahead (seconds)."""

    ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(surface, "TICK", 0.05)
    monkeypatch.setattr(surface, "clock", clock)
    return clock


async def test_the_time_that_has_passed_is_shown_though_the_agent_is_silent(clock: Clock, slack: Slack, desk: Frontdesk) -> None:
    root = await slack.mention("!slow 60\n!say at last")
    await slack.until(lambda: any("Working…" in slack.text(message) for message in slack.thread(root)))

    clock.ahead = 125.0

    await slack.until(lambda: any("2 min" in slack.text(message) for message in slack.thread(root)))


async def test_an_answer_for_which_slack_has_no_room_is_known_to_be_there(clock: Clock, slack: Slack, desk: Frontdesk) -> None:
    for method in (POST, SESSION):
        await desk.surface.writer.budget.pause(method, 2.5)
    root = await slack.mention("!say at last")
    await slack.until(lambda: slack.status(root)["text"] == "is working…")

    clock.ahead = 45.0

    await slack.until(lambda: slack.status(root)["text"] == "has an answer, for which Slack has no room yet… 40 s")
    await slack.until(lambda: any("at last" in slack.text(message) for message in slack.thread(root)), 20)
    await slack.until(lambda: not slack.status(root)["text"])


async def test_who_waits_sees_that_the_line_moves_on(
    clock: Clock, slack: Slack, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "AGAIN", 0.05)
    async with app.running(settings.model_copy(update={"turns_at_once": 1})) as desk:
        await desk.surface.writer.budget.pause(SESSION, 60.0)
        first, _ = [await slack.mention("!slow 60\n!say never") for _ in range(2)]
        await desk_has(slack, desk, 2)
        third = await slack.mention("!slow 60\n!say never")
        await slack.until(lambda: slack.status(third)["text"] == "waits for room, behind 1 other")

        await slack.say("stop", thread=first)
        clock.ahead = 25.0

        await slack.until(lambda: slack.status(third)["text"] == "waits for room, as the next")
        await slack.until(lambda: any("Waiting for room, as the next" in slack.text(each) for each in slack.thread(third)))


async def test_who_has_waited_for_room_works(clock: Clock, slack: Slack, settings: Settings) -> None:
    async with app.running(settings.model_copy(update={"turns_at_once": 1})) as desk:
        await desk.surface.writer.budget.pause(SESSION, 60.0)
        first = await slack.mention("!slow 60\n!say never")
        await desk_has(slack, desk, 1)
        second = await slack.mention("!slow 60\n!say never")
        await slack.until(lambda: slack.status(second)["text"] == "waits for room, as the next")

        await slack.say("stop", thread=first)

        await slack.until(lambda: slack.status(second)["text"] == "is working…")


async def desk_has(slack: Slack, desk: Frontdesk, turns: int) -> None:
    await slack.until(lambda: desk.turns.house.line.running + desk.turns.house.line.waiting == turns)
