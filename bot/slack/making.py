"""An agent is made in Slack: thought up in a form, shown as a file, and written once somebody who may has allowed it."""

from hashlib import sha256
from typing import Literal

from bot import policy
from bot.agent import Agent
from bot.dispatch import Desk
from bot.draft import ROOM, Draft, Shelf, may, unpacked
from bot.errors import Denied
from bot.message import Person
from bot.slack.beside import Beside
from bot.slack.markdown import mrkdwn
from bot.slack.view import Block, View
from bot.slack.views import new, triage

LONG = "That is too long for Slack to carry. Make what it is told shorter, and write the rest into the file later. You wrote:\n"
NOBODY = "Only members of this workspace can think up agents."


class Making:
    """What each method returns is for whoever did it. Raises Denied, ConfigError; SlackApiError where another try is worth it."""

    def __init__(self, desk: Desk, beside: Beside, shelf: Shelf) -> None:
        self.desk, self.beside, self.shelf = desk, beside, shelf

    def form(self, by: Person, value: str = "") -> Block:
        """Empty, or with a draft to be changed."""
        if by.kind not in ("member", "admin"):
            raise Denied(NOBODY)
        agents = self.desk.agents_for(by)
        return new.form(agents, unpacked(value) if value else None) if agents else triage.nobody()

    async def drafted(self, id: str, by: Person, about: str, values: dict[str, tuple[str, ...]]) -> str:
        """The form was sent. `about` is the draft's id, where it is not new."""
        draft = new.draft(about or sha256(id.encode()).hexdigest()[:12], by.id, values)
        if len(draft.packed()) > ROOM:
            return LONG + mrkdwn(draft.words)
        like = self.desk.agent(draft.like)
        policy.check(like, by, "run")
        text = draft.text(like)
        wrong = [*await self.shelf.wrong(draft.name, text), *new.hidden(text), *await self._nobody(draft, like)]
        await self._tell(draft, "author", new.shown(draft, text, wrong))
        return ""

    async def _nobody(self, draft: Draft, like: Agent) -> list[str]:
        approver = await self.beside.directory.person(draft.approver)
        say = f"choose an admin, or somebody who may approve what {like.name} does"
        return [] if may(like, approver) else [f"{approver.name or approver.id} may not allow it: {say}."]

    async def proposed(self, value: str) -> str:
        """Whoever thought it up asks for approval."""
        draft = unpacked(value)
        text = draft.text(self.desk.agent(draft.like))
        await self._tell(draft, "approver", new.asked(draft, text))
        await self._tell(draft, "author", new.closed(draft, text, "Waits for approval."))
        return ""

    async def settled(self, value: str, by: Person) -> str:
        """Whoever is to allow it does, or does not."""
        verb, mark, packed = value.split(" ")
        draft = unpacked(packed)
        like = self.desk.agent(draft.like)
        text = draft.text(like)
        if by.id != draft.approver or not may(like, by):
            raise Denied(f"You may not allow an agent like {like.name}: an admin may, or who may approve what that one does.")
        if mark != new.mark(text):
            await self._tell(draft, "approver", new.asked(draft, text))
            return f"{like.name} has changed meanwhile, and this file with it. Look at it again."
        if verb == "allow":
            await self.shelf.put(draft.name, text)
        words = f"Allowed by {by.name}: agents/{draft.name}.md is written." if verb == "allow" else f"Refused by {by.name}."
        await self._tell(draft, "approver", new.closed(draft, text, words))
        await self._tell(draft, "author", new.closed(draft, text, words))
        return ""

    async def _tell(self, draft: Draft, reader: Literal["author", "approver"], view: View) -> None:
        """Each of them has one message about a draft, which changes."""
        await self.beside.letter(f"draft:{draft.id}:{reader}", draft.by if reader == "author" else draft.approver, view)
