"""Proves that we hear what Slack says, and sees to it that what went unheard is found."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from math import inf
from typing import Any

from bot import clock
from bot.errors import StoreFailed
from bot.journal import Journal
from bot.ports import Store
from bot.slack import parse
from bot.slack.catchup import CatchUp

log = logging.getLogger(__name__)
ECHO, QUIET = 8.0, 120.0  # seconds until a message of ours must have come back as an event; and of silence until a look is due
FEW = 10  # conversations that are looked at when it is only quiet
TICK = 1.0
LEASE = 12.0  # seconds after which another replica looks, where one that did gives no sign of life
SHUT = 2.0  # seconds for which what comes waits at the most for what is found


class Attention:
    """A socket that answers each ping may be deaf. But a message of ours comes back as an event, and history shows what did not come.

    `renew` opens another socket; each that is opened says hello, and then everything since the last event is looked for. `gate` is
    shut for that while, though not for long: what is found is older than what comes now, and is to be dealt with first.
    """

    def __init__(
        self, catchup: CatchUp, store: Store, journal: Journal, renew: Callable[[], Awaitable[None]], gate: asyncio.Event, hours: float
    ) -> None:
        self.catchup, self.store, self.journal, self.renew, self.gate, self.hours = catchup, store, journal, renew, gate, hours
        self.newest = 0.0  # when the newest thing was said that we heard, by Slack's clock
        self._heard = self._looked = clock.now()
        self._posted = 0.0  # since when we wait for a message of ours to come back
        self._echoes = False  # whether they do: it depends on what the app is subscribed to
        self._echoed = self._noted = 0.0  # when one last did; and until when the other replicas know
        self._greeted = asyncio.Event()
        self._since = inf  # from when on has to be looked, and nobody knows yet
        self._owing = asyncio.Event()

    async def start(self) -> None:
        """Raises StoreFailed."""
        self.newest = await self.journal.latest() or clock.now()

    def heard(self, body: dict[str, Any]) -> None:
        """Something came over the socket."""
        self.newest = max(self.newest, min(parse.at(body), clock.now() + 60))
        event = body.get("event")
        echo = isinstance(event, dict) and bool(event.get("bot_id")) and event.get("user") == self.catchup.directory.bot
        self._echoes |= echo
        self._heard, self._posted = clock.now(), 0.0
        self._echoed = self._heard if echo else self._echoed

    def called(self, method: str, outcome: str, seconds: float) -> None:
        """We have called Slack; what we post comes back."""
        if method == "chat.postMessage" and outcome == "ok" and self._echoes:
            self._posted = self._posted or clock.now()

    def greeted(self) -> None:
        """A socket was opened."""
        if not self.hours:
            return self.gate.set()
        self.gate.clear()
        asyncio.get_running_loop().call_later(SHUT, self.gate.set)
        self._since = min(self._since, self.newest)  # what comes by this socket says nothing of what came before it
        self._greeted.set()

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._owe())
            tasks.create_task(self._catch_up())
            tasks.create_task(self._watch())

    async def _owe(self) -> None:
        """Note at once what has to be looked for: who looks already begins anew, and who dies leaves it to the next."""
        while True:
            await self._greeted.wait()
            self._greeted.clear()
            since, self._since = self._since, inf
            try:
                await self.journal.owe(max(min(since, await self.journal.latest() or since), clock.now() - self.hours * 3600))
                self._owing.set()
            except StoreFailed:
                self._since = min(since, self._since)
                asyncio.get_running_loop().call_later(TICK, self._greeted.set)

    async def _catch_up(self) -> None:
        while True:
            await self._owing.wait()
            self._owing.clear()
            try:
                await self._pay()
                self.gate.set()
            except StoreFailed:
                asyncio.get_running_loop().call_later(TICK, self._owing.set)

    async def _pay(self) -> None:
        """Look for what any replica owes. One looks for all, since Slack lets us read few conversations in a minute."""
        while not await self.journal.lead(LEASE):  # who has it says so in the database
            await asyncio.sleep(TICK)
            if not await self.journal.debts():
                return
        holding = asyncio.create_task(self._hold())
        try:
            while debts := await self.journal.debts():
                began = clock.now()
                if await self._looked_for(debts):
                    await self.journal.settled(debts, began)
        finally:
            holding.cancel()
            await asyncio.wait([holding])
            await self.journal.lead(0)

    async def _looked_for(self, debts: Mapping[str, float]) -> bool:
        """Whether a look came to its end. Where another connection is lost meanwhile it does not: what runs is looked for first."""
        looking = asyncio.create_task(self._look(min(debts.values())))
        try:
            while not looking.done() and await self.journal.debts() == debts:
                await asyncio.wait([looking], timeout=TICK)
            if looking.done():
                await looking
            return looking.done()
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def _look(self, since: float, most: int | None = None) -> int:
        back = clock.now() - self.hours * 3600
        return await self.catchup.look(max(since, back), await self.store.threads(back), most)

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            with suppress(StoreFailed):
                await self.journal.lead(LEASE)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            with suppress(StoreFailed):
                await self._tick(clock.now())

    async def _tick(self, now: float) -> None:
        await self._note()
        if self._posted and now - self._posted > ECHO:
            await self._missed()
        elif now - max(self._heard, self._looked) > QUIET:
            self._looked = now
            await self._quiet()

    async def _note(self) -> None:
        """Slack tells each thing to one replica: who waits for a message of its own has to know that it came back to another."""
        if self._echoed > self._noted and self.catchup.client.budget.replicas > 1:
            self._noted = await self.journal.echo(self._echoed)

    async def _missed(self) -> None:
        """What we posted did not come back: to us, that is."""
        posted, self._posted = self._posted, 0.0
        if await self.journal.echo() < posted and await self.journal.latest() <= self.newest:  # nor did another replica hear anything
            log.warning("deaf", extra={"action": "deaf", "seconds": round(clock.now() - self._heard)})
            await self.renew()

    async def _quiet(self) -> None:
        if self.hours and await self._look(self.newest, FEW):
            log.warning("deaf", extra={"action": "deaf", "seconds": round(clock.now() - self._heard)})
            await self.renew()
