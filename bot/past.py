"""What happened, what is found in it, and what comes of that: for those who make agents better."""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from bot.message import Person

ReportKind = Literal["missing", "unclear", "slow", "denied", "other"]
Choice = Literal["old", "new", "same", "good", "bad"]  # the last two are said of an example's one answer


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent said would have made one turn easier. `at` in Unix seconds."""

    agent: str
    version: str
    session_id: str
    turn: int
    kind: ReportKind
    text: str
    evidence: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Past:
    """One turn that is over. `asked` and `answer` are people's and agents' own words: data, whoever reads them.

    `version` is the hash of the agent's file then, `person` the id of whoever asked last, `files` the names of what came along. `private`
    is what only the person saw; `waited` that the agent asked people something meanwhile. `good` and `bad` count thumbs, `reasons` say
    why, in the words of a form or of people. `seconds` from its beginning to its end, `at` when it began, in Unix seconds.
    """

    session_id: str
    turn: int
    agent: str
    version: str
    runtime: str
    thread: str
    person: str
    asked: str
    answer: str
    state: str
    reason: str = ""
    usd: float = 0.0
    seconds: float = 0.0
    at: float = 0.0
    good: int = 0
    bad: int = 0
    reasons: tuple[str, ...] = ()
    model: str = ""
    channel: str = ""
    door: str = ""
    private: bool = False
    waited: bool = False
    files: tuple[str, ...] = ()


LONGEST = 300  # characters of one thing that was said that count, and are told


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened in a turn, in people's and agents' own words: data, whoever reads them.

    An agent `asked` people, and what people had asked they asked `again`: for the kinds that are not plain. `chosen` is what of its text
    somebody chose from a list.
    `about` is what the conversation is called, `usd` what the whole turn has cost; `thread` is empty where only one person saw it.
    """

    kind: Literal["good", "bad", "report", "failed", "denied", "stopped", "asked", "again"]
    agent: str
    session_id: str
    turn: int
    person: str
    text: str = ""
    about: str = ""
    usd: float = 0.0
    at: float = 0.0
    thread: str = ""
    chosen: str = ""

    @property
    def veiled(self) -> "Fact":
        """The same for those who may not read the conversation: no way there, and nothing in anybody's own words."""
        return replace(self, text=self.chosen, about="", thread="")


def same(text: str) -> str:
    """Alike for words that differ in figures and signs only."""
    return re.sub(r"[\W\d_]+", " ", text[:LONGEST].casefold()).strip()


@dataclass(frozen=True, slots=True)
class Finding:
    """What repeats: in these turns (session and number), for so many people. `change` is what would mend it, in an agent's words."""

    id: str
    agent: str
    title: str
    what: str
    evidence: tuple[tuple[str, int], ...] = ()
    people: int = 0
    usd: float = 0.0
    at: float = 0.0
    change: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A new text of an agent's file, in place of the old; `by` is who or what wrote it."""

    agent: str
    old: str
    new: str
    why: str
    by: str

    @property
    def mark(self) -> str:
        """The same for the same texts."""
        return hashlib.sha256(f"{self.old}\0{self.new}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one version of an agent made of something it was asked. `reason` says why it came no further, for people."""

    text: str
    state: str
    reason: str = ""
    usd: float = 0.0
    seconds: float = 0.0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One thing that a changed agent was asked: what a past turn was, which is in `evidence` (session and number), or an example.

    `old` is what was answered then, and None for an example; `missed` is what an answer to it lacks, in words. `channel` is where it
    was asked, and `private` what only one person saw.
    """

    id: str
    name: str
    asked: str
    old: Outcome | None
    new: Outcome
    missed: tuple[str, ...] = ()
    evidence: tuple[tuple[str, int], ...] = ()
    channel: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """Which answer of a run is better, for `by`: a person's id; or, where a `judge` says so, an agent's name. `at` in Unix seconds."""

    run: str
    choice: Choice
    by: str
    judge: bool = False
    why: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial: how the versions of an agent's file compare. `left` says in words what was not tried, and why; `judging` is what its judge
    cost in US dollars; `at` in Unix seconds.
    """

    id: str
    agent: str
    old_version: str
    new_version: str
    runs: tuple[Run, ...]
    votes: tuple[Vote, ...] = ()
    left: tuple[str, ...] = ()
    by: str = ""
    at: float = 0.0
    judging: float = 0.0

    @property
    def usd(self) -> float:
        return sum(run.new.usd for run in self.runs)

    @property
    def failed(self) -> str:
        """How many came to no answer, in words; empty where all did."""
        failed = [run for run in self.runs if run.new.state != "completed"]
        before = sum(run.old is not None and run.old.state != "completed" for run in failed)
        also = "" if not before else ", as before" if before == len(failed) else f", {before} of them before, too"
        return f"{len(failed)} failed{also}" if failed else ""

    def count(self, choice: Choice, *, judge: bool) -> int:
        """How many votes of people, or of judges."""
        return sum(vote.choice == choice and vote.judge == judge for vote in self.votes)


class Memory(Protocol):
    """What is known of turns that are over. Raises StoreFailed."""

    async def past(self, agent: str = "", since: float = 0.0, until: float = ..., limit: int = 1000) -> Sequence[Past]:
        """The turns that began between (Unix seconds) and are over, newest first; without a name those of all agents.

        Their cost is that of the answer, and not of what the agent was asked afterwards (report).
        """
        ...

    async def turns(self, keys: Collection[tuple[str, int]]) -> Sequence[Past]:
        """Those of these (session and number) that are over, newest first."""
        ...

    async def figures(self, agent: str = "", since: float = 0.0, limit: int = ...) -> Sequence[Past]:
        """The same without words: how they ended, what they cost with all that was asked afterwards, and what people thought of them."""
        ...


class Changes(Protocol):
    """Thinks up new texts of agents' files."""

    async def propose(self, finding: Finding, by: Person, thread: str) -> str:
        """Let a change be thought up, as this person wants, in this thread; what to tell them. Safe to repeat. Raises BotError."""
        ...


class Trials(Protocol):
    """What was tried, and what people and judges think of it. Raises StoreFailed."""

    async def keep_trial(self, tried: Tried) -> None: ...
    async def trial(self, id: str) -> Tried | None:
        """With its votes."""
        ...

    async def trials(self, agent: str = "", limit: int = 100) -> Sequence[Tried]:
        """The newest first, with their votes; without a name those of all agents."""
        ...

    async def between(self, agent: str, old: str, new: str) -> Tried | None:
        """The newest of these two versions."""
        ...

    async def prefer(self, trial_id: str, vote: Vote) -> None:
        """Keep a vote, in place of that which the same person or judge gave on this run before."""
        ...
