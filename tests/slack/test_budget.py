"""No call is refused: each waits until its method may be called, and what matters more waits less."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.errors import StoreFailed
from bot.playground import Slack
from bot.playground.limits import CHANNEL_BURST
from bot.playground.methods import METHODS
from bot.slack.budget import Gate, Local, Shared, Step
from bot.slack.calls import SPARE, Client
from bot.slack.limits import CHANNEL, EDITS, HISTORY, MARGIN, MINUTE, POST, TIER_2, UPDATE, Limit, Rate, Taken, Window, keys, limit, paid

RATE, WINDOW = Rate(60, 3), Window(3)


class Clock:
    """A clock that stands until it is moved."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> Local:
    return Local(clock)


def waits(limit: Limit, *moments: float, before: int = 0) -> list[float]:
    """How long each of these has to wait; what need not is taken."""
    taken: Taken = ()
    found = []
    for now in moments:
        found.append(limit.wait(taken, now, before))
        taken = taken if found[-1] else limit.take(taken, now)
    return found


def test_a_burst_is_let_through_and_then_one_after_the_other() -> None:
    assert waits(RATE, 0, 0, 0, 0, 1, 1) == [0, 0, 0, 1, 0, 1]


def test_in_a_window_there_is_room_as_soon_as_the_oldest_is_a_minute_old() -> None:
    assert waits(WINDOW, 0, 10, 20, 30, 64, 65, 74) == [0, 0, 0, 34, 0, 9, 0]


async def test_the_first_half_of_a_minutes_calls_may_go_at_once_and_the_rest_has_to_last(budget: Local, clock: Clock) -> None:
    for _ in range(23):
        assert not budget.pace(HISTORY, keep=4)
        await budget.take(HISTORY)
    await budget.take(HISTORY)

    assert budget.pace(HISTORY, keep=4) == pytest.approx((MINUTE + MARGIN) / 18)  # 22 are left, but for 4
    clock.at += 4
    assert not budget.pace(HISTORY, keep=4)


async def test_what_one_process_called_is_known_after_a_new_start_where_that_is_asked_for(clock: Clock) -> None:
    kept: dict[str, Taken] = {}

    async def row(key: str, step: Step) -> tuple[Taken, float]:
        kept[key] = step(kept.get(key, ()), clock()) or kept.get(key, ())
        return kept[key], clock()

    before = Shared(row, clock, only=[HISTORY])
    for _ in range(46):
        await before.take(HISTORY)
    await before.take(UPDATE)

    assert await Shared(row, clock, only=[HISTORY]).take(HISTORY) > 59
    assert list(kept) == [HISTORY]


@pytest.mark.parametrize("limit", [RATE, WINDOW])
def test_what_is_kept_is_there_for_what_matters_more(limit: Limit) -> None:
    taken = limit.take((), 0.0)

    assert [limit.wait(taken, 0.0, keep) > 0 for keep in (2, 1, 0)] == [True, False, False]


def test_where_all_is_kept_nothing_is_taken() -> None:
    assert (RATE.wait((), 0.0, 3), WINDOW.wait((), 0.0, 3)) == (1.0, 64.0)


def test_how_long_it_takes_until_many_more_can_be_made() -> None:
    taken = WINDOW.take(WINDOW.take((), 0.0), 10.0)

    assert [WINDOW.wait(taken, 20.0, before) for before in (0, 1, 2, 3, 4)] == [0, 44, 54, 64, 108]


@pytest.mark.parametrize("moments", [range(600), [n * 0.01 for n in range(2000)], [0.0] * 50 + [59.9] * 50 + [64.0] * 50])
@pytest.mark.parametrize("limit", [RATE, WINDOW, Window(20)])
def test_in_no_minute_are_there_more_than_it_lets_through(limit: Limit, moments: Sequence[float]) -> None:
    let = [now for now, wait in zip(moments, waits(limit, *moments), strict=True) if not wait]

    assert max(sum(0 <= at - first < 60 for at in let) for first in let) <= limit.most


@pytest.mark.parametrize("limit", [RATE, WINDOW])
def test_a_pause_is_as_long_as_it_was_asked_for_and_a_shorter_one_does_not_end_it(limit: Limit) -> None:
    taken = limit.pause(limit.take((), 0.0), 0.0, 90.0)

    assert limit.wait(taken, 10.0) == pytest.approx(80.0)
    assert limit.wait(limit.pause(taken, 10.0, 5.0), 10.0) == pytest.approx(80.0)
    assert limit.wait(taken, 90.0) == 0.0


async def test_one_key_takes_nothing_of_another(budget: Local) -> None:
    for _ in range(EDITS.burst):
        await budget.take(UPDATE)

    assert (await budget.take(UPDATE) > 0, await budget.take(POST)) == (True, 0.0)


async def test_a_pause_is_waited_for(budget: Local, clock: Clock) -> None:
    await budget.pause(UPDATE, 30.0)

    assert (await budget.take(UPDATE), budget.delay(UPDATE)) == (pytest.approx(30.0), pytest.approx(30.0))
    clock.at += 30.0
    assert await budget.take(UPDATE) == 0.0


