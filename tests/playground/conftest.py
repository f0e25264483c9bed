"""A workspace of its own for each test, and an app beside it: the real client, the real Bolt, or a bare socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

Json = dict[str, Any]
Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(ack_seconds=0.3) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def client(slack: Slack, http: ClientSession) -> AsyncWebClient:
    client = AsyncWebClient(slack.bot_token, base_url=slack.url, session=http)
    client.retry_handlers.clear()
    return client


@pytest.fixture
async def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client)


@pytest.fixture
async def connect(slack: Slack) -> AsyncIterator[Connect]:
    """Connects a Bolt app over Socket Mode; all are closed after the test."""
    handlers: list[AsyncSocketModeHandler] = []

    async def connected(app: AsyncApp) -> AsyncSocketModeHandler:
        handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.2)
        handlers.append(handler)
        before = slack.sockets
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.until(lambda: slack.sockets > before)
        return handler

    yield connected
    for handler in handlers:
        await handler.close_async()  # type: ignore[no-untyped-call]


class Ear:
    """A bare socket of the app: keeps the frames it gets, and acknowledges them if told to."""

    def __init__(self, ws: ClientWebSocketResponse, acks: bool) -> None:
        self.ws = ws
        self.acks = acks
        self.frames: list[Json] = []
        self.pongs = 0
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.ws:
            if message.type == WSMsgType.PONG:
                self.pongs += 1
            if message.type != WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            self.frames.append(frame)
            if self.acks and "envelope_id" in frame:
                await self.ack(frame)

    async def ack(self, frame: Json, payload: Json | None = None) -> None:
        await self.ws.send_json({"envelope_id": frame["envelope_id"]} | ({"payload": payload} if payload else {}))

    @property
    def envelopes(self) -> list[Json]:
        return [frame for frame in self.frames if "envelope_id" in frame]


Listen = Callable[..., Awaitable[Ear]]


async def open_url(slack: Slack, http: ClientSession) -> str:
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with http.post(slack.url + "apps.connections.open", headers=headers) as response:
        return str((await response.json())["url"])


@pytest.fixture
async def listen(slack: Slack, http: ClientSession) -> AsyncIterator[Listen]:
    """Opens bare sockets; `acks=False` for one that never acknowledges."""
    ears: list[Ear] = []

    async def opened(acks: bool = True) -> Ear:
        ear = Ear(await http.ws_connect(await open_url(slack, http), autoping=False), acks)
        ears.append(ear)
        await slack.until(lambda: ear.frames)
        return ear

    yield opened
    for ear in ears:
        await ear.ws.close()
        ear.task.cancel()
        await asyncio.gather(ear.task, return_exceptions=True)


def events(slack: Slack, kind: str = "") -> list[Json]:
    """The events that were to be delivered, in order."""
    found = [each.payload["event"] for each in slack.envelopes if each.type == "events_api"]
    return [event for event in found if not kind or kind in (event["type"], event.get("subtype"))]
