"""The connection to a Slack that is strict: an address is good for one connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot.settings import Settings
from bot.slack.calls import Client
from bot.slack.connect import Connection
from bot.slack.directory import Directory
from tests.standins.wait import until


class Strict:
    """An address is for one connection. The next `broken` of them lead nowhere."""

    def __init__(self) -> None:
        self.fresh: set[str] = set()
        self.opened = self.broken = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.url = self.revoked = ""

    async def called(self, request: web.Request) -> web.Response:
        if self.revoked and request.match_info["method"] != "apps.connections.open":
            return web.json_response({"ok": False, "error": self.revoked})
        self.opened += 1
        self.fresh.add(str(self.opened))
        return web.json_response({"ok": True, "url": f"{self.url}link?ticket={self.opened}"})

    async def joined(self, request: web.Request) -> web.StreamResponse:
        if (ticket := request.query["ticket"]) not in self.fresh:
            return web.Response(status=404)
        self.fresh.discard(ticket)
        if self.broken:
            self.broken -= 1
            return web.Response(status=500)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "hello"})
        async for _ in socket:
            pass
        self.sockets.remove(socket)
        return socket


@pytest.fixture
async def strict() -> AsyncIterator[Strict]:
    slack, app = Strict(), web.Application()
    app.router.add_post("/api/{method}", slack.called)
    app.router.add_get("/link", slack.joined)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield slack
    await runner.cleanup()


@pytest.fixture
async def client(strict: Strict) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client("xoxb-1", f"{strict.url}api/", http, lambda method, outcome, seconds: None)


@pytest.fixture
async def connection(strict: Strict, client: Client) -> AsyncIterator[Connection]:
    async def receive(body: dict[str, Any]) -> None:
        pass

    made = Connection(Settings(slack_app_token="xapp-1", slack_api_url=f"{strict.url}api/"), client, Directory(client), receive)
    running = asyncio.create_task(made.run())
    yield made
    await made.close()
    running.cancel()
    await asyncio.wait([running])


async def heard(connection: Connection) -> bool:
    return not await connection.trouble()


async def lost(strict: Strict) -> None:
    await strict.sockets[0].close()


async def renewed(strict: Strict) -> None:
    await strict.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})


@pytest.mark.parametrize("ended", [lost, renewed])
async def test_an_address_that_led_nowhere_is_not_tried_again(
    strict: Strict, connection: Connection, ended: Callable[[Strict], Awaitable[None]]
) -> None:
    await connection.open()
    await until(lambda: heard(connection))

    strict.broken = 1
    await ended(strict)

    await until(lambda: strict.opened >= 3)
    await until(lambda: heard(connection))
    assert len(strict.sockets) == 1


async def test_a_bots_token_that_slack_refuses_is_a_trouble_until_it_is_taken_anew(
    strict: Strict, client: Client, connection: Connection
) -> None:
    await connection.open()
    await until(lambda: heard(connection))

    strict.revoked = "token_revoked"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C1", text="hello")
    assert "SLACK_BOT_TOKEN (token_revoked)" in await connection.trouble()

    strict.revoked = ""
    await client.chat_postMessage(channel="C1", text="hello")
    assert await heard(connection)


async def test_the_first_address_may_lead_nowhere_too(strict: Strict, connection: Connection) -> None:
    strict.broken = 1

    await connection.open()

    await until(lambda: heard(connection))
