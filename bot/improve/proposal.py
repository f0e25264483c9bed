"""A change is thought up by an agent, checked, shown, decided upon by a person, and carried out: each step once over all replicas."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from bot import clock, policy
from bot.agent import Agent, parse, version
from bot.change import SETTLED, Decision, Display, Note, Proposal, Proposals, Rehearsal, Sheet, Shelf, Stale, judges, may, refused
from bot.dispatch import Desk
from bot.errors import BotError, ConfigError, Denied, StoreFailed
from bot.improve import diff, writing
from bot.improve.lend import channel, closed
from bot.journal import Delivery
from bot.message import NOBODY, Message, Person
from bot.past import Finding, Memory, Past, Trials, Tried
from bot.session import OVER

LOOK = 1.0  # seconds between two looks whether something is written
TRIES = 2  # a file that is wrong goes back once
WRITER = "improver"  # who writes where nobody in the thread finds what repeats
MANY = 1000  # turns among which those are found that show it
CHANGED = (
    "The file has changed since this was written. What you see now is what approving would change; "
    "where that takes away what others wrote, reject it, and have it proposed anew."
)
STRANGER = "Only members of this workspace look at changes of agents' files, and decide them."
ANEW = "That was pressed on another change than the one that waits. It is shown anew: look at it, then decide."
GROWN = "The file has changed since this was written, and nobody could be shown what approving would change now. {}"
BROKE = "Something in me broke over it; the log of Frontdesk says what."
TRYING = "It is tried now, on what was asked before."
Handler = Callable[[Delivery, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known. `take` lets a delivery be dealt with once, whatever happens to this process."""

    proposals: Proposals
    memory: Memory
    trials: Trials
    take: Callable[[Delivery], Awaitable[bool]]


