"""A changed agent is asked again what was asked before, within limits, and nobody else hears of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent import Agent, parse
from bot.aid import Talk
from bot.errors import ConfigError
from bot.event import Event, Finished, Started, Text, Usage, permission
from bot.examples import Example
from bot.improve.lab import Lab
from bot.improve.trial import chosen, trial
from bot.message import Message
from bot.past import Past, Tried
from bot.ports import Runtime, Turn

Mind = Callable[[Turn], list[Event]]


def agent(body: str = "Help.", more: str = "") -> Agent:
    return parse("helper", f"---\ndescription: Helps.\nruntime: echo\n{more}---\n{body}\n")


OLD, NEW = agent(), agent("Help well.")


def past(n: int = 1, asked: str = "Which colour?", **more: object) -> Past:
    given = {"version": OLD.version, "runtime": "echo", "thread": "slack:T1:C1:1.0", "person": "U1", "state": "completed"}
    return Past(f"s{n}", 1, "helper", **{**given, "asked": asked, "answer": "Red.", "usd": 0.5, "seconds": 9.0, "at": 100.0 - n, **more})  # type: ignore[arg-type]


class Minded:
    """A runtime that says what is thought up for it, and remembers its turns."""

    def __init__(self, mind: Mind) -> None:
        self.mind, self.turns = mind, list[Turn]()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r")
        for event in self.mind(turn):
            yield event
        yield Finished("completed")


def says(text: str, usd: float = 0.1) -> Mind:
    return lambda turn: [Text(text), Usage(usd=usd)]


def lab(runtime: Runtime, **more: object) -> Lab:
    return replace(Lab(lambda agent: agent, lambda agent: runtime), **more)  # type: ignore[arg-type]


async def tried(runtime: Runtime, *asked: Past, new: Agent = NEW, **more: object) -> Tried:
    return await trial(OLD, new, asked, lab(runtime, **more))


async def test_the_new_answer_stands_beside_the_old_one_with_what_each_cost() -> None:
    found = await tried(Minded(says("Blue.")), past())

    (run,) = found.runs
    assert (found.old_version, found.new_version) == (OLD.version, NEW.version)
    assert run.old
    assert (run.old.text, run.old.usd, run.old.seconds) == ("Red.", 0.5, 9.0)
    assert (run.new.text, run.new.usd, run.new.version) == ("Blue.", 0.1, NEW.version)
    assert run.evidence == (("s1", 1),)


async def test_the_new_file_says_how_it_works() -> None:
    mind = Minded(says("Blue."))

    await tried(mind, past())

    assert (mind.turns[0].instructions, mind.turns[0].prompt) == ("Help well.", "Which colour?")


async def test_what_was_said_before_comes_along_as_a_quote() -> None:
    mind = Minded(says("Blue."))
    second = replace(past(asked="And now?"), turn=2)

    await trial(OLD, NEW, [second, past()], lab(mind), most=1)

    assert "> | Which colour?" in mind.turns[0].prompt
    assert "> | Red." in mind.turns[0].prompt
    assert mind.turns[0].prompt.endswith("\n\nAnd now?")


async def test_rated_turns_come_first_and_each_question_once() -> None:
    known = [past(1), past(2, "Plain?"), past(3, "Good?", good=1), past(4, "Bad?", bad=1), past(5)]

    assert [one.asked for one in chosen(known, 3)] == ["Bad?", "Good?", "Which colour?"]


@pytest.mark.parametrize("more", [{"files": ("a.txt",)}, {"door": "answer"}, {"asked": " "}, {"state": "rejected"}])
def test_what_cannot_be_asked_again_is_left_out(more: dict[str, object]) -> None:
    assert chosen([past(**more)], 5) == []  # type: ignore[arg-type]


async def test_an_example_is_checked_by_what_its_answer_has_to_have() -> None:
    example = Example(name="a colour", prompt="Which colour?", good=("It names one.",), has=("blue|red",))

    found = await trial(OLD, NEW, [], lab(Minded(says("I do not know."))), [example])

    (run,) = found.runs
    assert (run.name, run.old, run.missed) == ("a colour", None, ("does not say 'blue|red'",))


async def test_the_limit_for_all_of_it_ends_it_and_says_what_was_left() -> None:
    mind = Minded(says("Blue.", usd=0.6))

    found = await tried(mind, past(1), past(2, "Two?"), past(3, "Three?"), usd=1.0)

    assert len(mind.turns) == 2
    assert found.left == ("1 of 3 were not tried: the limit of $1 for the whole trial was reached.",)


async def test_a_run_that_reaches_the_agents_own_budget_is_stopped() -> None:
    mind = Minded(lambda turn: [Text("Blue."), Usage(usd=0.6), Text(" And more.")])

    found = await tried(mind, past(), new=agent(more="budget: {usd_per_session: 0.5}\n"))

    assert found.runs[0].new.state == "canceled"
    assert found.runs[0].new.text == "Blue."
    assert "The budget of $0.5 for one session is used up" in found.runs[0].new.reason


async def test_an_answer_that_was_there_when_the_limit_was_reached_counts() -> None:
    found = await tried(Minded(says("Blue.", usd=1.5)), past())

    assert (found.runs[0].new.state, found.runs[0].new.text) == ("completed", "Blue.")


async def test_what_was_spent_today_counts() -> None:
    found = await tried(Minded(says("Blue.")), past(), new=agent(more="budget: {usd_per_day: 2}\n"), today=2.5)

    assert found.runs == ()
    assert "budget of $2 for one day is used up" in found.left[0]
    assert found.left[0].endswith("It starts again at midnight UTC.")


async def test_nobody_is_there_to_answer_a_question() -> None:
    mind = Minded(lambda turn: [permission("p", "May I?", "rm -r build"), Text("I did it.")])

    found = await tried(mind, past())

    new = found.runs[0].new
    assert (new.state, new.text, new.reason) == ("input_required", "", "It asks, and nobody is there: May I? rm -r build")


async def test_a_runtime_that_breaks_is_an_outcome() -> None:
    def broken(turn: Turn) -> list[Event]:
        raise ConfigError("agents/helper.md: there is no such model.")

    found = await tried(Minded(broken), past())

    assert (found.runs[0].new.state, found.runs[0].new.reason) == ("failed", "agents/helper.md: there is no such model.")


async def test_one_that_does_not_end_is_stopped_when_its_time_is_over() -> None:
    class Endless(Minded):
        async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
            yield Text("Let me think")
            await asyncio.Event().wait()

    found = await tried(Endless(says("")), past(), minutes=0.002)

    (run,) = found.runs
    assert (run.new.state, run.new.text) == ("canceled", "Let me think")
    assert run.new.reason == "It had taken 0 minutes, and may take no more."


async def test_when_the_time_for_all_of_it_is_over_the_rest_is_left() -> None:
    found = await tried(Minded(says("Blue.")), past(), minutes=0.0)

    assert found.runs == ()
    assert found.left == ("1 of 1 were not tried: the limit of 0 minutes for the whole trial was reached.",)


async def test_a_run_that_reaches_the_limit_for_all_of_it_is_stopped() -> None:
    mind = Minded(lambda turn: [Text("Blue."), Usage(usd=1.5), Text(" And more.")])

    found = await tried(mind, past())

    (run,) = found.runs
    assert (run.new.state, run.new.text, run.new.reason) == ("canceled", "Blue.", "The limit of $1 for the whole trial was reached.")


async def test_each_run_has_a_folder_of_its_own_that_is_gone_in_the_end() -> None:
    mind = Minded(says("Blue."))

    await tried(mind, past(1), past(2, "Two?"))

    folders = [turn.folder for turn in mind.turns]
    assert len(set(folders)) == 2
    assert not any(folder.exists() for folder in folders)


async def test_it_gets_what_it_is_lent_and_is_hidden_from_what_it_must_not_see() -> None:
    class Cupboard:
        @asynccontextmanager
        async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
            yield replace(turn, workspace=Path("/lent"), hidden=(Path("/mirrors"),))

    mind = Minded(says("Blue."))

    await tried(mind, past(), aids=(Cupboard(),), hidden=(Path("/sessions"),), environment={"OTHER": "x"})

    assert (mind.turns[0].workspace, mind.turns[0].tools) == (Path("/lent"), None)
    assert mind.turns[0].hidden == (Path("/mirrors"), Path("/sessions"))
    assert mind.turns[0].environment == {}


async def test_a_template_that_is_wrong_is_told_before_anything_runs() -> None:
    mind = Minded(says("Blue."))

    with pytest.raises(ConfigError, match=r"there is no person\.nmae"):
        await tried(mind, past(), new=agent("Help {{ person.nmae }}."))

    assert mind.turns == []
