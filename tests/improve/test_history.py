"""What each version of an agent came to, and whether the change helped: said only where it can be."""

import pytest

from bot.improve.history import Version, helped, versions
from bot.past import Outcome, Past, Run, Tried, Vote

RUN = Run("1", "", "Which?", Outcome("Red.", "completed"), Outcome("Blue.", "completed"))
EXAMPLE = Run("2", "a colour", "Which?", None, Outcome("Blue.", "completed"))


def past(version: str, at: float, state: str = "completed", seconds: float = 10.0, **more: object) -> Past:
    given = {"asked": "Which?", "answer": "Red.", "usd": 0.5, "seconds": seconds, "at": at, "state": state, "version": version}
    return Past(f"s{at}", 1, "helper", runtime="echo", thread="", person="U1", **{**given, **more})  # type: ignore[arg-type]


def version(name: str, last: float, *, turns: int = 20, rated: int = 10, bad: int = 0, failed: int = 0) -> Version:
    return Version(name, last, last, turns, rated, bad, failed, turns * 0.1, 30.0)


def test_each_version_is_told_with_what_came_of_it() -> None:
    found = versions([past("b", 30.0), past("a", 20.0, "failed", bad=2), past("a", 10.0, good=1)])

    assert found == [Version("a", 10.0, 20.0, 2, 2, 1, 1, 1.0, 10.0), Version("b", 30.0, 30.0, 1, 0, 0, 0, 0.5, 10.0)]


def test_the_time_that_people_took_is_not_the_agents() -> None:
    (found,) = versions([past("a", 1.0, seconds=5.0), past("a", 2.0, seconds=9000.0, waited=True)])

    assert found.seconds == 5.0


def test_a_version_that_came_back_is_the_newest() -> None:
    found = versions([past("a", 30.0), past("b", 20.0), past("a", 10.0)])

    assert [one.version for one in found] == ["b", "a"]


def test_a_clear_difference_in_thumbs_is_called_one() -> None:
    said = helped([version("a", 1.0, bad=8), version("b", 2.0, bad=1)])

    assert said == (
        "The change helped (a → b): 1 of 10 rated answers were bad, and 8 of 10 before; "
        "a turn costs $0.10, and cost $0.10; it takes 30 s, and took 30 s."
    )


def test_a_change_may_make_it_worse() -> None:
    assert helped([version("a", 1.0, failed=0), version("b", 2.0, failed=9)]).startswith("The change made it worse (a → b): ")


def test_better_in_one_thing_and_worse_in_another_is_neither() -> None:
    said = helped([version("a", 1.0, bad=8), version("b", 2.0, failed=9)])

    assert said.startswith("It is better in one thing and worse in another (a → b): ")


@pytest.mark.parametrize(("before", "then", "looks"), [(1, 0, "better"), (0, 1, "worse")])
def test_what_may_be_chance_is_called_so(before: int, then: int, looks: str) -> None:
    said = helped([version("a", 1.0, rated=1, bad=before), version("b", 2.0, rated=1, bad=then)])

    assert said.startswith(f"It looks {looks}, which may be chance (a → b): ")


def test_a_few_turns_say_nothing() -> None:
    assert helped([version("a", 1.0, bad=2), version("b", 2.0, turns=2, rated=0)]).startswith("Too early to say (a → b): ")


def test_no_difference_is_called_none() -> None:
    assert helped([version("a", 1.0), version("b", 2.0)]).startswith("No difference is to be seen (a → b): ")


def test_one_version_has_nothing_to_be_compared_with() -> None:
    assert helped([version("a", 1.0)]) == "There is nothing to compare yet: all its turns were of version a."
    assert helped([]) == "Nothing is known yet: it has had no turn."


def test_a_trial_of_this_change_is_told_with_people_and_judges_apart() -> None:
    votes = (Vote("1", "new", "U1"), Vote("1", "old", "U2"), Vote("1", "new", "critic", judge=True))
    tried = [Tried("t", "helper", "a", "b", (RUN, EXAMPLE), votes), Tried("x", "helper", "0", "a", (RUN,))]

    said = helped([version("a", 1.0), version("b", 2.0)], tried)

    assert said.endswith(
        "; in its trial people found the new answer better in 1 of 2, and the old in 1, "
        "a judge (an LLM) found the new answer better in 1 of 1, and the old in 0, 1 of 1 examples passed."
    )
