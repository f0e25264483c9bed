"""What happened in turns, whom a finding hit, and that each finding is changed by one at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bot.event import ALLOW, DENY, Answered, Event, Finished, Improvement, Option, Part, Question, Started, Step, Usage, permission
from bot.found import Card, name
from bot.message import Message, Person
from bot.past import Fact
from bot.ports import Feedback
from bot.session import Session
from bot.store.findings import Findings
from bot.store.happened import SqlHappened
from bot.store.sql import SqlStore
from tests.standins.stage import ANA, BEN, agent

CARD = Card("f1", "helper", "Title", "What", "", "improver", "slack:T1:C1:1.0", (), 100.0)


async def ran(
    store: SqlStore,
    id: str,
    *told: Event,
    by: Person = ANA,
    at: float = 1000.0,
    private: bool = False,
    door: str = "mention",
    text: str = "Look at this",
    channel: str = "C1",
) -> None:
    """A session of one turn, in which this was told."""
    asked = replace(Message(f"{door}:{id}", f"slack:T1:{channel}:{id}", channel, by, text, door), at=at)  # type: ignore[arg-type]
    session = Session(id, "helper", asked.thread, by, channel, private=private)
    await store.start(session, asked)
    _, epoch = await store.begin(id)
    session = session.begin([asked])
    await store.take(id, epoch, session, agent(), [asked.id])
    events = [Started("r"), Usage(usd=0.5), *told]
    await store.save(epoch, session.fold(events, at), events, at)
    await store.finish(id, epoch, 1)


async def facts(store: SqlStore, since: float = 0.0) -> list[Fact]:
    return await SqlHappened(store.db).facts(since)


def told(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """But what was asked: the same each time."""
    return [(fact.kind, fact.text) for fact in facts if fact.kind != "again"]


async def test_what_people_thought_is_told_with_where_and_what_it_cost(store: SqlStore) -> None:
    await ran(store, "s1", Finished("completed"))
    await store.rate(Feedback("s1", 1, BEN.id, "bad", ("wrong",), "It asks for the ticket.", at=2000.0))

    assert await facts(store) == [
        Fact("bad", "helper", "s1", 1, BEN.id, "wrong: It asks for the ticket.", "Look at this", 0.5, 2000.0, "slack:T1:C1:s1", "wrong")
    ]


async def test_what_agents_missed_and_how_turns_failed_is_told(store: SqlStore) -> None:
    await ran(store, "s1", Improvement("missing", "The ticket", "404"), Finished("failed", "It broke."))
    await ran(store, "s2", Finished("canceled", "Stopped by Ben."))
    await ran(store, "s3", Finished("rejected", "The budget is used up."))
    await ran(store, "s4", Finished("completed"))

    assert sorted(told(await facts(store))) == [
        ("failed", "It broke."), ("failed", "The budget is used up."), ("report", "missing: The ticket: 404"), ("stopped", "")
    ]  # fmt: skip


QUESTION = Question("q1", "question", (Part("which", "Which ticket?", (Option("Red"),)),))
MAY_I = permission("p1", "May I?", "git push")


async def test_what_was_asked_of_people_and_what_they_denied_is_told(store: SqlStore) -> None:
    denied = Step("c1", "Bash: rm", status="denied")
    await ran(store, "s1", QUESTION, MAY_I, Answered("p1", "answered", "Ben", (DENY,)), denied, denied, Finished("completed"))
    await ran(store, "s2", MAY_I, Answered("p1", "answered", "Ben", (ALLOW,)), Finished("completed"))

    assert sorted(told(await facts(store))) == [("asked", "Which ticket?"), ("denied", "Bash: rm"), ("denied", "git push")]


async def test_of_private_conversations_nobodys_own_words_are_told(store: SqlStore) -> None:
    denied = Improvement("denied", "Bob's letter", "cat /hr/bob-dismissal.txt")
    await ran(store, "s1", QUESTION, denied, Finished("failed", "No such file: bob-dismissal.txt"), private=True)
    await store.rate(Feedback("s1", 1, BEN.id, "bad", ("wrong",), "Bob is gone.", at=2000.0))

    found = await facts(store)

    assert sorted(told(found)) == [("asked", ""), ("bad", "wrong"), ("failed", ""), ("report", "denied")]
    assert {(fact.about, fact.thread) for fact in found} == {("", "")}


async def test_what_people_begin_with_again_and_again_is_told(store: SqlStore) -> None:
    for id, text, door in (("s1", "Why is build 1 red?", "mention"), ("s2", "why is build 22 red", "command"), ("s3", "Who?", "mention"),
                           ("s4", "Daily news", "schedule"), ("s5", "Daily news", "schedule")):  # fmt: skip
        await ran(store, id, Finished("completed"), door=door, text=text)
    await ran(store, "s6", Finished("completed"), text="Why is build 3 red?", private=True)

    again = [fact for fact in await facts(store) if fact.kind == "again"]

    assert sorted((fact.session_id, fact.person, fact.text) for fact in again) == [
        ("s1", "U1", "Why is build 1 red?"), ("s2", "U1", "why is build 22 red")
    ]  # fmt: skip


async def test_only_what_is_new_is_told(store: SqlStore) -> None:
    await ran(store, "s1", Improvement("slow", "Old"), Finished("failed", "Old"), at=1000.0)
    await ran(store, "s2", Improvement("slow", "New"), Finished("failed", "New"), at=2000.0)
    await store.rate(Feedback("s1", 1, BEN.id, "bad", text="New, of an old answer", at=2500.0))

    assert {fact.text for fact in await facts(store, 1500.0)} == {"slow: New", "New", "New, of an old answer"}


async def test_when_its_schedule_last_began_it_is_known(store: SqlStore) -> None:
    await ran(store, "helper:1:2026", Finished("completed"), door="schedule")
    await ran(store, "helper:1:2027", Finished("failed"), door="schedule")
    await ran(store, "s9", Finished("completed"))
    happened = SqlHappened(store.db)

    began = await happened.ran("helper", "another")

    assert began > 0
    assert await happened.ran("helper", "helper:1:2026") == await happened.ran("other", "another") == 0


async def test_whoever_asked_and_whoever_thought_badly_of_it_was_hit(store: SqlStore) -> None:
    await ran(store, "a" * 32, Finished("completed"))
    await ran(store, "b" * 32, Finished("completed"), private=True)
    await store.rate(Feedback("a" * 32, 1, BEN.id, "bad", at=1.0))
    await store.rate(Feedback("b" * 32, 1, BEN.id, "good", at=1.0))

    hits = await Findings(store.db).hits(["aaaaaaaa-1", "bbbbbbbb-1", "aaaaaaaa-2", "%-1", "", "x"])

    assert {key: (hit.people, hit.usd, bool(hit.thread)) for key, hit in hits.items()} == {
        "aaaaaaaa-1": (("U1", "U2"), 0.5, True),
        "bbbbbbbb-1": (("U1",), 0.5, False),
    }


def test_a_turn_is_called_by_its_session_and_number() -> None:
    assert name("a" * 32, 3) == "aaaaaaaa-3"


async def test_a_card_is_kept_and_found_again(store: SqlStore) -> None:
    findings = Findings(store.db)

    await findings.change(["f1"], lambda known: [CARD])

    assert await findings.card("f1") == CARD
    assert await findings.cards() == [CARD]


async def test_of_many_who_change_a_card_at_once_each_sees_what_the_one_before_made(store: SqlStore) -> None:
    findings = Findings(store.db)
    await findings.change(["f1"], lambda known: [CARD])

    def more(known: Mapping[str, Card]) -> list[Card]:
        return [replace(known["f1"], times=known["f1"].times + 1)]

    await asyncio.gather(*(findings.change(["f1"], more) for _ in range(20)))

    assert (await findings.cards())[0].times == 21


async def test_what_breaks_while_a_card_is_made_leaves_none(store: SqlStore) -> None:
    findings = Findings(store.db)

    def breaks(known: Mapping[str, Card]) -> list[Card]:
        raise KeyError("f1")

    with pytest.raises(KeyError):
        await findings.change(["f1"], breaks)

    assert await findings.cards() == []
