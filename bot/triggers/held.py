"""Calls that an agent's file cannot be filled in with: kept until it is mended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from json import dumps
from typing import Any

from bot import clock
from bot.agent import Agent
from bot.fired import delivery
from bot.journal import Delivery
from bot.triggers.call import Call
from bot.triggers.hook import Hook, meant
from bot.triggers.template import Unfilled

log = logging.getLogger(__name__)
LOOK = 1.0  # seconds between two looks whether a file was mended
DAYS = 7  # for which a call waits for that
MOST = 100  # calls that wait at once
Take = Callable[[Delivery], Awaitable[bool]]
"""Keeps a delivery, to be dealt with from then on; False if it was known. Raises StoreFailed."""


class Held:
    """`mended` deals with deliveries of the kind "held"."""

    def __init__(self, agents: Callable[[], Sequence[Agent]], take: Take) -> None:
        self.agents, self.take = agents, take
        self._waiting = 0

    @property
    def full(self) -> bool:
        return self._waiting >= MOST

    async def hold(self, hook: Hook, call: Call, error: Unfilled) -> bool:
        """Keep it; False if it was kept before. Raises StoreFailed."""
        body = dumps({"agent": hook.agent.name, "number": hook.number, "call": asdict(call)})
        same = f"held:{hook.key(call.hash)}" if call.hash else ""
        new = await self.take(Delivery(key := f"held:{hook.key(call.id)}", "held", body, clock.now(), key, same))
        await self._tell(hook, error)
        return new

    async def mended(self, kept: Delivery, body: Mapping[str, Any]) -> None:
        """Wait until the file is mended, and go on. Whatever becomes of this process, the delivery stays until then."""
        self._waiting += 1
        try:
            await self._wait(kept, body)
        finally:
            self._waiting -= 1

    async def _wait(self, kept: Delivery, body: Mapping[str, Any]) -> None:
        call, tried = Call(**body["call"]), ""
        while clock.now() < kept.at + DAYS * 86400:
            found = meant(self.agents(), body["agent"], str(body["number"]))
            if found and found[0].agent.version != tried:
                tried = found[0].agent.version
                if await self._again(found[0], call):
                    return
            await asyncio.sleep(LOOK)
        log.error("webhook_given_up", extra={"action": "webhook_given_up", "key": kept.key})

    async def _again(self, hook: Hook, call: Call) -> bool:
        """Whether the file, as it is now, can deal with it."""
        try:
            if hook.wants(call):
                await self.take(hook.delivery(call, clock.now()))
            return True
        except Unfilled as error:
            await self._tell(hook, error)
            return False

    async def _tell(self, hook: Hook, error: Unfilled) -> None:
        """Say it where a session would have been: once, however many calls wait, until the file is another."""
        words = f"Of {hook.agent.file}, its {hook.asks.source} webhook: {error}."
        log.warning(words, extra={"action": "webhook_not_filled"})
        kept = f"What was sent is kept for {DAYS} days, and I go on with it as soon as the file is right."
        await self.take(delivery(hook.word(f"unfilled:{hook.agent.version}", f"{words} {kept}", clock.now())))
