"""What is read for App Home, on a file and on PostgreSQL."""

import json
from dataclasses import replace

from bot import clock
from bot.change import Proposal
from bot.event import Finished, Started, Usage
from bot.journal import Delivery
from bot.message import Message, Person
from bot.past import Finding
from bot.ports import Feedback
from bot.session import Session
from bot.store.glances import SqlSight
from bot.store.proposals import Proposals
from bot.store.sql import SqlStore
from tests.standins.stage import ANA, BEN, COLOUR, agent

LONG = 100 * 86400.0


async def begun(
    store: SqlStore, id: str, *events: object, asker: Person = ANA, by: Person = ANA, name: str = "helper", said: str = ""
) -> Session:
    """A session with one turn, in which this has happened; `said` is the id of its message."""
    message = Message(said or f"m-{id}", f"slack:T1:C1:{id}", "C1", by, f"About {id}", at=100.0)
    session = Session(id, name, message.thread, asker, "C1")
    await store.start(session, message)
    session, epoch = await store.begin(id)
    session = session.begin([message])
    await store.take(id, epoch, session, agent(name), [message.id])
    told = [Started("r1"), *events]
    session = session.fold(told, clock.now())  # type: ignore[arg-type]
    await store.save(epoch, session, told, clock.now())  # type: ignore[arg-type]
    return session


async def test_what_goes_on_comes_first_then_the_newest(store: SqlStore) -> None:
    for id, events in (("a", [COLOUR]), ("b", [Finished("completed")]), ("c", [Finished("completed")])):
        await begun(store, id, *events)
    await begun(store, "d", asker=BEN, by=BEN)

    assert [one.id for one in await SqlSight(store.db).conversations("U1", 10)] == ["a", "c", "b"]
    assert [one.id for one in await SqlSight(store.db).conversations("U1", 2)] == ["a", "c"]


async def test_what_the_desk_asked_for_a_change_is_no_conversation_of_the_persons(store: SqlStore) -> None:
    await begun(store, "a", Usage(usd=0.25), Finished("completed"))
    await begun(store, "b", Usage(usd=0.5), Finished("completed"), said="proposal:p1:1")
    sight = SqlSight(store.db)

    assert [one.id for one in await sight.conversations("U1", 10)] == ["a"]
    assert (await sight.used("U1", 0.0)).turns == 1


async def test_questions_wait_until_they_are_closed(store: SqlStore) -> None:
    await begun(store, "mine", COLOUR)
    await begun(store, "asked-by-me", COLOUR, asker=BEN)
    await begun(store, "of-an-agent", COLOUR, asker=BEN, by=BEN, name="reviewer")
    await begun(store, "of-others", COLOUR, asker=BEN, by=BEN)
    await begun(store, "over", COLOUR, Finished("completed"))

    found = await SqlSight(store.db).waiting("U1", ["reviewer"], 10)

    assert [one.session.id for one in found] == ["mine", "asked-by-me", "of-an-agent"]
    assert {one.question for one in found} == {COLOUR}


async def test_opinions_know_where_the_answer_stands(store: SqlStore) -> None:
    session, now = await begun(store, "a", Finished("completed")), clock.now()
    for slot, ts in (("a:1:0", "1.1"), ("a:1:1", "1.2"), ("a:1:whole", "1.3"), ("a:1:file:0", "1.4"), ("a:11:0", "1.5")):
        await store.reserve(slot, "a", session.thread)
        await store.sent(slot, ts, "shown")
    given = Feedback("a", 1, "U2", "bad", ("wrong",), "no", at=now)
    kept = await store.rate(given)
    await store.rate(replace(given, person="U1"))
    await begun(store, "b", Finished("completed"))
    await store.rate(replace(given, session_id="b", reasons=("compared",)))  # a vote, and no opinion of it alone

    [opinion] = await SqlSight(store.db).opinions("U2", now - 1, 5)

    assert (opinion.feedback, opinion.thread, opinion.title, opinion.post) == (kept, session.thread, "About a", "1.2")
    assert await SqlSight(store.db).opinions("U2", now + 1, 5) == []


async def test_an_opinion_is_taken_back_by_its_own_person_only(store: SqlStore) -> None:
    await begun(store, "a", Finished("completed"))
    for person in ("U1", "U2"):
        await store.rate(Feedback("a", 1, person, "good", at=clock.now()))

    await store.unrate("a", 1, "U2")

    assert [one.person for one in await store.feedback()] == ["U1"]


async def test_what_was_used_and_thought_is_summed_up(store: SqlStore) -> None:
    await begun(store, "a", Usage(usd=0.25), Finished("completed"))
    await begun(store, "b", Usage(usd=0.5), Finished("failed"))
    await begun(store, "c", Usage(usd=1.0), Finished("completed"), asker=BEN, by=BEN, name="reviewer")
    for session, person, rating in (("a", "U1", "good"), ("a", "U2", "good"), ("b", "U1", "bad")):
        words = '"rating":"bad"'  # what somebody writes counts for nothing
        await store.rate(Feedback(session, 1, person, rating, text=words, at=clock.now()))  # type: ignore[arg-type]
    await store.rate(Feedback("c", 1, "U2", "good", ("compared",), at=clock.now()))
    sight = SqlSight(store.db)

    used, [first, second] = await sight.used("U1", 0.0), await sight.shares(0.0)

    assert (used.turns, used.failed, used.usd) == (2, 1, 0.75)
    assert (first.name, first.turns, first.failed, first.usd, first.good, first.bad) == ("reviewer", 1, 0, 1.0, 0, 0)
    assert (second.name, second.turns, second.failed, second.usd, second.good, second.bad) == ("helper", 2, 1, 0.75, 2, 1)
    assert (await sight.used("U1", clock.now() + 1)).turns == 0
    assert await sight.shares(clock.now() + LONG) == []


async def test_what_waits_longest_comes_first(store: SqlStore) -> None:
    for id in ("a", "b", "c"):
        await begun(store, id, COLOUR)
    await begun(store, "works")

    assert [one.id for _, one in await SqlSight(store.db).stuck(2)] == ["a", "b"]


async def test_changes_that_nobody_has_decided_are_found_the_longest_first(store: SqlStore) -> None:
    for n, state in enumerate(("writing", "shown", "rejected", "shown")):
        id, finding = f"p{n}", Finding(f"f{n}", "helper", "No link", "People ask.")
        await Proposals(store.db).begin(Proposal(id, "helper", finding, ANA, "slack:T1:C1:1", "improver", "", state, at=9.0 - n))  # type: ignore[arg-type]

    assert [each.id for each in await SqlSight(store.db).proposals()] == ["p3", "p1"]


async def test_calls_that_are_kept_until_a_file_is_mended_are_counted(store: SqlStore) -> None:
    for n, kind in enumerate(("held", "held", "fired")):
        await store.receive(Delivery(f"{kind}:{n}", kind, json.dumps({"agent": "watcher"}), 1.0))
    await store.done("held:0")

    assert await SqlSight(store.db).held() == {"watcher": 1}


async def test_what_has_changed_is_told_with_those_whom_it_concerns(store: SqlStore) -> None:
    await begun(store, "before")
    now = clock.now()
    await begun(store, "asks", COLOUR, asker=BEN)
    await begun(store, "works")
    await store.rate(Feedback("before", 1, "U9", "good", at=now + 1))

    moved = {each.session: (set(each.people), each.waits) for each in await SqlSight(store.db).moved(now)}

    assert moved == {"asks": ({"U1", "U2"}, True), "works": ({"U1"}, False), "": ({"U9"}, False)}
