"""Where agents are made and changed, put together."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.agent import Agent
from bot.app.better import client
from bot.app.changes import Repository
from bot.app.lent import Lent
from bot.app.rehearsal import Rehearsing
from bot.app.shelf import Folder
from bot.dispatch import Desk
from bot.improve.decision import Deciding, Kept
from bot.improve.findings import Findings
from bot.improve.proposal import Proposing
from bot.journal import Delivery
from bot.line import Line
from bot.ports import Runtime
from bot.settings import Settings
from bot.slack.beside import Beside
from bot.slack.display import SlackDisplay
from bot.slack.making import Making
from bot.store.proposals import Proposals
from bot.store.sql import SqlStore

Take = Callable[[Delivery], Awaitable[bool]]


class Parts(Protocol):
    """What of a desk's parts is used here."""

    @property
    def store(self) -> SqlStore: ...
    @property
    def runtime(self) -> Callable[[Agent], Runtime]: ...


class Workshop:
    """`making` makes new agents, `proposing` thinks up changes of those that there are, and `deciding` carries them out."""

    def __init__(
        self, settings: Settings, desk: Desk, beside: Beside, take: Take, lending: Lent, parts: Parts, line: Line, board: Findings
    ) -> None:
        store, display = parts.store, SlackDisplay(beside, board.came)
        rehearsal = Rehearsing(settings, lending, parts.runtime, store, line, beside.closed)
        repository = Repository(settings.agents_dir, client, settings.environment, settings.agents_token, settings.agents_api_url)
        shelf = Folder(settings.agents_dir, repository, lambda: desk.agents, beside.directory.place, store.shared)
        proposals = Proposals(store.db)
        self.making = Making(desk, beside, shelf, proposals, rehearsal)
        self.deciding = Deciding(desk, Kept(proposals, store, store, take), shelf, display)
        self.proposing = Proposing(self.deciding, rehearsal)
