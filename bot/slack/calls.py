"""Calls to Slack: what they are told of, and which are worth another try."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.budget import Budget, Gate, Local
from bot.slack.limits import paid
from bot.slack.view import Block
from bot.slack.writer import Refused

log = logging.getLogger(__name__)
UNREACHABLE, UNCONNECTED = "unreachable", "unconnected"  # the second where nothing was sent, so that nothing can have been done
FLEETING = {"ratelimited", UNREACHABLE, UNCONNECTED, "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
FLEETING |= {"streaming_state_conflict", "team_added_to_org", "org_login_required"}  # the last two while a workspace moves
LATE = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"}  # a form has three seconds
TOKEN = {"token_revoked", "token_expired", "account_inactive", "invalid_auth", "not_authed"}  # nothing comes of them until it is another
PACED = {"ratelimited", "rate_limited"}  # the second is of methods that post, and comes without a time
RENEWED = 15.0  # seconds until a token is tried again: what is to be said waits, for the process too that has a new one
OPEN = "apps.connections.open"  # the only call that shows the app's token
SPARE = 4  # calls at once that are left to people
Called = Callable[[str, str, float], None]
"""Told of each call: its method, what came of it in one word, and the seconds that it took."""


class Client(AsyncWebClient):
    """Slack's Web API, each call in its turn, without the SDK's own retries, which would post twice where an answer was lost."""

    def __init__(self, token: str, url: str, http: aiohttp.ClientSession, called: Called, budget: Budget | None = None) -> None:
        super().__init__(token, base_url=url, session=http, retry_handlers=[])
        self._called, self.budget = called, budget or Local()
        self._gate = Gate(self.budget)
        self.shut = ""  # what Slack has against the bot's token

    async def spare(self, method: str) -> None:
        """Wait until the next call can be made, and a few more for people."""
        while True:
            if not (wait := await self.budget.take(method, SPARE)):
                break
            await asyncio.sleep(wait)
        paid.set((method,))

    async def _request(self, **given: Any) -> dict[str, Any]:
        """What is no JSON object, as a proxy's words before Slack, is no answer: the SDK would take text for one, and break over it."""
        came = await super()._request(**given)
        return came if isinstance(came["data"], dict) else {**came, "data": {}}

    async def api_call(self, api_method: str, **given: Any) -> Any:
        await self._gate.enter(api_method, str((given.get("json") or {}).get("channel") or ""))
        began, outcome = time.monotonic(), UNREACHABLE
        try:
            answer = await super().api_call(api_method, **given)
            outcome, self.shut = "ok", self.shut if api_method == OPEN else ""
            return answer
        except SlackApiError as error:
            again = refused(error)
            self.shut = again.error if again.error in TOKEN and api_method != OPEN else self.shut
            outcome = "refused" if again.after is None else "ratelimited" if again.error == "ratelimited" else "failed"
            if outcome == "ratelimited":
                await self.budget.pause(api_method, again.after or 1.0)
            raise
        finally:
            self._called(api_method, outcome, time.monotonic() - began)


async def call(asked: Awaitable[Any]) -> Any:
    """What Slack answers. A broken connection raises as SlackApiError does, so that callers have one thing to catch."""
    try:
        return await asked
    except aiohttp.ClientConnectorError as error:
        raise unreachable(type(error).__name__, UNCONNECTED) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, SlackRequestError) as error:
        raise unreachable(type(error).__name__) from error


def unreachable(why: str, error: str = UNREACHABLE) -> SlackApiError:
    return SlackApiError(f"Slack cannot be reached: {why}", {"ok": False, "error": error})  # type: ignore[no-untyped-call]


def error_of(error: SlackApiError) -> str:
    look = getattr(error.response, "get", None)
    return str((look and look("error")) or UNREACHABLE)


def refused(error: SlackApiError) -> Refused:
    """The same, with the time after which another try is worth it."""
    name, status = error_of(error), getattr(error.response, "status_code", 200)
    if status == 429 or name in PACED:
        headers = getattr(error.response, "headers", {})
        asked = str(headers.get("Retry-After") or headers.get("retry-after") or "")
        return Refused("ratelimited", max(float(asked), 1.0) if re.fullmatch(r"\d{1,6}(\.\d+)?", asked) else 1.0)
    if name in TOKEN:
        return Refused(name, RENEWED)
    if status >= 500 or name in FLEETING:
        return Refused(name, 1.0)
    return Refused(name)


async def opened(client: AsyncWebClient, trigger: str, view: Block) -> str:
    """Open a form; what to tell the person where that could not be done."""
    try:
        await call(client.views_open(trigger_id=trigger, view=view))
    except SlackApiError as error:
        if error_of(error) in LATE or (error_of(error) not in TOKEN and refused(error).after is not None):
            return "That form could not be opened in time. Press it once more."
        log.error("not_opened", extra={"action": "not_opened", "form": view.get("callback_id"), "error": str(error)[:500]})
        return "That form could not be opened: Slack does not let me. The log of Frontdesk says why."
    return ""
