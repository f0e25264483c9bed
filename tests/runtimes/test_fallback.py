"""Where an agent's own runtime is not available, the next one of its file is tried: once, and before anything has begun."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.agent import Agent
from bot.errors import ConfigError, RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Text
from bot.message import Message
from bot.ports import Runtime, Turn
from bot.runtimes import runtime_of
from bot.runtimes.fallback import Fallback
from tests.standins.stage import agent


class Works:
    """Says on what it runs, and what it goes on with; `breaks` is raised, at once or after it has begun."""

    def __init__(self, name: str, breaks: Exception | None = None, begun: bool = False) -> None:
        self.name, self.breaks, self.begun = name, breaks, begun
        self.turns: list[Turn] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        if self.breaks and not self.begun:
            raise self.breaks
        yield Started(f"{self.name}-1")
        if self.breaks:
            raise self.breaks
        yield Text(self.name)
        yield Finished("completed")


def among(*runtimes: Works) -> tuple[Fallback, Callable[[Agent], Runtime]]:
    first, *others = runtimes
    made = {each.name: each for each in runtimes}
    file = agent(runtime=first.name, model="opus", options={"x": 1}, fallback=[each.name for each in others])
    return Fallback(file, lambda choice: made[choice.runtime]), lambda choice: made[choice.runtime]


async def told(fallback: Fallback, resume: str = "") -> list[Event]:
    turn = Turn("s1", 1, fallback.choices[0], "hello", resume=resume, folder=Path())
    return [event async for event in fallback.run(turn, nothing())]


async def nothing() -> AsyncIterator[Message]:
    return
    yield


AWAY = Unavailable("Its server does not answer.")


async def test_an_agent_runs_where_its_file_says() -> None:
    fallback, _ = among(Works("mine"), Works("other"))

    assert await told(fallback) == [Started("mine-1"), Text("mine"), Finished("completed")]


async def test_where_that_is_away_the_next_one_is_tried_and_people_are_told() -> None:
    fallback, _ = among(Works("mine", AWAY), other := Works("other"))

    events = await told(fallback)

    assert events == [
        Notice("mine is not available, so this runs on other. Its server does not answer.", "warning"),
        Started("on:other:other-1"), Text("other"), Finished("completed"),
    ]  # fmt: skip
    assert (other.turns[0].agent.runtime, other.turns[0].agent.options, other.turns[0].agent.model) == ("other", {}, "")


async def test_a_conversation_stays_where_it_began() -> None:
    fallback, _ = among(mine := Works("mine"), other := Works("other"))

    await told(fallback, "on:other:other-1")

    assert not mine.turns
    assert other.turns[0].resume == "other-1"


async def test_a_conversation_that_began_at_home_goes_nowhere_else() -> None:
    fallback, _ = among(Works("mine", AWAY), other := Works("other"))

    with pytest.raises(Unavailable):
        await told(fallback, "mine-1")

    assert not other.turns


async def test_what_broke_after_it_had_begun_is_not_tried_elsewhere() -> None:
    fallback, _ = among(Works("mine", AWAY, begun=True), other := Works("other"))

    with pytest.raises(Unavailable):
        await told(fallback)

    assert not other.turns


async def test_where_nobody_is_available_the_last_one_says_why() -> None:
    fallback, _ = among(Works("mine", AWAY), Works("other", Unavailable("Nor does that.")))

    with pytest.raises(Unavailable, match="Nor does that"):
        await told(fallback)


async def test_a_runtime_that_is_not_installed_is_not_available() -> None:
    fallback, _ = among(Works("mine", ConfigError("install it with: pip install 'frontdesk[mine]'")), Works("other"))

    assert (await told(fallback))[-1] == Finished("completed")


def test_what_cannot_be_loaded_needs_none_of_our_tools() -> None:
    def make(choice: Agent) -> Runtime:
        raise ConfigError("install it with: pip install 'frontdesk[mine]'")

    assert not Fallback(agent(runtime="mine", fallback=["other"]), make).tools


async def test_a_conversation_whose_runtime_the_file_names_no_more_says_so() -> None:
    fallback, _ = among(Works("mine"), Works("other"))

    with pytest.raises(RuntimeFailed, match=r"began on third, which agents/helper\.md does not name under `fallback` any more"):
        await told(fallback, "on:third:x")


def test_an_agent_whose_file_names_a_fallback_has_one() -> None:
    assert isinstance(runtime_of(agent(runtime="echo", fallback=["echo"])), Fallback)
