"""What begins a session from outside Slack: a schedule's time, or a call from elsewhere."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from bot import clock
from bot.journal import Delivery


@dataclass(frozen=True, slots=True)
class Fired:
    """Something outside Slack that begins a session, in a thread under a message of ours.

    `key` is the same for the same occurrence on any replica: "schedule:helper:1:2026-11-23T09:00:00+01:00", "webhook:…". `post_to` is a
    channel (#name or id) or a person's id; `headline` the message under which the session lives; `prompt` what the agent is asked, and
    empty where the headline is all there is to say. `at` in seconds since the epoch, by the database's clock.
    """

    key: str
    agent: str
    post_to: str
    headline: str
    prompt: str
    at: float

    @property
    def door(self) -> Literal["schedule", "webhook"]:
        return "webhook" if self.key.startswith("webhook:") else "schedule"


def delivery(fired: Fired, same: str = "") -> Delivery:
    """It, to be kept until it is dealt with."""
    return Delivery(fired.key, "fired", json.dumps(asdict(fired)), clock.now(), fired.key, same)
