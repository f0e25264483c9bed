"""The store on a file and on PostgreSQL, as the tests of what it promises use it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store.sql import SqlStore
from tests.standins.blank import blank
from tests.standins.postgres import Cluster, cluster


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore]:
    """All that is tested with it holds on both."""
    url = blank(tmp_path / "frontdesk.db")
    if request.param == "postgresql":
        made: Cluster = request.getfixturevalue("postgres")
        await made.ready()
        url = await made.create()
    store = SqlStore(url)
    await store.open()
    yield store
    await store.close_all()
