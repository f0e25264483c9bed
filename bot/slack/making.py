"""An agent is made in Slack: thought up in a form, shown as a file, tried, and there once somebody who may has allowed it."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from bot import clock, policy
from bot.agent import Agent, parse
from bot.change import Note, Proposal, Proposals, Rehearsal, Shelf, judges
from bot.dispatch import Desk
from bot.draft import ROOM, Draft, unpacked, wrong
from bot.errors import BotError, Denied, StoreFailed
from bot.message import NOBODY as NO_ONE
from bot.message import Person
from bot.past import Finding
from bot.slack.beside import Beside
from bot.slack.markdown import mrkdwn
from bot.slack.view import Block, View
from bot.slack.views import new, triage

LONG = "That is too long for Slack to carry. Make what it is told shorter, and write the rest into the file later. You wrote:\n"
NOBODY = "Only members of this workspace can think up agents."
WAITS = "Waits for approval."
MOST = 10  # names of people who may allow something


@dataclass(frozen=True, slots=True)
class Making:
    """What each method returns is for whoever did it. Raises Denied, ConfigError; SlackApiError where another try is worth it."""

    desk: Desk
    beside: Beside
    shelf: Shelf
    kept: Proposals
    rehearsal: Rehearsal

    async def form(self, by: Person, value: str = "") -> Block:
        """Empty, or with a draft to be changed."""
        if not by.inside:
            raise Denied(NOBODY)
        agents = self.desk.agents_for(by)
        if not agents:
            return triage.nobody()
        return new.form(agents, await self.beside.directory.admins(), unpacked(value) if value else None)

    async def drafted(self, id: str, by: Person, about: str, values: dict[str, tuple[str, ...]]) -> str:
        """The form was sent. `about` is the draft's id, where it is not new."""
        draft = new.draft(about or sha256(id.encode()).hexdigest()[:12], by.id, values)
        name = await self.beside.directory.channel(draft.place) if draft.place else ""
        draft = replace(draft, where=f"#{name}" if name != draft.place else "")
        if len(draft.packed()) > ROOM:
            return LONG + mrkdwn(draft.words)
        like = self.desk.agent(draft.like)
        policy.check(like, by, "run")
        text = draft.text(like)
        found = wrong(draft) or await self.shelf.wrong(draft.name, text, new=True)
        found += [*new.hidden(text), *await self._nobody(draft, like)]
        await self._tell(draft, "author", new.shown(draft, text, found, " ".join(values.get("name", ()))))
        return ""

    async def _nobody(self, draft: Draft, like: Agent) -> list[str]:
        """Where whoever is to allow it may not: who may, by name."""
        directory = self.beside.directory
        approver = await directory.person(draft.approver)
        if policy.grants(like, approver, draft.by):
            return []
        named = [rule for rule in judges(like, draft.by, more=True) if rule != "admins"]
        others = [(await directory.person(rule)).name if rule[0] in "UW" else directory.written(rule) for rule in named]
        may = dict.fromkeys([*(await directory.admins() or ["an admin"]), *others])
        return [f"{approver.name or approver.id} may not allow it. These may: {', '.join([*may][:MOST])}."]

    def sample(self, value: str, by: Person) -> Block:
        """The form in which its author tries it."""
        self._mine(draft := unpacked(value), by)
        return new.sample(draft)

    async def tried(self, value: str, by: Person, words: str, press: str) -> str:
        """It answers its author, and nobody else."""
        like = self._mine(draft := unpacked(value), by)
        agent = parse(draft.name, draft.text(like))
        await self._letter(draft, f"trying:{press}", new.told(draft, "I try it. Only you see the answer, which comes here."))
        try:
            said = new.answer(draft, words, await self.rehearsal.ask(agent, words, by, like))
        except BotError as error:
            if isinstance(error, StoreFailed):
                raise
            said = new.told(draft, f"It could not be tried: {error}")
        await self._letter(draft, f"tried:{press}", said)
        return ""

    def _mine(self, draft: Draft, by: Person) -> Agent:
        """The agent that it is like. Raises Denied."""
        like = self.desk.agent(draft.like)
        policy.check(like, by, "run")
        if by.id != draft.by:
            raise Denied("Only whoever thought it up can try it before it is allowed.")
        return like

    async def proposed(self, value: str) -> str:
        """Whoever thought it up asks for approval."""
        draft = unpacked(value)
        text = draft.text(self.desk.agent(draft.like))
        if found := await self.shelf.wrong(draft.name, text, new=True):
            await self._tell(draft, "author", new.shown(draft, text, found))
            return ""
        if (kept := await self.kept.proposal(_key(draft, text))) and kept.state == "rejected":
            await self.kept.move(kept, replace(kept, state="shown", judge=NO_ONE, press="", outcome=""))
        await self._tell(draft, "approver", new.asked(draft, text))
        await self._tell(draft, "author", new.closed(draft, text, WAITS))
        return ""

    async def settled(self, value: str, by: Person, press: str) -> str:
        """Whoever is to allow it does, or does not: once, whoever presses whatever at the same time."""
        verb, mark, packed = value.split(" ")
        draft = unpacked(packed)
        like = self.desk.agent(draft.like)
        text = draft.text(like)
        if by.id != draft.approver or not policy.grants(like, by, draft.by):
            raise Denied(f"You may not allow it: an admin may, or another than its author whom {like.file} names under allow.approve.")
        if mark != new.mark(text):
            await self._tell(draft, "approver", new.asked(draft, text))
            return f"{like.name} has changed meanwhile, and this file with it. Look at it again."
        kept = await self._decided(draft, text, verb == "allow", by, press)
        if kept.press != press:
            return f"That is settled: {kept.outcome or 'it is being written.'}"
        if kept.state == "approved":
            kept = await self._put(draft, kept)
        await self._tell(draft, "approver", new.closed(draft, text, kept.outcome))
        await self._tell(draft, "author", new.closed(draft, text, kept.outcome, again=kept.state == "rejected"))
        how = f" {new.use(draft)}" if kept.state == "done" else ""
        await self._letter(draft, f"told:{press}", new.told(draft, f"{kept.outcome}{how}"))
        return ""

    async def _decided(self, draft: Draft, text: str, allowed: bool, by: Person, press: str) -> Proposal:
        """What was decided first."""
        author, key = await self.beside.directory.person(draft.by), _key(draft, text)
        why = Finding(key, draft.name, draft.about, "")
        fresh = Proposal(key, draft.name, why, author, "", author.name, "", "shown", new=text, why=draft.about, at=clock.now())
        kept = await self.kept.proposal(key) or await self.kept.begin(fresh)
        if kept.state != "shown":
            return kept
        found = await self.shelf.wrong(draft.name, text, new=True) if allowed else []  # another may be called so by now
        outcome = "" if allowed else f"Refused by {by.name}."
        if found:
            outcome = f"{by.name} allowed it, but it is not written: {' '.join(found)}"
        decided = replace(kept, state="rejected" if outcome else "approved", judge=by, press=press, outcome=outcome)
        return decided if await self.kept.move(kept, decided) else await self.kept.proposal(key) or decided

    async def _put(self, draft: Draft, kept: Proposal) -> Proposal:
        """Raises BotError, and can then be allowed again."""
        asked = f"{self.beside.directory.site}archives/{draft.place}" if draft.place else ""
        try:
            where = await self.shelf.put(kept.change, Note(draft.id, draft.about, kept.by.name, kept.judge.name, asked))
        except BotError as error:
            if not isinstance(error, StoreFailed):
                await self.kept.move(kept, replace(kept, state="shown", judge=NO_ONE, press=""))
            raise
        done = replace(kept, state="done", outcome=f"Allowed by {kept.judge.name}: {where}")
        await self.kept.move(kept, done)
        return done

    async def _tell(self, draft: Draft, reader: Literal["author", "approver"], view: View) -> None:
        """Each of them has one message about a draft, which changes."""
        await self.beside.letter(f"draft:{draft.id}:{reader}", draft.by if reader == "author" else draft.approver, view)

    async def _letter(self, draft: Draft, slot: str, view: View) -> None:
        """A message of its own to whoever thought it up, so that they are told."""
        await self.beside.letter(f"draft:{draft.id}:{slot}", draft.by, view)


def _key(draft: Draft, text: str) -> str:
    """The same for the same text of the same draft."""
    return f"draft:{draft.id}:{new.mark(text)}"
