"""Who may, and for how much; and what the others are told."""

import pytest

from bot.agent import Agent, parse
from bot.errors import Denied
from bot.event import Usage
from bot.message import Kind, Person
from bot.policy import Deed, broke, check, may, who
from bot.session import Session


def agent(rules: str = "", budget: str = "") -> Agent:
    front = "".join(f"{key}: {{{value}}}\n" for key, value in (("allow", rules), ("budget", budget)) if value)
    return parse("deployer", f"---\ndescription: Deploys.\nruntime: echo\n{front}---\nDeploy.")


def person(kind: Kind = "member", id: str = "U1", *groups: str) -> Person:
    return Person(id, "Ana", kind, frozenset(groups))


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("members", {"member", "admin"}),
        ("admins", {"admin"}),
        ("guests", {"guest"}),
        ("everyone", {"member", "admin", "guest", "external"}),
    ],
)
def test_a_rule_lets_through_whom_it_names(rule: str, kinds: set[Kind]) -> None:
    strict = agent(f"run: [{rule}]")
    everybody: tuple[Kind, ...] = ("member", "admin", "guest", "external", "bot")

    assert {kind for kind in everybody if may(strict, person(kind), "run")} == kinds


def test_by_default_members_ask_the_asker_answers_and_nobody_approves() -> None:
    plain, ana, ben = agent(), person(id="UANA"), person(id="UBEN")

    assert may(plain, ana, "run", "UANA")
    assert not may(plain, person("guest"), "run")
    assert may(plain, ana, "answer", "UANA")
    assert not may(plain, ben, "answer", "UANA")
    assert not may(plain, ana, "approve", "UANA")
    assert may(plain, ben, "stop", "UANA")


def test_a_person_and_a_group_are_named_by_their_ids() -> None:
    strict = agent("approve: [UCARLA, SPLATFORM]")

    assert may(strict, person(id="UCARLA"), "approve")
    assert may(strict, person("member", "UBEN", "SPLATFORM"), "approve")
    assert not may(strict, person("admin", "UANA"), "approve")


def test_a_group_that_could_not_be_looked_up_lets_nobody_through() -> None:
    strict = agent('approve: ["@platform"]')

    assert not may(strict, person("admin", "UANA", "SPLATFORM"), "approve")


def test_a_bot_runs_only_where_it_is_named_and_never_answers() -> None:
    open_, named = agent("run: [everyone]"), agent("bots: [BDEPLOY], answer: [everyone]")
    robot = Person("BDEPLOY", "deploybot", "bot")

    assert not may(open_, robot, "run")
    assert may(named, robot, "run")
    assert not may(named, robot, "answer")


@pytest.mark.parametrize(
    ("rules", "deed", "sentence"),
    [
        (
            "run: [admins]",
            "run",
            "You may not ask deployer. Allowed: admins. The list stands in agents/deployer.md, under `allow.run`.",
        ),
        (
            "answer: [asker, S0PLATFORM]",
            "answer",
            "You may not answer deployer's questions. Allowed: the person who asked (<@U9>), <!subteam^S0PLATFORM>. "
            "The list stands in agents/deployer.md, under `allow.answer`.",
        ),
        (
            "",
            "approve",
            "You may not approve what deployer wants to do. Nobody may yet: its author has to name who, "
            "with `allow: {approve: [...]}` in agents/deployer.md.",
        ),
        (
            'stop: ["@oncall", U0CARLA]',
            "stop",
            "You may not stop deployer. Allowed: @oncall, <@U0CARLA>. The list stands in agents/deployer.md, under `allow.stop`.",
        ),
    ],
)
def test_whoever_is_turned_away_learns_who_may(rules: str, deed: Deed, sentence: str) -> None:
    with pytest.raises(Denied) as denied:
        check(agent(rules), person("member"), deed, "U9")

    assert str(denied.value) == sentence


def test_whoever_may_is_not_stopped() -> None:
    check(agent(), person(), "run")

    assert who(agent(), "run").startswith("Allowed: members of this workspace.")


def spent(usd: float) -> Session:
    return Session("s1", "deployer", "t", person(), spent=Usage(usd=usd))


def test_without_a_budget_nothing_is_too_much() -> None:
    assert broke(agent(), spent(1e6), 1e6) == ""


def test_a_session_that_has_used_up_its_budget_says_so() -> None:
    thrifty = agent(budget="usd_per_session: 2")

    assert broke(thrifty, spent(1.99), 1000) == ""
    assert broke(thrifty, spent(2.5), 0) == (
        "The budget of $2 for one session is used up ($2.50, agents/deployer.md). Begin another with `new`."
    )


def test_a_day_that_has_used_up_its_budget_says_when_it_goes_on() -> None:
    thrifty = agent(budget="usd_per_day: 20")

    assert broke(thrifty, spent(0), 19.99) == ""
    assert broke(thrifty, spent(0), 20) == (
        "deployer's budget of $20 for one day is used up ($20.00, agents/deployer.md). It starts again at midnight UTC."
    )
