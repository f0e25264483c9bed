"""Calls to Slack that are worth another try."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.slack.writer import Refused

FLEETING = {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}


async def call(asked: Awaitable[Any]) -> Any:
    """What Slack answers. A broken connection raises as SlackApiError does, so that callers have one thing to catch."""
    try:
        return await asked
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, SlackRequestError) as error:
        raise unreachable(type(error).__name__) from error


def unreachable(why: str) -> SlackApiError:
    return SlackApiError(f"Slack cannot be reached: {why}", {"ok": False, "error": "unreachable"})  # type: ignore[no-untyped-call]


def error_of(error: SlackApiError) -> str:
    look = getattr(error.response, "get", None)
    return str((look and look("error")) or "unreachable")


def refused(error: SlackApiError) -> Refused:
    """The same, with the time after which another try is worth it."""
    name, status = error_of(error), getattr(error.response, "status_code", 200)
    if status == 429 or name == "ratelimited":
        headers = getattr(error.response, "headers", {})
        return Refused("ratelimited", float(headers.get("Retry-After") or headers.get("retry-after") or 1))
    if status >= 500 or name in FLEETING or name == "unreachable":
        return Refused(name, 1.0)
    return Refused(name)
