"""The digest, at the beginning of what an agent is asked whose file says `digest: true`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from bot import clock
from bot.aid import Talk
from bot.found import Cards, Happened
from bot.improve.digest import Link, digest
from bot.ports import Runtime, Turn

Closed = Callable[[Iterable[str], str], Awaitable[Mapping[str, bool]]]
"""Of threads those that not everybody may read who reads another, or, without one, belongs to us; and of each whether that is known."""
WEEK = 7 * 86400.0  # seconds: what a person wants to know who asks


class Telling:
    """By its schedule an agent is told what happened since that last began it; by a person, and the first time, what happened in a week.

    What not everybody could read who reads the answer does not leave its channel.
    """

    def __init__(self, happened: Happened, cards: Cards, link: Link, closed: Closed) -> None:
        self.happened, self.cards, self.link, self.closed = happened, cards, link, closed

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
        facts, cards = await self.happened.facts(since), await self.cards.cards()
        facts = [fact for fact in facts if (fact.kind, fact.agent) != ("again", turn.agent.name)]  # that it is asked again is its work
        threads = {*(fact.thread for fact in facts), *(card.thread for card in cards)}
        stranger = turn.person.kind in ("guest", "external")  # who may read nothing but where they are
        shut = dict.fromkeys(threads, True) if stranger else await self.closed(threads, talk.session.thread)
        told = [fact.veiled if fact.thread in shut else fact for fact in facts]
        untold = sum(not shut.get(fact.thread, True) for fact in facts)
        return digest(told, [card for card in cards if card.thread not in shut], since, now, self.link, untold)
