"""The connection to a workspace: a client, both tokens looked at, and a socket."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ConfigError
from bot.settings import Settings
from bot.slack.calls import call, error_of
from bot.slack.listeners import Listeners

TIMEOUT = 15.0  # seconds until a socket has to be there
PING = 2.0  # seconds between two pings: a connection that was reset is noticed at the next one, the SDK's 10 s are long for a person
WHERE = {"xoxb-": "OAuth & Permissions", "xapp-": "Basic Information, App-Level Tokens, with the scope connections:write"}


def web(settings: Settings, http: aiohttp.ClientSession) -> AsyncWebClient:
    """Without the SDK's own retries, which would post twice where an answer was lost."""
    return AsyncWebClient(settings.slack_bot_token, base_url=settings.slack_api_url, session=http, retry_handlers=[])


class Connection:
    """One socket to Slack; everything that it delivers goes to `listeners`."""

    def __init__(self, settings: Settings, client: AsyncWebClient, listeners: Listeners) -> None:
        self.settings, self.client, self.listeners = settings, client, listeners
        self._socket: AsyncSocketModeHandler | None = None

    async def greet(self) -> None:
        """Look at both tokens before anything is built on them. Raises ConfigError, with the remedy."""
        bot, app = self.settings.slack_bot_token, self.settings.slack_app_token
        _shaped("SLACK_BOT_TOKEN", "xoxb-", bot)
        _shaped("SLACK_APP_TOKEN", "xapp-", app)
        await self._taken("SLACK_BOT_TOKEN", "xoxb-", self.listeners.directory.whoami())
        await self._taken("SLACK_APP_TOKEN", "xapp-", self.client.apps_connections_open(app_token=app))

    async def _taken(self, name: str, prefix: str, asked: Awaitable[Any]) -> None:
        try:
            await call(asked)
        except SlackApiError as error:
            if error_of(error) == "unreachable":
                url = self.settings.slack_api_url
                raise ConfigError(f"Slack cannot be reached at {url}. Check the network, and SLACK_API_URL.") from error
            raise ConfigError(
                f"{name}: Slack refuses it ({error_of(error)}). Copy it anew from the app's page: {WHERE[prefix]}."
            ) from error

    async def open(self) -> None:
        """Raises ConfigError where no socket opens in time."""
        app = AsyncApp(client=self.client, logger=logging.getLogger("slack_bolt"))
        self.listeners.listen(app)
        log = logging.getLogger("slack_sdk.socket")
        self._socket = AsyncSocketModeHandler(app, self.settings.slack_app_token, logger=log, ping_interval=PING)
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._socket.connect_async()  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            raise ConfigError(f"No socket to Slack opened within {TIMEOUT:g} s. Is Socket Mode switched on for the app?") from error

    async def close(self) -> None:
        if self._socket:
            await self._socket.close_async()  # type: ignore[no-untyped-call]


def _shaped(name: str, prefix: str, token: str) -> None:
    if not token.startswith(prefix):
        what = f"begins with {token[:5]!r}" if token else "is not set"
        raise ConfigError(f"{name} {what}; it has to be the token that begins with {prefix}, from the app's page: {WHERE[prefix]}.")
