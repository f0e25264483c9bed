"""The connection to a workspace: a client, both tokens looked at, and a socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.logger.messages import warning_client_prioritized_and_token_skipped, warning_token_skipped
from slack_sdk.errors import SlackApiError

from bot.errors import ConfigError
from bot.settings import Settings
from bot.slack.attention import Attention
from bot.slack.budget import Budget
from bot.slack.calls import TOKEN, UNCONNECTED, UNREACHABLE, Called, Client, call, error_of, refused
from bot.slack.directory import Directory

Receive = Callable[[dict[str, Any]], Awaitable[Any]]
TIMEOUT = 15.0  # seconds until a socket has to be there
PING = 2.0  # seconds between two pings: a connection that was reset is noticed at the next one, the SDK's 10 s are long for a person
WHERE = {"xoxb-": "OAuth & Permissions", "xapp-": "Basic Information, App-Level Tokens, with the scope connections:write"}


def web(
    settings: Settings, http: aiohttp.ClientSession, called: Called = lambda method, outcome, seconds: None, budget: Budget | None = None
) -> Client:
    return Client(settings.slack_bot_token, settings.slack_api_url, http, called, budget)


class Connection:
    """One socket to Slack; everything that it delivers goes to `receive`."""

    def __init__(self, settings: Settings, client: Client, directory: Directory, receive: Receive) -> None:
        self.settings, self.client, self.directory, self.receive = settings, client, directory, receive
        self.attention: Attention | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._greeted: object = None  # the connection on which Slack said hello

    async def greet(self) -> None:
        """Look at both tokens before anything is built on them. Raises ConfigError, with the remedy."""
        bot, app = self.settings.slack_bot_token, self.settings.slack_app_token
        _shaped("SLACK_BOT_TOKEN", "xoxb-", bot)
        _shaped("SLACK_APP_TOKEN", "xapp-", app)
        await self._taken("SLACK_BOT_TOKEN", "xoxb-", self.directory.whoami())
        await self._taken("SLACK_APP_TOKEN", "xapp-", self.client.apps_connections_open(app_token=app))

    async def _taken(self, name: str, prefix: str, asked: Awaitable[Any]) -> None:
        try:
            await call(asked)
        except SlackApiError as error:
            if error_of(error) in (UNREACHABLE, UNCONNECTED):
                raise ConfigError(away(self.settings)) from error
            if error_of(error) not in TOKEN and refused(error).after is not None:
                raise ConfigError(f"Slack is in trouble of its own ({error_of(error)}). Start again in a minute.") from error
            raise ConfigError(
                f"{name}: Slack refuses it ({error_of(error)}). Copy it anew from the app's page: {WHERE[prefix]}."
            ) from error

    async def open(self) -> None:
        """Raises ConfigError where no socket opens in time."""
        app = AsyncApp(name="frontdesk", client=self.client, logger=_log(), authorize=_known(self.directory, self.settings.slack_bot_token))
        app.middleware(self.receive)
        log = logging.getLogger("slack_sdk.socket")
        self._socket = AsyncSocketModeHandler(app, self.settings.slack_app_token, logger=log, ping_interval=PING)
        self._socket.client.message_listeners.append(self._heard)
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._connect(self._socket)
        except TimeoutError as error:
            raise ConfigError(f"No socket to Slack opened within {TIMEOUT:g} s. Is Socket Mode switched on for the app?") from error

    async def _connect(self, socket: AsyncSocketModeHandler) -> None:
        """As often as Slack is in trouble of its own."""
        while True:
            try:
                return await call(socket.connect_async())  # type: ignore[no-untyped-call, no-any-return]
            except SlackApiError as error:
                if error_of(error) in TOKEN or refused(error).after is None:
                    raise ConfigError(f"Slack opens no socket: {error_of(error)}.") from error
                await asyncio.sleep(PING)

    async def _heard(self, client: Any, message: dict[str, Any], _: str | None) -> None:
        if message.get("type") == "hello":
            self._greeted = client.current_session
            if self.attention:
                self.attention.greeted()
        elif self.attention and "payload" in message:
            self.attention.heard(message["payload"])

    async def run(self) -> None:
        """An address is good for one try only, but the SDK goes on with the one that it has until a connection comes of it."""
        while True:
            await asyncio.sleep(PING)
            client = self._socket.client if self._socket else None
            if client and not await client.is_connected():
                client.wss_uri = None  # then it asks for another

    async def renew(self) -> None:
        """Open another socket in place of this one, for as long as that takes."""
        while self._socket:
            try:
                return await call(self._socket.client.connect_to_new_endpoint(force=True))  # type: ignore[no-any-return]
            except SlackApiError as error:
                logging.getLogger(__name__).warning("not_renewed", extra={"action": "not_renewed", "error": error_of(error)})
                await asyncio.sleep(PING)

    async def trouble(self) -> str:
        """Why nothing can be heard of Slack now, in words; empty where it can."""
        client = self._socket.client if self._socket else None
        if self.client.shut:
            return (
                f"Slack refuses SLACK_BOT_TOKEN ({self.client.shut}). Copy it anew from the app's page, and start again: all waits for that"
            )
        if client is None or not await client.is_connected():
            return "no socket to Slack is open"
        return "" if self._greeted is client.current_session else "Slack has not said hello yet on the socket"

    async def close(self) -> None:
        if self._socket:
            await self._socket.close_async()  # type: ignore[no-untyped-call]


def _known(here: Directory, token: str) -> Callable[[], Awaitable[AuthorizeResult]]:
    """Who we are, as Bolt wants to know it: by itself it would ask Slack, and acknowledge what came while Slack had no answer."""

    async def known() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=here.team, bot_user_id=here.bot, bot_id=here.bot_id, bot_token=token)

    return known


def _shaped(name: str, prefix: str, token: str) -> None:
    if not token.startswith(prefix):
        what = f"begins with {token[:5]!r}" if token else "is not set"
        raise ConfigError(f"{name} {what}; it has to be the token that begins with {prefix}, from the app's page: {WHERE[prefix]}.")


def away(settings: Settings) -> str:
    return f"Slack cannot be reached at {settings.slack_api_url}. Check the network, and SLACK_API_URL."


def _log() -> logging.Logger:
    """Bolt's log, without its warning that a token from the environment is of no use, since it is the one that the client has."""
    log = logging.getLogger("slack_bolt")
    log.addFilter(_surprises)
    return log


def _surprises(record: logging.LogRecord) -> bool:
    return record.getMessage() not in (warning_client_prioritized_and_token_skipped(), warning_token_skipped())
