"""The one writer: last words before progress, never more than Slack takes, and nothing said twice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.message import Person
from bot.ports import Post
from bot.session import Session
from bot.slack.outbox import Outbox
from bot.slack.view import View
from bot.slack.writer import BURST, PROGRESS, UPDATES, WINDOW, Budget, Refused, Writer
from bot.store.sql import SqlStore

LAST, CARD, PROGRESSING = View("last", rank=0), View("card", rank=1), View("progress", rank=2)
SESSION = Session("s1", "helper", "slack:T1:C1:1.0", Person("U1"))


class Slack:
    """Notes what is sent, and refuses what it is told to; sending waits while it is `busy`."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.there: set[str] = set()
        self.refusals: dict[str, list[Exception]] = {}
        self.free = asyncio.Event()
        self.free.set()
        self.changed = asyncio.Event()

    async def send(self, slot: str, view: View) -> None:
        self.sent.append((slot, view.text))
        self.changed.set()
        await self.free.wait()
        if self.refusals.get(slot):
            raise self.refusals[slot].pop(0)
        self.there.add(slot)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def slack() -> Slack:
    return Slack()


@pytest.fixture
async def writer(slack: Slack) -> AsyncIterator[Writer]:
    writer = Writer(slack.send, slack.there.__contains__, lambda slot: slot.split(":")[0])
    running = asyncio.create_task(writer.run())
    yield writer
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_is_wanted_is_sent(slack: Slack, writer: Writer) -> None:
    writer.want("s1:1", LAST)

    await writer.settled("s1:")

    assert slack.sent == [("s1:1", "last")]


async def test_nothing_wanted_is_settled_at_once(writer: Writer) -> None:
    await writer.settled("s1:")


async def test_a_view_that_waits_is_replaced(slack: Slack, writer: Writer) -> None:
    slack.free.clear()
    writer.want("s1:1", View("1"))
    await slack.until(lambda: bool(slack.sent))

    for n in range(2, 9):
        writer.want("s1:1", View(str(n)))
    slack.free.set()

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "1"), ("s1:1", "8")]


async def test_last_words_go_before_progress_and_the_longest_waiting_first(slack: Slack, writer: Writer) -> None:
    for slot, view in [("a:1", PROGRESSING), ("b:1", PROGRESSING), ("c:1", CARD), ("d:1", LAST), ("a:1", PROGRESSING)]:
        writer.want(slot, view)

    for slot in "abcd":
        await writer.settled(f"{slot}:")

    assert [slot for slot, _ in slack.sent] == ["d:1", "c:1", "a:1", "b:1"]


async def test_one_session_waits_for_no_other(slack: Slack, writer: Writer) -> None:
    slack.free.clear()
    writer.want("s1:1", LAST)
    await slack.until(lambda: bool(slack.sent))

    await writer.settled("s2:")

    assert slack.sent == [("s1:1", "last")]


async def test_progress_that_is_refused_is_dropped(slack: Slack, writer: Writer) -> None:
    slack.there.add("s1:1")
    slack.refusals["s1:1"] = [Refused("internal_error", 0.01)]

    writer.want("s1:1", PROGRESSING)

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "progress")]


async def test_last_words_are_said_again_until_they_are_taken(slack: Slack, writer: Writer) -> None:
    slack.refusals["s1:1"] = [Refused("internal_error", 0.01), Refused("unreachable", 0.01), Refused("internal_error", 0.0)]

    writer.want("s1:1", LAST)

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "last")] * 4
    assert slack.there == {"s1:1"}


async def test_what_is_refused_is_not_said_again_where_there_is_something_newer(slack: Slack, writer: Writer) -> None:
    slack.refusals["s1:1"] = [Refused("internal_error", 0.01)]
    slack.free.clear()
    writer.want("s1:1", View("old"))
    await slack.until(lambda: bool(slack.sent))

    writer.want("s1:1", View("new"))
    slack.free.set()

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "old"), ("s1:1", "new")]


async def test_what_is_refused_for_good_leaves_nobody_waiting(slack: Slack, writer: Writer) -> None:
    slack.refusals["s1:1"] = [Refused("channel_not_found")]

    writer.want("s1:1", LAST)

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "last")]


