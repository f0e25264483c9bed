"""What a graph tells becomes our events: tested without a server."""

from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.event import Event, Item, Plan, Step, Text, Thought, Usage
from bot.runtimes import langgraph_words as words
from bot.runtimes.langgraph_story import Story, answer

Json = dict[str, Any]
AGENT = Agent.model_validate({"name": "coder", "version": "1", "description": "Codes.", "runtime": "langgraph"})


def told(story: Story, event: str, data: Any) -> list[Event]:
    return list(story.tell(event, data))


def chunk(content: Any, id: str = "m1", **more: Any) -> list[Json]:
    return [{"type": "AIMessageChunk", "id": id, "content": content, **more}, {"langgraph_node": "model"}]


def calling(tool: str, id: str = "c1", **given: Any) -> Json:
    return {"model": {"messages": [{"type": "ai", "id": "m1", "tool_calls": [{"id": id, "name": tool, "args": given}]}]}}


def returned(id: str = "c1", node: str = "tools", **more: Any) -> Json:
    return {node: {"messages": [{"type": "tool", "tool_call_id": id, "content": "done", "status": "success", **more}]}}


@pytest.fixture
def story() -> Story:
    return Story(Path("/repo"))


def test_words_and_thoughts_come_in_pieces_whatever_the_model(story: Story) -> None:
    blocks = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello"}]

    assert told(story, "messages", chunk(blocks)) == [Thought("Hm."), Text("Hello")]
    assert told(story, "messages", chunk(" there")) == [Text(" there")]
    assert told(story, "messages", chunk("", additional_kwargs={"reasoning_content": "So."})) == [Thought("So.")]


def test_each_message_is_a_paragraph_of_its_own(story: Story) -> None:
    told(story, "messages", chunk("one", "m1"))

    assert told(story, "messages", chunk("two", "m2")) == [Text("\n\ntwo")]


def test_a_message_that_comes_whole_is_told_once(story: Story) -> None:
    whole = [{"type": "ai", "id": "m1", "content": "Hello"}, {}]

    assert [told(story, "messages", whole) for _ in range(2)] == [[Text("Hello")], []]


def test_a_tool_is_a_step_from_its_call_to_its_result(story: Story) -> None:
    [begun] = told(story, "updates", calling("execute", command="make test"))
    [ended] = told(story, "updates", returned())

    assert begun == Step("c1", "Run: make test", "execute", "working")
    assert ended == Step("c1", "Run: make test", "execute", "completed")


@pytest.mark.parametrize(
    ("node", "result", "status"),
    [
        ("tools", {"status": "error"}, "failed"),
        ("tools", {"artifact": {"exit_code": 2}}, "failed"),
        ("tools", {"artifact": {"exit_code": 0}}, "completed"),
        ("HumanInTheLoopMiddleware.after_model", {"status": "error"}, "denied"),
    ],
)
def test_how_a_tool_ends(story: Story, node: str, result: Json, status: str) -> None:
    told(story, "updates", calling("execute", command="make"))

    [ended] = told(story, "updates", returned(node=node, **result))

    assert isinstance(ended, Step)
    assert ended.status == status


def test_a_call_that_is_told_twice_is_one_step(story: Story) -> None:
    told(story, "updates", calling("execute", command="make"))

    assert told(story, "updates", calling("execute", command="make")) == []


def test_a_sub_agent_has_its_steps_under_its_call_and_speaks_to_nobody_else(story: Story) -> None:
    told(story, "updates", calling("task", description="Look around"))

    [within] = told(story, "updates|tools:1", calling("ls", "c2", path="/repo/src"))

    assert within == Step("c2", "List src", "search", "working", parent="c1")
    assert told(story, "messages|tools:1", chunk("I look")) == []


def test_a_graph_within_the_graph_speaks_for_it(story: Story) -> None:
    assert told(story, "messages|agent:1", chunk("Hello")) == [Text("Hello")]


def test_its_list_of_things_to_do_is_the_plan(story: Story) -> None:
    todos = [{"content": "Look", "status": "completed"}, {"content": "Mend", "status": "in_progress"}, {"content": "Tell"}]

    assert told(story, "updates", calling("write_todos", todos=todos)) == []
    assert told(story, "updates", {"tools": {"todos": todos, "messages": []}}) == [
        Plan((Item("Look", "done"), Item("Mend", "in_progress"), Item("Tell")))
    ]


def test_tokens_are_counted_once_cached_ones_apart_and_a_sub_agents_too(story: Story) -> None:
    counted = {"input_tokens": 1000, "output_tokens": 100, "input_token_details": {"cache_read": 600}}

    assert told(story, "messages|tools:1", chunk("", usage_metadata=counted)) == [Usage(400, 100, 600)]


@pytest.mark.parametrize("odd", [None, "text", [], [1], [{"type": "human"}, {}], {"model": None}, {"model": {"messages": "x"}}])
def test_what_cannot_be_understood_is_passed_over(story: Story, odd: Any) -> None:
    assert told(story, "messages", odd) + told(story, "updates", odd) + told(story, "values", odd) == []


def test_what_a_cut_line_lost_is_taken_from_the_threads_state(story: Story) -> None:
    for text, id in (("First.", "m1"), ("the brown", "m2"), (" fox", "m2")):
        told(story, "messages", chunk(text, id))
    first, last = {"type": "ai", "id": "m1", "content": "First."}, {"type": "ai", "id": "m2", "content": "the quick brown fox"}

    assert story.whole({"messages": [{"type": "human", "content": "Hi"}, first, last]}) == "First.\n\nthe quick brown fox"


@pytest.mark.parametrize("values", [None, {"messages": []}, {"messages": ["odd", {"type": "ai", "id": "m1", "content": "Hello there"}]}])
def test_what_came_whole_stays_as_it_is(story: Story, values: Any) -> None:
    for text in ("Hello", " there"):
        told(story, "messages", chunk(text))

    assert story.whole(values) == ""


def test_the_last_word_stands_in_the_threads_state() -> None:
    assert (
        answer({"messages": [{"type": "human", "content": "Hi"}, {"type": "ai", "content": [{"type": "text", "text": "Hello"}]}]})
        == "Hello"
    )
    assert answer({"messages": [{"type": "human", "content": "Hi"}]}) == answer(None) == ""


@pytest.mark.parametrize(
    ("reason", "words_of_it"),
    [
        ("", "does not say more"),
        ("Error code: 401 - bad key", "Put a valid key"),
        ("Error code: 404 - no such model", "mostly the model"),
        ("Error code: 429 - slow down", "rate limit"),
        ("Error code: 503 - overloaded", "Try again in a few minutes"),
        ("list index out of range", "list index out of range"),
    ],
)
def test_an_error_is_told_with_the_remedy(reason: str, words_of_it: str) -> None:
    assert words_of_it in words.failure("SomeError", reason, AGENT)
