"""A finding as it is kept: whom it hit, where people see it, and what they made of it."""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.journal import Delivery
from bot.message import Person
from bot.past import Fact, Finding
from bot.session import Session


@dataclass(frozen=True, slots=True)
class Found:
    """What an agent says repeats, with the names of the turns that show it; `again` is the id of a finding that it goes on with."""

    agent: str
    title: str
    what: str
    change: str
    evidence: tuple[str, ...]
    again: str = ""

    @property
    def id(self) -> str:
        """The same for the same title of the same agent."""
        plain = " ".join(re.findall(r"\w+", self.title.casefold()))
        return self.again or hashlib.sha256(f"{self.agent} {plain}".encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn of an agent that shows it: whom it hit (ids), and what it cost. `thread` is empty where only one person saw it."""

    session_id: str
    turn: int
    agent: str
    people: tuple[str, ...]
    usd: float = 0.0
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A finding that the agent `by` has reported, and that people see in a thread, for the `times`th time.

    `ticket` is the address of its ticket, called `called`; `filed`, `changed` and `no` are the names of those who had it filed, wanted a
    change, and said not now, when so many people were hit as `refused`. `came` says in words what came of the change, once something has.
    While a press is dealt with, `claim` is its id: `who` pressed, at `began`.
    """

    id: str
    agent: str
    title: str
    what: str
    change: str
    by: str
    thread: str
    hits: tuple[Hit, ...]
    at: float = 0.0
    times: int = 1
    ticket: str = ""
    called: str = ""
    filed: str = ""
    changed: str = ""
    came: str = ""
    no: str = ""
    refused: int = 0
    claim: str = ""
    who: str = ""
    began: float = 0.0

    @property
    def pending(self) -> bool:
        """Whether a change is wanted that nothing has come of yet."""
        return bool(self.changed) and not self.came

    @property
    def people(self) -> int:
        """One who was hit ten times is one."""
        return len({person for hit in self.hits for person in hit.people})

    @property
    def usd(self) -> float:
        return sum(hit.usd for hit in self.hits)

    @property
    def threads(self) -> tuple[str, ...]:
        """Where everybody can look at what happened."""
        return tuple(dict.fromkeys(hit.thread for hit in self.hits if hit.thread))

    @property
    def evidence(self) -> tuple[tuple[str, int], ...]:
        return tuple((hit.session_id, hit.turn) for hit in self.hits)

    @property
    def finding(self) -> Finding:
        return Finding(self.id, self.agent, self.title, self.what, self.evidence, self.people, self.usd, self.at, self.change)


def name(session_id: str, turn: int) -> str:
    """What a turn is called in a digest."""
    return f"{session_id[:8]}-{turn}"


class Cards(Protocol):
    """All findings: the store's side. Raises StoreFailed."""

    async def hits(self, names: Collection[str]) -> Mapping[str, Hit]:
        """The turns that are called so."""
        ...

    async def cards(self, limit: int = 50) -> list[Card]:
        """The newest first."""
        ...

    async def card(self, id: str) -> Card | None: ...
    async def change(
        self, ids: Collection[str], work: Callable[[Mapping[str, Card]], Sequence[Card]], delivery: Delivery | None = None
    ) -> list[Card]:
        """Keep what `work` makes of those that there are of these, which nobody else changes meanwhile; and a delivery with them."""
        ...


class Happened(Protocol):
    """What happened in turns: the store's side. Raises StoreFailed."""

    async def facts(self, since: float) -> list[Fact]:
        """All that was told since then (Unix seconds)."""
        ...

    async def ran(self, agent: str, session_id: str) -> float:
        """When the agent last did what its schedule says, beside this session; 0 for never."""
        ...


class Board(Protocol):
    """Where people see what repeats, and say what is to come of it."""

    async def report(self, by: str, session: Session, found: Sequence[Found]) -> str:
        """Show them, whom they hit most first; what the agent is told. Raises BotError."""
        ...

    async def press(self, verb: str, id: str, by: Person, press: str) -> str:
        """A button of a finding: ticket, change or no; what to tell whoever pressed. `press` makes it safe to repeat. Raises BotError."""
        ...
