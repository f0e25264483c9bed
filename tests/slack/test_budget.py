"""No call is refused: each waits until its method may be called, and what matters more waits less."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.errors import StoreFailed
from bot.playground import Slack
from bot.playground.limits import CHANNEL_BURST
from bot.playground.methods import METHODS
from bot.slack.budget import CHANNEL, POST, RATES, TIER_2, UPDATE, Gate, Local, Rate, Shared, lines, paid
from bot.slack.calls import Client

RATE = Rate(60, 3)


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


async def test_a_burst_is_let_through_and_then_one_after_the_other(budget: Local, clock: Clock) -> None:
    waits = [await budget.take("k", RATE) for _ in range(4)]
    clock.at += 1.0

    assert waits == [0.0, 0.0, 0.0, 1.0]
    assert [await budget.take("k", RATE), await budget.take("k", RATE)] == [0.0, 1.0]


async def test_one_key_takes_nothing_of_another(budget: Local) -> None:
    for _ in range(3):
        await budget.take("k", RATE)

    assert await budget.take("other", RATE) == 0.0


async def test_what_is_kept_is_there_for_what_matters_more(budget: Local) -> None:
    waits = [await budget.take("k", RATE, keep) for keep in (2, 2, 1, 0)]

    assert waits == [0.0, 1.0, 0.0, 0.0]


async def test_a_pause_is_waited_for(budget: Local, clock: Clock) -> None:
    budget.pause("k", RATE, 30.0)

    assert (await budget.take("k", RATE), budget.room("k", RATE)) == (30.0, -29.0)
    clock.at += 30.0
    assert (await budget.take("k", RATE), budget.room("k", RATE)) == (0.0, 2.0)


async def test_what_is_used_is_told_as_a_share(budget: Local, clock: Clock) -> None:
    await budget.take(UPDATE, RATES[UPDATE])
    before = dict(budget.used)
    clock.at += 60.0

    assert (before, budget.used) == ({UPDATE: pytest.approx(1 / 49)}, {UPDATE: 0.0})


@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_called_more_often_than_slack_takes(method: str) -> None:
    rate = RATES.get(method, TIER_2)

    assert rate.minute + rate.burst < METHODS[method].limit


def test_a_channel_takes_no_more_posts_than_slack_does() -> None:
    assert (CHANNEL.minute, CHANNEL.burst < CHANNEL_BURST) == (60, True)
    assert [key for key, _ in lines(POST, "C1")] == [POST, f"{POST}:C1"]


async def test_calls_go_through_in_the_order_in_which_they_came() -> None:
    gate, order = Gate(Local()), []

    async def pass_through(number: int) -> None:
        await gate.enter("bot.unknown")
        order.append(number)

    await asyncio.gather(*(pass_through(number) for number in range(TIER_2.burst)))

    assert order == list(range(TIER_2.burst))


async def test_what_was_paid_for_is_not_paid_twice(budget: Local) -> None:
    gate = Gate(budget)
    paid.set(UPDATE)

    await gate.enter(UPDATE)
    await gate.enter(UPDATE)

    assert round(budget.room(UPDATE, RATES[UPDATE])) == RATES[UPDATE].burst - 1


@pytest.fixture
async def client(slack: Slack) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(slack.bot_token, slack.url, http, lambda method, outcome, seconds: None)


async def test_where_slack_refuses_all_the_same_the_method_is_left_alone(slack: Slack, client: Client) -> None:
    slack.fail("auth.test", retry_after=30)
    await asyncio.gather(client.auth_test(), return_exceptions=True)

    assert client.budget.room("auth.test", RATES["auth.test"]) < 0
    assert client.budget.room("users.info", RATES["users.info"]) > 0


async def test_replicas_go_by_what_the_database_says() -> None:
    told = [(0.0, 1.0), (5.0, 8.0)]

    async def gauge(key: str, minute: float, burst: int, keep: int) -> tuple[float, float]:
        return told.pop(0)

    budget = Shared(gauge)

    assert await budget.take("k", RATE) == 0.0
    assert 5.0 < await budget.take("k", RATE, need=1000) < 5.1
    assert round(budget.room("k", RATE)) == -5


async def test_while_the_database_is_away_each_goes_by_what_it_last_knew() -> None:
    async def gauge(key: str, minute: float, burst: int, keep: int) -> tuple[float, float]:
        raise StoreFailed("The database does not answer.")

    budget = Shared(gauge)

    assert [await budget.take("k", RATE) > 0 for _ in range(4)] == [False, False, False, True]
