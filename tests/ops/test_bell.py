"""Agents elsewhere ring at the port that whoever runs the bot looks at."""

import aiohttp
import pytest

from bot import app
from bot.errors import ConfigError
from bot.playground import Slack
from bot.settings import Settings, read


async def rung(settings: Settings, token: str) -> int:
    url, headers = f"http://127.0.0.1:{settings.http_port}/push", {"X-A2A-Notification-Token": token}
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers, json={}) as answer:
        return answer.status


async def test_a_ring_with_the_right_token_is_heard(served: Settings, slack: Slack) -> None:
    public = served.model_copy(update={"public_url": "https://desk.example"})
    async with app.running(public) as desk:
        await slack.until(lambda: slack.sockets)
        with desk.lent.bell.hung("token") as rope:
            assert rope
            codes = await rung(served, "wrong"), await rung(served, "token")
            url = rope.url

    assert (url, codes) == ("https://desk.example/push", (404, 204))


async def test_without_a_public_address_nobody_can_ring(served: Settings, slack: Slack) -> None:
    async with app.running(served) as desk:
        await slack.until(lambda: slack.sockets)
        with desk.lent.bell.hung("token") as rope:
            assert rope is None

        assert await rung(served, "token") == 404


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL"):
        read({"PUBLIC_URL": "desk.example"})
