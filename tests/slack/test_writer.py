"""The one writer: last words before progress, never more than Slack takes, and nothing said twice."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import StoreFailed
from bot.journal import Post
from bot.message import Person
from bot.session import Session
from bot.slack import writer as module
from bot.slack.budget import Local
from bot.slack.limits import EDITS, POST, UPDATE
from bot.slack.outbox import Outbox
from bot.slack.stream import Streams
from bot.slack.view import View
from bot.slack.writer import OPEN, Refused, Want, Writer
from bot.store.sql import SqlStore
from tests.standins.blank import blank
from tests.standins.wait import until

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
    writer = Writer(slack.send, slack.there.__contains__, lambda slot: slot.split(":")[0], Local(), lambda slot, view: ())
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


async def test_who_ends_first_has_the_last_word_first_and_all_of_it(slack: Slack, writer: Writer) -> None:
    for slot in ("a:1", "b:1"):
        writer.want(slot, PROGRESSING)
    for slot in ("b:1", "b:2", "a:1", "a:2"):
        writer.want(slot, LAST)

    await writer.settled("a:")
    await writer.settled("b:")

    assert [slot for slot, _ in slack.sent] == ["b:1", "b:2", "a:1", "a:2"]


async def test_one_session_waits_for_no_other(slack: Slack, writer: Writer) -> None:
    slack.free.clear()
    writer.want("s1:1", LAST)
    await slack.until(lambda: bool(slack.sent))

    await writer.settled("s2:")

    assert slack.sent == [("s1:1", "last")]


async def test_what_has_just_changed_is_looked_at_before_it_changes_again(slack: Slack, writer: Writer) -> None:
    writer.want("s1:1", CARD)
    await writer.settled("s1:")
    writer.want("s1:1", PROGRESSING)

    writer.want("s2:1", LAST)
    await writer.settled("s2:")

    assert slack.sent == [("s1:1", "card"), ("s2:1", "last")]


async def test_last_words_do_not_wait_until_what_stands_there_was_looked_at(slack: Slack, writer: Writer) -> None:
    writer.want("s1:1", CARD)
    await writer.settled("s1:")
    writer.want("s1:1", PROGRESSING)

    writer.want("s1:1", LAST)

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "card"), ("s1:1", "last")]


async def test_nothing_of_a_session_that_hurries_waits_until_it_was_looked_at(slack: Slack, writer: Writer) -> None:
    writer.want("s1:1", CARD)
    await writer.settled("s1:")

    writer.hurry("s1:")
    writer.want("s1:1", PROGRESSING)
    writer.want("s2:1", LAST)
    await writer.settled("s2:")

    assert slack.sent == [("s1:1", "card"), ("s2:1", "last"), ("s1:1", "progress")]


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


async def test_a_pause_holds_the_whole_method_and_no_other(slack: Slack, writer: Writer) -> None:
    slack.there.add("s2:1")
    await writer.budget.pause(UPDATE, 60.0)

    writer.want("s2:1", LAST)
    writer.want("s3:1", LAST)

    await writer.settled("s3:")
    assert slack.sent == [("s3:1", "last")]


async def test_what_its_channel_does_not_take_yet_uses_up_nothing(slack: Slack, writer: Writer) -> None:
    await writer.budget.pause(f"{POST}:full", 60.0)
    before = writer.budget.room(POST)
    writer.want("full:1", LAST)
    writer.want("s1:1", LAST)

    await writer.settled("s1:")

    assert before - writer.budget.room(POST) == 1


async def test_what_slack_asks_to_wait_for_is_waited_for_and_no_longer(writer: Writer) -> None:
    writer._again("s1:1", Want(LAST, 0.0, tries=5), True, Refused("ratelimited", 30.0))

    assert writer._wants["s1:1"].not_before - time.monotonic() == pytest.approx(30.0, abs=1)


async def test_a_place_for_progress_is_free_again_when_nobody_follows_any_more(slack: Slack, writer: Writer) -> None:
    slack.free.clear()
    slack.refusals["s1:1"] = [Refused("internal_error", 0.1)]
    writer.want("s1:1", CARD)
    await slack.until(lambda: bool(slack.sent))

    writer.forget("s1:")
    slack.free.set()

    await until(lambda: not writer.sending("s1:1"))
    assert (writer.waiting, writer._open) == (0, set())


async def test_a_last_word_outlasts_a_database_that_is_away(slack: Slack, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIES", 0)
    slack.refusals["s1:1"] = [StoreFailed("The database does not answer.")]
    writer.want("s1:1", LAST)

    await writer.settled("s1:")

    assert slack.sent == [("s1:1", "last")] * 2


async def test_last_words_have_room_where_progress_has_none(slack: Slack, writer: Writer) -> None:
    slots = [f"s{n}:1" for n in range(EDITS.burst)]
    slack.there |= {*slots, "last:1"}
    for slot in slots:
        writer.want(slot, PROGRESSING)
    await slack.until(lambda: bool(slack.sent))

    writer.want("last:1", LAST)

    await writer.settled("last:")
    assert slack.sent == [("s0:1", "progress"), ("last:1", "last")]


async def test_progress_is_shown_first_where_it_was_unseen_for_longest(slack: Slack, writer: Writer) -> None:
    for n in range(3):
        writer.want(f"s{n}:1", CARD)
        await writer.settled(f"s{n}:")
    slack.sent.clear()

    for slot in ("s2:1", "s0:1", "s1:1"):
        writer.want(slot, CARD)
    for n in range(3):
        await writer.settled(f"s{n}:")

    assert [slot for slot, _ in slack.sent] == ["s0:1", "s1:1", "s2:1"]


async def test_a_message_of_progress_is_begun_only_where_its_end_can_be_paid(slack: Slack, writer: Writer) -> None:
    for n in range(OPEN):
        writer.want(f"s{n}:1", CARD)
    writer.want("late:1", CARD)
    for n in range(OPEN):
        await writer.settled(f"s{n}:")
    writer.want("last:1", LAST)
    await writer.settled("last:")
    before = [slot for slot, _ in slack.sent if slot == "late:1"]

    writer.forget("s0:")

    await writer.settled("late:")
    assert before == []
    assert slack.sent[-1] == ("late:1", "card")


async def test_replicas_begin_no_more_messages_of_progress_together_than_one_alone(slack: Slack, writer: Writer) -> None:
    writer.budget.replicas = 2
    for n in range(OPEN // 2 + 1):
        writer.want(f"s{n}:1", CARD)
    for n in range(OPEN // 2):
        await writer.settled(f"s{n}:")

    writer.want("last:1", LAST)
    await writer.settled("last:")

    assert len(slack.sent) == OPEN // 2 + 1
    assert (f"s{OPEN // 2}:1", "card") not in slack.sent


async def test_where_there_is_no_room_for_an_edit_an_answer_is_sooner_there_as_a_message(slack: Slack, writer: Writer) -> None:
    free = writer.crowded("C1:1")

    await writer.budget.pause(UPDATE, 60.0)
    crowded = writer.crowded("C1:1")
    await writer.budget.pause(POST, 90.0)

    assert (free, crowded, writer.crowded("C1:1")) == (False, True, False)


async def test_what_breaks_at_our_own_side_is_tried_again(slack: Slack, writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    slack.refusals["s1:1"] = [ValueError("a full disk, say")]

    writer.want("s1:1", LAST)

    await writer.settled("s1:")
    assert slack.sent == [("s1:1", "last")] * 2


async def test_what_nobody_follows_any_more_is_forgotten(slack: Slack, writer: Writer) -> None:
    await writer.budget.pause(POST, 600.0)
    writer.want("s1:1", LAST)

    writer.forget("s1:")

    await writer.settled("s1:")
    assert slack.sent == []


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    store = SqlStore(blank(tmp_path / "desk.db"))
    await store.open()
    yield Outbox(client := AsyncWebClient(), store, Streams(client, Local(), lambda: True, lambda thread: None))
    await store.close_all()


async def test_an_equal_view_differs_only_once(outbox: Outbox) -> None:
    asked = [outbox.differs("s1:1:0", SESSION, view) for view in (LAST, View("last"), CARD, CARD, LAST)]

    assert asked == [True, False, True, False, True]


async def test_what_was_shown_before_a_restart_is_known(outbox: Outbox) -> None:
    await outbox.journal.reserve("s1:1:0", "s1", SESSION.thread)
    outbox.differs("s1:1:0", SESSION, LAST)
    await outbox.journal.sent("s1:1:0", "7.7", outbox._wanted["s1:1:0"])
    outbox.close(SESSION)

    await outbox.open(SESSION, 1)

    assert outbox.exists("s1:1:0")
    assert not outbox.differs("s1:1:0", SESSION, LAST)


async def test_a_channel_of_what_is_no_longer_followed_is_none(outbox: Outbox) -> None:
    outbox.posts["s1:1:0"] = Post("s1:1:0", "s1", SESSION.thread, "")
    before = outbox.channel("s1:1:0")

    outbox.close(SESSION)

    assert (before, outbox.channel("s1:1:0")) == ("C1", "")
