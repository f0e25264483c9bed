"""Turns on a LangGraph server that is a stand-in; a real one is driven in tests/harnesses/test_deepagents.py."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Question, Text, Usage
from bot.message import Answer
from bot.ports import Turn
from tests.standins.langgraph_server import LangGraphServer, Run

from .talk import ANNA, after, talked, talking

COUNTED = {"input_tokens": 10, "output_tokens": 5}


class Kept:
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def load(self, key: str) -> list[str]:
        return self.lines

    async def append(self, key: str, lines: Sequence[str]) -> None:
        self.lines += lines


@pytest.fixture
async def server() -> AsyncIterator[LangGraphServer]:
    async with LangGraphServer() as server:
        yield server


def turn(folder: Path, url: str, prompt: str = "hello", *, environment: dict[str, str] | None = None, **options: Any) -> Turn:
    options = {"url": url, "private": True, **options}
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "langgraph", "options": options}
    return Turn("s1", 1, Agent.model_validate(given), prompt, folder=folder, person=ANNA, environment=environment or {}, keep=Kept())


def saying(*words: str, **more: Any) -> Run:
    parts = [("messages", [{"type": "AIMessageChunk", "id": "m1", "content": word, "usage_metadata": COUNTED}, {}]) for word in words]
    return Run("", {}, list(parts), **more)


async def test_an_answer_comes_in_pieces_and_is_counted(server: LangGraphServer, tmp_path: Path) -> None:
    server.next = saying("Hel", "lo")

    talk = await talked(turn(tmp_path, server.url))

    assert (talk.finished.state, talk.answered) == ("completed", "Hello")
    assert talk.all(Usage) == [Usage(10, 5)] * 2


async def test_the_model_and_what_the_file_says_reach_the_graph(server: LangGraphServer, tmp_path: Path) -> None:
    given = turn(tmp_path, server.url, configurable={"depth": 3})
    agent = given.agent.model_copy(update={"model": "sonnet"})

    await talked(replace(given, agent=agent, instructions="Be kind."))

    asked = server.runs[0].asked
    assert asked["config"]["configurable"] == {"model": "sonnet", "depth": 3}
    assert asked["input"]["messages"] == [{"role": "user", "content": "Be kind.\n\nhello"}]


async def test_a_question_ends_the_turn_and_its_answer_begins_the_next(server: LangGraphServer, tmp_path: Path) -> None:
    server.next = saying("Well, ", interrupts=[{"id": "i1", "value": "Which?"}])
    talk = await talked(turn(tmp_path, server.url))
    [question] = talk.all(Question)
    assert talk.finished.state == "input_required"

    await talked(after(talk, "Blue", answer=Answer(question.id, {"answer": ("Blue",)})))

    assert server.runs[-1].asked["command"] == {"resume": {"i1": "Blue"}}


async def test_a_broken_connection_is_taken_up_where_it_broke(server: LangGraphServer, tmp_path: Path) -> None:
    server.next = saying("a", "b", "c", cut=2)

    talk = await talked(turn(tmp_path, server.url))

    assert talk.answered == "abc"
    assert server.joined == ["-1", "1-0"]


async def test_a_process_that_leaves_lets_the_work_go_on_and_the_next_one_tells_it_from_the_beginning(
    server: LangGraphServer, tmp_path: Path
) -> None:
    server.next = saying("a", "b", held=1)
    left = replace(turn(tmp_path, server.url), leaving=lambda: True)
    async with talking(left) as talk:
        await talk.until(lambda: talk.all(Usage))
    assert server.canceled == []
    server.runs[0].more.set()

    talk = await talked(replace(left, again=True, resume=talk.resume, leaving=bool))

    assert (len(server.runs), talk.answered) == (1, "ab")
    assert talk.all(Usage) == [Usage(10, 5)]  # the first was counted in the process before


async def test_a_stop_stops_the_run(server: LangGraphServer, tmp_path: Path) -> None:
    server.next = saying("a", "b", held=1)
    async with talking(turn(tmp_path, server.url)) as talk:
        await talk.until(lambda: talk.all(Text))

    assert server.canceled == ["r1"]


async def test_a_thread_that_the_server_has_lost_is_told(server: LangGraphServer, tmp_path: Path) -> None:
    server.next = saying("Hello")

    talk = await talked(replace(turn(tmp_path, server.url), number=2, resume="gone"))

    [notice] = talk.all(Notice)
    assert "not on this machine any more" in notice.text
    assert talk.resume == "t1"


async def test_an_error_of_the_graph_ends_in_words(server: LangGraphServer, tmp_path: Path) -> None:
    server.next = Run("", {}, [("error", {"error": "ValueError", "message": "An internal error occurred"})], status="error")

    talk = await talked(turn(tmp_path, server.url))

    assert (talk.finished.state, talk.finished.error) == ("failed", "ValueError")
    assert "look into that server's log" in talk.finished.reason


async def test_one_that_nobody_serves_is_told_before_anything_has_begun(server: LangGraphServer, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="serves no graph 'other'"):
        await talked(turn(tmp_path, server.url, assistant="other"))


async def test_the_key_comes_from_the_environment_that_the_file_names(tmp_path: Path) -> None:
    async with LangGraphServer(key="secret") as server:
        server.next = saying("Hello")
        with pytest.raises(Unavailable, match="needs the variable LG_KEY"):
            await talked(turn(tmp_path, server.url, key="LG_KEY"))
        with pytest.raises(Unavailable, match="does not accept the key"):
            await talked(turn(tmp_path, server.url, key="LG_KEY", environment={"LG_KEY": "wrong"}))

        talk = await talked(turn(tmp_path, server.url, key="LG_KEY", environment={"LG_KEY": "secret"}))

    assert talk.answered == "Hello"


async def test_a_server_that_is_none_is_told(tmp_path: Path) -> None:
    async with LangGraphServer() as server:
        with pytest.raises((Unavailable, RuntimeFailed), match=r"does not know|serves no graph|cannot be read"):
            await talked(turn(tmp_path, f"{server.url}/elsewhere"))
