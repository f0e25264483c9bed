"""Slack's limits as rows: replicas take of them together, never more than there is."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from bot.store.budget import Step, swap
from bot.store.tables import meta
from tests.standins.postgres import Cluster


@pytest.fixture
async def engine(postgres: Cluster) -> AsyncIterator[sa.Engine]:
    await postgres.ready()
    engine = sa.create_engine(await postgres.create())
    meta.create_all(engine)
    yield engine
    engine.dispose()


def one_of(many: int) -> Step:
    """Takes one more, where so many are allowed in all."""
    return lambda taken, now: (*taken, now) if len(taken) < many else None


def taken(engine: sa.Engine, key: str = "chat.update", many: int = 3) -> int:
    """How many were taken, with this one if there was one to take."""
    with engine.begin() as connection:
        return len(swap(connection, key, one_of(many))[0])


def test_what_was_taken_is_there_for_the_next(engine: sa.Engine) -> None:
    assert [taken(engine) for _ in range(4)] == [1, 2, 3, 3]


def test_one_method_takes_nothing_of_another(engine: sa.Engine) -> None:
    assert [taken(engine, key) for key in ("a", "b", "a")] == [1, 1, 2]


def test_the_moment_is_the_databases(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        moments, now = swap(connection, "a", one_of(1))

    assert (moments[0], now) == (pytest.approx(time.time(), abs=5), moments[0])


async def test_replicas_that_come_at_the_same_time_take_no_more_than_there_is(engine: sa.Engine) -> None:
    counts = await asyncio.gather(*(asyncio.to_thread(taken, engine) for _ in range(10)))

    assert sorted(counts) == [1, 2, *[3] * 8]
