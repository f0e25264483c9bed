"""Tickets for findings, at GitHub or Linear: each once, however often it is tried."""

import logging
from collections.abc import Callable, Mapping, Sequence

import httpx

from bot import net
from bot.agent import Agent
from bot.errors import BotError, ConfigError
from bot.found import Card
from bot.improve import ticket
from bot.improve.digest import Link
from bot.improve.github import GitHub
from bot.improve.linear import Linear

SET = "write `tickets: {github: owner/repository, token: GITHUB_TOKEN}` or `tickets: {linear: TEAM, token: LINEAR_API_KEY}` into it"

UNSET = "Set it there, start frontdesk again, and press *File a ticket* once more."
log = logging.getLogger(__name__)


class Filing:
    """Implements the port of its name. `client` is made for each ticket; its argument says whether that may lie in our own network.

    `problems` are what is wrong with files, each in a line.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        client: Callable[[bool], httpx.AsyncClient],
        link: Link,
        problems: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.environment, self.client, self.link, self.problems = environment, client, link, problems

    async def file(self, agent: Agent, card: Card, by: str) -> tuple[str, str]:
        try:
            return await self._file(agent, card, by)
        except BotError as error:
            if wrong := next((line for line in self.problems() if line.startswith(f"{agent.file}: ")), ""):
                raise BotError(f"{wrong}. By that version: {error}") from error
            raise

    async def _file(self, agent: Agent, card: Card, by: str) -> tuple[str, str]:
        """Raises ConfigError where nothing says where; BotError where it cannot be filed now."""
        where = agent.tickets
        if where is None:
            raise ConfigError(f"Nothing says where tickets go. Whoever looks after {agent.file} can {SET}.")
        if not (token := self.environment.get(where.token, "").strip()):
            raise ConfigError(f"{agent.file}: tickets.token names {where.token}, which is not set where frontdesk runs. {UNSET}")
        draft = ticket.draft(card, by, self.link)
        try:
            async with self.client(where.private) as client:
                place = GitHub(client, where, token) if where.github else Linear(client, where, token)
                return await place.file(draft)
        except httpx.UnsupportedProtocol as error:  # nobody was asked, nor ever will be
            why = str(error).replace("options.", "tickets.")
            raise ConfigError(f"{agent.file}: tickets cannot go to {where.url or where.place}: {why}.") from error
        except httpx.HTTPError as error:
            why = net.Secrets.of([token]).mask(str(error)) or type(error).__name__
            log.warning("ticket_not_filed", extra={"action": "ticket_not_filed", "agent": agent.name, "error": why})
            own = f" If it never does, see whether tickets.url in {agent.file} is right: {where.url}" if where.url else ""
            raise BotError(f"{where.place} does not answer now. {ticket.AGAIN}{own}") from error
