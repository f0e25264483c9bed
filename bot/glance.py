"""What a person has with the desk, at one glance; and for those who run it how the desk itself is."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from bot import clock, policy
from bot.agent import Agent, gone
from bot.breaker import BREAKER
from bot.change import Proposal, may
from bot.event import Question
from bot.message import Person
from bot.past import Change
from bot.ports import Feedback
from bot.questions import asker
from bot.session import Session

CONVERSATIONS, QUESTIONS, OPINIONS, STUCK = 10, 5, 5, 5  # how many are shown
BROAD = {"members", "admins", "guests", "everyone"}
HELD = "agents/{}.md: calls of its webhooks are kept, because the prompt cannot be filled in with them: {}. They go on once it can."
LATELY = 30 * 86400.0  # seconds for which an opinion is shown


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question without an answer; `mine` says that its words are for this person, who asked what led to it."""

    session: Session
    question: Question
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the person thought of an answer; `post` is how the surface knows the answer's message, empty where it does not."""

    feedback: Feedback
    thread: str
    title: str
    post: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What there was of an agent, or of a person: turns, those of them that failed, US dollars, thumbs."""

    name: str
    turns: int = 0
    failed: int = 0
    usd: float = 0.0
    good: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """What has changed: a conversation, its agent, whose it is, and whether it waits for a person; of an opinion only whose."""

    people: frozenset[str]
    session: str = ""
    agent: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """How the desk itself is: what is wrong by what was looked at, and with agents' files; the processes, each agent this month, and what
    waits longest, since when, beside `proposals` that nobody has decided."""

    missing: Mapping[str, str]
    problems: Sequence[str]
    replicas: int
    shares: Sequence[Share]
    stuck: Sequence[tuple[float, Session]]
    proposals: Sequence[Proposal] = ()


@dataclass(frozen=True, slots=True)
class Glance:
    """`stops` are the ids of the conversations that the person may stop, `answers` the agents whose questions may wait for them;
    `proposals` wait for their decision.

    Of `sessions` and `waiting` there may be more than is shown.
    """

    agents: Sequence[Agent] = ()
    sessions: Sequence[Session] = ()
    stops: frozenset[str] = frozenset()
    waiting: Sequence[Waiting] = ()
    answers: frozenset[str] = frozenset()
    opinions: Sequence[Opinion] = ()
    used: Share = Share("")
    troubles: Sequence[str] = ()
    running: Running | None = None
    proposals: Sequence[Proposal] = ()


class Sight(Protocol):
    """What of it is kept. Times in Unix seconds. Raises StoreFailed."""

    async def conversations(self, person: str, limit: int) -> list[Session]:
        """Those that the person began: what goes on first, then the newest."""
        ...

    async def waiting(self, person: str, agents: Sequence[str], limit: int) -> list[Waiting]:
        """Open questions of what the person asked, and of these agents; the oldest first."""
        ...

    async def opinions(self, person: str, since: float, limit: int) -> list[Opinion]:
        """The newest first."""
        ...

    async def used(self, person: str, since: float) -> Share:
        """What was begun since then in the conversations that the person began."""
        ...

    async def shares(self, since: float) -> list[Share]:
        """The same of each agent, the dearest first."""
        ...

    async def stuck(self, limit: int) -> list[tuple[float, Session]]:
        """What waits for a person or for room, since when; the longest first."""
        ...

    async def proposals(self) -> list[Proposal]:
        """What waits for somebody's decision, the longest first."""
        ...

    async def held(self) -> Mapping[str, int]:
        """How many calls of webhooks are kept because an agent's file cannot be filled in with them."""
        ...

    async def moved(self, after: float) -> list[Moved]:
        """What has changed after then."""
        ...


Condition = tuple[Mapping[str, str], Sequence[str], int]
"""What is wrong by what was looked at, and with agents' files, each in a sentence; the number of processes."""

