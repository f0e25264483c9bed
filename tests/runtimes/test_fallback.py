"""Where an agent's own runtime is not available, the next one of its file is tried: once, and before anything has begun."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.agent import Agent
from bot.errors import ConfigError, Unavailable
from bot.event import Event, Finished, Notice, Started, Text
from bot.message import Message
from bot.ports import Runtime, Tools, Turn
from bot.runtimes import build, home, runtime_of
from bot.runtimes.fallback import Fallback
from bot.slack.views import session as view
from tests.standins.stage import agent, staged


class Works:
    """Says on what it runs; `breaks` is raised, at once or after it has begun."""

    def __init__(self, name: str, breaks: Exception | None = None, begun: bool = False, tools: bool = False) -> None:
        self.name, self.breaks, self.begun, self.tools = name, breaks, begun, tools
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


async def told(fallback: Fallback, tools: Tools | None = None) -> list[Event]:
    turn = Turn("s1", 1, fallback.choices[0], "hello", folder=Path(), tools=tools)
    return [event async for event in fallback.run(turn, nothing())]


async def nothing() -> AsyncIterator[Message]:
    return
    yield


AWAY = Unavailable("Its server does not answer.")


async def test_an_agent_runs_where_its_file_says() -> None:
    fallback, _ = among(Works("mine"), Works("other"))

    assert await told(fallback) == [Started("mine-1", runtime="mine"), Text("mine"), Finished("completed")]


async def test_where_that_is_away_the_next_one_is_tried_and_people_are_told() -> None:
    fallback, _ = among(Works("mine", AWAY), other := Works("other"))

    events = await told(fallback)

    assert events == [
        Notice("mine is not available, so this runs on other. Its server does not answer.", "warning"),
        Started("other-1", runtime="other"), Text("other"), Finished("completed"),
    ]  # fmt: skip
    assert (other.turns[0].agent.runtime, other.turns[0].agent.options, other.turns[0].agent.model) == ("other", {}, "")


async def test_what_broke_after_it_had_begun_is_not_tried_elsewhere() -> None:
    fallback, _ = among(Works("mine", AWAY, begun=True), other := Works("other"))

    with pytest.raises(Unavailable):
        await told(fallback)

    assert not other.turns


async def test_of_several_that_are_away_one_line_tells_who_does_it() -> None:
    fallback, _ = among(Works("mine", AWAY), Works("other", Unavailable("There is no such agent (404);\ncorrect it.")), Works("third"))

    notices = [event for event in await told(fallback) if isinstance(event, Notice)]

    said = "mine and other are not available, so this runs on third. Its server does not answer. There is no such agent (404); correct it."
    assert notices == [Notice(said, "warning")]


async def test_the_same_runtime_with_another_model_is_called_by_it() -> None:
    works = {"opus": Works("mine", AWAY), "haiku": Works("mine")}
    file = agent(runtime="mine", model="opus", fallback=[{"runtime": "mine", "model": "haiku"}])

    [notice, *_] = await told(Fallback(file, lambda choice: works[choice.model]))

    assert notice == Notice("mine with opus is not available, so this runs on mine with haiku. Its server does not answer.", "warning")


async def test_where_nobody_is_available_people_see_why_the_first_is_not_and_then_the_others(tmp_path: Path) -> None:
    fallback, _ = among(Works("mine", AWAY), Works("other", Unavailable("Nor does that.")))

    async with staged(tmp_path) as stage:
        session = await stage.run(fallback)

    headline = view.render(session, stage.agent, 0, split=False)["s1:1:0"].text
    assert headline.startswith("⚠️ That did not work. Its server does not answer.")
    assert session.reason == "Its server does not answer.\nNor is other available: Nor does that."
    assert not session.notices


async def test_a_runtime_that_is_not_installed_is_not_available() -> None:
    fallback, _ = among(Works("mine", ConfigError("install it with: pip install 'frontdesk[mine]'")), Works("other"))

    assert (await told(fallback))[-1] == Finished("completed")


def test_what_cannot_be_loaded_needs_none_of_our_tools() -> None:
    def make(choice: Agent) -> Runtime:
        raise ConfigError("install it with: pip install 'frontdesk[mine]'")

    assert not Fallback(agent(runtime="mine", fallback=["other"]), make).tools


def test_an_agent_whose_file_names_a_fallback_has_one() -> None:
    assert isinstance(runtime_of(agent(runtime="echo", fallback=["echo"])), Fallback)


CAGED = {"sandbox": "bwrap", "network": False, "cwd": "/srv/repo", "memory_megabytes": 512}


def made(file: Agent, place: int = 1) -> home.Options:
    """The options of what stands in."""
    options = getattr(build(file.choices[place]), "options", None)
    assert isinstance(options, home.Options)
    return options


async def test_what_stands_in_is_lent_our_tools_where_it_needs_them() -> None:
    mine, other = Works("mine", AWAY), Works("other", tools=True)
    fallback, _ = among(mine, other)

    await told(fallback, Tools("http://tools", "secret"))

    assert fallback.tools
    assert (mine.turns[0].tools, other.turns[0].tools) == (None, Tools("http://tools", "secret"))


def test_what_contains_an_agent_contains_it_elsewhere_too() -> None:
    options = made(agent(runtime="opencode", options=CAGED, fallback=[{"runtime": "stream_json", "options": {"command": ["x"]}}]))

    assert (options.sandbox, options.network, str(options.cwd), options.memory_megabytes) == ("bwrap", False, "/srv/repo", 512)


def test_what_stands_in_may_have_options_and_a_model_of_its_own() -> None:
    file = agent(
        runtime="opencode",
        options=CAGED,
        fallback=[{"runtime": "stream_json", "model": "m", "options": {"command": ["x"], "network": True}}],
    )

    options = made(file)

    assert (file.choices[1].model, options.sandbox, options.network) == ("m", "bwrap", True)


@pytest.mark.parametrize(("options", "key"), [({"deny": ["Bash"]}, "deny"), ({"sandbox": "bwrap", "cwd": "/srv"}, "cwd")])
def test_what_cannot_hold_elsewhere_is_not_let_go_in_silence(options: dict[str, object], key: str) -> None:
    file = agent(runtime="claude_code", options=options, fallback=["echo"])

    with pytest.raises(ConfigError, match=rf"agents/helper\.md: options\.{key} does not hold on echo; write what does under `fallback`"):
        build(file.choices[1])


def test_what_the_file_says_of_another_runtime_holds_there() -> None:
    file = agent(runtime="claude_code", options={"deny": ["Bash"]}, fallback=[{"runtime": "pi", "options": {"ask": ["bash"]}}])

    assert made(file).model_dump()["ask"] == ("bash",)


def test_the_same_runtime_with_another_model_keeps_all_options() -> None:
    file = agent(runtime="claude_code", options={"deny": ["Bash"]}, fallback=[{"runtime": "claude_code", "model": "haiku"}])

    assert (file.choices[1].model, made(file).model_dump()["deny"]) == ("haiku", ("Bash",))
