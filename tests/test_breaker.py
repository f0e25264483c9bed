"""Platforms that do not answer are left alone."""

import pytest

from bot.breaker import BREAKER, TRYING, Breaker, Down, Left
from bot.errors import RuntimeFailed, Unavailable
from bot.glance import Glance
from bot.ops.health import Health
from bot.ops.server import Server, left_alone
from bot.slack.views import home


class Clock:
    def __init__(self) -> None:
        self.now = 12 * 3600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def fail(breaker: Breaker, times: int = 1, error: RuntimeFailed | None = None) -> None:
    for _ in range(times):
        with pytest.raises(RuntimeFailed), breaker.through("host"):
            raise error or Down("nobody answers")


def test_it_is_left_alone_after_three_failures_and_it_is_said_since_when(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 2
    fail(breaker, 2)

    with pytest.raises(Left) as caught, breaker.through("host"):
        raise AssertionError("it was asked")

    assert str(caught.value) == "host does not answer since 12:00:00 UTC; trying again at 12:00:17 UTC."
    assert [place.words for place in breaker.troubles()] == [str(caught.value)]


def test_one_may_try_again_when_it_is_time_and_the_others_wait_for_what_comes_of_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 15

    with breaker.through("host"), pytest.raises(Left), breaker.through("host"):
        raise AssertionError("it was asked")

    assert not breaker.troubles()


def test_one_who_takes_long_keeps_the_others_only_as_long_as_connecting_takes(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 15

    with breaker.through("host"):
        clock.now += TRYING - 1
        with pytest.raises(Left, match="trying again at 12:00:25 UTC"), breaker.through("host"):
            raise AssertionError("it was asked")
        clock.now += 1
        with breaker.through("host"):
            pass
        assert not breaker.troubles()


def test_a_time_that_is_over_is_not_told(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 60

    assert [place.words for place in breaker.troubles()] == ["host does not answer since 12:00:00 UTC; whoever asks next tries again."]


def test_a_clock_that_is_set_back_keeps_nobody_waiting(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now -= 3600

    with breaker.through("host"):
        pass

    assert not breaker.troubles()


def test_the_pause_grows_while_it_fails(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 15
    fail(breaker)

    assert breaker.troubles()[0].again == clock.now + 30
    assert breaker.troubles()[0].since == 12 * 3600


def test_a_platform_that_refuses_does_answer(breaker: Breaker) -> None:
    fail(breaker, 2)
    fail(breaker, 1, Unavailable("wrong key"))
    fail(breaker, 2)

    assert not breaker.troubles()


def test_one_host_says_nothing_of_another(breaker: Breaker) -> None:
    fail(breaker, 3)

    with breaker.through("other"):
        pass

    assert [place.host for place in breaker.troubles()] == ["host"]


async def test_app_home_and_whoever_runs_the_bot_see_it() -> None:
    for _ in range(3):
        with pytest.raises(Down), BREAKER.through("acme.example"):
            raise Down("nobody answers")
    served = Server(Health({}), figures)
    await served.start("127.0.0.1", 0)

    told = await left_alone(served.port)
    await served.close()

    assert [words.partition(" since")[0] for words in told] == ["acme.example does not answer"]
    assert told[0] in str(home.render(Glance(troubles=told), "https://acme.slack.com/"))


async def test_where_nothing_is_served_nothing_is_known() -> None:
    assert await left_alone(9) == []


async def figures() -> bytes:
    return b""
