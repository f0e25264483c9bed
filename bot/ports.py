"""What the desk needs of the world. Each folder beside this file implements one of these."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from bot.agent import Agent
from bot.bell import Bell
from bot.event import Answered, Event, Question, Usage
from bot.message import NOBODY, Answer, Attachment, Message, Person, Quote
from bot.session import Session


@dataclass(frozen=True, slots=True)
class Tools:
    """An MCP server (streamable HTTP) that speaks with people for one turn; whoever has the token speaks in its agent's name."""

    url: str
    token: str = field(repr=False)
    name: str = "frontdesk"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Keep(Protocol):
    """What a runtime keeps of one session beside its folder, so that every replica finds it: lines, by a key. Raises StoreFailed."""

    async def load(self, key: str) -> list[str]: ...
    async def append(self, key: str, lines: Sequence[str]) -> None: ...


class Nowhere:
    """Keeps nothing: there is no other replica."""

    async def load(self, key: str) -> list[str]:
        return []

    async def append(self, key: str, lines: Sequence[str]) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing asked of an agent.

    `resume` is what the runtime's last Started gave, in whichever process; empty in a new conversation. `again` says that
    this very turn had begun in a process that ended: find the work and go on with it, or raise RuntimeFailed with words
    that say honestly that it was cut. `answer` is set where the turn begins with the answer to a question that the runtime
    asked; `prompt` then holds the same answer in words. `folder` is the session's own, exists, and is kept between turns;
    `files` stand in it. `environment` has the variables that the agent's file names, and no others. `workspace` is the folder
    that the agent is to work in, where its file names one. `tools` are ours, where the runtime or the agent's file wants them.
    `gateway` is the address through which all calls of models go, and a key to it that is this turn's; both empty where there is none.
    `hidden` is what of this machine an agent in a sandbox is not to see, but for what is `shown`.
    `bell` is what others ring when long work of theirs has come on. `number` is below 0 where it is asked, unseen, about its turn (report).
    `leaving()` is true once this process goes away: a closed iterator then means that the next process goes on with the work.
    """

    session_id: str
    number: int
    agent: Agent
    prompt: str
    instructions: str = ""
    resume: str = ""
    again: bool = False
    answer: Answer | None = None
    folder: Path = Path()
    files: tuple[Path, ...] = ()
    person: Person = NOBODY
    environment: Mapping[str, str] = field(default_factory=dict)
    leaving: Callable[[], bool] = bool
    workspace: Path | None = None
    tools: Tools | None = None
    channel: str = ""
    keep: Keep = field(default_factory=Nowhere)
    gateway: tuple[str, str] = field(default=("", ""), repr=False)
    bell: Bell = field(default_factory=Bell, repr=False)
    hidden: tuple[Path, ...] = ()
    shown: tuple[Path, ...] = ()


class Runtime(Protocol):
    """Where an agent runs. A class with `Options`, a pydantic model of the agent's `options`, is made with one of them.

    One whose agents have no way of their own to ask people says so by an attribute, `tools = True`: its turns are lent ours. One whose
    agents can be asked, when a turn is over, what would have helped says `reports = True`; with others `improve: true` in a file does.
    """

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        """Do one turn, and tell what happens; closing the iterator stops the work for good, unless `turn.leaving()`.

        The first event is Started, whose `resume` is all that this runtime needs to find the work again; the last is
        Finished. With `turn.resume` set, go on with that conversation rather than begin one. `inbox` gives what people say
        meanwhile: messages (steering), and with `answer` set the answers to questions that this runtime holds open. Taking
        one from it is a promise to give it to the agent; a runtime that cannot listen leaves it alone, for the next turn.
        A runtime that need not hold its question open ends with Finished("input_required") and gets the answer as the next turn.
        Raises RuntimeFailed; Unavailable, before Started, where another try or another runtime may help.
        """
        ...


Show = Callable[[Session], None]
Mark = Literal["given", "queued", "taken"]


class Surface(Protocol):
    """Where sessions are shown, and people are reached."""

    def follow(self, session: Session, agent: Agent, epoch: int) -> AbstractAsyncContextManager[Show]:
        """While the context lasts, keep what people see equal to the newest session shown; its end waits for the last word.

        Nothing is shown any more once somebody else has the session, by an epoch that is newer.

        Showing never waits and never fails: what cannot be said now is said later, the last word for as long as it takes.
        """
        ...

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        """Begin a thread for a message that has none (a command, a private answer): its thread and channel. Safe to repeat."""
        ...

    def direct(self, thread: str) -> bool:
        """Whether only one person and we read a thread."""
        ...

    async def compare(self, id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int]) -> None:
        """Show sessions that were asked the same side by side, with how many people prefer each. Raises BotError."""
        ...

    async def said(self, session: Session, after: float, until: Sequence[Message]) -> tuple[Quote, ...]:
        """What people said in the session's thread after that time (Unix seconds), without `until`, the bot's own words and asides."""
        ...

    async def fetch(self, attachment: Attachment, folder: Path) -> Path:
        """Bring a file that a person attached. Raises BotError, in words, where it is too large or not to be had."""
        ...

    async def mark(self, message: Message, mark: Mark) -> None:
        """Show on a person's own message whether the agent was given it, or it waits its turn. Never fails."""
        ...

    async def settle(self, session: Session, question: Question, answered: Answered) -> None:
        """Show at once that a question is closed, and take its buttons away. Raises StoreFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is kept: with its session, and how it was closed, if it was."""

    session_id: str
    turn: int
    question: Question
    answered: Answered | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person thought of one turn's answer. `version` is the hash of the agent's file then; `at` in Unix seconds."""

    session_id: str
    turn: int
    person: str
    rating: Literal["good", "bad"]
    reasons: tuple[str, ...] = ()
    text: str = ""
    agent: str = ""
    runtime: str = ""
    model: str = ""
    version: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that came into a session's inbox; `turn` is the number of the turn that has read it, 0 for none."""

    message: Message
    turn: int
    done: bool = False


