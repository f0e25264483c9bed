"""Calls that reach several replicas on one PostgreSQL: whichever takes them, each begins one session."""

import asyncio
from pathlib import Path

import pytest

from bot import app
from bot.playground import Slack
from bot.settings import Settings
from tests.ops.conftest import free
from tests.test_path import said
from tests.test_replicas import postgres, shared
from tests.triggers.calls import SECRET, github, recorded
from tests.triggers.test_webhook import HOOKS, sent

__all__ = ["postgres", "shared"]
OPENED = recorded("github_pull_request_opened")


@pytest.fixture
def both(shared: Settings, agents: Path) -> tuple[Settings, Settings]:
    """Two replicas, each at a port of its own."""
    (agents / "hooked.md").write_text(f"---\n{HOOKS}\n---\nYou are called.\n")
    one, other = (shared.model_copy(update={"http_port": free(), "environment": {"HOOK": SECRET}}) for _ in range(2))
    return one, other


def posted(slack: Slack) -> int:
    return len([message for message in slack.messages("reviews") if "pull request opened" in slack.text(message)])


async def test_what_is_delivered_to_both_at_once_begins_one_session(slack: Slack, both: tuple[Settings, Settings]) -> None:
    async with app.running(both[0]) as desk, app.running(both[1]):
        for number in range(4):
            called = github(OPENED, "pull_request", id=f"delivery-{number}")
            statuses = await asyncio.gather(*(sent(settings, "github", called) for settings in both))
            assert sorted(statuses) == [200, 202]

        await slack.until(lambda: posted(slack) == 4, 20)
        threads = [message for message in slack.messages("reviews") if "pull request opened" in slack.text(message)]
        await slack.until(lambda: all("You said: Review" in said(slack, thread)[-1] for thread in threads), 20)
        sessions = await desk.store.sessions()

    assert (posted(slack), len(sessions)) == (4, 4)


async def test_what_a_replica_took_and_left_is_posted_by_the_other(slack: Slack, both: tuple[Settings, Settings]) -> None:
    async with app.running(both[0]) as first:
        slack.fail("chat.postMessage", status=500, times=1000)
        status = await sent(both[0], "github", github(OPENED, "pull_request"))
        await slack.until(lambda: slack.made("chat.postMessage"), 20)
        async with app.running(both[1]):
            await first.stop()
            slack.forgive()

            await slack.until(lambda: posted(slack), 30)
            [thread] = [message for message in slack.messages("reviews") if "pull request opened" in slack.text(message)]
            await slack.until(lambda: "You said: Review" in said(slack, thread)[-1], 20)

    assert (status, posted(slack)) == (202, 1)