async def test_too_many_calls_pause_the_whole_method_and_no_other(slack: Slack, writer: Writer) -> None:
    slack.there |= {"s1:1", "s2:1"}
    slack.refusals["s1:1"] = [Refused("ratelimited", 60.0)]
    writer.want("s1:1", PROGRESSING)
    await writer.settled("s1:")

    writer.want("s2:1", LAST)
    writer.want("s3:1", LAST)

    await writer.settled("s3:")
    assert slack.sent == [("s1:1", "progress"), ("s3:1", "last")]


async def test_what_breaks_at_our_own_side_is_tried_again(slack: Slack, writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    slack.refusals["s1:1"] = [ValueError("a full disk, say")]

    writer.want("s1:1", LAST)

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "last")] * 2


async def test_what_nobody_follows_any_more_is_forgotten(slack: Slack, writer: Writer) -> None:
    writer.budget.pause(new=True, until=float("inf"))
    writer.want("s1:1", LAST)

    writer.forget("s1:")

    await writer.settled("s1:")
    assert slack.sent == []


def test_posts_in_a_channel_are_one_a_second_after_a_short_burst() -> None:
    budget = Budget()

    waits = []
    for _ in range(BURST + 2):
        waits.append(budget.wait("C1", 0, True, 100.0))
        budget.spend("C1", 0, True, 100.0)

    assert waits == [0.0] * BURST + [1.0, 2.0]
    assert budget.wait("C2", 0, True, 100.0) == 0.0
    assert budget.wait("C1", 0, True, 103.0) == 0.0


def test_edits_of_any_minute_are_bounded_and_their_time_comes() -> None:
    budget = Budget()

    for n in range(UPDATES):
        assert budget.wait("C1", 0, False, 100.0 + n / 10) == 0.0
        budget.spend("C1", 0, False, 100.0 + n / 10)

    assert budget.wait("C2", 0, False, 110.0) == 50.0
    assert budget.wait("C2", 0, False, 100.0 + WINDOW) == 0.0


def test_progress_leaves_room_for_last_words() -> None:
    budget, now, sent = Budget(), 100.0, 0

    while now < 100.0 + WINDOW:
        if not budget.wait("C1", 2, False, now):
            budget.spend("C1", 2, False, now)
            sent += 1
        now += 0.25

    assert PROGRESS <= sent <= PROGRESS + 6
    assert budget.wait("C1", 0, False, now) == 0.0
    assert UPDATES - sent >= 10


def test_a_pause_ends() -> None:
    budget = Budget()
    budget.pause(new=False, until=130.0)

    assert (budget.wait("C1", 0, False, 100.0), budget.wait("C1", 0, True, 100.0), budget.wait("C1", 0, False, 130.0)) == (30.0, 0, 0)


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/desk.db")
    await store.open()
    yield Outbox(AsyncWebClient(), store)
    await store.close_all()


async def test_an_equal_view_differs_only_once(outbox: Outbox) -> None:
    asked = [outbox.differs("s1:1:0", SESSION, view) for view in (LAST, View("last"), CARD, CARD, LAST)]

    assert asked == [True, False, True, False, True]


async def test_what_was_shown_before_a_restart_is_known(outbox: Outbox) -> None:
    await outbox.journal.reserve("s1:1:0", "s1", SESSION.thread)
    outbox.differs("s1:1:0", SESSION, LAST)
    await outbox.journal.sent("s1:1:0", "7.7", outbox._wanted["s1:1:0"])
    outbox.close(SESSION)

    await outbox.open(SESSION)

    assert outbox.exists("s1:1:0")
    assert not outbox.differs("s1:1:0", SESSION, LAST)


async def test_a_channel_of_what_is_no_longer_followed_is_none(outbox: Outbox) -> None:
    outbox.posts["s1:1:0"] = Post("s1:1:0", "s1", SESSION.thread, "")
    before = outbox.channel("s1:1:0")

    outbox.close(SESSION)

    assert (before, outbox.channel("s1:1:0")) == ("C1", "")
