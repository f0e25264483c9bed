"""Agents that are no agents yet are asked something, where nobody else hears of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from bot import clock, prompt
from bot.agent import Agent
from bot.app.lab import lab, today
from bot.app.lent import Lent
from bot.errors import ConfigError
from bot.improve.lab import Lab, Purse, ask
from bot.improve.lend import Closed
from bot.improve.trial import chosen, trial
from bot.line import Line, Ticket
from bot.message import Message, Person
from bot.past import Outcome, Past, Run, Tried
from bot.ports import Runtime
from bot.settings import Settings
from bot.store.sql import SqlStore

FEW = 3  # past turns that are asked again: somebody waits for it
KNOWN = 200  # past turns of which these are chosen
REACH = ("runtime", "options", "environment", "workspace")  # what runs, and where
FARTHER = "people have not allowed its new {} yet. Save the file, and try it with: frontdesk trial FILE"

LEFT = "{} of what was asked where not everybody may read was left out."


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """Implements the port Rehearsal. `closed` says which threads not everybody may read."""

    settings: Settings
    lending: Lent
    runtime: Callable[[Agent], Runtime]
    store: SqlStore
    line: Line
    closed: Closed

    async def ask(self, agent: Agent, words: str, by: Person, like: Agent) -> Outcome:
        async with self._turn(like, by.id):
            here = await self._lab(like)
            boxed, message, purse = here.box(agent), Message("rehearsal", "", "", by, words, "direct", clock.now()), Purse.of(here)
            if why := purse.empty(boxed):
                raise ConfigError(why)
            told = prompt.instructions(boxed, by, "direct message", message.at)
            outcome = await ask(boxed, message, prompt.compose([message]), told, purse)
            spent = Run("1", agent.name, "", None, replace(outcome, text=""))  # what was said is for its author alone
            await self.store.keep_trial(Tried(uuid4().hex, like.name, like.version, agent.version, (spent,), by=by.id, at=clock.now()))
            return outcome

    async def trial(self, old: Agent, new: Agent, by: str) -> Tried:
        if other := [key for key in REACH if getattr(old, key) != getattr(new, key)]:
            raise ConfigError(FARTHER.format(" and ".join(other)))
        past = await self.store.past(old.name, limit=KNOWN)
        seen = await self._open(past)
        if not chosen(seen, FEW):
            raise ConfigError(f"nobody has asked {old.name} anything yet{' that can be asked again, and all may read' if past else ''}.")
        async with self._turn(old, by):
            tried = await trial(old, new, seen, await self._lab(old), most=FEW, by=by)
        if private := len(chosen(past, KNOWN)) - len(chosen(seen, KNOWN)):
            tried = replace(tried, left=(*tried.left, LEFT.format(private)))
        await self.store.keep_trial(tried)
        return tried

    async def _open(self, past: Sequence[Past]) -> list[Past]:
        """What everybody may read: nobody has allowed yet whom it is told to."""
        seen = [turn for turn in past if not turn.private]
        shut = await self.closed([turn.thread for turn in seen], "")
        return [turn for turn in seen if turn.thread not in shut]

    @asynccontextmanager
    async def _turn(self, agent: Agent, person: str) -> AsyncIterator[None]:
        """Once there is room for one turn more of this agent."""
        ticket = Ticket(uuid4().hex, agent.name, person, "", agent.budget.turns_at_once or 0, asked=clock.now())
        async with self.line.stand(ticket) as places:
            async for _ in places:
                """Wait."""
            yield

    async def _lab(self, agent: Agent) -> Lab:
        spent = await today(self.store, agent.name)
        return replace(lab(self.settings, self.lending), runtime=self.runtime, today=spent)
