"""What was said in a thread, read from Slack."""

import contextlib
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError
from bot.message import Quote
from bot.slack import parse
from bot.slack.calls import call, error_of
from bot.slack.directory import Directory

MOST = 30_000  # characters of quotes; the first message and the newest ones are kept
NEWEST, PAGES = 1000, 50  # messages kept beside the first, and pages of 200 that are read for them: Slack gives the oldest first
ALIKE = {"", "file_share", "thread_broadcast", "bot_message"}


async def replies(client: AsyncWebClient, channel: str, thread: str, oldest: str = "0") -> list[dict[str, Any]]:
    """A thread's messages, oldest first; of a very long one the first and the newest. Raises BotError, in words."""
    found: list[dict[str, Any]] = []
    cursor = ""
    try:
        for _ in range(PAGES):
            said = await call(
                client.conversations_replies(
                    channel=channel, ts=thread, oldest=oldest, limit=200, cursor=cursor or None, include_all_metadata=True
                )
            )
            found += said.get("messages") or []
            del found[1:-NEWEST]
            cursor = (said.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
    except SlackApiError as error:
        raise BotError(f"I could not read what was said in this thread ({error_of(error)}), so the agent was not told.") from error
    return found


async def quote(message: dict[str, Any], directory: Directory) -> Quote:
    files = "".join(f"\n(file: {file.name})" for file in parse.files(message))
    return Quote(await _author(message, directory), float(message["ts"]), await directory.named(parse.plain(parse.words(message))) + files)


async def _author(message: dict[str, Any], directory: Directory) -> str:
    """By name; by id where Slack does not tell it just now."""
    author = str(message.get("user") or message.get("bot_id") or "")
    if author in (directory.bot, directory.bot_id):
        return "Frontdesk"
    if not message.get("user"):
        return str(message.get("username") or author)
    with contextlib.suppress(SlackApiError):
        return (await directory.person(author, message)).name
    return author


def fitting(quotes: list[Quote]) -> tuple[Quote, ...]:
    """As many as an agent can be given: the first, and the newest."""
    kept: list[Quote] = []
    room = MOST - sum(len(one.text) for one in quotes[:1])
    for one in reversed(quotes[1:]):
        room -= len(one.text) + 80
        if room < 0:
            kept.append(Quote("Frontdesk", one.at, f"({len(quotes) - 1 - len(kept)} earlier messages are left out here)"))
            break
        kept.append(one)
    return (*quotes[:1], *reversed(kept))
