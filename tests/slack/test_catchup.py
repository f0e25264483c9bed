"""What was said while nobody listened is let in later: each thing once, in its order."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from bot import clock
from bot.app import Frontdesk
from bot.errors import StoreFailed
from bot.journal import Delivery
from bot.playground import Slack
from bot.settings import Settings
from bot.slack import attention as module
from bot.slack import catchup, connect, parse
from bot.slack.attention import Attention
from bot.slack.calls import Client
from bot.slack.catchup import CatchUp
from bot.slack.connect import web
from bot.slack.directory import Directory
from bot.store.sql import SqlStore
from tests.standins.wait import until


class Ear:
    """Hears what it is let in, and knows again what it has heard."""

    def __init__(self, slack: Slack, directory: Directory, client: Client) -> None:
        self.slack, self.heard = slack, dict[str, dict[str, Any]]()
        self.left = 10_000  # what it can hear still
        self.known = set[str]()  # ids of our own messages
        self.counts, self.works = dict[str, int](), set[str]()  # replies that are known, and threads in which somebody works
        self.catchup = CatchUp(client, directory, self.hear, self)

    async def ours(self, delivery_ids: Collection[str]) -> set[str]:
        return self.known & set(delivery_ids)

    async def replies(self, threads: Collection[str]) -> Mapping[str, int]:
        return {thread: self.counts.get(thread, 0) for thread in threads}

    async def busy(self, threads: Collection[str]) -> set[str]:
        return self.works & set(threads)

    async def hear(self, body: dict[str, Any]) -> bool:
        if not self.left:
            raise StoreFailed("The database does not answer.")
        self.left -= 1
        new = parse.key(body) not in self.heard
        self.heard.setdefault(parse.key(body), body)
        return new

    @property
    def texts(self) -> list[str]:
        return [str(body["event"]["text"]) for body in self.heard.values() if body["event"]["type"] == "message"]

    async def look(self, *threads: dict[str, Any], since: float = 0.0) -> int:
        return await self.catchup.look(since, {self.thread(root): float(root["ts"]) for root in threads})

    def thread(self, root: dict[str, Any]) -> str:
        return parse.thread(self.slack.team, root["channel"], root["ts"])


@pytest.fixture
async def ear(slack: Slack) -> AsyncIterator[Ear]:
    async with aiohttp.ClientSession() as http:
        client = web(Settings(slack_bot_token=slack.bot_token, slack_app_token=slack.app_token, slack_api_url=slack.url), http)
        directory = Directory(client)
        await directory.whoami()
        yield Ear(slack, directory, client)


async def test_what_was_said_in_channels_and_to_the_bot_is_found(slack: Slack, ear: Ear) -> None:
    await slack.mention("one")
    await slack.direct("two")

    assert await ear.look() == 2

    assert sorted(text.removeprefix(f"<@{slack.bot}> ") for text in ear.texts) == ["one", "two"]
    assert {body["event"]["channel_type"] for body in ear.heard.values()} == {"channel", "im"}


async def test_each_conversation_is_read_oldest_first(slack: Slack, ear: Ear) -> None:
    for number in range(450):
        await slack.say(f"{number}", channel="random")

    await ear.look()

    assert ear.texts == [f"{number}" for number in range(450)]


async def test_replies_in_a_thread_that_began_before_are_found(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("long ago")
    between = await slack.say("known", thread=root)
    await slack.say("missed", thread=root)

    assert await ear.look(root, since=float(between["ts"]) + catchup.MARGIN) == 1

    assert ear.texts == ["missed"]


async def test_replies_in_a_thread_that_began_before_all_that_history_shows_are_found(
    slack: Slack, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "PAGE", 5)
    monkeypatch.setattr(catchup, "PAGES", 2)
    root = await slack.mention("long ago")
    between = [await slack.say(f"{number}", channel="general") for number in range(20)]
    await slack.say("missed", thread=root)

    await ear.look(root, since=float(between[-1]["ts"]) + catchup.MARGIN)

    assert ear.texts == ["missed"]


async def test_a_cross_on_what_goes_on_is_found(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("begun before")
    await slack.react(root, "x", "ben")
    await slack.react(root, "eyes", "ana")

    await ear.look(root, since=float(root["ts"]) + catchup.MARGIN + 1)

    crosses = [body["event"] for body in ear.heard.values() if body["event"]["type"] == "reaction_added"]
    assert [(event["user"], event["reaction"], event["item"]["ts"]) for event in crosses] == [(slack.user("ben"), "x", root["ts"])]


async def test_a_cross_that_was_found_is_not_new_when_it_is_found_again(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("hello")
    await slack.react(root, "x", "ben")
    await ear.look()
    before = len(ear.heard)

    await ear.look()

    assert (before, len(ear.heard)) == (2, 2)


async def test_replies_to_what_is_found_are_found_too(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("a question")
    await slack.say("and more", thread=root)

    await ear.look()

    assert len(ear.texts) == 2


async def test_what_was_heard_is_not_new(slack: Slack, ear: Ear) -> None:
    await slack.mention("one")
    await ear.look()

    assert await ear.look() == 0


async def test_what_the_bot_said_itself_is_left_out(slack: Slack, ear: Ear) -> None:
    await ear.catchup.client.chat_postMessage(channel=slack.channel("general"), text="mine")

    assert await ear.look() == 0


async def test_the_liveliest_conversation_comes_first(slack: Slack, ear: Ear) -> None:
    await slack.say("in general")
    root = await slack.say("in triage", channel="triage")

    await ear.look(root)

    assert ear.texts == ["in triage", "in general"]


async def test_a_thread_of_which_all_is_known_is_not_read(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("a question")
    await slack.say("and more", thread=root)
    ear.counts[ear.thread(root)] = 1

    await ear.look()

    assert not slack.made("conversations.replies")


async def test_a_thread_in_which_somebody_works_is_read_all_the_same(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("a question")
    await slack.say("and more", thread=root)
    ear.counts[ear.thread(root)], ear.works = 1, {ear.thread(root)}

    assert await ear.look() == 2


async def test_what_runs_is_stopped_before_threads_are_read(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("runs")
    await slack.say("more", thread=root)
    await slack.react(root, "x", "ben")
    slack.fail("conversations.replies", retry_after=60)

    looking = asyncio.create_task(ear.look(root))

    await until(lambda: any(body["event"]["type"] == "reaction_added" for body in ear.heard.values()))
    looking.cancel()


async def test_what_a_thread_has_more_is_read_before_other_conversations(slack: Slack, ear: Ear) -> None:
    root = await slack.mention("begun")
    await slack.say("stop", thread=root)
    await slack.say("new", channel="random")

    await ear.look(root)

    assert [text.split()[-1] for text in ear.texts] == ["begun", "stop", "new"]


async def test_where_somebody_works_comes_before_where_most_was_said_lately(slack: Slack, ear: Ear) -> None:
    works = await slack.say("works", channel="triage")
    lively = await slack.say("lively")
    ear.works = {ear.thread(works)}

    await ear.look(works, lively)

    assert ear.texts == ["works", "lively"]


async def test_however_often_a_look_begins_anew_it_gets_round_to_all(slack: Slack, ear: Ear) -> None:
    channels = [str(channel["name"]) for channel in (await ear.catchup.client.users_conversations())["channels"]]
    said = [await slack.say(name, channel=name) for name in channels]
    assert len(said) > 3

    for _ in said:
        ear.left = 2
        with suppress(StoreFailed):
            await ear.look(said[0])

    assert set(ear.texts) == set(channels)


async def test_where_somebody_works_is_looked_at_more_often(slack: Slack, ear: Ear) -> None:
    works, other, _ = [await slack.say(name, channel=name) for name in ("triage", "random", "general")]
    ear.works = {ear.thread(works)}
    now = clock.now()
    ear.catchup._looked = {works["channel"]: now - 30, other["channel"]: now - 60}

    await ear.look(works)

    read = [call.args["channel"] for call in slack.made("conversations.history")]
    assert read.index(works["channel"]) < read.index(other["channel"])


async def test_it_waits_when_slack_says_that_it_asked_too_often(slack: Slack, ear: Ear) -> None:
    await slack.say("one")
    slack.fail("conversations.history", retry_after=0)

    assert await ear.look() == 1


async def test_a_conversation_that_it_may_not_read_hides_no_other(slack: Slack, ear: Ear) -> None:
    await slack.say("one")
    slack.fail("conversations.history", error="missing_scope")
    await slack.say("two", channel="random")

    assert await ear.look() == 1


class Known:
    """What the rest of the desk knows: when any replica last heard something, and what has to be looked for."""

    def __init__(self) -> None:
        self.newest, self.renewed, self.echoed, self.owed = time.time(), asyncio.Event(), 0.0, dict[str, float]()

    async def latest(self) -> float:
        return self.newest

    async def echo(self, at: float = 0.0) -> float:
        self.echoed = at or self.echoed
        return self.echoed

    async def owe(self, since: float) -> str:
        self.owed[debt := f"debt {len(self.owed)}"] = since
        return debt

    async def debts(self) -> dict[str, float]:
        return dict(self.owed)

    async def lead(self, seconds: float) -> bool:
        return True

    async def settled(self, debts: Collection[str], until: float) -> None:
        self.owed = {debt: since for debt, since in self.owed.items() if debt not in debts}

    async def threads(self, after: float) -> dict[str, float]:
        return {}

    async def renew(self) -> None:
        self.renewed.set()


@pytest.fixture
async def attention(ear: Ear) -> AsyncIterator[tuple[Attention, Known]]:
    known = Known()
    made = Attention(ear.catchup, known, known, known.renew, asyncio.Event(), hours=24)  # type: ignore[arg-type]
    await made.start()
    running = asyncio.create_task(made.run())
    yield made, known
    running.cancel()
    await asyncio.wait([running])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.001)
    monkeypatch.setattr(module, "ECHO", 0.01)


def echo(slack: Slack) -> dict[str, Any]:
    return {"event": {"type": "message", "bot_id": "B1", "user": slack.bot, "ts": f"{time.time():.6f}"}}


async def test_a_message_of_ours_that_does_not_come_back_opens_another_socket(
    slack: Slack, quick: None, attention: tuple[Attention, Known]
) -> None:
    made, known = attention
    made.heard(echo(slack))

    made.called("chat.postMessage", "ok", 0.1)

    async with asyncio.timeout(5):
        await known.renewed.wait()


async def test_where_another_replica_heard_it_nobody_is_deaf(slack: Slack, quick: None, attention: tuple[Attention, Known]) -> None:
    made, known = attention
    made.heard(echo(slack))
    known.newest = time.time() + 5

    made.called("chat.postMessage", "ok", 0.1)

    await slack.until(lambda: not made._posted)
    assert not known.renewed.is_set()


async def test_what_came_back_to_another_replica_makes_nobody_deaf(slack: Slack, quick: None, attention: tuple[Attention, Known]) -> None:
    made, known = attention
    made.heard(echo(slack))

    made.called("chat.postMessage", "ok", 0.1)
    known.echoed = time.time() + 5

    await slack.until(lambda: not made._posted)
    assert not known.renewed.is_set()


async def test_a_replica_tells_the_others_that_a_message_came_back(slack: Slack, quick: None, attention: tuple[Attention, Known]) -> None:
    made, known = attention
    made.catchup.client.budget.replicas = 2

    made.heard(echo(slack))

    await slack.until(lambda: known.echoed > 0)


async def test_an_app_to_which_nothing_comes_back_is_not_taken_for_deaf(quick: None, attention: tuple[Attention, Known]) -> None:
    made, _ = attention

    made.called("chat.postMessage", "ok", 0.1)

    assert not made._posted


async def test_silence_asks_for_a_look_and_what_it_finds_proves_that_we_are_deaf(
    slack: Slack, quick: None, monkeypatch: pytest.MonkeyPatch, attention: tuple[Attention, Known], ear: Ear
) -> None:
    await slack.mention("hello")

    monkeypatch.setattr(module, "QUIET", 0.01)

    async with asyncio.timeout(5):
        await attention[1].renewed.wait()
    assert len(ear.texts) == 1


async def test_each_socket_that_is_opened_asks_for_a_look(slack: Slack, attention: tuple[Attention, Known], ear: Ear) -> None:
    await slack.mention("hello")

    attention[0].greeted()

    await slack.until(lambda: len(ear.texts) == 1)


class Looks:
    """Only notes from when on it is to look; a look lasts until `go` is set, and the first `fails` of them break."""

    directory = Directory(None)  # type: ignore[arg-type]

    def __init__(self, fails: int = 0) -> None:
        self.fails, self.since, self.ended, self.go = fails, list[float](), 0, asyncio.Event()

    async def look(self, since: float, threads: Mapping[str, float], most: int | None = None) -> int:
        self.since.append(since)
        await self.go.wait()
        if len(self.since) <= self.fails:
            raise StoreFailed("The database does not answer.")
        self.ended += 1
        return 0


@asynccontextmanager
async def attentive(looks: Looks, known: Known | SqlStore) -> AsyncIterator[Attention]:
    """A process that pays attention, until the block is left; then it is gone, as after kill -9."""

    async def renew() -> None: ...

    made = Attention(looks, known, known, renew, asyncio.Event(), hours=24)  # type: ignore[arg-type]
    await made.start()
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_what_comes_by_a_new_socket_hides_nothing_that_did_not_come_before() -> None:
    async with attentive(looks := Looks(), known := Known()) as made:
        made.newest = known.newest = gap = clock.now() - 2000  # what was heard until the socket broke

        made.greeted()
        made.heard({"event": {"ts": f"{clock.now()}"}})  # the first thing on the next one

        await until(lambda: looks.since)
        assert looks.since == [gap]


async def test_a_look_begins_anew_when_another_connection_is_lost(quick: None) -> None:
    async with attentive(looks := Looks(), known := Known()) as made:
        made.greeted()
        await until(lambda: looks.since)

        await known.owe(gap := clock.now() - 2000)  # another replica lost its own

        await until(lambda: len(looks.since) == 2)
        looks.go.set()
        await until(lambda: not known.owed)
        assert (looks.since[1], looks.ended) == (gap, 1)


async def test_a_look_that_broke_is_done_again(quick: None) -> None:
    async with attentive(looks := Looks(fails=1), Known()) as made:
        made.newest = clock.now() - 3000
        looks.go.set()

        made.greeted()

        await until(lambda: len(looks.since) == 2)
        assert looks.since[1] == looks.since[0]


def come(key: str, at: float) -> Delivery:
    return Delivery(key, "message", "{}", at, f"C1:{key}")


async def test_what_was_not_looked_for_to_the_end_is_looked_for_by_the_next_process(store: SqlStore) -> None:
    await store.receive(come("before", old := clock.now() - 3000))
    async with attentive(looks := Looks(), store) as made:
        made.greeted()
        await until(lambda: looks.since)
        await store.receive(come("meanwhile", clock.now()))

    async with attentive(again := Looks(), store) as made:
        made.greeted()
        await until(lambda: again.since)

    assert again.since == [old]


async def test_what_was_looked_for_to_the_end_is_not_looked_for_again(store: SqlStore) -> None:
    await store.receive(come("before", clock.now() - 3000))
    async with attentive(looks := Looks(), store) as made:
        made.greeted()
        await until(lambda: looks.since)
        await store.receive(come("meanwhile", now := clock.now()))

        looks.go.set()
        async with asyncio.timeout(10):
            await made.gate.wait()

    assert await store.latest() == now


async def test_where_nothing_ever_came_nothing_from_before_is_looked_for(store: SqlStore) -> None:
    began, looks = clock.now(), Looks()
    looks.go.set()
    async with attentive(looks, store) as made:
        made.greeted()
        async with asyncio.timeout(10):
            await made.gate.wait()

    assert min(looks.since) >= began


async def test_another_socket_is_tried_for_until_slack_gives_one(slack: Slack, desk: Frontdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "PING", 0.01)
    before = len(slack.made("apps.connections.open"))
    slack.fail("apps.connections.open", status=0)
    slack.fail("apps.connections.open")

    await desk.slack.renew()

    assert len(slack.made("apps.connections.open")) == before + 3
