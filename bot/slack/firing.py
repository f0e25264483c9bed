"""Begins what nobody in Slack asked for: a message of ours, and a session in its thread."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from bot import clock
from bot.dispatch import Desk
from bot.errors import BotError, StoreFailed
from bot.fired import Fired
from bot.journal import Delivery
from bot.message import Message
from bot.slack import parse
from bot.slack.beside import Beside
from bot.slack.directory import Directory
from bot.timetable import Timetable

log = logging.getLogger(__name__)
DAYS = 7  # for which a call waits until there is a place to write it
AGAIN = 60.0  # seconds between two tries
MOST = 100  # calls that wait at once; of more, the log is all that is left


class Firing:
    """A call from elsewhere was acknowledged and comes no second time, so it waits; a schedule's time comes again."""

    def __init__(self, desk: Desk, beside: Beside, directory: Directory, timetable: Timetable) -> None:
        self.desk, self.beside, self.directory, self.timetable = desk, beside, directory, timetable
        self._waiting = 0

    async def fired(self, delivery: Delivery, body: dict[str, Any]) -> None:
        """Deal with a delivery of this kind. Raises StoreFailed, and SlackApiError where another try is worth it."""
        fired = Fired(**body)
        while not await self._begun(fired):
            self._waiting += 1
            try:
                await asyncio.sleep(AGAIN)
            finally:
                self._waiting -= 1

    async def _begun(self, fired: Fired) -> bool:
        """Whether nothing is left to do for it."""
        try:
            thread, author = await self.beside.begin(replace(fired, post_to=self._place(fired)))
            if fired.prompt:
                channel, _ = parse.place(thread)
                message = Message(fired.key, thread, channel, author, fired.prompt, fired.door, fired.at, agent=fired.agent)
                await self.desk.fire(replace(message, channel_name=await self.directory.channel(channel)))
            return True
        except StoreFailed:
            raise
        except BotError as error:
            waits = fired.door == "webhook" and clock.now() < fired.at + DAYS * 86400 and self._waiting < MOST
            then = f"it is kept for {DAYS} days, and tried again" if waits else "it is given up"
            log.error("not_fired", extra={"action": "not_fired", "key": fired.key, "error": f"{error} ({then})"})
            await self.timetable.failed(fired, str(error))
            return not waits

    def _place(self, fired: Fired) -> str:
        """Where the file, as it is now, has that webhook write."""
        door, name, number, *_ = fired.key.split(":")
        asked = [trigger.webhook for trigger in self.desk.agent(name).triggers if trigger.webhook] if door == "webhook" else []
        return asked[int(number) - 1].post_to if number.isdecimal() and int(number) <= len(asked) else fired.post_to
