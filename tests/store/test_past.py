"""Turns that are over come back with all that a person would want to know of them."""

from dataclasses import replace

from bot.agent import Agent
from bot.event import Event, Finished, Started, Text, Usage, permission
from bot.message import Attachment, Message, Person
from bot.past import Past
from bot.ports import Feedback
from bot.session import Session
from bot.store.sql import SqlStore

ANA, BEN = Person("U1", "Ana"), Person("U2", "Ben")
THREAD = "slack:T1:C1:1.0"
AGENT = Agent.model_validate({"name": "helper", "version": "v1", "description": "Helps.", "runtime": "echo"})
DONE = (Started("r"), Text("It is "), Text("blue."), Usage(10, 5, 0, 0.25), Finished("completed"))


def question(n: int, text: str = "Which colour?", at: float = 100.0) -> Message:
    return Message(f"m{n}", THREAD, "C1", ANA, text, at=at)


async def happen(
    store: SqlStore, *told: Event, id: str = "s1", asked: Message | None = None, agent: Agent = AGENT, private: bool = False
) -> Session:
    """A turn, in this session or a new one."""
    asked = asked or question(1)
    known = id in [session.id for session in await store.sessions()]
    await (store.put(id, asked) if known else store.start(Session(id, agent.name, THREAD, ANA, "C1", private=private), asked))
    session, epoch = await store.begin(id)
    session = session.begin([asked])
    await store.take(id, epoch, session, agent, [asked.id])
    session = session.fold(told, 4e9)
    await store.save(epoch, session, told, 4e9)
    return session


async def only(store: SqlStore) -> Past:
    (found,) = await store.past()
    return found


async def test_a_turn_that_is_over_is_known_with_its_question_and_answer(store: SqlStore) -> None:
    await happen(store, *DONE)

    found = await only(store)

    assert (found.agent, found.version, found.thread, found.person) == ("helper", "v1", THREAD, "U1")
    assert (found.asked, found.answer, found.state, found.usd) == ("Which colour?", "It is blue.", "completed", 0.25)


async def test_what_was_preferred_to_another_answer_is_no_thumb(store: SqlStore) -> None:
    await happen(store, *DONE)

    await store.rate(Feedback("s1", 1, "U1", "bad", ("compared",)))

    [figures] = await store.figures()
    assert [(each.good, each.bad) for each in (await only(store), figures)] == [(0, 0)] * 2


async def test_an_older_turn_of_a_session_keeps_its_own_answer(store: SqlStore) -> None:
    await happen(store, Started("r"), Text("Wrong."), Text("It is red.", final=True), Finished("completed"))
    await happen(store, *DONE, asked=question(2, "And now?"))

    assert [(past.turn, past.asked, past.answer) for past in await store.past()] == [
        (2, "And now?", "It is blue."),
        (1, "Which colour?", "It is red."),
    ]


async def test_what_it_cost_to_ask_what_would_have_helped_is_no_cost_of_the_answer(store: SqlStore) -> None:
    session = await happen(store, *DONE)
    session, epoch = await store.begin(session.id)
    await store.save(epoch, session.asked_about([Usage(usd=0.5)]), [Usage(usd=0.5)], 4e9)

    assert (await only(store)).usd == 0.25
    assert [past.usd for past in await store.figures()] == [0.75]


async def test_what_runs_still_is_no_past(store: SqlStore) -> None:
    await happen(store, Started("r"), Text("It is "))

    assert await store.past() == []


async def test_a_turn_comes_with_what_people_thought_of_it(store: SqlStore) -> None:
    await happen(store, *DONE)
    await store.rate(Feedback("s1", 1, "U1", "bad", ("wrong",), "It was green.", at=1.0))
    await store.rate(Feedback("s1", 1, "U2", "good", at=2.0))

    found = await only(store)

    assert (found.good, found.bad, found.reasons) == (1, 1, ("wrong", "It was green."))


async def test_a_turn_that_failed_says_why(store: SqlStore) -> None:
    await happen(store, Started("r"), Finished("failed", "The model was away."))

    found = await only(store)

    assert (found.state, found.reason) == ("failed", "The model was away.")


async def test_a_turn_that_asked_people_something_is_known_for_one_that_waited(store: SqlStore) -> None:
    await happen(store, Started("r"), permission("p", "May I?", "rm -r build"), Finished("input_required"))

    assert (await only(store)).waited


async def test_what_only_one_person_saw_is_marked(store: SqlStore) -> None:
    await happen(store, *DONE, asked=replace(question(1), files=(Attachment("a.txt"),)), private=True)

    found = await only(store)

    assert found.private
    assert found.files == ("a.txt",)


async def test_turns_are_found_by_their_agent_and_their_time(store: SqlStore) -> None:
    await happen(store, *DONE)
    await happen(store, *DONE, id="s2", asked=question(2), agent=AGENT.model_copy(update={"name": "other"}))

    by_name = [past.session_id for past in await store.past("other")]

    assert by_name == ["s2"]
    assert await store.past(until=1.0) == []
    assert len(await store.past(limit=1)) == 1


async def test_turns_are_found_by_their_names(store: SqlStore) -> None:
    for n in (1, 2):
        await happen(store, *DONE, asked=question(n, f"Question {n}"))
    await happen(store, *DONE, id="s2", asked=question(3))
    await happen(store, Started("r"), id="s3", asked=question(4))

    found = await store.turns([("s1", 1), ("s2", 1), ("s3", 1), ("s9", 1)])

    assert {(past.session_id, past.turn): past.asked for past in found} == {("s1", 1): "Question 1", ("s2", 1): "Which colour?"}
    assert await store.turns([]) == []


async def test_figures_are_the_same_without_a_word_of_anybody(store: SqlStore) -> None:
    await happen(store, *DONE)
    await happen(store, Started("r"), permission("p", "May I?", "rm -r build"), Finished("input_required"), id="s2", asked=question(2))
    await store.rate(Feedback("s1", 1, "U1", "bad", ("wrong",), "It was green."))
    await store.rate(Feedback("s1", 1, "U2", "good"))

    waits, rated = await store.figures("helper")

    assert (rated.usd, rated.state, rated.version, rated.good, rated.bad) == (0.25, "completed", "v1", 1, 1)
    assert (waits.waited, rated.waited) == (True, False)
    assert not any((rated.asked, rated.answer, rated.reasons, rated.person, rated.thread))
