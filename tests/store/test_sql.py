"""The store and the journal on a real file: what each call promises, also to many at once, and after the next start."""

import asyncio
from dataclasses import replace

import pytest

from bot.agent import Agent
from bot.errors import Superseded
from bot.event import Answered, Event, Finished, Option, Part, Question, Started, Step, Text, Usage
from bot.journal import Delivery
from bot.message import Answer, Attachment, Message, Person
from bot.ports import Feedback
from bot.session import Session
from bot.store import replicas, sql
from bot.store.sql import SqlStore
from tests.standins.stage import lose

ANA, BEN = Person("U1", "Ana", groups=frozenset({"S1"})), Person("U2", "Ben")
THREAD = "slack:T1:C1:1.0"
COLOUR = Question("q1", "question", (Part("which", "Which?", (Option("Red"), Option("Blue"))),), expires_at=500.0)
AGENT = Agent.model_validate({"name": "helper", "version": "v1", "description": "Helps.", "runtime": "echo", "model": "small"})


def session(id: str = "s1", thread: str = THREAD, agent: str = "helper", asker: Person = ANA) -> Session:
    return Session(id, agent, thread, asker, "C1")


def message(id: str = "m1", text: str = "hello", at: float = 100.0) -> Message:
    return Message(id, THREAD, "C1", ANA, text, at=at, files=(Attachment("a.txt", size=3),))


async def begun(store: SqlStore, *events: Event, id: str = "s1") -> tuple[Session, int]:
    """A session in its first turn, to which this has happened."""
    await store.start(session(id), message(f"{id}-m1"))
    first, epoch = await store.begin(id)
    turn = first.begin([message(f"{id}-m1")])
    await store.take(id, epoch, turn, AGENT, [f"{id}-m1"])
    turn = turn.fold(events, 200.0)
    await store.save(epoch, turn, events, 200.0)
    return turn, epoch


async def test_a_session_comes_back_as_it_was_kept(store: SqlStore) -> None:
    kept, _ = await begun(store, Started("r1"), COLOUR, Answered("q1", "answered", "Ben", ("Red",)), Usage(1, 2, 3, 0.5))

    assert await store.load("s1") == kept


async def test_a_session_that_there_is_not_is_a_lookup_error(store: SqlStore) -> None:
    with pytest.raises(LookupError):
        await store.load("nobody")


async def test_a_message_starts_one_session_however_often_it_comes(store: SqlStore) -> None:
    started = [await store.start(session("s1"), message()), await store.start(session("s2"), message())]

    assert started == [True, False]
    assert [each.id for each in await store.sessions()] == ["s1"]


async def test_a_message_is_put_once_also_when_it_comes_many_times_at_once(store: SqlStore) -> None:
    await store.start(session())

    put = await asyncio.gather(*[store.put("s1", message()) for _ in range(20)])

    assert sorted(put) == [False] * 19 + [True]
    assert [one.message for one in await store.unread("s1")] == [message()]
    assert await store.heard("m1")
    assert not await store.heard("m2")


