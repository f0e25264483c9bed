"""Plans as rows: what files say becomes due, whoever is first moves it on, and what people did to one stays."""

import asyncio
from dataclasses import replace

from bot.fired import Fired, delivery
from bot.plan import Plan
from bot.store.schedules import Schedules
from bot.store.sql import SqlStore
from bot.trigger import Schedule

NINE = Schedule(cron="0 9 * * *", timezone="Europe/Berlin", post_to="#random", prompt="Count.")
PLAN = Plan("counter:1", "counter", NINE, 100.0)
KEPT = delivery(Fired("schedule:counter:1:x", "counter", "#random", "Now.", "Count.", 100.0))


async def test_what_the_files_say_is_due_once(store: SqlStore) -> None:
    plans = Schedules(store.db)

    await plans.agree([PLAN], tidy=True)
    await plans.agree([replace(PLAN, due=500.0)], tidy=True)  # a replica that starts later

    assert await plans.all() == [PLAN]
    assert await plans.due(99.0) == ([], 100.0)
    assert (await plans.due(100.0))[0] == [PLAN]


async def test_of_all_that_see_it_one_moves_it_on_and_its_delivery_is_kept_with_that(store: SqlStore) -> None:
    plans = Schedules(store.db)
    await plans.agree([PLAN], tidy=True)

    won = await asyncio.gather(*(plans.move(PLAN, 200.0, 100.0, KEPT) for _ in range(5)))

    assert sorted(won) == [False] * 4 + [True]
    assert await plans.all() == [replace(PLAN, due=200.0, last=100.0)]
    assert await store.claim(KEPT.lane) == KEPT


async def test_what_is_paused_is_not_due_and_is_moved_by_nobody(store: SqlStore) -> None:
    plans = Schedules(store.db)
    await plans.agree([PLAN], tidy=True)
    await plans.change("counter:1", paused="ben")

    moved = await plans.move(PLAN, 200.0, 100.0, KEPT)

    assert not moved
    assert (await plans.due(100.0))[0] == []
    assert await store.claim(KEPT.lane) is None


async def test_other_words_in_the_file_change_no_time_and_other_times_do(store: SqlStore) -> None:
    plans, later = Schedules(store.db), replace(PLAN, due=500.0)
    await plans.agree([PLAN], tidy=True)

    await plans.agree([replace(later, schedule=NINE.model_copy(update={"prompt": "Count again."}))], tidy=True)
    [reworded] = await plans.all()
    await plans.agree([replace(later, schedule=NINE.model_copy(update={"timezone": "Asia/Tokyo"}))], tidy=True)
    [moved] = await plans.all()

    assert (reworded.due, reworded.schedule.prompt) == (100.0, "Count again.")
    assert (moved.due, moved.schedule.timezone) == (500.0, "Asia/Tokyo")


async def test_what_comes_back_into_its_file_is_still_paused_and_has_missed_nothing(store: SqlStore) -> None:
    plans = Schedules(store.db)
    await plans.agree([PLAN], tidy=True)
    await plans.change("counter:1", paused="ben")

    await plans.agree([], tidy=True)
    gone = await plans.all()
    await plans.agree([replace(PLAN, due=500.0)], tidy=True)

    assert gone == []
    assert await plans.all() == [replace(PLAN, due=500.0, paused="ben")]


async def test_a_schedule_that_moves_up_in_its_file_stays_paused_and_what_stood_there_pauses_no_other(store: SqlStore) -> None:
    plans, evening = Schedules(store.db), NINE.model_copy(update={"cron": "0 18 * * *", "prompt": "Count again."})
    second = Plan("counter:2", "counter", evening, 200.0)
    await plans.agree([PLAN, second], tidy=True)
    await plans.change("counter:2", paused="ben", last=50.0)

    await plans.agree([replace(second, name="counter:1", due=900.0)], tidy=True)
    [first] = await plans.all()
    await plans.agree([replace(PLAN, due=700.0), replace(second, due=900.0)], tidy=True)

    assert first == Plan("counter:1", "counter", evening, 200.0, last=50.0, paused="ben")
    assert await plans.all() == [replace(PLAN, due=700.0), replace(second, last=50.0, paused="ben")]


async def test_a_replica_with_other_files_takes_no_plan_away(store: SqlStore) -> None:
    plans = Schedules(store.db)
    await plans.agree([PLAN], tidy=True)

    await plans.agree([], tidy=False)

    assert await plans.all() == [PLAN]


async def test_what_people_asked_for_stays_whatever_the_files_say(store: SqlStore) -> None:
    plans, own = Schedules(store.db), replace(PLAN, name="counter:p1", asked="U1")
    await plans.keep(own)

    await plans.agree([], tidy=True)
    kept = await plans.all()
    await plans.remove("counter:p1")

    assert kept == [own]
    assert await plans.all() == []
