"""What people may do with schedules whose agent is no more, and of those that people asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.agent import Agent, Allow
from bot.errors import ConfigError, Denied
from bot.fired import Fired
from bot.message import Person
from bot.plan import Plan
from bot.store.schedules import Schedules
from bot.store.sql import SqlStore
from bot.timetable import Timetable
from bot.trigger import Schedule
from tests.standins.blank import blank

NINE = Schedule(cron="0 9 * * *", post_to="#random", prompt="Count.")
ANA, DAN, ADMIN = Person("U1ANA", "Ana"), Person("U2DAN", "Dan", "guest"), Person("U3CARLA", "Carla", "admin")


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Timetable]:
    """Of agents whose files are gone."""
    store = SqlStore(blank(tmp_path / "desk.db"))
    await store.open()

    async def fire(fired: Fired) -> None: ...

    async def public(place: str) -> bool:
        return place == "#random"

    table = Timetable(lambda: (), Schedules(store.db), fire, public)
    for name in ("counter:p1", "counter:p2", "other:p1"):
        await table.plans.keep(Plan(name, name.partition(":")[0], NINE, 100.0, asked="U9"))
    yield table
    await store.close_all()


async def test_what_people_asked_for_is_taken_away_by_its_name(table: Timetable) -> None:
    said = await table.asked("remove", "counter:p2", ADMIN, "m1")

    assert said == "counter:p2 is removed."
    assert [plan.name for plan in await table.plans.all()] == ["counter:p1", "other:p1"]


async def test_an_agents_name_is_enough_where_it_has_one(table: Timetable) -> None:
    assert await table.asked("remove", "other", ADMIN, "m1") == "other:p1 is removed."


async def test_an_agents_name_is_not_enough_where_it_has_several(table: Timetable) -> None:
    with pytest.raises(ConfigError, match="counter has several schedules: say which, of `counter:p1`, `counter:p2`"):
        await table.asked("remove", "counter", ANA, "m1")


async def test_guests_take_nothing_away_though_its_agent_is_gone(table: Timetable) -> None:
    with pytest.raises(ConfigError, match=r"There is no schedule 'counter:p1', nor any other\."):
        await table.asked("remove", "counter:p1", DAN, "m1")


async def test_a_deed_that_there_is_not_is_told_with_those_that_there_are(table: Timetable) -> None:
    assert await table.asked("skip", "counter:p1", ANA, "m1") == "With a schedule I can do this: pause, resume, run, remove."


async def test_what_another_person_planned_is_not_taken_away_by_whoever_may_only_stop_it(table: Timetable) -> None:
    with pytest.raises(Denied, match=r"You may not remove counter:p1, which somebody else planned\. Allowed: admins\."):
        await table.asked("remove", "counter:p1", ANA, "m1")

    assert len(await table.plans.all()) == 3


async def test_whoever_planned_something_takes_it_away_again(table: Timetable) -> None:
    assert await table.asked("remove", "counter:p1", Person("U9", "Ben"), "m1") == "counter:p1 is removed."


@pytest.mark.parametrize("place", ["C0SECRET", "U9"])
async def test_of_what_is_written_where_not_all_can_read_others_do_not_know(table: Timetable, place: str) -> None:
    table.agents = lambda: (Agent(name="third", version="", description="Counts.", runtime="echo"),)
    await table.plans.keep(Plan("third:p1", "third", NINE.model_copy(update={"post_to": place}), 100.0, asked="U9"))

    known = [person.id for person in (ANA, Person("U9", "Ben"), ADMIN) if await table.listed(person)]

    assert known == ["U9", ADMIN.id]
    with pytest.raises(ConfigError, match=r"There is no schedule 'third:p1'"):
        await table.asked("pause", "third:p1", ANA, "m1")


async def test_whoever_may_approve_an_agent_knows_of_all_that_it_is_to_do(table: Timetable) -> None:
    agent = Agent(name="third", version="", description="Counts.", runtime="echo")
    table.agents = lambda: (agent.model_copy(update={"allow": Allow(approve=(ANA.id,))}),)
    await table.plans.keep(Plan("third:p1", "third", NINE.model_copy(update={"post_to": "C0SECRET"}), 100.0, asked="U9"))

    assert [plan.name for plan in await table.listed(ANA)] == ["third:p1"]
