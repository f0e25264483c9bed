"""Several replicas on one PostgreSQL: whichever hears a thing, it is done once, and whoever runs the session learns of it at once."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import app, clock
from bot.app import Frontdesk
from bot.playground import Slack
from bot.settings import Settings
from bot.slack import home
from bot.slack.view import View
from bot.slack.writer import Refused
from tests.standins.postgres import Cluster, cluster
from tests.test_path import find, said

Pair = tuple[Frontdesk, Frontdesk]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
async def shared(settings: Settings, postgres: Cluster) -> Settings:
    await postgres.ready()
    return settings.model_copy(update={"database_url": await postgres.create()})


@pytest.fixture
async def pair(shared: Settings, slack: Slack) -> AsyncIterator[Pair]:
    async with app.running(shared) as one, app.running(shared) as other:
        await slack.until(lambda: slack.sockets == 2)
        yield one, other


def driver(pair: Pair) -> Frontdesk:
    """The replica that runs what runs."""
    return next(desk for desk in pair if desk.engine.running)


async def test_each_message_is_answered_once_whoever_hears_it(slack: Slack, pair: Pair) -> None:
    roots = [await slack.mention(f"!say number {number}.", channel=place) for number, place in enumerate(["general", "random"] * 4)]

    for number, root in enumerate(roots):
        await slack.until(lambda root=root, number=number: f"number {number}." in end(slack, root), 20)  # type: ignore[misc]

    assert [sum(f"number {number}." in text for text in said(slack, root)) for number, root in enumerate(roots)] == [1] * 8


async def test_what_is_delivered_to_both_is_dealt_with_by_one(slack: Slack, pair: Pair) -> None:
    slack.duplicate()

    root = await slack.mention("!say once.")
    await slack.until(lambda: "once." in end(slack, root), 20)

    assert len(said(slack, root)) == 1


async def test_a_click_reaches_the_replica_that_waits_for_it(slack: Slack, pair: Pair) -> None:
    root = await slack.mention("!ask Which colour? | Red | Blue\n!say It is {answer}.")
    card = await slack.until(lambda: find(slack, root, "Which colour?"), 20)

    await slack.press(card, "Red", "ana")

    await slack.until(lambda: "It is Red." in end(slack, root), 20)


async def test_a_stop_reaches_the_replica_that_runs_it(slack: Slack, pair: Pair) -> None:
    for _ in range(2):  # over both sockets
        root = await slack.mention("!step One\n!slow 30\n!say never")
        await slack.until(lambda root=root: "One" in end(slack, root), 20)  # type: ignore[misc]

        await slack.say("stop", thread=root)

        await slack.until(lambda root=root: "Stopped by ana." in end(slack, root), 20)  # type: ignore[misc]


async def test_a_follow_up_is_given_to_the_turn_wherever_that_runs(slack: Slack, pair: Pair) -> None:
    for _ in range(2):
        root = await slack.mention("listener: !slow 0.3\n" + "!say still at it\n" * 100)  # until it has heard it
        await slack.until(lambda root=root: "still at it" in end(slack, root), 20)  # type: ignore[misc]

        await slack.say("and hurry", thread=root)

        await slack.until(lambda root=root: "You added: and hurry" in end(slack, root), 20)  # type: ignore[misc]


async def test_a_reply_that_comes_together_with_the_mention_is_answered_whoever_hears_which(slack: Slack, pair: Pair) -> None:
    roots = []
    for number in range(8):
        roots.append(await slack.mention(f"hello {number}"))
        await slack.say("and this", thread=roots[-1])

    for root in roots:
        await slack.until(lambda root=root: any("and this" in text for text in said(slack, root)), 20)  # type: ignore[misc]


async def test_a_replica_that_leaves_hands_its_turn_to_the_other(slack: Slack, shared: Settings) -> None:
    async with app.running(shared) as first:
        root = await slack.mention("!step One\n!slow 2\n!say the end")
        await slack.until(lambda: first.engine.running and "One" in end(slack, root), 20)
        async with app.running(shared):
            await first.stop()

            await slack.until(lambda: "the end" in end(slack, root), 20)

    assert len(said(slack, root)) == 1


async def test_a_replica_that_was_frozen_shows_nothing_when_it_wakes(slack: Slack, pair: Pair) -> None:
    root = await slack.mention("!step One\n!slow 30\n!say the old end")
    await slack.until(lambda: "One" in end(slack, root), 20)
    frozen = driver(pair)
    session = (await frozen.store.sessions(1))[0]

    await frozen.store.begin(session.id)  # somebody else has taken it over meanwhile
    shown = len(slack.made("chat.update"))
    with pytest.raises(Refused, match="superseded"):
        await frozen.surface.outbox.send(f"{session.id}:1:0", View("from yesterday"))

    assert len(slack.made("chat.update")) == shown
    assert "from yesterday" not in end(slack, root)


async def test_what_a_replica_was_about_to_say_when_it_froze_gives_way_to_the_last_word_of_the_other(slack: Slack, pair: Pair) -> None:
    root = await slack.mention("!step One\n!slow 3\n!step Two\n!say the end")
    await slack.until(lambda: "One" in end(slack, root), 20)
    frozen, other = pair if pair[0].engine.running else pair[::-1]
    session = (await frozen.store.sessions(1))[0]
    frozes, thaws = freeze(frozen)

    await frozen.surface.outbox.open(session, (await frozen.store.begin(session.id))[1])
    stale = asyncio.create_task(frozen.surface.outbox.send(f"{session.id}:1:0", View("from yesterday")))
    await frozes.wait()  # it has looked whether the session is its own, and is about to edit
    await other.engine.local.submit(session.id)
    await slack.until(lambda: "the end" in end(slack, root), 20)
    thaws.set()

    await asyncio.wait([stale])
    await slack.until(lambda: wrote(slack, "from yesterday") and "the end" in end(slack, root), 10)


def freeze(desk: Frontdesk) -> tuple[asyncio.Event, asyncio.Event]:
    """What is set when it is about to say what is from yesterday, and what lets its edits go on."""
    frozes, thaws, client = asyncio.Event(), asyncio.Event(), desk.surface.client
    call = client.api_call

    async def calling(method: str, **given: Any) -> Any:
        if method == "chat.update":
            if "from yesterday" in str(given):
                frozes.set()
            await thaws.wait()
        return await call(method, **given)

    client.api_call = calling  # type: ignore[method-assign]
    return frozes, thaws


def wrote(slack: Slack, text: str) -> bool:
    return any(text in str(call.args) for call in slack.made("chat.update"))


async def test_what_a_replica_took_in_and_left_is_dealt_with_by_the_other(slack: Slack, shared: Settings) -> None:
    async with app.running(shared) as first:
        slack.fail("users.info", status=500, times=1000)
        root = await slack.mention("hello")
        await slack.until(lambda: slack.made("users.info"), 20)
        async with app.running(shared):
            await first.stop()
            slack.forgive()

            await slack.until(lambda: "You said: hello" in end(slack, root), 30)

    assert len(said(slack, root)) == 1


async def test_replicas_with_other_agents_are_told_of(
    slack: Slack, shared: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "others"
    other.mkdir()
    (other / "helper.md").write_text("---\ndescription: Another.\nruntime: echo\ntriggers: [{mention: ['*']}]\n---\nYou help.\n")
    with caplog.at_level(logging.ERROR):
        async with app.running(shared), app.running(shared.model_copy(update={"agents_dir": other})):
            pass

    assert "A replica beside this one has other agents' files" in caplog.text


async def test_app_home_is_kept_as_things_are_whichever_replica_runs_them(
    slack: Slack, shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "EVERY", 0.05)
    async with app.running(shared):
        await slack.open_home("ana")
        await slack.until(lambda: "None yet." in str(slack.home("ana")), 20)
        async with app.running(shared):
            for number in range(4):
                await slack.mention(f"!ask Which of {number}? | Red | Blue")

            await slack.until(lambda: all(f"|Which of {number}?>" in str(slack.home("ana")) for number in range(4)), 20)


async def test_replicas_know_how_many_they_are(pair: Pair, slack: Slack) -> None:
    await slack.until(lambda: [desk.surface.writer.budget.replicas for desk in pair] == [2, 2], 10)

    await pair[1].stop()

    await slack.until(lambda: pair[0].surface.writer.budget.replicas == 1, 10)


async def test_the_databases_clock_is_everybodys(shared: Settings, slack: Slack) -> None:
    clock.agree(time.time() + 300, time.time(), time.time())  # a machine whose own clock is five minutes behind

    async with app.running(shared):
        ahead = clock.now() - time.time()

    assert abs(ahead) < 5


def end(slack: Slack, root: dict[str, Any]) -> str:
    """The newest thing that the bot says in a thread."""
    return said(slack, root)[-1]
