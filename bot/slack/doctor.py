"""Looks whether Slack is set up as the desk needs it, and says what to do where it is not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent import Agent
from bot.errors import BotError
from bot.settings import Settings
from bot.slack.directory import Directory
from bot.slack.manifest import SCOPES

PATIENCE = 10.0  # seconds for Slack to say hello
APP = "https://api.slack.com/apps"
TOKENS = {
    "invalid_auth": "the token is wrong: copy it again",
    "token_revoked": "the token was revoked: install the app again",
    "token_expired": "the token has expired: turn token rotation off",
    "account_inactive": "the app was removed: install it again",
    "not_allowed_token_type": "this is another kind of token: a bot's begins with xoxb-, an app's with xapp-",
    "missing_scope": "a scope is missing: install the app again from manifest.yaml",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do where it is not `ok`, or could be better."""

    name: str
    ok: bool
    words: str
    remedy: str = ""


async def examine(settings: Settings, agents: Sequence[Agent], wait: float, tell: Callable[[str], None]) -> list[Finding]:
    """All that can be known from here of tokens, scopes, socket, channels and groups.

    With `wait` (seconds) it also asks, through `tell`, to be mentioned, and waits for that to arrive.
    """
    client = AsyncWebClient(settings.slack_bot_token, base_url=settings.slack_api_url)
    tokens = settings.slack_bot_token or settings.slack_app_token
    if tokens and (away := await _away(settings, client)):
        return [away]  # without Slack there is nothing to be said about tokens
    bot, name = await _bot(settings, client)
    found = [bot, await _app(settings, client)]
    if bot.ok:
        found += [await _scopes(client), await _channels(client, agents), await _groups(client, agents)]
    if found[1].ok:
        found += await _events(settings, client, name, wait, tell)
    return found


async def unknown(settings: Settings, agents: Sequence[Agent]) -> list[str]:
    """The names in agents' files that no channel or user group has, each in a sentence; nothing where there is no token to ask with."""
    if not settings.slack_bot_token:
        return []
    directory = Directory(AsyncWebClient(settings.slack_bot_token, base_url=settings.slack_api_url))
    try:
        await directory.resolve({name for agent in agents for name in agent.names()})
    except BotError as error:
        return [str(error)]
    what = {"#": "channel", "@": "user group"}
    missing = [(agent, name) for agent in agents for name in sorted(agent.names() - directory.ids.keys())]
    return [f"{agent.file}: no {what[name[0]]} is called {name}; correct the name, or invite the bot" for agent, name in missing]


async def _away(settings: Settings, client: AsyncWebClient) -> Finding | None:
    try:
        await client.api_test()
    except SlackApiError:
        return None
    except (ClientError, OSError) as error:
        return Finding("slack", False, f"cannot be reached at {settings.slack_api_url} ({error})", "check the network, and SLACK_API_URL")
    return None


async def _bot(settings: Settings, client: AsyncWebClient) -> tuple[Finding, str]:
    remedy = f"set SLACK_BOT_TOKEN to the xoxb- token at {APP}, your app, OAuth & Permissions"
    if not settings.slack_bot_token:
        return Finding("bot token", False, "SLACK_BOT_TOKEN is not set", remedy), ""
    try:
        who = await client.auth_test()
    except (SlackApiError, ClientError, OSError) as error:
        return Finding("bot token", False, _why(error), remedy), ""
    return Finding("bot token", True, f"@{who['user']} in {who['team']}"), str(who["user"])


async def _app(settings: Settings, client: AsyncWebClient) -> Finding:
    remedy = f"set SLACK_APP_TOKEN to an xapp- token with connections:write, at {APP}, your app, Basic Information, App-Level Tokens"
    if not settings.slack_app_token:
        return Finding("app token", False, "SLACK_APP_TOKEN is not set", remedy)
    try:
        await client.apps_connections_open(app_token=settings.slack_app_token)
    except (SlackApiError, ClientError, OSError) as error:
        return Finding("app token", False, _why(error), remedy)
    return Finding("app token", True, "opens connections")


