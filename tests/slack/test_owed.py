"""What has to be put right after a last word holds nobody up, and is not forgotten."""

import asyncio

import pytest

from bot.event import Finished, Text
from bot.journal import Post
from bot.message import Message
from bot.playground import Slack
from bot.slack.calls import Client
from bot.slack.directory import Directory
from bot.slack.limits import SESSION, UPDATE
from bot.slack.surface import SlackSurface
from bot.slack.view import View, context
from bot.store.sql import SqlStore
from tests.slack.conftest import another, asked, texts
from tests.standins.stage import agent

FOLDED = View("Done", (context("Done"),), 1)


@pytest.fixture
async def surface(client: Client, store: SqlStore) -> SlackSurface:
    directory = Directory(client)
    await directory.whoami()
    return SlackSurface(client, store, directory)


def next_to(surface: SlackSurface) -> SlackSurface:
    """As the next process has it."""
    return SlackSurface(another(surface.status.client), surface.journal, surface.directory)


async def test_a_turn_ends_before_its_progress_is_folded_and_the_next_process_folds_it(slack: Slack, surface: SlackSurface) -> None:
    root, session = await asked(slack)
    running = asyncio.create_task(surface.run())
    async with surface.follow(session, agent(), 0) as show:
        show(session)
        await slack.until(lambda: any("On it" in text for text in texts(slack, root)))
        for method in (UPDATE, SESSION):
            await surface.writer.budget.pause(method, 60.0)
        show(session.fold([Text("the answer"), Finished("completed")], 100.5))
    before = texts(slack, root)
    running.cancel()
    await asyncio.wait([running])
    next_one = asyncio.create_task(next_to(surface).run())

    assert "Stop" in before[0]
    await slack.until(lambda: "Stop" not in texts(slack, root)[0])
    next_one.cancel()
    await asyncio.wait([next_one])


async def test_progress_of_which_nobody_knows_whether_it_was_sent_is_folded_all_the_same(slack: Slack, surface: SlackSurface) -> None:
    root, session = await asked(slack)
    running = asyncio.create_task(surface.run())
    async with surface.follow(session, agent(), 0) as show:
        slack.fail("chat.postMessage", status=503, after=True)
        slack.fail("conversations.replies", status=503, times=1000)
        show(session)
        await slack.until(lambda: any("On it" in text for text in texts(slack, root)))
        surface.outbox.posts["s1:1:1"] = Post("s1:1:1", "s1", session.thread, "")  # the answer stands apart
        show(session.fold([Text("the answer"), Finished("completed")], 100.5))

    slack.forgive()

    await slack.until(lambda: "Stop" not in texts(slack, root)[0], 15)
    assert "the answer" in texts(slack, root)[1]
    running.cancel()
    await asyncio.wait([running])


async def test_the_line_that_a_process_before_this_one_began_is_ended_whatever_this_one_said_there(
    slack: Slack, surface: SlackSurface
) -> None:
    root, session = await asked(slack)
    surface.status.working(session)
    await slack.until(lambda: slack.status(root)["session"] == "processing")
    surface.status.close()
    other, ended = next_to(surface), session.fold([Text("the answer"), Finished("completed")], 100.5)
    await other.writer.budget.pause(SESSION, 1.0)
    running = asyncio.create_task(other.run())

    async with other.follow(ended, agent(), 0) as show:
        show(ended)
        other._line(ended)  # there was no room for the answer

    await slack.until(lambda: slack.status(root)["session"] == "active")
    running.cancel()
    await asyncio.wait([running])


async def test_what_was_put_right_is_owed_no_more(slack: Slack, surface: SlackSurface) -> None:
    _, session = await asked(slack)
    running = asyncio.create_task(surface.run())
    async with surface.follow(session, agent(), 0) as show:
        show(session)
        await surface.writer.settled("s1:")
        owed = await surface.outbox.owe("s1:1:0", FOLDED)
        before = await next_to(surface).outbox.owed()

        surface.writer.want(owed, FOLDED)
        await surface.writer.settled(owed)

    assert (before, await next_to(surface).outbox.owed()) == ({owed: FOLDED}, {})
    running.cancel()
    await asyncio.wait([running])


async def test_what_is_owed_takes_the_place_of_nothing_newer(slack: Slack, surface: SlackSurface) -> None:
    root, session = await asked(slack)
    other = next_to(surface)
    running = [asyncio.create_task(each.run()) for each in (surface, other)]
    async with surface.follow(session, agent(), 0) as show:
        show(session)
        await surface.writer.settled("s1:")
        owed = await surface.outbox.owe("s1:1:0", FOLDED)
    async with other.follow(session, agent(), 0) as show:
        show(session.fold([Finished("canceled", "Stopped by ana.")], 100.5))

    surface.writer.want(owed, FOLDED)
    await surface.writer.settled(owed)

    assert ["Stopped by ana." in text for text in texts(slack, root)] == [True]
    assert await other.outbox.owed() == {}
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_the_desks_own_first_message_is_not_what_was_said_in_the_thread(slack: Slack, surface: SlackSurface) -> None:
    root, session = await asked(slack)
    running = asyncio.create_task(surface.run())
    late = Message("view:1", session.thread, session.channel, session.asker, "Deal with it", "shortcut", 9e9, root=False)
    async with surface.follow(session, agent(), 0) as show:
        show(session)
        await slack.until(lambda: any("On it" in text for text in texts(slack, root)))

        quotes = await surface.said(session, 0.0, [late])

    assert [quote.text for quote in quotes] == ["Look at this"]
    running.cancel()
    await asyncio.wait([running])
