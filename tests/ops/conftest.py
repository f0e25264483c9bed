"""A bot that is served over HTTP, and a look at it."""

import asyncio
import json
import socket
from typing import Any

import aiohttp
import pytest

from bot.settings import Settings


def free() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def served(settings: Settings) -> Settings:
    return settings.model_copy(update={"http_port": free()})


async def get(settings: Settings, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{settings.http_port}{path}") as answer:
        return answer.status, await answer.text()


async def ready(settings: Settings) -> tuple[int, dict[str, Any]]:
    status, text = await get(settings, "/readyz")
    said: dict[str, Any] = json.loads(text)
    return status, said["missing"]


async def until(settings: Settings, wanted: int, times: int = 500) -> dict[str, Any]:
    """What is missing, once the bot answers so."""
    for _ in range(times):
        try:
            status, missing = await ready(settings)
            if status == wanted:
                return missing
        except aiohttp.ClientConnectionError:  # it has not begun to serve yet
            pass
        await asyncio.sleep(0.02)
    raise TimeoutError(f"/readyz does not come to say {wanted}")
