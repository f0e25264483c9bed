"""A desk without Slack: a real store, a surface that only remembers, and whatever runtime a test puts on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bot.agent import Agent
from bot.aid import Aid
from bot.engine.local import LocalEngine
from bot.errors import BotError
from bot.event import Answered, Event, Finished, Option, Part, Question, Started, Step, Text
from bot.line import Line
from bot.message import Answer, Attachment, Message, Person, Quote
from bot.ports import Mark, Runtime, Show, Turn
from bot.session import Session
from bot.store.database import ConnectionLost, Write
from bot.store.sql import SqlStore
from bot.turn import House, Turns
from tests.standins.blank import blank

ANA, BEN = Person("U1", "Ana"), Person("U2", "Ben")
THREAD = "slack:T1:C1:1.0"
COLOUR = Question("q1", "question", (Part("which", "Which?", (Option("Red"), Option("Blue"))),))


def agent(name: str = "helper", **more: object) -> Agent:
    return Agent.model_validate({"name": name, "version": "v1", "description": "Helps.", "runtime": "echo", **more})


def message(text: str = "Look at this", id: str = "m1", by: Person = ANA, at: float = 100.0) -> Message:
    return Message(id, THREAD, "C1", by, text, at=at)


class Watching:
    """Implements the port Surface: `shown` and `marks` are all that people have seen, in its order."""

    def __init__(self) -> None:
        self.shown: list[Session] = []
        self.marks: list[tuple[str, Mark]] = []
        self.quotes: tuple[Quote, ...] = ()
        self.ready = asyncio.Event()
        self.ready.set()
        self.asked = asyncio.Event()
        self._changed = asyncio.Event()

    @property
    def last(self) -> Session:
        return self.shown[-1]

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def compare(self, id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int]) -> None: ...

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent, epoch: int) -> AsyncIterator[Show]:
        yield self._show

    def _show(self, session: Session) -> None:
        self.shown.append(session)
        self._changed.set()

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        return message.thread, message.channel

    def direct(self, thread: str) -> bool:
        return ":D" in thread

    async def said(self, session: Session, after: float, until: Sequence[Message]) -> tuple[Quote, ...]:
        self.asked.set()
        await self.ready.wait()
        return self.quotes

    async def fetch(self, attachment: Attachment, folder: Path) -> Path:
        if attachment.name == "gone.txt":
            raise BotError("gone.txt is not to be had.")
        return folder / attachment.name

    async def mark(self, message: Message, mark: Mark) -> None:
        self.marks.append((message.id, mark))
        self._changed.set()

    async def settle(self, session: Session, question: Question, answered: Answered) -> None: ...


class Stage:
    """One session, `s1`, in one thread. `play` puts a runtime there; people speak by `say`, `stop` and `answer`."""

    def __init__(self, store: SqlStore, folder: Path) -> None:
        self.store, self.folder, self.surface = store, folder, Watching()
        self.agent = agent()
        self.hold, self.line = 600.0, Line()
        self.aids: Sequence[Aid] = ()
        self.engine = LocalEngine(self._nothing)

    async def _nothing(self, session_id: str, wake: asyncio.Event) -> None: ...

    def play(self, runtime: Runtime) -> Turns:
        """What runs the session's turns from now on, as a new process would."""
        house = House(self.folder, {}, self.hold, self.line, self.aids)
        turns = Turns(lambda _: self.agent, lambda _: runtime, self.store, self.surface, house)
        self.engine = LocalEngine(turns.run)
        return turns

    async def run(self, runtime: Runtime, text: str = "Look at this") -> Session:
        """The session after everything that waits, with this message, has been dealt with."""
        turns = self.play(runtime)
        await self.say(text, submit=False)
        await turns.run("s1", asyncio.Event())
        return await self.store.load("s1")

    async def say(self, text: str = "Look at this", id: str = "m1", *, submit: bool = True) -> None:
        said = replace(message(text, id), at=float(100 + int(id[1:])))
        session = Session("s1", "helper", THREAD, ANA, "C1")
        await (self.store.put("s1", said) if await self.store.session_in(THREAD) else self.store.start(session, said))
        await self._submit(submit)

    async def stop(self, id: str = "stop", *, submit: bool = True) -> None:
        await self.store.put("s1", replace(message("Stopped by Ben.", id, BEN, 900.0), door="stop"))
        await self._submit(submit)

    async def answer(self, question: str, *words: str, part: str = "which", submit: bool = True) -> None:
        letter = message(", ".join(words), f"a-{question}", BEN, 800.0)
        letter = replace(letter, door="answer", answer=Answer(question, {part: words}))
        await self.store.close("s1", Answered(question, "answered", "Ben", words), letter)
        await self._submit(submit)

    async def _submit(self, submit: bool) -> None:
        if submit:
            await self.engine.submit("s1")

    async def ended(self, number: int = 1, seconds: float = 10) -> Session:
        """The session once a turn is over, and people see it."""
        await self.surface.until(lambda: any(each.number == number and each.ended for each in self.surface.shown), seconds)
        return next(each for each in reversed(self.surface.shown) if each.number == number)


class Holding(SqlStore):
    """A store that notes that the follow-up m2 was taken, and never comes back from it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.taken = asyncio.Event()

    async def take(self, session_id: str, epoch: int, session: Session, agent: Agent, message_ids: Sequence[str]) -> None:
        await super().take(session_id, epoch, session, agent, message_ids)
        if list(message_ids) == ["m2"] and session.number == 1:
            self.taken.set()
            await asyncio.Event().wait()


def lose(store: SqlStore) -> None:
    """The next commit arrives, and the answer to it does not: so it is done again."""
    transact, answers = store.db._transact, iter([False])

    def lost(group: list[Write]) -> list[object]:
        outcomes = transact(group)
        if next(answers, True):
            return outcomes
        raise ConnectionLost("The connection was reset.")

    store.db._transact = lost  # type: ignore[method-assign]


class Deaf:
    """Works until `go` is set, and leaves its inbox alone."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.turns: list[Turn] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1", model="m")
        yield Step("c1", "Working")
        await self.go.wait()
        yield Text(f"Turn {turn.number}")
        yield Finished("completed")


class Parks:
    """Asks once, and ends there: the answer begins the next turn."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        if turn.number == 1:
            yield COLOUR
        yield Finished("completed") if turn.number > 1 else Finished("input_required")


@asynccontextmanager
async def staged(tmp_path: Path, kind: type[SqlStore] = SqlStore) -> AsyncIterator[Stage]:
    store = kind(blank(tmp_path / "stage.db"))
    await store.open()
    stage = Stage(store, tmp_path / "sessions")
    try:
        yield stage
    finally:
        await stage.engine.close()
        await store.close_all()