Gives = Callable[[Change], Sequence[str]]
"""What a change gives its agent more, in words."""


class Glances:
    """Raises StoreFailed."""

    def __init__(
        self, agents: Callable[[], Sequence[Agent]], sight: Sight, health: Callable[[], Awaitable[Condition]], more: Gives
    ) -> None:
        self.agents, self.sight, self.health, self.more = agents, sight, health, more

    async def look(self, person: Person) -> Glance:
        """All that this person may see, and nothing else."""
        agents = {agent.name: agent for agent in self.agents()}
        named = [agent.name for agent in agents.values() if _named(agent, person)]
        now = clock.now()
        sessions, questions, opinions, used, proposals = await asyncio.gather(
            self.sight.conversations(person.id, CONVERSATIONS + 1),
            self.sight.waiting(person.id, named, 20 * QUESTIONS),
            self.sight.opinions(person.id, now - LATELY, OPINIONS),
            self.sight.used(person.id, month(now)),
            self.sight.proposals(),
        )
        waits = [seen for each in questions if (seen := _meant(each, agents.get(each.session.agent), person))]
        stops = frozenset(one.id for one in sessions if not one.over and _may_stop(one, agents.get(one.agent), person))
        usable = [agent for agent in agents.values() if policy.may(agent, person, "run")]
        decides = [each for each in proposals if self._decides(each, agents.get(each.agent), person)]
        running = await self._running(month(now), agents, proposals) if person.kind == "admin" else None
        troubles = [place.words for place in BREAKER.troubles()] if person.kind in ("member", "admin") else []  # hosts of the company's own
        return Glance(usable, sessions, stops, waits, frozenset(named), opinions, used, troubles, running, decides)

    def _decides(self, proposal: Proposal, agent: Agent | None, person: Person) -> bool:
        """Whether this person may approve it, and sees its card."""
        if agent is None or not person.inside or (proposal.private and proposal.by.id != person.id):
            return False
        return may(agent, person, proposal.by.id, more=bool(self.more(proposal.change)))

    async def _running(self, since: float, agents: Iterable[str], proposals: Sequence[Proposal]) -> Running:
        looks = self.health(), self.sight.shares(since), self.sight.stuck(STUCK), self.sight.held()
        (missing, problems, replicas), shares, stuck, held = await asyncio.gather(*looks)
        problems = [*problems, *(HELD.format(name, calls) for name, calls in held.items())]
        asked = {share.name for share in shares}
        return Running(missing, problems, replicas, [*shares, *(Share(name) for name in agents if name not in asked)], stuck, proposals)


def _may_stop(session: Session, agent: Agent | None, person: Person) -> bool:
    return policy.may(agent or gone(session.agent), person, "stop", asker(session, person))


def _named(agent: Agent, person: Person) -> bool:
    """Whether there may be questions of the agent that wait for this person, whoever has asked."""
    return person.kind == "admin" or any(_meets(rule, person) for rule in (*agent.allow.answer, *agent.allow.approve))


def _meets(rule: str, person: Person) -> bool:
    return rule == person.id or rule in person.groups or (rule == "admins" and person.kind == "admin")


def _meant(waiting: Waiting, agent: Agent | None, person: Person) -> Waiting | None:
    """The same, if it waits for this person: as its card says who has to answer, and where they could see that card."""
    if agent is None:
        return None
    session, question = waiting.session, waiting.question
    agent, mine = policy.trusted(agent, question), asker(session, person) == person.id
    rules = agent.allow.approve if question.kind == "permission" else agent.allow.answer
    left = "asker" in rules or set(rules) <= BROAD  # rules that mean everybody leave it to whoever asked
    meant = any(_meets(rule, person) for rule in rules) or (mine and left)
    return replace(waiting, mine=mine) if meant and (mine or not session.private) else None


def month(now: float) -> float:
    """When this month began, in UTC."""
    today = datetime.fromtimestamp(now, UTC)
    return datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()
