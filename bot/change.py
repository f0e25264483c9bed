"""A proposal: another text of an agent's file, from when somebody wants it until somebody has allowed it and it stands there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot import policy
from bot.agent import Agent
from bot.errors import BotError
from bot.message import NOBODY, Person
from bot.past import Change, Finding, Outcome, Tried

State = Literal["writing", "shown", "approved", "done", "rejected", "failed"]
SETTLED: frozenset[State] = frozenset({"done", "rejected", "failed"})
Decision = Literal["approve", "reject"]
MORE = (
    "You may not approve this, since it gives the agent more than it has: an admin may, "
    "or another than whoever wanted it whom {} names by id or group under allow.approve."
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """`finding` is why somebody (`by`) wants it, in `thread`; the agent `writer` thinks it up, at its `tries`th try, and says `why`.

    `old` is the file's text that it was made from, empty for a new agent's; `new` what it would be. `judge` decided, by the press of
    a button whose id is `press`; `outcome` says what came of it, and while nothing has, what is in the way;
    `trial`, while there is no trial of it, why. `at` in Unix seconds. `private` says that only whoever wants it reads the thread.
    """

    id: str
    agent: str
    finding: Finding
    by: Person
    thread: str
    writer: str
    old: str
    state: State = "writing"
    tries: int = 1
    new: str = ""
    why: str = ""
    judge: Person = NOBODY
    press: str = ""
    outcome: str = ""
    trial: str = ""
    at: float = 0.0
    private: bool = False

    @property
    def change(self) -> Change:
        return Change(self.agent, self.old, self.new, self.why, self.writer)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A proposal as people see it: what changes, line by line as `diff` writes it, what it may do more, and what a trial said."""

    proposal: Proposal
    diff: Sequence[str] = ()
    wider: Sequence[str] = ()
    approvers: Sequence[str] = ()
    tried: Tried | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What is written beside a change, for those who find it later: an id of its own, and who wanted and who allowed it, by name."""

    id: str
    title: str
    asked: str = ""
    allowed: str = ""
    link: str = ""


class Stale(BotError):
    """The file is another than the one that a change was made from: `text`."""

    def __init__(self, text: str) -> None:
        super().__init__("The file has changed meanwhile.")
        self.text = text


class Shelf(Protocol):
    """Where agents' files are."""

    async def read(self, name: str) -> str:
        """A file's text; empty where there is none. Raises ConfigError."""
        ...

    async def wrong(self, name: str, text: str, *, new: bool) -> list[str]:
        """What keeps this text from being an agent's file here, each in a sentence; a `new` one may not be there yet."""
        ...

    async def put(self, change: Change, note: Note) -> str:
        """Let it be the file, or propose that where the files are looked after; in words for people, where it is now.

        Safe to repeat. Raises Stale where the file is not `change.old`; BotError, with what to do.
        """
        ...


class Proposals(Protocol):
    """All proposals: the store's side. Raises StoreFailed."""

    async def begin(self, proposal: Proposal) -> Proposal:
        """Keep it; the one that is under way already, where the same finding has one."""
        ...

    async def proposal(self, id: str) -> Proposal | None: ...
    async def move(self, before: Proposal, after: Proposal) -> bool:
        """Keep what has become of it; False where somebody else was first."""
        ...

    async def written(self) -> list[Proposal]:
        """Those that are thought up just now."""
        ...


class Rehearsal(Protocol):
    """Where a text is tried that is no agent's file yet: nobody else hears of it. Raises ConfigError where that cannot be done."""

    async def ask(self, agent: Agent, words: str, by: Person, like: Agent) -> Outcome:
        """What it answers; what that costs is the cost of the agent that it is `like`."""
        ...

    async def trial(self, old: Agent, new: Agent, by: str) -> Tried:
        """What it makes of what was asked before; kept."""
        ...


class Display(Protocol):
    """Where people see proposals. Raises BotError; whatever else it raises is worth another try."""

    def hidden(self, sheet: Sheet) -> list[str]:
        """Why not all of it could be shown, in a sentence; nothing where it can."""
        ...

    async def show(self, sheet: Sheet) -> None:
        """In its thread, once, and changed from then on."""
        ...

    async def tell(self, proposal: Proposal, words: str) -> None:
        """Say what came of it: a message of its own in the thread, to whoever wanted it and whoever decided."""
        ...

    async def closed(self, threads: Iterable[str], here: str) -> Mapping[str, bool]:
        """Of these threads those that not everybody may read who reads `here`."""
        ...

    def link(self, thread: str) -> str:
        """The address of a thread."""
        ...


class Decisions(Protocol):
    """What people may do with proposals. What is returned is for whoever did it."""

    async def decide(self, decision: Decision, id: str, mark: str, by: Person, press: str) -> str:
        """`mark` is that of the change that this person saw: for another nothing is decided. `press` makes it safe to repeat.

        Raises BotError.
        """
        ...

    async def look(self, id: str, by: Person) -> Sheet | None:
        """All of it. Raises BotError."""
        ...


def judges(agent: Agent, asker: str = "", *, more: bool = False) -> tuple[str, ...]:
    """Who may allow another text of its file: who may approve what it does; admins, where its file names nobody.

    Where the text gives it `more`, admins, and whom it names by id or group besides whoever wants it (`asker`, an id).
    """
    named = agent.allow.approve
    return ("admins", *(rule for rule in named if rule not in policy.WORDS and rule != asker)) if more else named or ("admins",)


def may(agent: Agent, person: Person, asker: str, *, more: bool = False) -> bool:
    """Whether this person may allow what `asker` (an id) wants; that person alone only where the file lets them.

    What gives it `more` takes as much as a new agent does.
    """
    return policy.grants(agent, person, asker) if more else policy.may(_judged(agent, judges(agent)), person, "approve", asker)


def refused(agent: Agent, decision: Decision, *, more: bool = False) -> str:
    """What those are told who may not."""
    if more and decision == "approve":
        return MORE.format(agent.file)
    rules = judges(agent) if decision == "approve" else (*dict.fromkeys((*judges(agent), "admins")),)
    return f"You may not {decision} this. {policy.who(_judged(agent, rules), 'approve')}"


def _judged(agent: Agent, rules: tuple[str, ...]) -> Agent:
    return agent.model_copy(update={"allow": agent.allow.model_copy(update={"approve": rules})})