class Store(Protocol):
    """What outlives the process. Every write is durable when its call returns. Raises StoreFailed."""

    async def session_in(self, thread: str) -> Session | None:
        """The session that goes on in this thread."""
        ...

    async def session_of(self, thread: str, agent: str) -> Session | None:
        """The newest session of this agent in this thread, also where another goes on there."""
        ...

    async def load(self, session_id: str) -> Session:
        """Raises LookupError."""
        ...

    async def start(self, session: Session, message: Message | None = None) -> bool:
        """Keep a new session, the one of its thread from now on, with its first message; False if that message was heard before."""
        ...

    async def put(self, session_id: str, message: Message) -> bool:
        """Put a message into the session's inbox, and make it the one of its thread; False if it was heard before."""
        ...

    async def heard(self, message_id: str) -> bool:
        """Whether a message of this id ever came into an inbox."""
        ...

    async def read_by(self, session_id: str, turn: int) -> list[Message]:
        """What a turn was asked, oldest first."""
        ...

    async def asked_by(self, message_id: str) -> tuple[Session, Unread] | None:
        """The session that a message went to, and the message itself."""
        ...

    async def finish(self, session_id: str, epoch: int, turn: int) -> None:
        """Take out of the inbox what a turn has read: it is over, and its last word was shown. Raises Superseded."""
        ...

    async def release(self, session_id: str, epoch: int, message_ids: Sequence[str]) -> None:
        """Give back to the inbox what a turn had read, and did not come to give to its agent. Raises Superseded."""
        ...

    async def drop(self, message_ids: Sequence[str], owner: tuple[str, int] | None = None) -> None:
        """Take messages out of the inbox without a turn. Raises Superseded where the `owner`, a session and an epoch, is none any more."""
        ...

    async def mute(self, session_id: str, muted: bool) -> None: ...
    async def begin(self, session_id: str) -> tuple[Session, int]:
        """Own the session from now on: its state, and the epoch that each `save` has to name."""
        ...

    async def unread(self, session_id: str) -> list[Unread]:
        """The inbox, in the order in which it was said."""
        ...

    async def take(self, session_id: str, epoch: int, session: Session, agent: Agent, message_ids: Sequence[str]) -> None:
        """Note that the session's current turn has begun, and that it has read these messages."""
        ...

    async def save(self, epoch: int, session: Session, events: Sequence[Event], at: float) -> None:
        """Keep the state and what led to it. Raises Superseded."""
        ...

    def keep(self, session_id: str) -> Keep:
        """Where the session's runtime keeps things of its own."""
        ...

    async def unfinished(self) -> list[str]:
        """The ids of the sessions that have something in the inbox."""
        ...

    async def asked(self, session_id: str, question_id: str) -> Asked | None: ...
    async def close(self, session_id: str, answered: Answered, message: Message | None = None) -> bool:
        """Close a question, and put its answer into the inbox; False if it was closed before. The first wins, among all replicas."""
        ...

    async def overdue(self, at: float) -> list[Asked]:
        """The open questions that have expired by then."""
        ...

    async def rate(self, feedback: Feedback) -> Feedback:
        """Keep what a person thought of a turn, in place of what they thought before; with all that the turn itself knows filled in."""
        ...

    async def unrate(self, session_id: str, turn: int, person: str) -> None: ...
    async def spent(self, agent: str, since: float) -> Usage:
        """What an agent's turns have cost that began since then (Unix seconds)."""
        ...

    async def sessions(self, limit: int = 20, person: str = "", live: bool = False, thread: str = "") -> list[Session]:
        """The newest first."""
        ...

    async def threads(self, after: float) -> dict[str, float]:
        """The threads in which something has happened since then (Unix seconds), and when."""
        ...

    async def votes(self, session_id: str) -> int:
        """How many people prefer this one to the other that was asked the same."""
        ...

    async def feedback(self, agent: str = "", limit: int = 100) -> list[Feedback]: ...
    async def steps(self, session_id: str, turn: int) -> list[Event]:
        """All the steps of a turn as they last stood, and the other events but text and thoughts."""
        ...


class Engine(Protocol):
    """Runs turns: at least once, and one at a time for each session."""

    async def submit(self, session_id: str) -> None:
        """Let somebody read the session's inbox: a new turn, or the turn that is running. Submitting twice is harmless."""
        ...
