"""What agents said would have helped them is kept with its turn, and read by agent, time and session."""

from bot.agent import Agent
from bot.event import Event, Finished, Improvement, Started, Text
from bot.message import Message, Person
from bot.past import Report
from bot.session import Session
from bot.store.sql import SqlStore

ANA = Person("U1", "Ana")
KEY, DOCS = Improvement("missing", "A key.", "401"), Improvement("unclear", "Which database?")


async def happen(store: SqlStore, id: str, *told: Event, name: str = "helper", at: float = 100.0) -> None:
    """A turn of a session of its own."""
    asked = Message(f"m-{id}", f"slack:T1:C1:{id}", "C1", ANA, "Why?", at=at)
    await store.start(Session(id, name, asked.thread, ANA), asked)
    session, epoch = await store.begin(id)
    session = session.begin([asked])
    agent = Agent.model_validate({"name": name, "version": "v1", "description": "Helps.", "runtime": "echo"})
    await store.take(id, epoch, session, agent, [asked.id])
    told = (Started("r"), *told, Finished("completed"))
    await store.save(epoch, session.fold(told, at), told, at)


async def test_they_come_with_agent_version_and_turn_the_newest_first(store: SqlStore) -> None:
    await happen(store, "s1", KEY, Text("Because."), DOCS)

    assert await store.reports() == [
        Report("helper", "v1", "s1", 1, "unclear", "Which database?", "", 100.0),
        Report("helper", "v1", "s1", 1, "missing", "A key.", "401", 100.0),
    ]


async def test_they_are_found_by_agent_time_and_session(store: SqlStore) -> None:
    await happen(store, "s1", KEY)
    await happen(store, "s2", KEY, name="coder", at=200.0)
    await happen(store, "s3", KEY, at=300.0)

    found = [await store.reports("helper"), await store.reports(since=200.0), await store.reports(session_id="s1")]

    assert [[one.session_id for one in each] for each in found] == [["s3", "s1"], ["s3", "s2"], ["s1"]]


async def test_half_an_emoji_in_one_fails_no_turn(store: SqlStore) -> None:
    await happen(store, "s1", Improvement("other", "cut \ud83d", "nul \0"))

    [kept] = await store.reports()
    assert (kept.text, kept.evidence) == ("cut \ufffd", "nul \0")
