"""What people see of a session while nothing happens in it."""

import time

import pytest

from bot.app import Frontdesk
from bot.playground import Slack
from bot.slack import surface


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