async def test_a_message_that_another_replica_is_just_keeping_is_known(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.start(session(), message())
    monkeypatch.setattr(sql, "_heard", lambda connection, message_id: False)  # the other had not come to its end yet

    assert not await store.put("s1", message())
    assert not await store.start(session("s2"), message())


async def test_an_emoji_that_a_runtime_cut_in_two_is_whole_again(store: SqlStore) -> None:
    await begun(store, Text("Done \ud83d"), Text("\ude00"), Finished("completed"))

    assert (await store.load("s1")).answer == "Done \N{GRINNING FACE}"


async def test_half_an_emoji_harms_nothing_beside_it(store: SqlStore) -> None:
    await begun(store, Text("Done \ud83d"), Finished("completed"))

    assert (await store.load("s1")).answer == "Done \N{REPLACEMENT CHARACTER}"


async def test_the_newest_session_goes_on_in_a_thread_until_another_is_spoken_to(store: SqlStore) -> None:
    await store.start(session("s1"))
    await store.start(session("s2", agent="other"))
    newest = await store.session_in(THREAD)

    await store.put("s1", message())

    spoken = await store.session_in(THREAD)
    other = await store.session_of(THREAD, "other")
    assert [newest and newest.id, spoken and spoken.id, other and other.id] == ["s2", "s1", "s2"]
    assert await store.session_in("slack:T1:C1:9.9") is None


async def test_a_muted_session_stays_so_whatever_its_turn_saves(store: SqlStore) -> None:
    turn, epoch = await begun(store)

    await store.mute("s1", True)
    await store.save(epoch, turn, [Text("more")], 201.0)

    assert (await store.load("s1")).muted


async def test_the_sessions_of_a_person_and_the_live_ones(store: SqlStore) -> None:
    await begun(store, Finished("completed"), id="s1")
    await store.start(session("s2", thread="slack:T1:C1:2.0", asker=BEN))

    assert [each.id for each in await store.sessions()] == ["s2", "s1"]
    assert [each.id for each in await store.sessions(person="U1")] == ["s1"]
    assert [each.id for each in await store.sessions(live=True)] == ["s2"]
    assert [each.id for each in await store.sessions(1)] == ["s2"]


async def test_only_the_newest_owner_may_write(store: SqlStore) -> None:
    turn, epoch = await begun(store)
    _, newer = await store.begin("s1")

    with pytest.raises(Superseded):
        await store.save(epoch, turn.apply(Text("old")), [Text("old")], 300.0)
    with pytest.raises(Superseded):
        await store.take("s1", epoch, turn, AGENT, ["s1-m1"])
    with pytest.raises(Superseded):
        await store.finish("s1", epoch, 1)
    with pytest.raises(Superseded):
        await store.release("s1", epoch, ["s1-m1"])
    with pytest.raises(Superseded):
        await store.drop(["s1-m1"], ("s1", epoch))
    await store.save(newer, turn.apply(Text("new")), [Text("new")], 300.0)

    assert newer == epoch + 1
    assert (await store.load("s1")).answer == "new"
    assert [(one.message.id, one.turn) for one in await store.unread("s1")] == [("s1-m1", 1)]


async def test_a_message_leaves_the_inbox_only_when_its_turn_is_over(store: SqlStore) -> None:
    _, epoch = await begun(store)
    read = [(one.message.id, one.turn) for one in await store.unread("s1")]
    unfinished = await store.unfinished()

    await store.finish("s1", epoch, 1)

    assert (read, unfinished) == ([("s1-m1", 1)], ["s1"])
    assert (await store.unread("s1"), await store.unfinished()) == ([], [])


async def test_a_message_can_be_given_back_or_dropped(store: SqlStore) -> None:
    _, epoch = await begun(store)
    await store.put("s1", message("m2"))

    await store.release("s1", epoch, ["s1-m1"])
    await store.drop(["m2"])
    await store.release("s1", epoch, [])

    assert [(one.message.id, one.turn) for one in await store.unread("s1")] == [("s1-m1", 0)]
    found = await store.asked_by("m2")
    assert found is not None
    assert (found[0].id, found[1].message.id, found[1].done) == ("s1", "m2", True)
    assert await store.asked_by("m9") is None


async def test_the_inbox_is_in_the_order_in_which_it_was_said(store: SqlStore) -> None:
    await store.start(session())

    await asyncio.gather(*[store.put("s1", message(f"m{n}", at=float(n))) for n in (3, 1, 2)])

    assert [one.message.id for one in await store.unread("s1")] == ["m1", "m2", "m3"]


async def test_a_step_is_told_as_it_last_stood_and_text_is_not(store: SqlStore) -> None:
    await begun(store, Step("c1", "Read"), Text("hm"), Step("c2", "Write"), Step("c1", "Read", status="completed"), Finished("completed"))

    told = await store.steps("s1", 1)

    assert told == [Step("c1", "Read", status="completed"), Step("c2", "Write"), Finished("completed")]
    assert await store.steps("s1", 2) == []


async def test_the_first_answer_wins_among_many_at_once(store: SqlStore) -> None:
    await begun(store, COLOUR)
    letters = [replace(message(f"a{n}"), answer=Answer("q1", {"which": (f"{n}",)})) for n in range(10)]

    closed = await asyncio.gather(
        *[store.close("s1", Answered("q1", "answered", f"U{n}", (f"{n}",)), letter) for n, letter in enumerate(letters)]
    )

    [winner] = [n for n, won in enumerate(closed) if won]
    asked = await store.asked("s1", "q1")
    assert asked
    assert asked.answered == Answered("q1", "answered", f"U{winner}", (f"{winner}",))
    assert [one.message for one in await store.unread("s1") if one.message.answer] == [letters[winner]]


async def test_a_question_is_overdue_until_it_is_closed(store: SqlStore) -> None:
    await begun(store, COLOUR, Question("q2", "question", COLOUR.parts))

    before, after = await store.overdue(499.0), await store.overdue(500.0)
    await store.close("s1", Answered("q1", "expired"))

    assert (before, [one.question for one in after]) == ([], [COLOUR])
    assert await store.overdue(500.0) == []


async def test_a_turn_that_is_over_leaves_no_question_open(store: SqlStore) -> None:
    await begun(store, COLOUR, Finished("failed", "no"))

    assert not await store.close("s1", Answered("q1", "answered", "Ben", ("Red",)))
    assert await store.overdue(9999.0) == []
    assert await store.asked("s1", "q9") is None


async def test_a_turn_that_waits_keeps_its_question_open(store: SqlStore) -> None:
    await begun(store, COLOUR, Finished("input_required"))

    assert await store.close("s1", Answered("q1", "answered", "Ben", ("Red",)))


async def test_feedback_knows_its_turn_and_the_newest_counts(store: SqlStore) -> None:
    await begun(store, Started("r1", model="large"), Finished("completed"))

    await store.rate(Feedback("s1", 1, "U1", "bad", ("wrong",), "it is 4", at=300.0))
    await store.rate(Feedback("s1", 1, "U1", "good", at=301.0))

    [kept] = await store.feedback()
    assert (kept.rating, kept.reasons, kept.agent, kept.runtime, kept.model, kept.version) == ("good", (), "helper", "echo", "large", "v1")
    assert await store.feedback("other") == []


async def test_all_votes_for_a_session_are_counted_and_no_other_opinion_of_it(store: SqlStore) -> None:
    await begun(store, Finished("completed"))
    await begun(store, Finished("completed"), id="s2")
    await store.rate(Feedback("s1", 1, "U0", "good"))
    await store.rate(Feedback("s1", 1, "U1", "bad", ("compared",)))
    await store.rate(Feedback("s2", 1, "U1", "good", ("compared",)))
    await asyncio.gather(*(store.rate(Feedback("s1", 1, f"U1{number:03}", "good", ("compared",))) for number in range(101)))

    assert await store.votes("s1") == 101


async def test_what_was_spent_is_the_sum_of_an_agents_turns_since_then(store: SqlStore) -> None:
    await begun(store, Usage(1, 2, 3, 0.5), Usage(1, 0, 0, 0.25), id="s1")
    await begun(store, Usage(10, 0, 0, 1.0), Finished("completed"), id="s2")

    assert await store.spent("helper", 0) == Usage(12, 2, 3, 1.75)
    assert await store.spent("helper", 9e12) == Usage()
    assert await store.spent("other", 0) == Usage()


async def test_a_delivery_is_kept_once_until_it_is_dealt_with(store: SqlStore) -> None:
    first = Delivery("message:C1:1", "message", '{"text": "hi"}', 2.0)

    received = await asyncio.gather(*[store.receive(each) for each in (first, Delivery("k2", "command", "{}", 1.0), first)])
    claimed = await store.claim("message:C1:1")
    await store.done("message:C1:1")

    assert received == [True, True, False]
    assert claimed
    assert claimed.body == first.body
    assert await store.claim("message:C1:1") is None
    assert await store.adopt() == ["k2"]
    assert not await store.receive(first)


async def test_a_delivery_that_is_the_same_under_another_key_is_known(store: SqlStore) -> None:
    first, again, more = (Delivery(key, "fired", "{}", same=same) for key, same in (("k1", "s1"), ("k2", "s1"), ("k1", "s2")))

    received = await asyncio.gather(*[store.receive(first) for _ in range(5)])

    assert sorted(received) == [False] * 4 + [True]
    assert not await store.receive(again)
    assert not await store.receive(more)
    assert await store.adopt() == ["k1"]


async def test_what_has_one_lane_is_dealt_with_one_at_a_time_in_its_order(store: SqlStore) -> None:
    for key, at in (("late", 2.0), ("early", 1.0)):
        await store.receive(Delivery(key, "message", "{}", at, "C1:1"))

    claims = await asyncio.gather(*[store.claim("C1:1") for _ in range(3)])
    await store.done("early")

    assert [claim.key for claim in claims if claim] == ["early"]
    assert (claim := await store.claim("C1:1"))
    assert claim.key == "late"


async def test_what_was_overtaken_in_its_lane_is_known(store: SqlStore) -> None:
    first, reply = Delivery("first", "message", "{}", 1.0, "C1:1"), Delivery("reply", "message", "{}", 2.0, "C1:1")
    await store.receive(reply)
    assert not await store.overtaken("C1:1", first.at)

    await store.claim("C1:1")

    assert await store.overtaken("C1:1", first.at)
    assert not await store.overtaken("C1:1", reply.at)


async def test_what_a_replica_had_that_is_no_more_is_adopted(store: SqlStore) -> None:
    await replicas.beat(store.db, store.replica, "", first=True)
    for key in ("mine", "theirs"):
        await store.receive(Delivery(key, "message", "{}", 1.0, key))
    await store.claim("mine")
    mine, store.replica = store.replica, "another, which gives no sign of life"
    await store.claim("theirs")
    store.replica = mine

    assert await store.adopt(busy=["mine"]) == ["theirs"]


async def test_what_a_replica_has_without_knowing_it_is_adopted_by_itself(store: SqlStore) -> None:
    await replicas.beat(store.db, store.replica, "", first=True)
    await store.receive(Delivery("k1", "message", "{}", 1.0, "C1:1"))
    lose(store)

    claimed = await store.claim("C1:1")

    assert claimed is None  # what is claimed a second time is somebody's already
    assert await store.adopt() == ["C1:1"]
    assert (again := await store.claim("C1:1"))
    assert again.key == "k1"


async def test_the_newest_of_what_came_is_known(store: SqlStore) -> None:
    assert await store.latest() == 0.0
    await store.receive(Delivery("k1", "message", "{}", 7.0, "C1:1"))
    await store.receive(Delivery("k2", "message", "{}", 5.0, "C1:1"))

    assert await store.latest() == 7.0


async def test_a_command_whose_time_is_ours_says_nothing_of_what_was_said(store: SqlStore) -> None:
    await store.receive(Delivery("k1", "message", "{}", 7.0, "C1:1"))

    await store.receive(Delivery("k2", "command", "{}", 9.0, "k2"))

    assert await store.latest() == 7.0


async def test_what_has_still_to_be_looked_for_comes_before_the_newest(store: SqlStore) -> None:
    await store.receive(Delivery("k1", "message", "{}", 7.0, "C1:1"))
    first = await store.owe(5.0)
    later = await store.owe(6.0)

    assert (await store.latest(), await store.debts()) == (5.0, {first: 5.0, later: 6.0})
    await store.settled([later], until=6.5)
    assert (await store.latest(), await store.debts()) == (5.0, {first: 5.0})
    await store.settled([first], until=6.5)
    assert await store.latest() == 7.0


async def test_one_replica_looks_for_all_until_it_gives_that_up_or_is_no_more(store: SqlStore) -> None:
    async def lead(replica: str, seconds: float) -> bool:
        store.replica = replica
        return await store.lead(seconds)

    for replica in ("r1", "r2"):
        await replicas.beat(store.db, replica, "", first=False)

    assert [await lead("r1", 60), await lead("r2", 60), await lead("r1", 60)] == [True, False, True]
    assert [await lead("r1", 0), await lead("r2", 60), await lead("r1", 60)] == [False, True, False]
    await replicas.leave(store.db, "r2")
    assert await lead("r1", 60)


async def test_until_when_was_looked_is_known_also_where_nothing_came(store: SqlStore) -> None:
    debt = await store.owe(5.0)

    await store.settled([debt], until=8.0)

    assert await store.latest() == 8.0


async def test_replicas_with_other_agents_are_counted(store: SqlStore) -> None:
    await replicas.beat(store.db, "r1", "helper:1", first=True)

    assert await replicas.beat(store.db, "r2", "helper:2", first=False) == 1
    assert await replicas.alive(store.db) == 2
    await replicas.leave(store.db, "r1")
    assert await replicas.beat(store.db, "r2", "helper:2", first=False) == 0


async def test_of_two_that_sent_one_message_the_first_counts(store: SqlStore) -> None:
    await store.reserve("s1:1:0", "s1", THREAD)

    assert await store.sent("s1:1:0", "7.7", "hash") == "7.7"
    assert await store.sent("s1:1:0", "8.8", "hash") == "7.7"


async def test_an_epoch_holds_until_there_is_a_newer_one(store: SqlStore) -> None:
    _, epoch = await begun(store)
    assert await store.holds("s1", epoch)

    await store.begin("s1")

    assert await store.holds("s1", epoch) is not store.shared  # on a file nobody else can have it


async def test_a_post_is_reserved_once_and_found_by_its_place(store: SqlStore) -> None:
    one, again = await asyncio.gather(store.reserve("s1:1:0", "s1", THREAD), store.reserve("s1:1:0", "s1", THREAD))
    await store.reserve("s1:1:1", "s1", THREAD)

    await store.sent("s1:1:0", "7.7", "hash")

    found = await store.post_at("C1", "7.7")
    assert one == again
    assert (found and found.id, found and found.shown) == (one.id, "hash")
    assert await store.post_at("C2", "7.7") is None
    assert [(post.slot, post.ts) for post in await store.posts("s1")] == [("s1:1:0", "7.7"), ("s1:1:1", "")]
