"""The line under a thread: begun where its end can be paid too, and ended whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.playground import Slack
from bot.playground.things import Json
from bot.session import Session
from bot.slack.calls import Client
from bot.slack.limits import SESSION, TEXT, limit
from bot.slack.status import Status
from bot.store.sql import SqlStore
from tests.slack.conftest import another, asked


@pytest.fixture
async def status(client: Client, store: SqlStore) -> AsyncIterator[Status]:
    status = Status(client, store)
    yield status
    status.close()


def works(slack: Slack, root: Json) -> bool:
    shown = slack.status(root)
    return bool(shown["text"]) or shown["session"] == "processing"


async def begun(slack: Slack, status: Status) -> tuple[Json, Session]:
    root, session = await asked(slack)
    status.working(session)
    await slack.until(lambda: works(slack, root))
    return root, session


async def test_slacks_own_line_stands_there_while_somebody_works(slack: Slack, status: Status) -> None:
    root, session = await asked(slack)

    status.working(session)
    await slack.until(lambda: slack.status(root)["session"] == "processing")
    await status.over(session)

    assert slack.status(root)["session"] == "active"


async def test_what_waits_for_a_person_is_suspended(slack: Slack, status: Status) -> None:
    root, session = await begun(slack, status)

    await status.over(replace(session, state="input_required"))

    assert slack.status(root)["session"] == "suspended"


async def test_where_slacks_own_line_cannot_be_paid_there_is_a_text(slack: Slack, status: Status, client: Client) -> None:
    root, session = await asked(slack)
    await client.budget.pause(SESSION, 60.0)

    status.working(session)
    await slack.until(lambda: slack.status(root)["text"] == "is working…")
    await status.over(session)

    assert not works(slack, root)


async def test_what_other_replicas_have_begun_is_to_be_ended_too(slack: Slack, status: Status, client: Client) -> None:
    root, session = await asked(slack)
    client.budget.replicas = int(limit(SESSION).room((), 0))
    status.working(session)
    await slack.until(lambda: works(slack, root))
    other, another = await asked(slack)

    status.working(another)
    await slack.until(lambda: works(slack, other))

    assert (slack.status(root)["session"], slack.status(other)["session"]) == ("processing", "")
    for each in (session, another):
        await status.over(each)


async def test_where_nothing_can_be_paid_there_is_no_line(slack: Slack, status: Status, client: Client) -> None:
    _, session = await asked(slack)
    for method in (SESSION, TEXT):
        await client.budget.pause(method, 60.0)

    status.working(session)
    await status.over(session)

    assert not [call for call in slack.calls if call.method in (SESSION, TEXT)]


async def test_an_end_that_fails_is_tried_until_it_is_done(slack: Slack, status: Status) -> None:
    root, session = await begun(slack, status)
    slack.fail(SESSION, times=2)

    await status.over(session)

    await slack.until(lambda: not works(slack, root))


async def test_an_end_that_has_to_wait_holds_nobody_up_and_is_kept(
    slack: Slack, status: Status, client: Client, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.status.SOON", 0.01)
    root, session = await begun(slack, status)
    await client.budget.pause(SESSION, 60.0)

    await status.over(session)
    status.close()
    after = works(slack, root)
    next_one = Status(another(client), store)
    await next_one.recover()

    assert after
    await slack.until(lambda: not works(slack, root))
    next_one.close()


async def test_what_was_ended_is_not_ended_again_by_the_next_process(
    slack: Slack, status: Status, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.status.SOON", 0.0)
    root, session = await begun(slack, status)
    slack.fail(SESSION)
    await status.over(session)
    await slack.until(lambda: not works(slack, root))
    done = len(slack.calls)

    await status.settled()
    await Status(status.client, store).recover()

    assert [post.shown for post in await store.posts("")] == [""]
    assert len(slack.calls) == done


async def test_a_turn_that_begins_takes_the_place_of_an_end_that_waits(
    slack: Slack, status: Status, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.status.SOON", 0.0)
    root, session = await begun(slack, status)
    await client.budget.pause(SESSION, 0.3)
    await status.over(session)

    status.working(session)
    await status.settled()

    assert slack.status(root)["session"] == "processing"
    await status.over(session)


async def test_a_turn_that_begins_on_another_replica_takes_the_place_of_an_end_that_waits(
    slack: Slack, status: Status, client: Client, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.status.SOON", 0.0)
    theirs = another(client)
    theirs.budget.replicas = 2
    other = Status(theirs, store)
    root, session = await begun(slack, status)
    await client.budget.pause(SESSION, 0.3)
    await status.over(session)

    other.working(session)
    await other.settled()
    await status.settled()

    assert slack.status(root)["session"] == "processing"
    other.close()


async def test_a_workspace_that_does_not_know_agents_gets_a_text(slack: Slack, status: Status) -> None:
    root, session = await asked(slack)
    slack.fail(SESSION, error="not_authorized")

    status.working(session)
    await slack.until(lambda: slack.status(root)["text"] == "is working…")
    await status.over(session)

    assert not works(slack, root)


async def test_what_a_process_before_this_one_began_is_ended(slack: Slack, status: Status) -> None:
    root, session = await begun(slack, status)
    next_one = Status(status.client, status.journal)

    next_one.cut(session)
    next_one.working(session)
    await next_one.over(session)

    assert not works(slack, root)


async def test_the_line_stays_while_another_session_works_in_the_same_thread(slack: Slack, status: Status) -> None:
    root, session = await begun(slack, status)
    status.working(other := replace(session, id="s2"))

    await status.over(session)
    await status.settled()

    assert works(slack, root)
    await status.over(other)
    assert not works(slack, root)


async def test_whoever_has_the_session_no_more_leaves_its_line_alone(slack: Slack, status: Status, store: SqlStore) -> None:
    root, session = await begun(slack, status)
    await store.start(session)  # in which another works

    status.leave(session)
    await asyncio.wait(status._leaving)

    assert works(slack, root)


async def test_a_line_that_was_begun_after_another_had_ended_it_is_ended_once_more(slack: Slack, status: Status) -> None:
    root, session = await begun(slack, status)  # by whoever was frozen; and whoever took its session over is done with it

    status.leave(session)

    await slack.until(lambda: not works(slack, root))