async def test_what_is_used_is_told_as_a_share(budget: Local, clock: Clock) -> None:
    await budget.take(UPDATE)
    before = dict(budget.used)
    clock.at += 60.0

    assert (before, budget.used) == ({UPDATE: pytest.approx(1 / 49)}, {UPDATE: 0.0})


@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_called_more_often_than_slack_takes(method: str) -> None:
    assert limit(method).most < METHODS[method].limit


def test_a_channel_takes_no_more_posts_than_slack_does() -> None:
    assert (CHANNEL.minute, CHANNEL.burst < CHANNEL_BURST) == (60, True)
    assert (keys(POST, "C1"), limit(f"{POST}:C1")) == ([POST, f"{POST}:C1"], CHANNEL)


async def test_calls_go_through_in_the_order_in_which_they_came() -> None:
    gate, order = Gate(Local()), []

    async def pass_through(number: int) -> None:
        await gate.enter("bot.unknown")
        order.append(number)

    await asyncio.gather(*(pass_through(number) for number in range(TIER_2.burst)))

    assert order == list(range(TIER_2.burst))


async def test_what_was_paid_for_is_not_paid_twice(budget: Local) -> None:
    gate = Gate(budget)
    paid.set((UPDATE,))

    await gate.enter(UPDATE)
    await gate.enter(UPDATE)

    assert round(budget.room(UPDATE)) == EDITS.burst - 1


async def test_where_slack_refuses_all_the_same_the_method_is_left_alone(slack: Slack, client: Client) -> None:
    slack.fail("auth.test", retry_after=30)
    await asyncio.gather(client.auth_test(), return_exceptions=True)

    assert client.budget.room("auth.test") < 0
    assert client.budget.room("users.info") > 0


async def test_what_can_wait_leaves_some_to_people(client: Client) -> None:
    for _ in range(TIER_2.burst - SPARE):
        await client.spare("bot.unknown")
    more = asyncio.create_task(client.spare("bot.unknown"))
    await asyncio.wait([more], timeout=0.05)

    assert (more.done(), round(client.budget.room("bot.unknown"))) == (False, SPARE)
    more.cancel()


async def test_replicas_go_by_what_the_database_says() -> None:
    there: Taken = (100.0,)  # by the database's clock: 22.3 s ahead of its moment

    async def row(key: str, step: Step) -> tuple[Taken, float]:
        return (there if (after := step(there, 77.7)) is None else after), 77.7

    budget = Shared(row)

    assert 18.4 < await budget.take(UPDATE, need=1000) < 19.9
    assert budget.delay(UPDATE) == pytest.approx(19.7, abs=0.1)


async def test_that_limits_are_not_shared_is_told_once_for_each_time_that_the_database_goes_away(caplog: pytest.LogCaptureFixture) -> None:
    away = [True, True, False, True, True, False, True]  # at first it is not open yet

    async def row(key: str, step: Step) -> tuple[Taken, float]:
        if away.pop(0):
            raise StoreFailed("The database is closed.")
        return (), 50.0

    budget = Shared(row)
    while away:
        await budget.take(UPDATE)

    assert [record.message for record in caplog.records] == ["limits_not_shared"] * 2


@pytest.mark.parametrize(("need", "share"), [((1, 1), 0.5), ((6, 2), 0.75)])
async def test_replicas_share_by_need_whoever_had_the_last(need: tuple[int, int], share: float) -> None:
    there: dict[str, Taken] = {}
    now, got, keep = 50.0, [0, 0], EDITS.burst - 1

    async def row(key: str, step: Step) -> tuple[Taken, float]:
        there[key] = step(there.get(key, ()), now) or there[key]
        return there[key], now

    pair, again = [Shared(row, lambda: now) for _ in need], [now, now]
    for each in pair:
        each.replicas = 2
    while sum(got) < 1000:
        who = again.index(now := min(again))
        wait = pair[who].delay(UPDATE, keep) or await pair[who].take(UPDATE, keep, need[who])
        again[who] = now + (wait or 0.001)
        got[who] += not wait

    assert got[0] / sum(got) == pytest.approx(share, abs=0.08)


async def test_a_pause_that_one_replica_was_asked_for_holds_for_all() -> None:
    there: dict[str, Taken] = {}

    async def row(key: str, step: Step) -> tuple[Taken, float]:
        there[key] = step(there.get(key, ()), 50.0) or there[key]
        return there[key], 50.0

    await Shared(row).pause(POST, 40.0)

    assert 40.0 <= await Shared(row).take(POST) < 43.0


async def test_while_the_database_is_away_each_goes_by_what_it_last_knew() -> None:
    async def row(key: str, step: Step) -> tuple[Taken, float]:
        raise StoreFailed("The database does not answer.")

    budget = Shared(row)
    await budget.pause(POST, 30.0)

    assert [await budget.take(UPDATE) > 0 for _ in range(4)] == [False, False, False, True]
    assert await budget.take(POST) > 29
