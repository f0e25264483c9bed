"""Which questions wait for whom, and what each may see of them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from bot.agent import Agent
from bot.breaker import BREAKER, FAILURES, Down
from bot.change import Proposal
from bot.event import Question, permission
from bot.glance import Condition, Glances, Moved, Opinion, Share, Waiting, month
from bot.message import Message, Person
from bot.past import Finding
from bot.session import Session
from tests.standins.stage import ANA, BEN, COLOUR, agent

MAY = permission("q2", "May I?", "make")
ADMIN, GUEST, STRANGER = Person("U3", "Carla", "admin"), Person("U4", "Dan", "guest"), Person("U5", "Eve", "external")
BOB, ONCALL = Person("U9BOB", "Bob"), Person("U6", "Finn", groups=frozenset(("S1ABC",)))


def session(channel: str = "C1", by: Person = ANA, **more: Any) -> Session:
    """One that Ana began, with a turn that somebody asked for."""
    first = Session("s1", "helper", f"slack:T1:{channel}:1.0", ANA, channel, **more)
    return first.begin([Message("m1", first.thread, channel, by, "Go")])


class Kept:
    """Implements the port Sight: what is kept is one question, or nothing."""

    def __init__(self, session: Session, question: Question) -> None:
        self.question = Waiting(session.apply(question), question)
        self.agents: Sequence[str] = ()
        self.proposal: Proposal | None = None
        self.more: Sequence[str] = ()

    async def conversations(self, person: str, limit: int) -> list[Session]:
        return [self.question.session] if person == self.question.session.asker.id else []

    async def waiting(self, person: str, agents: Sequence[str], limit: int) -> list[Waiting]:
        self.agents = agents
        return [self.question]

    async def opinions(self, person: str, since: float, limit: int) -> list[Opinion]:
        return []

    async def used(self, person: str, since: float) -> Share:
        return Share(person)

    async def shares(self, since: float) -> list[Share]:
        return [Share("dearest", 1)]

    async def stuck(self, limit: int) -> list[tuple[float, Session]]:
        return []

    async def proposals(self) -> list[Proposal]:
        return [self.proposal] if self.proposal else []

    async def held(self) -> Mapping[str, int]:
        return {}

    async def moved(self, after: float) -> list[Moved]:
        return []


async def health() -> Condition:
    return {}, [], 1


def glances(kept: Kept, helper: Agent) -> Glances:
    return Glances(lambda: (helper,), kept, health, lambda change: kept.more)


async def waits(person: Person, question: Question, *, session: Session = session(), **allow: Any) -> list[bool]:  # noqa: B008
    """For each question that waits for this person, whether they may read it."""
    kept = Kept(session, question)
    return [one.mine for one in (await glances(kept, agent(allow=allow)).look(person)).waiting]


@pytest.mark.parametrize(
    ("person", "question", "allow", "found"),
    [
        (ANA, COLOUR, {}, [True]),
        (BEN, COLOUR, {}, []),
        (ADMIN, COLOUR, {}, []),
        (ONCALL, COLOUR, {"answer": ["asker", "S1ABC"]}, [False]),
        (ANA, COLOUR, {"answer": ["S1ABC"]}, []),
        (ANA, COLOUR, {"answer": ["members"]}, [True]),
        (BEN, COLOUR, {"answer": ["members"]}, []),
        (ANA, MAY, {}, [True]),
        (ANA, MAY, {"approve": ["S1ABC"]}, []),
        (ONCALL, MAY, {"approve": ["S1ABC"]}, [False]),
        (BOB, MAY, {"approve": ["U9BOB"]}, [False]),
        (ADMIN, MAY, {"approve": ["admins"]}, [False]),
        (ANA, MAY, {"approve": ["admins"]}, [True]),
    ],
)
async def test_a_question_waits_for_those_whom_its_card_calls(person: Person, question: Question, allow: Any, found: list[bool]) -> None:
    assert await waits(person, question, **allow) == found


async def test_whoever_asked_last_is_asked_back_in_anothers_conversation() -> None:
    assert await waits(BEN, COLOUR, session=session(by=BEN)) == [True]


async def test_what_only_one_person_sees_waits_for_nobody_else() -> None:
    assert await waits(ONCALL, MAY, session=session(private=True), approve=["S1ABC"]) == []


@pytest.mark.parametrize(("person", "agents"), [(ANA, 1), (ADMIN, 1), (GUEST, 0), (STRANGER, 0)])
async def test_only_agents_that_one_may_ask_are_there(person: Person, agents: int) -> None:
    assert len((await glances(Kept(session(), COLOUR), agent()).look(person)).agents) == agents


async def test_questions_of_others_are_looked_for_only_by_those_whom_a_file_names() -> None:
    kept, helper = Kept(session(), COLOUR), agent(allow={"answer": ["asker", "S1ABC"]})
    asked = {}
    for person in (ANA, ONCALL, ADMIN):
        await glances(kept, helper).look(person)
        asked[person.name] = list(kept.agents)

    assert asked == {"Ana": [], "Finn": ["helper"], "Carla": ["helper"]}


@pytest.mark.parametrize(("stop", "may"), [(["asker"], True), (["admins"], False)])
async def test_what_one_may_not_stop_has_no_button_for_it(stop: list[str], may: bool) -> None:
    glance = await glances(Kept(session(), COLOUR), agent(allow={"stop": stop})).look(ANA)

    assert ("s1" in glance.stops) == may


@pytest.mark.parametrize(
    ("person", "private", "approve", "waits"),
    [
        (ONCALL, False, ["S1ABC"], True),
        (ADMIN, False, [], True),
        (BEN, False, ["S1ABC"], False),
        (STRANGER, False, ["everyone"], False),
        (ONCALL, True, ["S1ABC"], False),
    ],
)
async def test_a_change_waits_for_whoever_may_decide_it_and_sees_its_card(
    person: Person, private: bool, approve: list[str], *, waits: bool
) -> None:
    kept = Kept(session(), COLOUR)
    finding = Finding("f1", "helper", "No links", "People ask.")
    kept.proposal = Proposal("p1", "helper", finding, ANA, "slack:T1:C1:1.0", "improver", "", "shown", private=private)

    glance = await glances(kept, agent(allow={"approve": approve})).look(person)

    assert bool(glance.proposals) == waits


@pytest.mark.parametrize(("more", "waits"), [((), True), (("everybody may ask it",), False)])
async def test_a_change_that_gives_more_does_not_wait_for_whoever_wants_it(more: tuple[str, ...], *, waits: bool) -> None:
    kept = Kept(session(), COLOUR)
    finding = Finding("f1", "helper", "No links", "People ask.")
    kept.proposal = Proposal("p1", "helper", finding, ANA, "slack:T1:C1:1.0", "improver", "", "shown")
    kept.more = more

    assert bool((await glances(kept, agent(allow={"approve": ["asker"]})).look(ANA)).proposals) == waits


async def test_how_the_desk_is_only_admins_see() -> None:
    running = [(await glances(Kept(session(), COLOUR), agent()).look(person)).running for person in (ANA, GUEST, STRANGER, ADMIN)]

    assert [bool(each) for each in running] == [False, False, False, True]


async def test_an_agent_that_nobody_asked_is_there_too() -> None:
    running = (await glances(Kept(session(), COLOUR), agent()).look(ADMIN)).running

    assert running
    assert [(share.name, share.turns) for share in running.shares] == [("dearest", 1), ("helper", 0)]


async def test_where_agents_run_is_nobodys_who_comes_from_elsewhere() -> None:
    for _ in range(FAILURES):
        with suppress(Down), BREAKER.through("agents.acme.test"):
            raise Down("It did not answer.")

    seen = [bool((await glances(Kept(session(), COLOUR), agent()).look(person)).troubles) for person in (ANA, ADMIN, GUEST, STRANGER)]

    assert seen == [True, True, False, False]


async def test_a_question_of_an_agent_whose_file_is_gone_waits_for_nobody() -> None:
    assert (await Glances(tuple, Kept(session(), COLOUR), health, lambda change: ()).look(ANA)).waiting == []


def test_a_month_begins_at_midnight_utc() -> None:
    assert month(1_700_000_000.0) == 1_698_796_800.0  # 2023-11-14, 2023-11-01
