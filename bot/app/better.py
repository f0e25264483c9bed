"""How agents get better, put together: what happened as some are told it, and what they find in it as people see it."""

from collections.abc import Awaitable, Callable, Mapping

import httpx

from bot import net
from bot.agent import Agent
from bot.improve.findings import Findings
from bot.improve.lend import Telling
from bot.improve.pictures import Pictures
from bot.improve.tickets import Filing
from bot.journal import Delivery
from bot.runtimes.httpx_pass import Pass
from bot.runtimes.httpx_wire import Wire
from bot.slack.beside import Beside
from bot.store import findings
from bot.store.database import Database
from bot.store.files import Agents
from bot.store.happened import SqlHappened
from bot.store.past import SqlPast


class Better:
    """`aids` tell what happened, in words and pictures; `board` has what is found. `begin` has a delivery dealt with that is kept."""

    def __init__(
        self,
        db: Database,
        agent: Callable[[str], Agent],
        beside: Beside,
        begin: Callable[[Delivery], Awaitable[None]],
        environment: Mapping[str, str],
        files: Agents,
    ) -> None:
        cards = findings.Findings(db)
        self.aids = Telling(SqlHappened(db), cards, beside.link, beside.closed), Pictures(SqlPast(db))
        self.board = Findings(agent, cards, beside.finding, begin, Filing(environment, client, beside.link, lambda: files.problems))


def client(private: bool) -> httpx.AsyncClient:
    """For a few calls to somebody elsewhere."""
    return httpx.AsyncClient(transport=Wire(Pass(private)), timeout=net.CALL)
