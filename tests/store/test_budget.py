"""Slack's limits as rows: replicas take of them together, never more than there is."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from bot.store.budget import take
from bot.store.tables import meta
from tests.standins.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[sa.Engine]:
    url = "sqlite://"
    if request.param == "postgresql":
        made: Cluster = request.getfixturevalue("postgres")
        await made.ready()
        url = await made.create()
    engine = sa.create_engine(url)
    meta.create_all(engine)
    yield engine
    engine.dispose()


def taken(engine: sa.Engine, keep: int = 0) -> float:
    with engine.begin() as connection:
        return take(connection, "chat.update", 6, 3, keep)[0]


def test_a_burst_is_there_and_then_there_is_nothing_for_a_while(engine: sa.Engine) -> None:
    waits = [taken(engine) for _ in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert 9 < waits[3] <= 10


def test_what_is_kept_is_there_for_what_matters_more(engine: sa.Engine) -> None:
    waits = [taken(engine, keep) > 0 for keep in (2, 2, 1, 0, 0)]

    assert waits == [False, True, False, False, True]


def test_nothing_is_taken_where_all_is_to_be_kept(engine: sa.Engine) -> None:
    assert [taken(engine, 3) > 0, taken(engine) > 0] == [True, False]


def test_one_method_takes_nothing_of_another(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        waits = [take(connection, key, 6, 1)[0] > 0 for key in ("a", "b", "a")]

    assert waits == [False, False, True]


def test_how_far_ahead_all_have_taken_is_told(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        ahead = [take(connection, "a", 6, 2)[1] for _ in range(2)]

    assert ahead == pytest.approx([10, 20], abs=0.5)


async def test_replicas_that_come_at_the_same_time_take_no_more_than_there_is(postgres: Cluster) -> None:
    await postgres.ready()
    engine = sa.create_engine(await postgres.create())
    meta.create_all(engine)

    waits = await asyncio.gather(*(asyncio.to_thread(taken, engine) for _ in range(10)))

    assert sum(wait == 0 for wait in waits) == 3
    engine.dispose()