class Proposing:
    """Implements the ports Changes and Decisions."""

    more = staticmethod(diff.more)

    def __init__(self, desk: Desk, kept: Kept, shelf: Shelf, display: Display, rehearsal: Rehearsal) -> None:
        self.desk, self.kept, self.shelf, self.display, self.rehearsal = desk, kept, shelf, display, rehearsal
        self.handlers: dict[str, Handler] = {"proposal": self._answered, "proposal_trial": self._rehearsed}

    async def propose(self, finding: Finding, by: Person, thread: str) -> str:
        policy.check(self.desk.agent(finding.agent), by, "run")
        writer = await self._writer(thread)
        policy.check(writer, by, "run")
        old = await self.shelf.read(finding.agent)
        if not old:
            raise ConfigError(f"agents/{finding.agent}.md is no longer here, so nothing can be changed in it.")
        wanted = Proposal(uuid4().hex[:12], finding.agent, finding, by, thread, writer.name, old, at=clock.now())
        kept = await self.kept.proposals.begin(wanted)
        if kept.state != "writing":
            return f"A change of agents/{kept.agent}.md for that waits for a decision already."
        await self._ask(kept)
        return (
            f"{kept.writer} writes another version of agents/{kept.agent}.md, in this thread. You are told when there is something to see."
        )

    async def _writer(self, thread: str) -> Agent:
        """Who finds what repeats in this thread. Raises ConfigError."""
        session = await self.desk.store.session_in(thread)
        here = [agent for agent in self.desk.agents if session and agent.name == session.agent and agent.digest]
        return here[0] if here else self.desk.agent(WRITER)

    async def run(self) -> None:
        """See to it that what is written is taken, by whichever replica is first."""
        while True:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(StoreFailed):
                await self.gather()

    async def gather(self) -> None:
        """Take what is written by now, and ask for what nobody was asked for."""
        for proposal in await self.kept.proposals.written():
            found = await self.desk.store.asked_by(_letter(proposal))
            late = found is None and clock.now() - proposal.at > LOOK
            if (found and found[1].done) or (late and not await self._asked(proposal)):
                await self._take("proposal", _letter(proposal), proposal)

    async def _asked(self, proposal: Proposal) -> bool:
        """Ask what was not asked because whoever wanted to came no further; whether that can be done."""
        try:
            await self._ask(proposal)
        except ConfigError:
            return False
        return True

    async def _take(self, kind: str, key: str, proposal: Proposal) -> None:
        await self.kept.take(Delivery(key, kind, json.dumps({"id": proposal.id}), clock.now(), key))

    async def _ask(self, proposal: Proposal, wrong: str = "") -> None:
        """Let it be written: in a session of its own, which people see in the thread."""
        store, before = self.desk.store, await self.desk.store.session_in(proposal.thread)
        first = await store.asked_by(_letter(replace(proposal, tries=1)))
        text = wrong or writing.task(proposal.finding, proposal.old, await self._past(proposal))
        place, name = (before.channel, before.channel_name) if before else ("", "")
        letter = Message(
            _letter(proposal), proposal.thread, place, proposal.by, text, "retry", clock.now(), agent=proposal.writer, channel_name=name
        )
        if first and proposal.tries > 1:
            await store.put(first[0].id, letter)
            await self.desk.engine.submit(first[0].id)
            return
        await self.desk.fire(letter)

    async def _past(self, proposal: Proposal) -> list[Past]:
        """The turns that show it; not those which others could not read: what is written of them all may see."""
        found = await self.kept.memory.past(proposal.agent, limit=MANY)
        seen = [turn for turn in found if (turn.session_id, turn.turn) in proposal.finding.evidence and not turn.private]
        shut = await closed([turn.thread for turn in seen], proposal.thread, self.display.public)
        return [turn for turn in seen if channel(turn.thread) not in shut]

    async def _answered(self, delivery: Delivery, body: Any) -> None:
        """The agent's turn is over."""
        proposal = await self.kept.proposals.proposal(str(body["id"]))
        if proposal and proposal.state == "writing" and _letter(proposal) == delivery.key:
            proposal = await self._ended(proposal)
        if proposal and proposal.state == "shown":
            await self.display.show(await self._sheet(proposal))
            await self._take("proposal_trial", f"{delivery.key}:trial", proposal)
        elif proposal and proposal.state == "failed":
            await self.display.tell(proposal, proposal.outcome)

    async def _rehearsed(self, delivery: Delivery, body: Any) -> None:
        """Try it on what was asked before, while people look at it."""
        proposal = await self.kept.proposals.proposal(str(body["id"]))
        if proposal is None or proposal.state != "shown" or await self._tried(proposal):
            return
        try:
            old, new = parse(proposal.agent, proposal.old), parse(proposal.agent, proposal.new)
            await self.rehearsal.trial(old, new, proposal.by.id)
            said = ""
        except BotError as error:
            if isinstance(error, StoreFailed):
                raise
            said = f"Not tried: {error}"
        proposal = await self.kept.proposals.proposal(proposal.id) or proposal
        await self.display.show(await self._sheet(await self._move(proposal, replace(proposal, trial=said))))

    async def _ended(self, proposal: Proposal) -> Proposal:
        """The same, also where that breaks: it is not written for ever."""
        try:
            return await self._taken(proposal)
        except StoreFailed:
            raise
        except (BotError, OSError) as error:
            return await self._move(proposal, replace(proposal, state="failed", outcome=f"What was written could not be taken: {error}"))

    async def _taken(self, proposal: Proposal) -> Proposal:
        """What comes of an answer. Where its file is wrong it goes back, once."""
        turn = await self._turn(proposal)
        if turn is None or turn.state != "completed":
            why = turn.reason if turn else "it could not be asked, or nobody knows how that ended."
            return await self._move(proposal, replace(proposal, state="failed", outcome=f"{proposal.writer} wrote nothing: {why}"))
        text, why, wrong = await self._read(proposal, turn.answer)
        if not wrong:
            return await self._move(proposal, replace(proposal, state="shown", new=text, why=why, trial=TRYING))
        if proposal.tries < TRIES:
            again = replace(proposal, tries=proposal.tries + 1)
            await self._ask(again, writing.again(wrong))
            return await self._move(proposal, again)
        words = "\n".join(f"• {line}" for line in wrong[:8])
        outcome = f"{proposal.writer} wrote no file that is right, even when told what is wrong with it:\n{words}"
        return await self._move(proposal, replace(proposal, state="failed", outcome=outcome))

    async def _read(self, proposal: Proposal, answer: str) -> tuple[str, str, list[str]]:
        """The file in an answer, why it is so, and what is wrong with it."""
        try:
            text, why = writing.taken(answer)
        except writing.Unwritten as error:
            return "", "", [str(error)]
        same = ["This is the file as it is now: nothing would change."] if text == proposal.old else []
        wrong = same or self._hidden(replace(proposal, new=text))
        return text, why, wrong or await self.shelf.wrong(proposal.agent, text, new=False)

    def _hidden(self, proposal: Proposal) -> list[str]:
        """Why nobody could be shown all of it."""
        return self.display.hidden(Sheet(proposal, diff.lines(proposal.old, proposal.new)))

    async def _turn(self, proposal: Proposal) -> Past | None:
        """The turn in which it was written."""
        found = await self.desk.store.asked_by(_letter(proposal))
        if found is None:
            return None
        session, letter = found
        turns = await self.kept.memory.past(session.agent, limit=MANY)
        return next((turn for turn in turns if (turn.session_id, turn.turn, turn.state in OVER) == (session.id, letter.turn, True)), None)

    async def _move(self, before: Proposal, after: Proposal) -> Proposal:
        """What it is from now on, by us or by whoever was first."""
        return after if await self.kept.proposals.move(before, after) else await self.kept.proposals.proposal(before.id) or after

    # decisions

    async def decide(self, decision: Decision, id: str, mark: str, by: Person, press: str) -> str:
        proposal = await self.kept.proposals.proposal(id)
        if proposal is None:
            return "That proposal is no longer known."
        while proposal.state == "shown":  # once more, where what a trial said came in between
            self._check(decision, proposal, by)
            if press == proposal.press or mark != proposal.change.mark:
                await self.display.show(await self._sheet(proposal))
                return proposal.outcome if press == proposal.press else ANEW
            state = {"approve": "approved", "reject": "rejected"}[decision]
            outcome = "" if decision == "approve" else f"Rejected by {by.name or by.id}; the file stays as it is."
            decided = replace(proposal, state=state, judge=by, press=press, outcome=outcome)  # type: ignore[arg-type]
            proposal = await self._move(proposal, decided)
        if proposal.press != press:
            first = f"{proposal.judge.name or 'Somebody'} was first. " if proposal.judge != NOBODY else ""
            return f"{first}{proposal.outcome}".strip()
        if proposal.state == "approved":
            proposal = await self._carry_out(proposal)
        await self.display.show(await self._sheet(proposal))
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
        [put] = await asyncio.gather(self.shelf.put(proposal.change, note), return_exceptions=True)
        match put:
            case str():
                return await self._move(proposal, replace(proposal, state="done", outcome=f"Approved by {judge}. {put}"))
            case Stale(text=text) if text == proposal.new:
                return await self._move(proposal, replace(proposal, state="done", outcome="The file says just that already."))
            case Stale(text=text):
                return await self._move(proposal, self._anew(replace(proposal, old=text)))
            case StoreFailed() | asyncio.CancelledError():
                raise put
            case BotError():
                return await self._move(proposal, replace(proposal, state="shown", judge=NOBODY, outcome=str(put)))
        await self._move(proposal, replace(proposal, state="shown", judge=NOBODY, outcome=BROKE))
        raise put

    def _anew(self, proposal: Proposal) -> Proposal:
        """As it is decided upon again, where all of it can be shown."""
        if wrong := self._hidden(proposal):
            return replace(proposal, state="failed", outcome=GROWN.format(wrong[0]))
        return replace(proposal, state="shown", judge=NOBODY, outcome=CHANGED)

    async def look(self, id: str, by: Person) -> Sheet | None:
        if not by.inside:
            raise Denied(STRANGER)
        proposal = await self.kept.proposals.proposal(id)
        if proposal is None:
            return None
        agent = self.desk.agent(proposal.agent)
        if not (by.kind == "admin" or may(agent, by, proposal.by.id)):  # who decides has to see it
            policy.check(agent, by, "run")
        return await self._sheet(proposal)

    async def _sheet(self, proposal: Proposal) -> Sheet:
        lines, wider, who = diff.lines(proposal.old, proposal.new), diff.more(proposal.change), tuple[str, ...]()
        with contextlib.suppress(ConfigError):
            who = judges(self.desk.agent(proposal.agent), proposal.by.id, more=bool(wider))
        return Sheet(proposal, lines, wider, who, await self._tried(proposal))

    async def _tried(self, proposal: Proposal) -> Tried | None:
        """What a trial of this very text said, beside the one that it would replace."""
        versions = version(proposal.old), version(proposal.new)
        found = await self.kept.trials.trials(proposal.agent)
        return next((tried for tried in found if (tried.old_version, tried.new_version) == versions), None)


def _letter(proposal: Proposal) -> str:
    """The id of what the agent is asked, at this try."""
    return f"proposal:{proposal.id}:{proposal.tries}"
