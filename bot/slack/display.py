"""Proposals in their threads: a card that changes, and a message of its own that says what came of it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from slack_sdk.errors import SlackApiError

from bot.change import Proposal, Sheet
from bot.errors import BotError
from bot.slack import parse
from bot.slack.beside import Beside
from bot.slack.calls import error_of, refused
from bot.slack.markdown import brief, mrkdwn
from bot.slack.view import View, section
from bot.slack.views import change


class SlackDisplay:
    """Implements the port Display. `came` is told what came of what somebody wanted."""

    def __init__(self, beside: Beside, came: Callable[[Proposal], Awaitable[None]]) -> None:
        self.beside, self.came = beside, came

    def hidden(self, sheet: Sheet) -> list[str]:
        return change.hidden(sheet)

    async def show(self, sheet: Sheet) -> None:
        await self._once(f"proposal:{sheet.proposal.id}", sheet.proposal.thread, change.render(sheet))

    async def tell(self, proposal: Proposal, words: str) -> None:
        people = dict.fromkeys(person.id for person in (proposal.by, proposal.judge) if person.id)
        said = f"{' '.join(f'<@{id}>' for id in people)} `agents/{mrkdwn(proposal.agent, 60)}.md`: {mrkdwn(words, 2500)}".strip()
        view = View(mrkdwn(brief(f"agents/{proposal.agent}.md: {words}", 300)), (section(said),), 0)
        await self._once(f"proposal:{proposal.id}:{proposal.state}", proposal.thread, view)
        await self.came(proposal)

    async def _once(self, slot: str, thread: str, view: View) -> None:
        channel, ts = parse.place(thread)
        try:
            await self.beside.outbox.once(slot, channel, ts, view)
        except SlackApiError as error:
            if refused(error).after is not None:
                raise
            raise BotError(f"I could not show a change in its thread: {error_of(error)}.") from error

    async def closed(self, threads: Iterable[str], here: str) -> Mapping[str, bool]:
        return await self.beside.closed(threads, here)

    def link(self, thread: str) -> str:
        return self.beside.link(thread)
