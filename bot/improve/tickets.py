"""Tickets for findings, at GitHub or Linear: each once, however often it is tried."""

from collections.abc import Callable, Mapping

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


class Filing:
    """Implements the port of its name. `client` is made for each ticket; its argument says whether that may lie in our own network."""

    def __init__(self, environment: Mapping[str, str], client: Callable[[bool], httpx.AsyncClient], link: Link) -> None:
        self.environment, self.client, self.link = environment, client, link

    async def file(self, agent: Agent, card: Card, by: str) -> tuple[str, str]:
        """Raises ConfigError where nothing says where; BotError where it cannot be filed now."""
        where = agent.tickets
        if where is None:
            raise ConfigError(f"Nothing says where tickets go. Whoever looks after {agent.file} can {SET}.")
        if not (token := self.environment.get(where.token, "").strip()):
            raise ConfigError(f"{agent.file}: tickets.token names {where.token}, which is not set where frontdesk runs. Set it there.")
        draft = ticket.draft(card, by, self.link)
        try:
            async with self.client(where.private) as client:
                place = GitHub(client, where, token) if where.github else Linear(client, where, token)
                return await place.file(draft)
        except httpx.HTTPError as error:
            why = net.Secrets.of([token]).mask(str(error)).replace("options.", "tickets.") or type(error).__name__
            raise BotError(f"{where.place} does not answer ({why}). {ticket.AGAIN}") from error
