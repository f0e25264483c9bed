"""What the tests of runtimes share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.runtimes import runtime_of
from bot.shim.server import Shim
from tests.standins.model import Model

TOKEN = "a-token-for-this-shim"


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with Model() as model:
        yield model


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Shim]:
    shim = Shim(TOKEN, tmp_path / "container", runtime_of, {"COLOUR": "blue"})
    await shim.start("127.0.0.1", 0)
    yield shim
    await shim.close()
