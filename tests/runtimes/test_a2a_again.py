"""An A2A agent's work is found again: after our restart, after its own, and after the line between broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.errors import RuntimeFailed
from bot.event import Question, Started, Text, Thought
from bot.message import Answer
from tests.runtimes.a2a_turns import all_of, answer, end, only, resume, run, turn, until
from tests.standins.a2a_agent import Agent

LONG = "The quick brown fox jumps over the lazy dog, and then it does so again and again, until the dog wakes up."
HALF = f"!say {LONG}\n!hold\n!say And {LONG}"
WHOLE = f"{LONG}\n\nAnd {LONG}"


@pytest.fixture(params=[True, False], ids=["streaming", "polled"])
async def agent(request: pytest.FixtureRequest) -> AsyncIterator[Agent]:
    async with Agent(streaming=request.param) as agent:
        yield agent


async def test_after_our_restart_a_turn_goes_on_and_tells_all_once(agent: Agent, tmp_path: Path) -> None:
    # given a process that was ended in the midst of a turn, and so never said another word
    async with aclosing(run(agent.url, turn(tmp_path, HALF))) as ended:
        before = await until(ended, LONG)

        # when another takes over
        again = run(agent.url, turn(tmp_path, HALF, resume=resume(before), again=True))
        heard = await until(again, LONG)
        agent.release()
        heard += await all_of(again)

    assert isinstance(heard[0], Started)
    assert answer(heard) == WHOLE
    assert not [text for text in only(Text, heard) if text.final]
    assert len(agent.letters) == 1


async def test_after_our_restart_the_result_of_a_finished_task_is_told(agent: Agent, tmp_path: Path) -> None:
    done = await all_of(run(agent.url, turn(tmp_path, f"!say {LONG}")))

    heard = await all_of(run(agent.url, turn(tmp_path, f"!say {LONG}", resume=resume(done), again=True)))

    assert answer(heard) == LONG
    assert end(heard).state == "completed"
    assert len(agent.letters) == 1


async def test_after_our_restart_a_question_is_the_same_question(agent: Agent, tmp_path: Path) -> None:
    asked = await all_of(run(agent.url, turn(tmp_path, "!ask Really?")))

    heard = await all_of(run(agent.url, turn(tmp_path, "!ask Really?", resume=resume(asked), again=True)))

    assert only(Question, heard) == only(Question, asked)
    assert end(heard).state == "input_required"


async def test_an_answer_is_given_once_and_what_stood_before_the_question_is_not_told_again(agent: Agent, tmp_path: Path) -> None:
    # given an answer that was sent by a process that ended then
    asked = await all_of(run(agent.url, turn(tmp_path, f"!say {LONG}\n!ask Really?\n!answer\n!hold\n!say Good.")))
    reply = Answer(only(Question, asked)[0].id)
    async with aclosing(run(agent.url, turn(tmp_path, "yes", 2, resume=resume(asked), answer=reply))) as ended:
        before = await until(ended, "you said: yes")

        # when another takes over: once with what the first Started said, and once without, as if it had not been kept
        again = run(agent.url, turn(tmp_path, "yes", 2, resume=resume(before), answer=reply, again=True))
        heard = await until(again, "you said: yes")
        unkept = run(agent.url, turn(tmp_path, "yes", 2, resume=resume(asked), answer=reply, again=True))
        also = await until(unkept, "you said: yes")
        agent.release()
        heard += await all_of(again)
        also += await all_of(unkept)

    assert answer(heard) == "you said: yes\n\nGood."
    assert answer(also).endswith("you said: yes\n\nGood.")
    assert len(agent.letters) == 2


async def test_an_answer_that_was_heard_is_not_given_to_the_next_question(agent: Agent, tmp_path: Path) -> None:
    # given an answer that led to another question, sent by a process that ended before it had noted anything
    one = await all_of(run(agent.url, turn(tmp_path, "!ask One?\n!ask Two?")))
    reply = Answer(only(Question, one)[0].id)
    two = await all_of(run(agent.url, turn(tmp_path, "1", 2, resume=resume(one), answer=reply)))

    again = await all_of(run(agent.url, turn(tmp_path, "1", 2, resume=resume(one), answer=reply, again=True)))

    assert only(Question, again) == only(Question, two)
    assert len(agent.letters) == 2


async def test_an_answer_reaches_the_task_even_if_the_turn_is_counted_as_the_same(agent: Agent, tmp_path: Path) -> None:
    asked = await all_of(run(agent.url, turn(tmp_path, "!ask Really?\n!answer")))
    reply = Answer(only(Question, asked)[0].id)

    heard = await all_of(run(agent.url, turn(tmp_path, "yes", resume=resume(asked), answer=reply, again=True)))

    assert answer(heard) == "you said: yes"


async def test_a_turn_that_was_never_sent_is_sent_after_our_restart(agent: Agent, tmp_path: Path) -> None:
    one = await all_of(run(agent.url, turn(tmp_path, "!say one")))

    two = await all_of(run(agent.url, turn(tmp_path, "!say two", 2, resume=resume(one), again=True)))

    assert answer(two) == "two"


async def test_a_task_that_the_agent_has_forgotten_is_said_to_be_lost(tmp_path: Path) -> None:
    async with Agent() as agent:
        done = await all_of(run(agent.url, turn(tmp_path, "!say one")))
    async with Agent() as other:
        with pytest.raises(RuntimeFailed, match="no longer knows the task"):
            await all_of(run(other.url, turn(tmp_path, "!say one", resume=resume(done), again=True)))
        heard = await all_of(run(other.url, turn(tmp_path, "!say two", 2, resume=resume(done))))

    assert answer(heard) == "two"


async def test_a_line_that_breaks_is_taken_up_again_with_nothing_twice_and_nothing_lost(agent: Agent, tmp_path: Path) -> None:
    async with aclosing(run(agent.url, turn(tmp_path, f"!say {LONG}\n!hold\n!slow 0.01\n!say And {LONG}"))) as events:
        heard = await until(events, LONG)
        agent.cut()
        agent.release()
        heard += await until(events, "And The")
        agent.cut()
        heard += [event async for event in events]

    assert answer(heard) == WHOLE
    assert end(heard).state == "completed"
    assert len(only(Started, heard)) == 1


async def test_a_thought_that_still_stands_after_the_line_broke_is_told_once(agent: Agent, tmp_path: Path) -> None:
    async with aclosing(run(agent.url, turn(tmp_path, "!say so\n!think hm\n!hold\n!say well"))) as events:
        heard = await until(events, "so")
        heard.append(await anext(events))
        agent.cut()
        looked = asyncio.create_task(agent.called("SubscribeToTask" if agent.streaming else "GetTask", 1 if agent.streaming else 4))
        looked.add_done_callback(lambda _: agent.release())
        heard += [event async for event in events]

    assert only(Thought, heard) == [Thought("hm")]


async def test_an_agent_that_restarts_with_its_tasks_is_waited_for(agent: Agent, tmp_path: Path) -> None:
    async with aclosing(run(agent.url, turn(tmp_path, HALF))) as events:
        heard = await until(events, LONG)
        await agent.close()
        agent.release()
        await agent.open()
        heard += [event async for event in events]

    assert answer(heard) == WHOLE


async def test_an_agent_that_stays_away_is_given_up_in_words(agent: Agent, tmp_path: Path) -> None:
    async with aclosing(run(agent.url, turn(tmp_path, HALF), patience=0.3)) as events:
        await until(events, LONG)
        await agent.close()
        with pytest.raises(RuntimeFailed, match=r"did not come back within 0.3 seconds.*options.url in agents/remote.md") as raised:
            await anext(events)
        await agent.open()

    assert type(raised.value) is RuntimeFailed


async def test_a_silent_agent_is_looked_after_and_not_given_up(tmp_path: Path) -> None:
    async with Agent() as agent, aclosing(run(agent.url, turn(tmp_path, HALF), silence=0.4, patience=0.5)) as events:
        heard = await until(events, LONG)
        looking = asyncio.create_task(agent.called("SubscribeToTask", 3))
        looking.add_done_callback(lambda _: agent.release())
        heard += [event async for event in events]

    assert answer(heard) == WHOLE
