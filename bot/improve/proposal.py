"""A change is thought up by an agent, checked, shown and tried: each step once over all replicas."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from bot import clock, policy
from bot.agent import Agent, parse
from bot.change import Proposal, Rehearsal
from bot.errors import BotError, ConfigError, StoreFailed
from bot.improve import writing
from bot.improve.decision import Deciding
from bot.journal import Delivery
from bot.message import Message, Person
from bot.past import Finding, Past
from bot.session import OVER

LOOK = 1.0  # seconds between two looks whether something is written
TRIES = 2  # a file that is wrong goes back once
WRITER = "improver"  # who writes where nobody in the thread finds what repeats
MINDLESS = "{} runs on echo, which has no model and writes no file. Give {} another runtime, and press *Propose a change* then."
TRYING = "It is tried now, on what was asked before."
DECIDED = "Not tried: it was decided before."
Handler = Callable[[Delivery, Any], Awaitable[None]]


class Proposing:
    """Implements the port Changes."""

    def __init__(self, deciding: Deciding, rehearsal: Rehearsal) -> None:
        self.deciding, self.rehearsal = deciding, rehearsal
        self.desk, self.kept, self.shelf, self.display = deciding.desk, deciding.kept, deciding.shelf, deciding.display
        self.handlers: dict[str, Handler] = {"proposal": self._answered, "proposal_trial": self._rehearsed}

    async def propose(self, finding: Finding, by: Person, thread: str) -> str:
        policy.check(self.desk.agent(finding.agent), by, "run", what=f"have agents/{finding.agent}.md changed")
        writer = await self._writer(thread)
        policy.check(writer, by, "run")
        if writer.runtime == "echo":
            raise ConfigError(MINDLESS.format(writer.name, writer.file))
        old = await self.shelf.read(finding.agent)
        if not old:
            raise ConfigError(f"agents/{finding.agent}.md is no longer here, so nothing can be changed in it.")
        private = self.desk.surface.direct(thread)
        wanted = Proposal(uuid4().hex[:12], finding.agent, finding, by, thread, writer.name, old, at=clock.now(), private=private)
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
        found = await self.kept.memory.turns(proposal.finding.evidence)
        seen = [turn for turn in found if turn.agent == proposal.agent and not turn.private]
        shut = await self.display.closed([turn.thread for turn in seen], proposal.thread)
        return [turn for turn in seen if turn.thread not in shut]

    async def _answered(self, delivery: Delivery, body: Any) -> None:
        """The agent's turn is over."""
        proposal = await self.kept.proposals.proposal(str(body["id"]))
        if proposal and proposal.state == "writing" and _letter(proposal) == delivery.key:
            proposal = await self._ended(proposal)
        if proposal and proposal.state == "shown":
            await self.deciding.show(proposal)
            await self._take("proposal_trial", f"{delivery.key}:trial", proposal)
        elif proposal and proposal.state == "failed":
            await self.display.tell(proposal, proposal.outcome)

    async def _rehearsed(self, delivery: Delivery, body: Any) -> None:
        """Try it on what was asked before, while people look at it."""
        proposal = await self.kept.proposals.proposal(str(body["id"]))
        if proposal is None or await self.deciding.tried(proposal):
            return
        said = await self._trial(proposal) if proposal.state == "shown" else DECIDED
        proposal = await self.kept.proposals.proposal(proposal.id) or proposal
        while proposal.trial != said:  # also where somebody decides just now
            proposal = await self.kept.become(proposal, trial=said)
        await self.deciding.show(proposal)

    async def _trial(self, proposal: Proposal) -> str:
        """Why there is none, where there is none."""
        try:
            old, new = parse(proposal.agent, proposal.old), parse(proposal.agent, proposal.new)
            await self.rehearsal.trial(old, new, proposal.by.id)
        except StoreFailed:
            raise
        except BotError as error:
            return f"Not tried: {error}"
        return ""

    async def _ended(self, proposal: Proposal) -> Proposal:
        """The same, also where that breaks: it is not written for ever."""
        try:
            return await self._taken(proposal)
        except StoreFailed:
            raise
        except (BotError, OSError) as error:
            return await self.kept.move(
                proposal, replace(proposal, state="failed", outcome=f"What was written could not be taken: {error}")
            )

    async def _taken(self, proposal: Proposal) -> Proposal:
        """What comes of an answer. Where its file is wrong it goes back, once."""
        turn = await self._turn(proposal)
        if turn is None or turn.state != "completed":
            why = turn.reason if turn else "it could not be asked, or nobody knows how that ended."
            return await self.kept.move(proposal, replace(proposal, state="failed", outcome=f"{proposal.writer} wrote nothing: {why}"))
        text, why, wrong = await self._read(proposal, turn.answer)
        if not wrong:
            return await self.kept.move(proposal, replace(proposal, state="shown", new=text, why=why, trial=TRYING))
        if proposal.tries < TRIES:
            again = replace(proposal, tries=proposal.tries + 1)
            await self._ask(again, writing.again(wrong))
            return await self.kept.move(proposal, again)
        words = "\n".join(f"• {line}" for line in wrong[:8])
        outcome = f"{proposal.writer} wrote no file that is right, even when told what is wrong with it:\n{words}"
        return await self.kept.move(proposal, replace(proposal, state="failed", outcome=outcome))

    async def _read(self, proposal: Proposal, answer: str) -> tuple[str, str, list[str]]:
        """The file in an answer, why it is so, and what is wrong with it."""
        try:
            text, why = writing.taken(answer)
        except writing.Unwritten as error:
            return "", "", [str(error)]
        same = ["This is the file as it is now: nothing would change."] if text == proposal.old else []
        wrong = same or self.deciding.hidden(replace(proposal, new=text))
        return text, why, wrong or await self.shelf.wrong(proposal.agent, text, new=False)

    async def _turn(self, proposal: Proposal) -> Past | None:
        """The turn in which it was written."""
        found = await self.desk.store.asked_by(_letter(proposal))
        if found is None:
            return None
        session, letter = found
        turns = await self.kept.memory.turns([(session.id, letter.turn)])
        return next((turn for turn in turns if turn.state in OVER), None)


def _letter(proposal: Proposal) -> str:
    """The id of what the agent is asked, at this try."""
    return f"proposal:{proposal.id}:{proposal.tries}"
