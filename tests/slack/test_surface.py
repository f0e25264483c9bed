"""What people see of a session while nothing happens in it, or nothing can be said."""

import time

import pytest

from bot.app import Frontdesk
from bot.playground import Slack
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
