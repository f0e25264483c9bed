"""A store, for what keeps there what it says in Slack."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.sql import SqlStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path}/desk.db")
    await store.open()
    yield store
    await store.close_all()
