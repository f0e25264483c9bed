"""A terminal as the surface: progress on stderr, the answer on stdout, questions to whoever types."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from bot.agent import Agent
from bot.errors import BotError, RuntimeFailed
from bot.event import Answered, Part, Question
from bot.inbox import shown
from bot.message import Answer, Attachment, Message, Person, Quote
from bot.ports import Engine, Mark, Show, Store
from bot.session import Session
from bot.words import ungiven

TYPIST = Person("cli", "the person at the terminal", "admin")
SIGNS = {"working": "…", "completed": "✓", "failed": "✗", "denied": "✗"}
Typed = Callable[[], Awaitable[str]]
"""One line that somebody types, without its end; raises EOFError when nothing more can come."""


class Terminal:
    """Implements the port Surface, for one session. `typed` is None where nobody can answer."""

    def __init__(self, out: TextIO, err: TextIO, typed: Typed | None = None) -> None:
        self.out, self.err, self.typed = out, err, typed
        self.session: Session | None = None
        self.news = asyncio.Event()
        self._told: set[str] = set()
        self._answer = ""  # as far as it stands in the terminal

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent, epoch: int) -> AsyncIterator[Show]:
        yield self._show

    async def open(self, message: Message, agent: Agent) -> tuple[str, str]:
        return message.thread or f"cli:{message.id}", message.channel

    def direct(self, thread: str) -> bool:
        return True

    async def said(self, session: Session, after: float, until: Sequence[Message]) -> tuple[Quote, ...]:
        return ()

    async def fetch(self, attachment: Attachment, folder: Path) -> Path:
        raise RuntimeFailed(f"{attachment.name}: files cannot come by the terminal; name their path in the question")

    async def mark(self, message: Message, mark: Mark) -> None: ...

    async def compare(self, id: str, thread: str, sessions: Sequence[Session], votes: Sequence[int]) -> None: ...

    async def settle(self, session: Session, question: Question, answered: Answered) -> None: ...

    def _show(self, session: Session) -> None:
        self.session = session
        for item in session.plan:
            self._once(f"{session.number}.{item.text}.{item.status}", f"[{'x' if item.status == 'done' else ' '}] {item.text}")
        for step in session.steps:
            indent = "  " if step.parent else ""
            self._once(f"{session.number}.{step.call_id}.{step.status}", f"{indent}{SIGNS[step.status]} {step.title}")
        for notice in session.notices:
            self._once(f"{session.number}.{notice.text}", f"! {notice.text}")
        self.news.set()

    def _once(self, key: str, line: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._say(line)

    def end(self, session: Session) -> None:
        """Say what came of it."""
        self.tell(session.answer)
        for artifact in session.artifacts:
            self._say(f"{artifact.name}: {artifact.path or artifact.url}")
        if session.more:
            self._say(f"! {ungiven(session)}")
        if session.state != "completed":
            self._say(" ".join(word for word in (f"{session.state}.", session.reason) if word))

    def tell(self, answer: str) -> None:
        """The agent's words, as far as they do not stand here already."""
        if new := answer.strip().removeprefix(self._answer):
            print(new.removeprefix("\n"), file=self.out, flush=True)
            self._answer = answer.strip()

    def _say(self, line: str) -> None:
        print(line, file=self.err, flush=True)

    async def ask(self, question: Question) -> Answer:
        """What the person at the terminal answers. Raises BotError where there is nobody."""
        if self.typed is None:
            raise BotError(f"The agent asks: {question.parts[0].text} Nobody can answer it here; run this in a terminal, or ask in Slack.")
        if question.detail:
            self._say(question.detail)
        try:
            return Answer(question.id, {part.id: await self._part(part, self.typed) for part in question.parts})
        except EOFError as error:
            raise BotError("The agent's question was not answered, since nothing more can be typed.") from error

    async def _part(self, part: Part, typed: Typed) -> tuple[str, ...]:
        self._say(f"? {part.text}" + (" (it will be seen as you type it)" if part.secret else ""))
        for number, option in enumerate(part.options, 1):
            self._say(f"  {number}. {option.label}" + (f": {option.description}" if option.description else ""))
        while True:
            if chosen := choose(part, await typed()):
                return chosen
            self._say(f"  Type a number from 1 to {len(part.options)}" + (", or several: 1, 2" if part.multi else "") + ".")


def choose(part: Part, line: str) -> tuple[str, ...]:
    """The options that a line names, by number or label, or the line itself where that may be; nothing if it is neither."""
    line = line.strip()
    words = [word.strip() for word in line.split(",")] if part.multi else [line]
    labels = {option.label.lower(): option.label for option in part.options}
    labels |= {str(number): option.label for number, option in enumerate(part.options, 1)}
    if line and all(word.lower() in labels for word in words):
        return tuple(labels[word.lower()] for word in words)
    return (line,) if line and (part.free_text or not part.options) else ()


def keyboard(stream: TextIO) -> Typed | None:
    """Whoever types into this stream; None where it is no terminal."""
    return partial(_line, stream) if stream.isatty() else None


async def _line(stream: TextIO) -> str:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(stream.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(stream.fileno())
    if not (line := stream.readline()):
        raise EOFError
    return line


class Talk:
    """One question to one agent, until its turn is over."""

    def __init__(self, terminal: Terminal, store: Store, engine: Engine) -> None:
        self.terminal, self.store, self.engine = terminal, store, engine

    async def run(self, session: Session, message: Message, stopped: asyncio.Event) -> Session:
        """The session at its end. `stopped` is set where somebody wants it to stop. Raises BotError where a question finds nobody."""
        await self.store.start(session, message)
        await self.engine.submit(session.id)
        watch = asyncio.create_task(self._stop(session, message, stopped))
        try:
            return await self._until(session, message, stopped)
        finally:
            watch.cancel()
            await asyncio.wait([watch])

    async def _until(self, session: Session, message: Message, stopped: asyncio.Event) -> Session:
        asked: set[str] = set()
        problem: BotError | None = None
        while True:
            await self.terminal.news.wait()
            self.terminal.news.clear()
            now = self.terminal.session or session
            if now.over:
                self.terminal.end(now)
                if problem:
                    raise problem
                return now
            for question in now.open:
                if question.id not in asked and not stopped.is_set():
                    asked.add(question.id)
                    self.terminal.tell(now.answer[: now.told])  # it may say why it asks
                    problem = await self._ask(now, question, message, stopped)

    async def _ask(self, session: Session, question: Question, message: Message, stopped: asyncio.Event) -> BotError | None:
        """Bring the answer to the agent; where there is none, stop it, and say why."""
        typing, stop = asyncio.create_task(self.terminal.ask(question)), asyncio.create_task(stopped.wait())
        await asyncio.wait([typing, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not typing.done():
            typing.cancel()
            await asyncio.wait([typing])
            return None
        if isinstance(error := typing.exception(), BotError):
            stopped.set()
            return error
        answer = typing.result()
        given = Answered(question.id, "answered", TYPIST.name, shown(question, answer))
        await self.store.close(session.id, given, replace(message, id=uuid4().hex, text="", door="answer", answer=answer))
        await self.engine.submit(session.id)
        return None

    async def _stop(self, session: Session, message: Message, stopped: asyncio.Event) -> None:
        await stopped.wait()
        await self.store.put(session.id, replace(message, id=uuid4().hex, text="Stopped at the terminal.", door="stop"))
        await self.engine.submit(session.id)
