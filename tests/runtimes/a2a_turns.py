"""What the tests of the a2a runtime say to it, and hear from it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from bot.agent import parse
from bot.event import Event, Finished, Started, Text
from bot.message import Message
from bot.ports import Turn
from bot.runtimes.a2a import A2A

AGENT = parse("remote", "---\ndescription: Lives elsewhere.\nruntime: a2a\n---\n")
E_co = TypeVar("E_co", bound=Event)


async def inbox() -> AsyncIterator[Message]:
    """What people say meanwhile, which this runtime must leave alone."""
    raise AssertionError("the inbox was read")
    yield


def turn(folder: Path, prompt: str, number: int = 1, **more: Any) -> Turn:
    return Turn("S1", number, AGENT, prompt, folder=folder, **more)


def runtime(url: str, **options: Any) -> A2A:
    return A2A(A2A.Options.model_validate({"url": url, "private": True, **options}))


def run(url: str, turn: Turn, **options: Any) -> AsyncGenerator[Event, None]:
    return runtime(url, **options).run(turn, inbox())


async def all_of(events: AsyncGenerator[Event, None]) -> list[Event]:
    async with aclosing(events):
        return [event async for event in events]


async def until(events: AsyncGenerator[Event, None], words: str) -> list[Event]:
    """The events up to the one with which these words have been said."""
    heard: list[Event] = []
    async for event in events:
        heard.append(event)
        if words in answer(heard):
            return heard
    raise AssertionError(f"never said: {words}; but {heard}")


def answer(events: list[Event]) -> str:
    """What a person reads when all this has been told."""
    said = ""
    for event in events:
        match event:
            case Started():
                said = ""
            case Text(text, final):
                said = text if final else said + text
    return said


def only(kind: type[E_co], events: list[Event]) -> list[E_co]:
    return [event for event in events if isinstance(event, kind)]


def resume(events: list[Event]) -> str:
    assert isinstance(events[0], Started)
    return events[0].resume


def end(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]
