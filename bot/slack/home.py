"""People's App Homes: shown when they open them, and kept as things are for as long as they may be looking."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError

from bot import clock
from bot.breaker import BREAKER
from bot.errors import StoreFailed
from bot.glance import Glances, Moved
from bot.slack.calls import Client, call, error_of, refused
from bot.slack.directory import Directory
from bot.slack.views import home

log = logging.getLogger(__name__)
PUBLISH = "views.publish"
EVERY = 3.0  # seconds between two looks at what has changed
LOOKING = 600.0  # seconds after which somebody who opened it looks at something else
APART = 30.0  # seconds between two looks for whoever runs the bot: what they see changes all the time
OVERLAP = 10.0  # seconds by which replicas' clocks, and what is being written, may be behind


@dataclass(slots=True)
class Seen:
    """Somebody's Home: when they opened it, what stands there, when it was looked last whether that is right, and whether it is still.

    `answers` are the agents whose questions may come to stand there, `sessions` those whose questions do.
    """

    opened: float
    stands: str = ""
    looked: float = 0.0
    stale: bool = True
    admin: bool = False
    answers: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()

    def due(self, now: float) -> bool:
        return self.stale or (self.admin and now - self.looked >= APART)

    def learn(self, moved: Sequence[Moved], user: str) -> None:
        """It is no longer right where what has changed concerns them."""
        for each in moved:
            self.stale |= user in each.people or each.session in self.sessions or (each.waits and each.agent in self.answers)


class Homes:
    """Each replica sees to those that were opened there; what is shown comes from the database, so it is the same from each."""

    def __init__(self, client: Client, glances: Glances, directory: Directory) -> None:
        self.client, self.glances, self.directory = client, glances, directory
        self._seen: dict[str, Seen] = {}
        self._after = clock.now()
        self._around: object = None  # what is shown to everybody

    async def opened(self, user: str) -> None:
        """Show it anew: somebody opened it. Raises StoreFailed."""
        self._seen[user] = Seen(clock.now())
        await self._show(user, spare=False)

    async def touched(self, user: str) -> None:
        """The same, where what stands there may be right still: somebody pressed something. Raises StoreFailed."""
        self._seen.setdefault(user, Seen(0.0)).opened = clock.now()
        await self._show(user, spare=False)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            with contextlib.suppress(StoreFailed):
                await self._follow()

    async def _follow(self) -> None:
        """Show anew what is not as it was, the longest ago first."""
        now = clock.now()
        self._seen = {user: seen for user, seen in self._seen.items() if now - seen.opened < LOOKING}
        if not self._seen:
            self._after = now
            return
        await self._learn(now)
        for _, user in sorted((seen.looked, user) for user, seen in self._seen.items() if seen.due(now)):
            await self._again(user)

    async def _learn(self, now: float) -> None:
        """Find whom what has changed concerns."""
        moved = await self.glances.sight.moved(self._after - OVERLAP)
        undecided = [each.id for each in await self.glances.sight.proposals()]
        around = self.glances.agents(), [place.words for place in BREAKER.troubles()], undecided
        anew = around != self._around
        self._after, self._around = now, around
        for user, seen in self._seen.items():
            seen.learn(moved, user)
            seen.stale |= anew

    async def _again(self, user: str) -> None:
        """One that cannot be shown keeps no other from it."""
        [outcome] = await asyncio.gather(self._show(user, spare=True), return_exceptions=True)
        if isinstance(outcome, Exception):
            self._seen[user].stale = isinstance(outcome, StoreFailed)
            log.error("not_shown", exc_info=outcome, extra={"action": "not_shown", "tab": "home"})

    async def _show(self, user: str, *, spare: bool) -> None:
        """Slack is called where it shows something else; with `spare` only when there is room for it."""
        seen = self._seen[user]
        seen.stale, seen.looked = False, clock.now()
        try:
            person = await self.directory.person(user)
            glance = await self.glances.look(person)
            seen.admin, seen.answers = person.kind == "admin", glance.answers
            seen.sessions = frozenset(one.session.id for one in glance.waiting)
            view = home.render(glance, self.directory.site)
            if (stands := json.dumps(view)) == seen.stands:
                return
            if spare:
                await self.client.spare(PUBLISH)
            if self._seen.get(user) is seen:  # else it was opened anew meanwhile
                seen.stands = stands
                await call(self.client.views_publish(user_id=user, view=view))
        except SlackApiError as error:
            seen.stands, seen.stale = "", refused(error).after is not None
            log.warning("not_shown", extra={"action": "not_shown", "tab": "home", "error": error_of(error)})
