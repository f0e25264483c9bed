"""An agent that speaks A2A is asked, asks back, is answered, and is stopped."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from bot.event import Artifact, Finished, Option, Question, Started, Step, Text, Thought, Usage
from bot.message import NOBODY, Answer
from bot.session import Session
from tests.runtimes.a2a_turns import all_of, answer, end, inbox, only, resume, run, runtime, turn, until
from tests.standins.a2a_agent import Agent

DIALECTS = [
    pytest.param({}, id="1.0"),
    pytest.param({"card": "0.3", "speaks": "0.3"}, id="0.3"),
    pytest.param({"speaks": "0.3"}, id="0.3 under a card of 1.0"),
    pytest.param({"speaks": "mixed"}, id="some of both, as LangGraph"),
    pytest.param({"speaks": "rest"}, id="HTTP+JSON"),
    pytest.param({"streaming": False}, id="without streaming"),
    pytest.param({"streaming": False, "card": "0.3", "speaks": "0.3"}, id="0.3 without streaming"),
]


def contents(made: list[Artifact]) -> list[str]:
    return [Path(one.path).read_text() for one in made]


async def test_an_agent_thinks_uses_a_tool_and_answers(tmp_path: Path) -> None:
    async with Agent() as agent:
        events = await all_of(
            run(agent.url, turn(tmp_path, '!think let me see\n!status Searching\n!tool grep {"q": 1}\n!say It is in event.py.'))
        )

    assert isinstance(events[0], Started)
    assert only(Thought, events) == [Thought("let me see")]
    assert [(step.title, step.status, step.detail) for step in only(Step, events)] == [
        ("Searching", "working", ""), ("Searching", "completed", ""), ("grep", "working", '{"q": 1}'), ("grep", "completed", '{"q": 1}'),
    ]  # fmt: skip
    assert len(only(Text, events)) > 1
    assert answer(events) == "It is in event.py."
    assert events[-1] == Finished("completed")


async def test_the_work_can_be_found_again_from_the_first_event_on(tmp_path: Path) -> None:
    async with Agent() as agent, aclosing(run(agent.url, turn(tmp_path, "!hold\n!say done"))) as events:
        first = await anext(events)

        assert isinstance(first, Started)
        past = json.loads(first.resume)
        assert past["task"] == first.native_id
        assert past["context"] == agent.letters[0].context_id


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_dialect_is_understood_and_a_question_answered_in_it(tmp_path: Path, dialect: dict[str, object]) -> None:
    async with Agent(**dialect) as agent:  # type: ignore[arg-type]
        asked = await all_of(
            run(agent.url, turn(tmp_path, "!say Well then, let us begin.\n!ask Which? | Red | Blue\n!answer\n!file notes.txt hello"))
        )
        reply = Answer(only(Question, asked)[0].id, {"answer": ("Blue",)})
        told = await all_of(run(agent.url, turn(tmp_path, "Blue", 2, resume=resume(asked), answer=reply)))

    assert answer(asked) == "Well then, let us begin."
    assert end(asked).state == "input_required"
    assert answer(told) == "you said: Blue"
    assert contents(only(Artifact, told)) == ["hello"]
    assert end(told) == Finished("completed")
    assert len(agent.letters) == 2


async def test_several_artifacts_stand_apart_and_a_rewritten_one_replaces_what_was_said(tmp_path: Path) -> None:
    async with Agent() as agent:
        apart = await all_of(run(agent.url, turn(tmp_path, "!artifact a One.\n!artifact b Two.")))
        grown = await all_of(run(agent.url, turn(tmp_path, "!artifact a One\n!artifact a One and more")))
        rewritten = await all_of(run(agent.url, turn(tmp_path, "!artifact a One.\n!artifact b Two.\n!artifact a Three.")))

    assert only(Text, apart) == [Text("One."), Text("\n\nTwo.")]
    assert only(Text, grown) == [Text("One"), Text(" and more")]
    assert answer(rewritten) == "Three.\n\nTwo."


async def test_a_status_that_grows_word_by_word_is_the_answer_and_is_not_told_twice(tmp_path: Path) -> None:
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!snapshot So it is this file\n!artifact a So it is this file, I think.")))

    assert answer(events) == "So it is this file, I think."
    assert all(not text.final for text in only(Text, events))
    assert {step.call_id for step in only(Step, events)} == {"status 1"}


@pytest.mark.parametrize(
    ("script", "said", "finished"),
    [
        ("!done All is well.", "All is well.", Finished("completed")),
        ("!say Done.\n!done Three files changed.", "Done.", Finished("completed", "Three files changed.")),
        ("!status Looked everywhere", "Looked everywhere", Finished("completed")),
        ("!error The disk is full.", "", Finished("failed", "The disk is full.")),
        ("!reject Not my job.", "", Finished("rejected", "Not my job.")),
        ("!message Just a word.", "Just a word.", Finished("completed")),
        ('!data {"sum": 3}', '\n```json\n{\n  "sum": 3\n}\n```\n', Finished("completed")),
        ("no lines at all", "echo: no lines at all", Finished("completed")),
    ],
)
async def test_a_turn_ends_in_the_agents_own_words(tmp_path: Path, script: str, said: str, finished: Finished) -> None:
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, script)))

    assert answer(events) == said
    assert events[-1] == finished


async def test_what_it_has_cost_is_told_where_the_agent_says_it(tmp_path: Path) -> None:
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!usage 30 4\n!say hi")))

    assert only(Usage, events) == [Usage(30, 4)]


async def test_files_stay_in_their_folder_and_none_overwrites_another(tmp_path: Path) -> None:
    lines = [
        "!file ../../../etc/passwd root",
        "!file a.txt one",
        "!file a.txt two",
        "!file .. three",
        "!link report https://x.test/r",
        "!link own file:///etc",
    ]
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "\n".join(lines))))

    made = only(Artifact, events)
    assert contents(made[:4]) == ["root", "one", "two", "three"]
    assert [Path(one.path).name for one in made[:4]] == ["passwd", "a.txt", "a-2.txt", "file"]
    assert {Path(one.path).parent for one in made[:4]} == {tmp_path / "out"}
    assert made[4:] == [Artifact("report", "text/html", url="https://x.test/r")]


async def test_a_question_ends_the_turn_and_its_answer_goes_on_with_the_same_task(tmp_path: Path) -> None:
    async with Agent() as agent:
        asked = await all_of(run(agent.url, turn(tmp_path, "!say First.\n!ask Which colour? | Red | Blue\n!answer")))
        question = only(Question, asked)[0]
        told = await all_of(run(agent.url, turn(tmp_path, "Blue", 2, resume=resume(asked), answer=Answer(question.id))))

    assert question.kind == "question"
    assert question.parts[0].text == "Which colour?"
    assert question.parts[0].options == (Option("Red"), Option("Blue"))
    assert question.parts[0].free_text
    assert question.id.startswith(json.loads(resume(asked))["task"])
    assert answer(told) == "you said: Blue"
    assert json.loads(resume(told))["task"] == json.loads(resume(asked))["task"]


async def test_two_questions_of_one_task_are_two(tmp_path: Path) -> None:
    session = Session("S1", "remote", "", NOBODY)
    async with Agent() as agent:
        one = await all_of(run(agent.url, turn(tmp_path, "!ask One?\n!ask Two?\n!answer")))
        session = session.fold(one, 0)
        two = await all_of(run(agent.url, turn(tmp_path, "1", 2, resume=session.resume, answer=Answer(session.open[0].id))))

    assert len(session.fold(two, 0).open) == 2


async def test_whoever_just_speaks_answers_the_task_that_waits(tmp_path: Path) -> None:
    async with Agent() as agent:
        asked = await all_of(run(agent.url, turn(tmp_path, "!ask Which colour?\n!answer")))
        told = await all_of(run(agent.url, turn(tmp_path, "well, green", 2, resume=resume(asked))))

    assert answer(told) == "you said: well, green"


async def test_a_person_signs_in_and_says_so(tmp_path: Path) -> None:
    async with Agent() as agent:
        asked = await all_of(run(agent.url, turn(tmp_path, "!auth https://login.test/x\n!say Thank you.")))
        question = only(Question, asked)[0]
        told = await all_of(run(agent.url, turn(tmp_path, "done", 2, resume=resume(asked), answer=Answer(question.id))))

    assert (question.kind, end(asked).state) == ("auth", "input_required")
    assert question.parts[0].text == "Please sign in.\nhttps://login.test/x"
    assert answer(told) == "Thank you."


async def test_the_next_turn_is_a_new_task_in_the_same_context(tmp_path: Path) -> None:
    async with Agent() as agent:
        one = await all_of(run(agent.url, turn(tmp_path, "!say one", instructions="You are kind.")))
        two = await all_of(run(agent.url, turn(tmp_path, "!say two", 2, resume=resume(one), instructions="You are kind.")))

    first, second = agent.letters
    assert [part.text for part in first.parts] == ["You are kind.", "!say one"]
    assert [part.text for part in second.parts] == ["!say two"]
    assert first.context_id == second.context_id
    assert first.task_id != second.task_id
    assert answer(two) == "two"


async def test_a_conversation_of_another_runtime_is_not_gone_on_with(tmp_path: Path) -> None:
    async with Agent() as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!say hi", 2, resume="0b41-claude-session")))

    assert answer(events) == "hi"


async def test_files_that_people_attached_go_along(tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(b"PNG")
    async with Agent() as agent:
        await all_of(run(agent.url, turn(tmp_path, "!say seen", files=(tmp_path / "shot.png",))))

    sent = agent.letters[0].parts[1]
    assert (sent.raw, sent.filename, sent.media_type) == (b"PNG", "shot.png", "image/png")


async def test_closing_the_iterator_cancels_the_task(tmp_path: Path) -> None:
    async with Agent() as agent:
        events = run(agent.url, turn(tmp_path, "!say so far\n!hold"))
        heard = await until(events, "so far")
        await events.aclose()

    assert agent.canceled == [json.loads(resume(heard))["task"]]


async def test_canceling_whoever_iterates_cancels_the_task_too(tmp_path: Path) -> None:
    async with Agent() as agent:
        said = asyncio.Event()

        async def listen() -> None:
            async for event in run(agent.url, turn(tmp_path, "!say so far\n!hold")):
                said.set() if isinstance(event, Text) else None

        listening = asyncio.create_task(listen())
        await said.wait()
        listening.cancel()
        await asyncio.wait([listening])

    assert len(agent.canceled) == 1


async def test_an_agent_that_does_not_answer_when_canceled_is_left_soon(tmp_path: Path) -> None:
    async with Agent() as agent:
        agent.deaf = {"CancelTask"}
        events = run(agent.url, turn(tmp_path, "!say so far\n!hold"))
        await until(events, "so far")
        async with asyncio.timeout(3):
            await events.aclose()

    assert agent.methods()[-1] == "CancelTask"


async def test_a_task_that_is_over_is_not_canceled(tmp_path: Path) -> None:
    async with Agent() as agent:
        await all_of(run(agent.url, turn(tmp_path, "!say done")))

    assert "CancelTask" not in agent.methods()


async def test_a_thousandth_session_reads_no_card_of_its_own(tmp_path: Path) -> None:
    async with Agent() as agent:
        remote = runtime(agent.url)
        heard = await asyncio.gather(*(all_of(remote.run(turn(tmp_path, f"!say {number}"), inbox())) for number in range(50)))

    assert [answer(events) for events in heard] == [str(number) for number in range(50)]
    assert agent.methods().count("/.well-known/agent-card.json") == 1


async def test_a_task_that_somebody_else_cancels_ends_as_canceled(tmp_path: Path) -> None:
    async with Agent() as agent, aclosing(run(agent.url, turn(tmp_path, "!say so far\n!hold"))) as events:
        heard = await until(events, "so far")
        call = {"jsonrpc": "2.0", "id": 1, "method": "CancelTask", "params": {"id": json.loads(resume(heard))["task"]}}
        async with httpx.AsyncClient() as somebody:
            await somebody.post(agent.url, json=call, headers={"A2A-Version": "1.0"})
        rest = [event async for event in events]

    assert end(rest).state == "canceled"
