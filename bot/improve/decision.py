"""A change that is shown is decided upon by a person, and carried out: once over all replicas."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from bot import policy
from bot.agent import version
from bot.change import SETTLED, Decision, Display, Note, Proposal, Proposals, Sheet, Shelf, Stale, judges, may, refused
from bot.dispatch import Desk
from bot.errors import BotError, ConfigError, Denied, StoreFailed
from bot.improve import diff
from bot.journal import Delivery
from bot.message import NOBODY, Person
from bot.past import Memory, Trials, Tried

CHANGED = (
    "The file has changed since this was written. What you see now is what approving would change; "
    "where that takes away what others wrote, reject it, and have it proposed anew."
)
STRANGER = "Only members of this workspace look at changes of agents' files, and decide them."
ANEW = "That was pressed on another change than the one that waits. It is shown anew: look at it, then decide."
GROWN = "The file has changed since this was written, and nobody could be shown what approving would change now. {}"
BROKE = "Something in me broke over it; the log of Frontdesk says what."
AGAIN: dict[str, Any] = {"state": "shown", "judge": NOBODY}  # what it is when it is decided upon again


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known. `take` lets a delivery be dealt with once, whatever happens to this process."""

    proposals: Proposals
    memory: Memory
    trials: Trials
    take: Callable[[Delivery], Awaitable[bool]]

    async def move(self, before: Proposal, after: Proposal) -> Proposal:
        """What it is from now on, by us or by whoever was first."""
        return after if await self.proposals.move(before, after) else await self.proposals.proposal(before.id) or after

    async def become(self, proposal: Proposal, **fields: Any) -> Proposal:
        """It with these fields, unless its state is another by now: what comes of a trial and of a decision do not wait for each other."""
        now = proposal
        while now.state == proposal.state:
            after = replace(now, **fields)
            if await self.proposals.move(now, after):
                return after
            now = await self.proposals.proposal(proposal.id) or after
        return now


class Deciding:
    """Implements the port Decisions."""

    more = staticmethod(diff.more)

    def __init__(self, desk: Desk, kept: Kept, shelf: Shelf, display: Display) -> None:
        self.desk, self.kept, self.shelf, self.display = desk, kept, shelf, display

    async def decide(self, decision: Decision, id: str, mark: str, by: Person, press: str) -> str:
        proposal = await self.kept.proposals.proposal(id)
        if proposal is None:
            return "That proposal is no longer known."
        while proposal.state == "shown":  # once more, where what a trial said came in between
            self._check(decision, proposal, by)
            if press == proposal.press or mark != proposal.change.mark:
                await self.show(proposal)
                return proposal.outcome if press == proposal.press else ANEW
            state = {"approve": "approved", "reject": "rejected"}[decision]
            outcome = "" if decision == "approve" else f"Rejected by {by.name or by.id}; the file stays as it is."
            decided = replace(proposal, state=state, judge=by, press=press, outcome=outcome)  # type: ignore[arg-type]
            proposal = await self.kept.move(proposal, decided)
        if proposal.press != press:
            first = f"{proposal.judge.name or 'Somebody'} was first. " if proposal.judge != NOBODY else ""
            return f"{first}{proposal.outcome}".strip()
        if proposal.state == "approved":
            proposal = await self._carry_out(proposal)
        await self.show(proposal)
        if proposal.state in SETTLED:
            await self.display.tell(proposal, proposal.outcome)
            return ""
        return proposal.outcome

    def _check(self, decision: Decision, proposal: Proposal, by: Person) -> None:
        """Raises Denied."""
        if not by.inside:
            raise Denied(STRANGER)
        if decision == "reject" and (by.kind == "admin" or by.id == proposal.by.id):
            return
        agent, more = self.desk.agent(proposal.agent), decision == "approve" and bool(diff.more(proposal.change))
        if not may(agent, by, proposal.by.id, more=more):
            raise Denied(refused(agent, decision, more=more))

    async def _carry_out(self, proposal: Proposal) -> Proposal:
        """Let the file be it; where that cannot be done it can be decided upon again."""
        judge, finding = proposal.judge.name or proposal.judge.id, proposal.finding
        note = Note(proposal.id, finding.title, proposal.by.name or proposal.by.id, judge, self.display.link(proposal.thread))
        become = self.kept.become
        [put] = await asyncio.gather(self.shelf.put(proposal.change, note), return_exceptions=True)
        match put:
            case str():
                return await become(proposal, state="done", outcome=f"Approved by {judge}. {put}")
            case Stale(text=text) if text == proposal.new:
                return await become(proposal, state="done", outcome="The file says just that already.")
            case Stale(text=text):
                return await become(proposal, old=text, **self._anew(replace(proposal, old=text)))
            case StoreFailed() | asyncio.CancelledError():
                raise put
            case BotError():
                return await become(proposal, **AGAIN, outcome=str(put))
        await become(proposal, **AGAIN, outcome=BROKE)
        raise put

    def _anew(self, proposal: Proposal) -> dict[str, Any]:
        """What changes in it where its file has changed: it is decided upon again, where all of it can be shown."""
        if wrong := self.hidden(proposal):
            return {"state": "failed", "outcome": GROWN.format(wrong[0])}
        return AGAIN | {"outcome": CHANGED}

    def hidden(self, proposal: Proposal) -> list[str]:
        """Why nobody could be shown all of it."""
        return self.display.hidden(Sheet(proposal, diff.lines(proposal.old, proposal.new)))

    async def look(self, id: str, by: Person) -> Sheet | None:
        if not by.inside:
            raise Denied(STRANGER)
        proposal = await self.kept.proposals.proposal(id)
        if proposal is None:
            return None
        agent = self.desk.agent(proposal.agent)
        if not (by.kind == "admin" or may(agent, by, proposal.by.id)):  # who decides has to see it
            policy.check(agent, by, "run")
        return await self.sheet(proposal)

    async def show(self, proposal: Proposal) -> None:
        """As it is, also where that changes meanwhile: whoever shows it last shows what came last."""
        shown: Proposal | None = None
        while proposal != shown:
            shown = proposal
            await self.display.show(await self.sheet(shown))
            proposal = await self.kept.proposals.proposal(shown.id) or shown

    async def sheet(self, proposal: Proposal) -> Sheet:
        lines, wider, who = diff.lines(proposal.old, proposal.new), diff.more(proposal.change), tuple[str, ...]()
        with contextlib.suppress(ConfigError):
            who = judges(self.desk.agent(proposal.agent), proposal.by.id, more=bool(wider))
        return Sheet(proposal, lines, wider, who, await self.tried(proposal))

    async def tried(self, proposal: Proposal) -> Tried | None:
        """What a trial of this very text said, beside the one that it would replace."""
        return await self.kept.trials.between(proposal.agent, version(proposal.old), version(proposal.new))
