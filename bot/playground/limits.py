"""Slack's rate limits: how many calls of a method a workspace has a minute, and what is left of them."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

WINDOW = 60.0  # seconds
TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
SPECIAL = 600  # "hundreds a minute" where Slack gives no number

# chat.postMessage: about one a second in a channel, "short bursts tolerated", and several hundred a minute in a workspace.
CHANNEL_RATE = 1.0
CHANNEL_BURST = 10
WORKSPACE_POSTS = 300
HOUR, EVENTS = 3600.0, 30_000  # so many events a workspace tells an app in an hour


@dataclass(slots=True)
class Budget:
    """One window that slides: `limit` calls fit into its seconds; refused calls do not count."""

    limit: int
    window: float = WINDOW
    times: deque[float] = field(default_factory=deque)
    refused: int = 0

    def wait(self, now: float) -> float:
        """Seconds until the next call fits; 0 when it fits now, and then it is counted."""
        while self.times and self.times[0] <= now - self.window:
            self.times.popleft()
        if len(self.times) < self.limit:
            self.times.append(now)
            return 0.0
        self.refused += 1
        return self.times[0] + self.window - now


class Rates:
    """The budgets of one workspace. `factor` multiplies all of them; None turns the limits off."""

    def __init__(self, factor: float | None = 1.0) -> None:
        self.factor = factor
        self._budgets: dict[str, Budget] = {}
        self._channels: dict[str, float] = {}
        self.events = Budget(EVENTS, HOUR)

    def take(self, method: str, limit: int, channel: str = "") -> int:
        """Count a call. Returns the seconds for Retry-After, or 0 if the call may go ahead."""
        if self.factor is None:
            return 0
        now = time.monotonic()
        budget = self._budgets.setdefault(method, Budget(limit))
        budget.limit = max(1, int(limit * self.factor))
        wait = self._spaced(channel, now) if channel else 0.0
        if wait:
            budget.refused += 1
        else:
            wait = budget.wait(now)
        return max(1, math.ceil(wait)) if wait else 0

    def hears(self) -> bool:
        """Count an event; False when the app has been told too many in this hour."""
        return self.factor is None or not self.events.wait(time.monotonic())

    def _spaced(self, channel: str, now: float) -> float:
        """A leaky bucket for each channel: it holds CHANNEL_BURST posts and loses CHANNEL_RATE a second."""
        gap = 1 / (CHANNEL_RATE * (self.factor or 1))
        due = max(self._channels.get(channel, now), now)
        if due - now > gap * (CHANNEL_BURST - 1) + 1e-9:
            return due - now - gap * (CHANNEL_BURST - 1)
        self._channels[channel] = due + gap
        return 0.0

    def posts(self) -> dict[str, int]:
        """For each channel that was posted to lately: how much of its burst is used up."""
        now, rate = time.monotonic(), CHANNEL_RATE * (self.factor or 1)
        return {channel: math.ceil((due - now) * rate) for channel, due in self._channels.items() if due > now}

    def shown(self) -> dict[str, dict[str, Any]]:
        """For each method that was called: limit and used in the last 60 seconds, and how many were refused."""
        start = time.monotonic() - WINDOW
        return {
            name: {"limit": budget.limit, "used": sum(at > start for at in budget.times), "refused": budget.refused}
            for name, budget in self._budgets.items()
        }
