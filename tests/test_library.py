"""Frontdesk as a library: the same events, without Slack, a database or a daemon."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import query
from bot.errors import ConfigError
from bot.event import Answered, Artifact, Event, Finished, Option, Part, Question, Started, Step, Text
from bot.library import plain
from bot.message import Message
from bot.ports import Turn


class Anew:
    """A runtime that says its answer again as a whole, and says itself how a question was closed."""

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        yield Started("r1")
        yield Question("q1", "question", (Part("colour", "Which?", (Option("Red"), Option("Blue"))),))
        given = (await anext(aiter(inbox))).answer
        assert given
        yield Answered("q1", "answered", "whoever calls", given.parts["colour"])
        yield Text("It is ")
        yield Text("It is Blue.", final=True)
        yield Finished("completed")


async def blue(question: Question) -> dict[str, tuple[str, ...]]:
    return {question.parts[0].id: ("Blue",)}


async def heard(prompt: str, **more: object) -> list[Event]:
    return [event async for event in query(prompt, runtime="echo", **more)]  # type: ignore[arg-type]


async def test_a_program_hears_what_an_agent_does() -> None:
    events = await heard("!step Look\n!say found it")

    assert isinstance(events[0], Started)
    assert [event.status for event in events if isinstance(event, Step)][-1] == "completed"
    assert "".join(event.text for event in events if isinstance(event, Text)).strip() == "found it"
    assert events[-1] == Finished("completed")


async def test_a_program_answers_what_the_agent_asks() -> None:
    asked: list[str] = []

    async def answer(question: Question) -> dict[str, tuple[str, ...]]:
        asked.append(question.parts[0].text)
        return {question.parts[0].id: ("Blue",)}

    events = await heard("!ask Which colour? | Red | Blue\n!say It is {answer}.", answer=answer)

    assert asked == ["Which colour?"]
    assert [event.answers for event in events if isinstance(event, Answered)] == [("Blue",)]
    assert "".join(event.text for event in events if isinstance(event, Text)).strip() == "It is Blue."
    assert [type(event) for event in events].count(Finished) == 1
    assert isinstance(events[0], Started)


async def test_how_a_question_was_closed_is_told_once() -> None:
    events = [event async for event in query("hello", runtime="tests.test_library:Anew", answer=blue)]

    assert [event.answers for event in events if isinstance(event, Answered)] == [("Blue",)]


ANEW = "query('hello', runtime='tests.test_library:Anew', answer=blue)"


@pytest.mark.parametrize("asked", ["query('!say It is Blue.', runtime='echo')", ANEW])
async def test_the_example_in_its_help_says_the_answer_once(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = re.findall(r"^        .*", query.__doc__ or "", re.MULTILINE)
    lines = [re.sub(r"query\(.*\)", asked, line) for line in example]
    place = {"query": query, "blue": blue}

    exec("\n".join(["async def run():", *lines]), place)
    await place["run"]()  # type: ignore[operator]

    assert " ".join(capsys.readouterr().out.split()) == "It is Blue. completed"


async def test_an_answer_to_what_was_not_asked_is_refused_in_words() -> None:
    async def answer(question: Question) -> dict[str, tuple[str, ...]]:
        return {"colour": ("Blue",)}

    with pytest.raises(ValueError, match=r"^`answer` gave 'colour', which is no part of the question; its parts are '"):
        await heard("!ask Which colour? | Red | Blue", answer=answer)


async def test_a_failure_names_no_file_that_there_is_not() -> None:
    options = {"command": [sys.executable], "cwd": "/nope"}

    events = [event async for event in query("hello", runtime="stream_json", options=options)]

    assert events[-1] == Finished("failed", "There is no folder /nope, which options.cwd in query() names; make it.", "Unavailable")


async def test_hermes_without_a_key_says_so_before_it_begins() -> None:
    events = [event async for event in query("hello", runtime="hermes", environment={"PATH": "/usr/bin:/bin"})]

    remedy = "Put one into `environment` of query()."
    assert events == [Finished("failed", f"Hermes has no key of a model. {remedy}", "Unavailable")]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Put its key into frontdesk's environment and name it under `environment:` in query(), or log in.",
         "Put its key into `environment` of query(), or log in."),
        ("Put a valid KEY into frontdesk's environment in place of the one that is there, and start frontdesk again.",
         "Put a valid KEY into `environment` of query() in place of the one that is there."),
        ("query(): options.key needs KEY: name it under `environment:`, and set it where frontdesk runs.",
         "query(): options.key needs KEY: give it in `environment` of query()."),
        ("put a newer one first in PATH, and name PATH under `environment:` in query().",
         "put a newer one first in PATH, and give PATH in `environment` of query()."),
        ("correct `model:` in query() if it is that", "correct `model` of query() if it is that"),
    ],
)  # fmt: skip
def test_what_helps_is_said_of_its_arguments(said: str, meant: str) -> None:
    assert plain(said) == meant


async def test_where_nobody_answers_a_question_ends_the_turn() -> None:
    events = await heard("!ask Which colour?\n!say never")

    assert events[-1] == Finished("input_required", "The agent asked something, and `answer` was not given.")


async def test_a_failure_is_told_in_words_and_raises_nothing() -> None:
    assert (await heard("!fail it broke"))[-1].state == "failed"  # type: ignore[union-attr]


async def test_a_conversation_goes_on_in_its_folder(tmp_path: Path) -> None:
    first = await heard("!file a.txt here", folder=tmp_path / "talk")
    [started] = [event for event in first if isinstance(event, Started)]

    second = await heard("!say more", folder=tmp_path / "talk", resume=started.resume)

    assert [Path(event.path).is_relative_to(tmp_path / "talk") for event in first if isinstance(event, Artifact)] == [True]
    assert second[-1] == Finished("completed")


@pytest.mark.parametrize(
    ("runtime", "options", "words"),
    [
        ("nobody", {}, "there is no 'nobody'; there are echo"),
        ("echo", {"lsiten": True}, "options.lsiten: unknown key; did you mean 'listen'?"),
    ],
)
async def test_what_there_is_not_is_said_at_once(runtime: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("?", r"\?")):
        await anext(query("hello", runtime=runtime, options=options))
