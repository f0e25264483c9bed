"""The process is ended in the middle of things, and the next one goes on: nothing is lost, and nothing is said twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import app
from bot.errors import StoreFailed
from bot.playground import Slack
from bot.settings import Settings
from tests.standins.wait import until
from tests.test_path import find, last, said


async def test_a_turn_that_was_cut_goes_on_after_a_restart(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        root = await slack.mention("!step Reading\n!slow 1\n!say the end")
        await slack.until(lambda: "Reading" in said(slack, root)[-1])

    async with app.running(settings):
        await slack.until(lambda: "the end" in said(slack, root)[-1])

    assert len(said(slack, root)) == 1


async def test_a_question_is_still_open_after_a_restart(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        root = await slack.mention("!ask Which colour? | Red | Blue\n!say It is {answer}.")
        card = await slack.until(lambda: find(slack, root, "Which colour?"))

    async with app.running(settings):
        await slack.press(card, "Red", "ana")
        await slack.until(lambda: "It is Red." in said(slack, root)[-1])

    assert sum("Which colour?" in text for text in said(slack, root)) == 1


async def test_what_was_acknowledged_and_not_dealt_with_is_dealt_with_later(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        slack.fail("users.info", status=500, times=1000)
        root = await slack.mention("hello")
        await slack.until(lambda: slack.made("users.info") and all(envelope.acked_at for envelope in slack.envelopes))

    slack.forgive()
    async with app.running(settings):
        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])

    assert len(said(slack, root)) == 1


async def test_an_answer_that_was_sent_but_not_noted_is_not_sent_again(slack: Slack, settings: Settings) -> None:
    async with app.running(settings) as desk:
        slack.fail("chat.postMessage", status=500, after=True)

        root = await slack.mention("hello")
        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1], 10)

        assert len(said(slack, root)) == 1
        assert desk


async def test_an_answer_that_may_stand_in_a_thread_that_is_gone_ends_the_turn_all_the_same(slack: Slack, settings: Settings) -> None:
    async with app.running(settings) as desk:
        slack.fail("chat.postMessage", status=500)
        slack.fail("conversations.replies", error="thread_not_found", times=1000)

        await slack.mention("hello")

        await slack.until(lambda: slack.made("conversations.replies") and desk.engine.running == 0, 15)


async def test_what_comes_while_slack_does_not_say_who_we_are_is_kept_all_the_same(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        slack.fail("auth.test", status=503, times=1000)

        root = await slack.direct("hello")

        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])


async def test_a_private_word_that_slack_had_no_room_for_comes_later(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        slack.fail("chat.postEphemeral", status=500)

        await slack.mention("help")

        await slack.until(lambda: any(call.status == 200 for call in slack.calls if call.method == "chat.postEphemeral"), 10)


async def test_the_last_word_that_was_not_shown_is_shown_by_the_next_process(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        root = await slack.mention("!slow 0.2\n!say one\n!say the last word")
        await slack.until(lambda: said(slack, root))
        slack.fail("chat.update", status=500, times=1000)
        await slack.until(lambda: sum(call.status == 500 for call in slack.calls if call.method == "chat.update") > 1, 10)

    slack.forgive()
    async with app.running(settings):
        await slack.until(lambda: "the last word" in said(slack, root)[-1], 10)

    assert len(said(slack, root)) == 1


async def test_a_reset_connection_loses_nothing(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        slack.drop_sockets()

        root = await slack.mention("hello")

        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1], 15)
        assert "You said: hello" in slack.text(last(slack, root))


async def test_a_full_disk_is_told_and_nothing_is_acknowledged_that_was_not_kept(slack: Slack, settings: Settings) -> None:
    async with app.running(settings) as desk:
        disk = Disk(desk)
        first = await slack.mention("before")
        await slack.until(lambda: said(slack, first) and "You said: before" in said(slack, first)[-1])
        disk.full = True

        root = await slack.mention("x" * 3000 + " while it is full")
        await slack.until(lambda: any("disk" in slack.text(m) and "full" in slack.text(m) for m in slack.ephemerals("ana")))
        assert not said(slack, root)
        disk.full = False

        await slack.until(lambda: said(slack, root) and "while it is full" in said(slack, root)[-1], 15)


class Disk:
    """What a full disk does to SQLite: not one page more."""

    def __init__(self, desk: app.Frontdesk) -> None:
        self.full = False
        sa.event.listen(desk.store.db.engine.pool, "checkout", self._limit)

    def _limit(self, connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {1 if self.full else 1_000_000}")  # SQLite takes at least what there is
        cursor.close()


async def test_a_card_that_somebody_deleted_holds_nothing_up(slack: Slack, settings: Settings) -> None:
    async with app.running(settings) as desk:
        root = await slack.mention("!ask Which? | A | B\n!say {answer}!")
        card = await slack.until(lambda: find(slack, root, "Which?"))
        await desk.surface.client.chat_delete(channel=root["channel"], ts=card["ts"])

        await slack.say("B", thread=root)
        await slack.until(lambda: "B!" in said(slack, root)[-1])
        await slack.say("hello again", thread=root)

        await slack.until(lambda: "You said: hello again" in said(slack, root)[-1])
        assert not any("Which?" in text for text in said(slack, root))


async def test_one_session_that_cannot_be_kept_silences_nobody_else(
    slack: Slack, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with app.running(settings) as desk:
        disk = Disk(desk)
        broken = await slack.mention("!slow 0.2\n" + "!say " + "x" * 4000 + "\n!say end")
        await slack.until(lambda: said(slack, broken))
        disk.full = True
        await slack.until(lambda: "turn_not_kept" in caplog.text, 10)
        disk.full = False

        other = await slack.mention("hello")

        await slack.until(lambda: said(slack, other) and "You said: hello" in said(slack, other)[-1], 10)
        await slack.until(lambda: "end" in said(slack, broken)[-1], 20)


async def test_a_file_that_was_brought_and_not_noted_is_not_brought_again(slack: Slack, settings: Settings) -> None:
    async with app.running(settings) as desk:
        sent = desk.store.sent

        async def fails(slot: str, ts: str, shown: str) -> str:
            if ":file:" in slot:
                raise StoreFailed("The disk that holds the database is full.")
            return await sent(slot, ts, shown)

        desk.store.sent = fails  # type: ignore[method-assign]
        root = await slack.mention("!file report.txt all is well\n!say brought")
        await slack.until(lambda: brought(slack, root))

    async with app.running(settings) as desk:
        await until(lambda: finished(desk))

    assert brought(slack, root) == ["report.txt"]


async def finished(desk: app.Frontdesk) -> bool:
    return not await desk.store.unfinished()


def brought(slack: Slack, root: Any) -> list[str]:
    return [file["name"] for message in slack.thread(root)[1:] for file in message.get("files") or ()]


async def test_a_removed_agent_can_still_be_stopped_and_says_that_it_is_gone(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        root = await slack.mention("listener: !slow 30\n!say never")
        await slack.until(lambda: said(slack, root))
        (settings.agents_dir / "listener.md").unlink()

    async with app.running(settings):
        await slack.until(lambda: "agents/listener.md is gone" in said(slack, root)[-1])


async def test_what_was_stopped_before_it_went_on_is_shown_so_by_the_next_process(slack: Slack, settings: Settings) -> None:
    settings = settings.model_copy(update={"hold_minutes": 0.001, "drain_seconds": 0})
    async with app.running(settings) as desk:
        root = await slack.mention("!ask Which colour? | Red | Blue\n!say never")
        await slack.until(lambda: find(slack, root, "Which colour?"))
        await until(lambda: finished(desk))
        slack.fail("*", status=500, times=1000)
        await slack.say("stop", thread=root)
        await until(lambda: state(desk, "canceled"))

    slack.forgive()
    async with app.running(settings):
        await slack.until(lambda: any("Stopped by ana" in text for text in said(slack, root)), 10)


async def state(desk: app.Frontdesk, wanted: str) -> bool:
    return all(session.state == wanted for session in await desk.store.sessions())


async def test_a_command_given_while_slack_is_in_trouble_is_answered_when_it_is_over(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        slack.fail("chat.postMessage", status=500, times=2)
        slack.fail("chat.postEphemeral", status=500)

        await slack.command("/review", "pull request 7", by="ana", channel="reviews")

        root = await slack.until(lambda: [m for m in slack.messages("reviews") if m.get("bot_id")][-1], 10)
        await slack.until(lambda: "You said: pull request 7" in said(slack, root)[-1], 10)
        assert len([m for m in slack.messages("reviews") if m.get("thread_ts", m["ts"]) == m["ts"]]) == 1


async def test_a_reply_that_overtook_the_mention_it_belongs_to_is_answered(slack: Slack, settings: Settings) -> None:
    async with disorderly(slack, settings) as desk:
        root = await slack.mention("hello", by="ben")
        await slack.say("and this", thread=root)
        mention, reply = slack.envelopes[0].payload, slack.envelopes[-1].payload

        await desk.door.receive(reply)
        await slack.until(lambda: dealt_with(desk) == 1)
        await desk.door.receive(mention)
        # In two answers or in one for both: the mention may find the reply still waiting for its turn.
        await slack.until(lambda: all(any(words in text for text in said(slack, root)) for words in ("hello", "and this")), 10)


async def test_a_cross_that_overtook_the_mention_it_stands_on_stops_it(slack: Slack, settings: Settings) -> None:
    async with disorderly(slack, settings) as desk:
        root = await slack.mention("!slow 30\n!say never", by="ben")
        await slack.react(root, "x", "ben")
        mention, cross = slack.envelopes[0].payload, slack.envelopes[-1].payload

        await desk.door.receive(cross)
        await slack.until(lambda: dealt_with(desk) == 1)
        await desk.door.receive(mention)

        await slack.until(lambda: any("Stopped by ben" in text for text in said(slack, root)), 10)


async def test_a_cross_of_somebody_who_may_not_stop_changes_nothing_when_it_comes_first(slack: Slack, settings: Settings) -> None:
    async with disorderly(slack, settings) as desk:
        root = await slack.mention("!slow 0.5\n!say went on", by="ben")
        await slack.react(root, "x", "dan")
        mention, cross = slack.envelopes[0].payload, slack.envelopes[-1].payload

        await desk.door.receive(cross)
        await slack.until(lambda: dealt_with(desk) == 1)
        await desk.door.receive(mention)

        await slack.until(lambda: any("went on" in text for text in said(slack, root)), 10)


async def test_what_was_asked_while_nobody_listened_is_answered_and_says_that_it_is_late(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        pass  # nothing was ever said to it
    root = await slack.mention("are you there?", by="ben")

    async with app.running(settings):
        await slack.until(lambda: any("You said: are you there?" in text for text in said(slack, root)), 10)
        await slack.until(lambda: "while I was away" in said(slack, root)[-1])


async def test_what_was_asked_and_taken_back_while_nobody_listened_is_not_done(slack: Slack, settings: Settings) -> None:
    async with app.running(settings):
        pass
    root = await slack.mention("!slow 30\n!say never", by="ben")
    await slack.react(root, "x", "ben")

    async with app.running(settings):
        await slack.until(lambda: any("Stopped by ben" in text for text in said(slack, root)), 10)


@asynccontextmanager
async def disorderly(slack: Slack, settings: Settings) -> AsyncIterator[app.Frontdesk]:
    """Slack keeps no order; here the test gives one. Nor is anything found in Slack's history."""
    async with app.running(settings.model_copy(update={"catch_up_hours": 0})) as desk:
        slack.delay(3600)
        yield desk


def dealt_with(desk: app.Frontdesk) -> int:
    """How much of what came is done."""
    with desk.store.db.engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM deliveries WHERE done")) or 0)


def copied(database: Path) -> bytes:
    return database.read_bytes()


def restored(database: Path, backup: bytes) -> None:
    """As the operations' page says."""
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    database.write_bytes(backup)


async def test_after_an_old_backup_was_restored_nothing_is_answered_once_more(slack: Slack, settings: Settings) -> None:
    database = Path(settings.database_url.partition(":///")[2])
    async with app.running(settings):
        first = await slack.mention("one")
        await slack.until(lambda: said(slack, first) and "You said: one" in said(slack, first)[-1])
    backup = copied(database)
    async with app.running(settings):
        await slack.say("two", thread=first)
        second = await slack.mention("three")
        await slack.until(lambda: all("You said: t" in " ".join(said(slack, root)) for root in (first, second)))
    restored(database, backup)
    third = await slack.mention("four")

    async with app.running(settings):
        await slack.until(lambda: said(slack, third) and "You said: four" in said(slack, third)[-1], 20)

    assert [len(said(slack, root)) for root in (first, second, third)] == [2, 1, 1]
