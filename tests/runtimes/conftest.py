"""What the tests of runtimes share."""

from collections.abc import AsyncIterator

import pytest

from tests.standins.model import Model


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with Model() as model:
        yield model
