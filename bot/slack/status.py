"""The line under a thread that says that somebody works on it, with Slack's own Stop button."""

import asyncio
import logging
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.session import Session
from bot.slack import parse
from bot.slack.calls import call, error_of
from bot.slack.markdown import brief

log = logging.getLogger(__name__)
TRIES = 5
NEVER = {"unknown_method", "not_authorized", "missing_scope", "not_allowed_token_type", "method_deprecated"}


class Status:
    """Best effort at the beginning; at the end as often as it takes, since a status that stays locks the composer."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        self._agent = True  # whether Slack takes the app for an agent, as far as we know

    async def working(self, session: Session) -> None:
        channel, ts = parse.place(session.thread)
        asker = session.by.id if session.by else session.asker.id
        if not await self._set(channel, ts, "processing", initiator_user_id=asker, title=brief(session.title, 190) or "…"):
            await self._try(self.client.assistant_threads_setStatus(channel_id=channel, thread_ts=ts, status="is working…"))
        if channel.startswith("D") and session.number == 1:
            await self._try(
                self.client.assistant_threads_setTitle(channel_id=channel, thread_ts=ts, title=brief(session.title, 190) or "…")
            )

    async def over(self, session: Session) -> None:
        channel, ts = parse.place(session.thread)
        for wait in range(TRIES):
            if self._agent:
                done = await self._set(channel, ts, "suspended" if session.state == "input_required" else "active")
            else:
                done = await self._try(self.client.assistant_threads_setStatus(channel_id=channel, thread_ts=ts, status=""))
            if done or done is None:
                return
            await asyncio.sleep(wait)

    async def _set(self, channel: str, ts: str, status: str, **more: Any) -> bool | None:
        if not self._agent:
            return False
        said = await self._try(self.client.agents_sessions_setStatus(channel_id=channel, thread_ts=ts, status=status, **more))
        if said is None:
            self._agent = False
            return False
        return said

    async def _try(self, asked: Any) -> bool | None:
        """True: done. False: not now. None: never."""
        try:
            await call(asked)
        except SlackApiError as error:
            log.info("no_status", extra={"action": "no_status", "error": error_of(error)})
            return None if error_of(error) in NEVER else False
        return True
