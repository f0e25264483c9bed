"""The digest, at the beginning of what an agent is asked whose file says `digest: true`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from bot import clock
from bot.aid import Talk
from bot.found import Cards, Happened
from bot.improve.digest import Link, digest
from bot.ports import Runtime, Turn

Public = Callable[[str], Awaitable[bool]]
WEEK = 7 * 86400.0  # seconds: what a person wants to know who asks


class Telling:
    """By its schedule an agent is told what happened since that last began it; by a person, and the first time, what happened in a week.

    `public` says whether everybody may read a thread: what was said in others does not leave their channels.
    """

    def __init__(self, happened: Happened, cards: Cards, link: Link, public: Public) -> None:
        self.happened, self.cards, self.link, self.public = happened, cards, link, public

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        """Raises StoreFailed."""
        new = turn.number == 1 or not turn.resume  # nobody was told it who remembers it
        if turn.agent.digest and new and not talk.session.source.startswith("proposal:"):
            turn = replace(turn, prompt=f"{await self._told(turn, talk)}\n\n{turn.prompt}")
        yield turn

    async def _told(self, turn: Turn, talk: Talk) -> str:
        now, timed = clock.now(), talk.session.source.startswith("schedule:")
        last = await self.happened.ran(turn.agent.name.partition("@")[0], turn.session_id) if timed else 0.0
        since = last or now - WEEK
        facts = await self.happened.facts(since)
        shut = await closed([fact.thread for fact in facts], talk.session.thread, self.public)
        told = [fact.veiled if channel(fact.thread) in shut else fact for fact in facts]
        return digest(told, await self.cards.cards(), since, now, self.link)


async def closed(threads: Iterable[str], here: str, public: Public) -> set[str]:
    """The channels of these threads which not everybody may read who reads the thread `here`."""
    places = {channel(thread): thread for thread in threads if thread}
    return {place for place, thread in places.items() if place != channel(here) and not await public(thread)}


def channel(thread: str) -> str:
    return thread.rpartition(":")[0]