async def _scopes(client: AsyncWebClient) -> Finding:
    headers = (await client.auth_test()).headers
    given = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), "")
    granted = {scope.strip() for scope in given.split(",") if scope.strip()}
    if missing := [scope for scope in SCOPES if scope not in granted]:
        remedy = f"paste manifest.yaml at {APP}, your app, App Manifest, and then install the app again"
        return Finding("scopes", False, f"the bot token lacks {', '.join(missing)}", remedy)
    more = sorted(granted - set(SCOPES))
    return Finding("scopes", True, f"all {len(SCOPES)}" + (f", and {', '.join(more)}, which nothing here needs" if more else ""))


async def _channels(client: AsyncWebClient, agents: Sequence[Agent]) -> Finding:
    """Whether the bot is in each channel that an agent's file names."""
    places = {place for agent in agents for trigger in agent.triggers for place in trigger.places}
    wanted = sorted(place for place in places if place[0] not in "*UW")
    if not wanted:
        return Finding("channels", True, "no agent's file names one")
    try:
        pages = await client.users_conversations(types="public_channel,private_channel", limit=999, exclude_archived=True)
        mine = {name async for page in pages for each in page["channels"] for name in (each["id"], f"#{each['name']}")}
    except (SlackApiError, ClientError, OSError) as error:
        return Finding("channels", False, _why(error), "look again when the scopes are right")
    if missing := [name for name in wanted if name not in mine]:
        remedy = "write /invite @Frontdesk in each, or correct its name in the agent's file"
        return Finding("channels", False, f"the bot is not in {', '.join(missing)}", remedy)
    return Finding("channels", True, f"the bot is in {', '.join(wanted)}")


async def _groups(client: AsyncWebClient, agents: Sequence[Agent]) -> Finding:
    wanted = sorted({name for agent in agents for name in agent.names() if name.startswith("@")})
    if not wanted:
        return Finding("user groups", True, "no agent's file names one")
    try:
        there = {f"@{group['handle']}" for group in (await client.usergroups_list())["usergroups"]}
    except (SlackApiError, ClientError, OSError) as error:
        return Finding("user groups", False, _why(error), "look again when the scopes are right")
    if missing := [name for name in wanted if name not in there]:
        remedy = "make the group in Slack, or correct its name in the agent's file; until then it lets nobody through"
        return Finding("user groups", False, f"there is no {', '.join(missing)}", remedy)
    return Finding("user groups", True, ", ".join(wanted))


async def _events(settings: Settings, client: AsyncWebClient, name: str, wait: float, tell: Callable[[str], None]) -> list[Finding]:
    """Whether a socket opens, and whether a mention comes through it."""
    hello, mention = asyncio.Event(), asyncio.Event()

    async def heard(_: SocketModeClient, message: dict[str, Any], __: str | None) -> None:
        if message.get("type") == "hello":
            hello.set()
        event = (message.get("payload") or {}).get("event") or {}
        if event.get("type") == "app_mention":
            mention.set()  # never acknowledged: a desk that runs beside this one shall get it too

    async with _socket(settings, client, heard):
        if not await _within(PATIENCE, hello):
            remedy = "let wss://wss-primary.slack.com through the firewall, or set HTTPS_PROXY; and turn Socket Mode on for the app"
            return [Finding("socket", False, f"Slack said no hello within {PATIENCE:g} s", remedy)]
        found = [Finding("socket", True, "Slack said hello")]
        if wait > 0:
            tell(f"Mention me in Slack now, within {wait:g} seconds: @{name or 'Frontdesk'} hello")
            remedy = "invite the bot to that channel; compare the app's events with manifest.yaml; stop other desks that use this app"
            came = await _within(wait, mention)
            found.append(Finding("events", came, "a mention arrived" if came else f"no mention within {wait:g} s", "" if came else remedy))
        return found


@asynccontextmanager
async def _socket(settings: Settings, client: AsyncWebClient, heard: Any) -> AsyncIterator[None]:
    socket = SocketModeClient(settings.slack_app_token, web_client=client)
    socket.message_listeners.append(heard)
    opening = asyncio.create_task(socket.connect())  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        opening.cancel()
        await asyncio.wait([opening])
        await socket.close()  # type: ignore[no-untyped-call]


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _why(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        code = str(error.response["error"])
        return f"Slack says {code}" + (f": {TOKENS[code]}" if code in TOKENS else "")
    return f"Slack cannot be reached: {error}"
