"""Agents elsewhere ring at the port that whoever runs the bot looks at."""

import aiohttp
import pytest

from bot import app
from bot.bell import MOST, Bell
from bot.errors import ConfigError, StoreFailed
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


async def test_strangers_who_ring_do_not_keep_the_other_replicas_busy() -> None:
    bell, told = Bell("https://desk.example"), list[str]()

    async def tell(mark: str) -> None:
        told.append(mark)

    bell.others = tell
    heard = [await bell.rung({"Authorization": f"Bearer {number}"}) for number in range(10 * MOST)]

    assert heard.count(True) == len(told)
    assert MOST <= len(told) <= 2 * MOST  # two seconds at most


async def test_where_the_other_replicas_cannot_be_told_it_is_not_said_that_they_were() -> None:
    async def away(_: str) -> None:
        raise StoreFailed("the database is away")

    bell = Bell("https://desk.example")
    bell.others = away

    assert not await bell.rung({"Authorization": "Bearer token"})


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL"):
        read({"PUBLIC_URL": "desk.example"})
