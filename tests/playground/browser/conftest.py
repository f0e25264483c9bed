"""One browser for each file, one desk for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from .desk import Desk, browsers


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async for each in browsers():
        yield each


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser) -> AsyncIterator[Desk]:
    desk = Desk(browser)
    await desk.start()
    yield desk
    await desk.stop()
    assert desk.complaints == []
