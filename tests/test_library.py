"""Frontdesk as a library: the same events, without Slack, a database or a daemon."""

import sys
from pathlib import Path

import pytest

from bot import query
from bot.errors import ConfigError
from bot.event import Answered, Artifact, Event, Finished, Question, Started, Step, Text


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

    remedy = "Put one into frontdesk's environment, and name it under `environment:` in query()."
    assert events == [Finished("failed", f"Hermes has no key of a model. {remedy}", "Unavailable")]


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
