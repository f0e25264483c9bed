"""What was over long ago is taken out of the database with all that belongs to it; what is open never is."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot import clock
from bot.agent import parse
from bot.event import Finished, Improvement, Question, Started, Text
from bot.journal import Delivery
from bot.message import Message, Person
from bot.ports import Feedback
from bot.session import Session
from bot.store import prune
from bot.store.sql import SqlStore
from bot.store.tables import meta

ANA = Person("U1", "Ana")
HELPER = parse("helper", "---\ndescription: Helps.\nruntime: echo\n---\nHelp.\n")
OLD, NOW = 1000.0, 2e9


async def happen(store: SqlStore, name: str, *, over: bool = True, at: float = OLD, read: bool = True) -> None:
    """A session with a turn, a question, a message of ours and what somebody thought of it."""
    message = Message(f"m-{name}", f"slack:T1:C1:{name}", "C1", ANA, "hello", at=at)
    session = Session(name, "helper", message.thread, ANA, "C1")
    await store.start(session, message)
    session, epoch = await store.begin(name)
    session = session.begin([message])
    await store.take(name, epoch, session, HELPER, [message.id])
    told = [
        Started("r"),
        Text("Hi."),
        Question("q", "question", ()),
        Improvement("slow", "A cache."),
        *([Finished("completed")] if over else []),
    ]
    await store.save(epoch, session.fold(told, at), told, at)
    await store.reserve(f"{name}:1:0", name, message.thread)
    await store.rate(Feedback(name, 1, "U1", "good"))
    await store.keep(name).append("memory", ["{}"])
    if read:
        await store.finish(name, epoch, 1)
    await store.db.write(lambda connection: connection.execute(sa.text(f"UPDATE sessions SET changed = {at} WHERE id = '{name}'")) and None)


async def counts(store: SqlStore) -> dict[str, int]:
    """How many rows each table has, if it has any."""
    found = {}
    for table in meta.sorted_tables:
        found[table.name] = (await store.db.read(sa.select(sa.func.count()).select_from(table)))[0][0]
    return {name: count for name, count in found.items() if count}


async def test_a_session_goes_with_all_that_belongs_to_it(store: SqlStore) -> None:
    await happen(store, "a")

    pruned = await prune.prune(store.db, NOW)

    assert pruned == prune.Pruned(("a",), 0)
    assert await counts(store) == {}


async def test_what_is_open_or_unread_or_newer_stays(store: SqlStore) -> None:
    await happen(store, "open", over=False)
    await happen(store, "unread", read=False)
    await happen(store, "newer", at=NOW)

    pruned = await prune.prune(store.db, NOW)

    assert pruned.sessions == ()
    assert (await counts(store))["sessions"] == 3


async def test_a_look_takes_nothing_away(store: SqlStore) -> None:
    await happen(store, "a")
    before = await counts(store)

    seen = await prune.look(store.db, NOW)

    assert seen.sessions == ("a",)
    assert await counts(store) == before


async def test_many_go_in_groups(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "GROUP", 2)
    for name in "abcde":
        await happen(store, name)

    pruned = await prune.prune(store.db, NOW)

    assert sorted(pruned.sessions) == [*"abcde"]
    assert await counts(store) == {}


async def test_a_delivery_is_forgotten_once_it_is_done_and_old(store: SqlStore) -> None:
    done = Delivery("done", "message", "{}", OLD)
    for delivery in (done, replace(done, key="waits"), replace(done, key="new", at=NOW)):
        await store.receive(delivery)
    await store.done("done")
    await store.done("new")

    assert await prune.delivered(store.db, NOW - prune.AGAIN) == 1
    assert not await store.receive(replace(done, key="waits"))
    assert not await store.receive(replace(done, key="new"))


async def test_the_newest_that_was_said_is_never_forgotten(store: SqlStore) -> None:
    for key, at in (("old", OLD), ("newest", OLD + 1)):
        await store.receive(Delivery(key, "message", "{}", at, f"C1:{at}"))
        await store.done(key)

    assert await prune.delivered(store.db, NOW) == 1
    assert await store.latest() == OLD + 1


async def test_what_is_owed_in_slack_still_is_not_forgotten(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: OLD)
    shown = {"open:m1": "looks", "status:paid": "", "status:t1": "owed", "owed:paid": "", "owed:s1:1:0": '["1.0", "Done", [], ""]'}
    for slot, looks in shown.items():
        await store.reserve(slot, "", "slack:T1:C1:1.0")
        await store.sent(slot, "", looks)

    await prune.delivered(store.db, NOW)

    assert sorted(post.slot for post in await store.posts("")) == ["owed:s1:1:0", "status:t1"]
