"""A turn under way, as the desk would hold it: what was told so far, and an inbox."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import psutil

from bot.agent import Agent
from bot.event import Event, Finished, Question, Started, Step, Text
from bot.message import Answer, Message, Person
from bot.ports import Turn
from bot.runtimes import runtime_of
from bot.runtimes.child import Child
from tests.standins.wait import until

T = TypeVar("T")
ANNA = Person("U1", "Anna")
NUMBERS = count(1)


class Late(Child):
    """A process with which nobody gets to a word before it has ended."""

    async def start(self) -> None:
        await super().start()
        await until(lambda: self.code is not None)


def turn(folder: Path, url: str, prompt: str, *, options: Mapping[str, Any] | None = None, **more: Any) -> Turn:
    environment = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-test", "CLAUDE_CODE_MAX_RETRIES": "0", **more.pop("environment", {})}
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "claude_code", "model": "claude-sonnet-5"}
    agent = Agent.model_validate({**given, "options": options or {}})
    folder.mkdir(exist_ok=True)
    return Turn("s1", 1, agent, prompt, folder=folder, person=ANNA, environment=environment, **more)


class Inbox:
    def __init__(self) -> None:
        self._messages: asyncio.Queue[Message | Exception] = asyncio.Queue()

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        said = await self._messages.get()
        if isinstance(said, Exception):
            raise said
        return said

    def empty(self) -> bool:
        """Whether all that was said has been taken."""
        return self._messages.empty()

    def fail(self, error: Exception) -> None:
        """Nothing more can be read of it."""
        self._messages.put_nowait(error)

    def say(self, text: str, author: Person = ANNA, answer: Answer | None = None) -> None:
        self._messages.put_nowait(Message(f"m{next(NUMBERS)}", "t", "c", author, text, answer=answer))


class Talk:
    def __init__(self, turn: Turn) -> None:
        self.turn, self.inbox = turn, Inbox()
        self.events: list[Event] = []
        self._more = asyncio.Event()
        self.task = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        try:
            async with aclosing(runtime_of(self.turn.agent).run(self.turn, self.inbox)) as events:  # type: ignore[type-var]
                async for event in events:
                    self.events.append(event)
                    self._more.set()
        finally:
            self._more.set()

    def all(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, found: Callable[[], T]) -> T:
        """What `found` finds, as soon as it does; an error of the turn is raised here."""
        while not (what := found()):
            if self.task.done():
                await self.task
                raise AssertionError(f"the turn ended before: {self.events[-5:]}")
            self._more.clear()
            await self._more.wait()
        return what

    async def question(self, number: int = 1) -> Question:
        return await self.until(lambda: next(iter(self.all(Question)[number - 1 :]), None)) or Question("", "question", ())

    def answer(self, question: Question, note: str = "", **parts: str | tuple[str, ...]) -> None:
        given = {part.lstrip("_"): (chosen,) if isinstance(chosen, str) else chosen for part, chosen in parts.items()}
        self.inbox.say("", answer=Answer(question.id, given, note))

    async def stop(self) -> float:
        """How many seconds it took."""
        asked = monotonic()
        self.task.cancel()
        await asyncio.wait([self.task])
        return monotonic() - asked

    @property
    def resume(self) -> str:
        return self.all(Started)[0].resume

    @property
    def answered(self) -> str:
        """The answer as a person sees it in the end."""
        text = ""
        for event in self.all(Text):
            text = event.text if event.final else text + event.text
        return text

    @property
    def steps(self) -> dict[str, Step]:
        """Each step as it last stood."""
        return {step.call_id: step for step in self.all(Step)}

    @property
    def finished(self) -> Finished:
        assert isinstance(self.events[-1], Finished), self.events[-3:]
        return self.events[-1]


@asynccontextmanager
async def talking(turn: Turn) -> AsyncIterator[Talk]:
    """A turn that is stopped, if it has not ended by then."""
    talk = Talk(turn)
    try:
        yield talk
    finally:
        await talk.stop()


async def talked(turn: Turn) -> Talk:
    """A turn that ends by itself. Raises what it raises."""
    async with talking(turn) as talk:
        await talk.task
    return talk


def chance() -> random.Random:
    """What it was is printed where a test fails, and CHANCE in the environment brings it again."""
    seed = int(os.environ.get("CHANCE", 0)) or random.randrange(1, 1 << 32)
    print(f"CHANCE={seed} brings this again")
    return random.Random(seed)


async def moment(most: float = 1.0) -> None:
    """A random one from now on."""
    seconds = chance().uniform(0, most)
    print(f"{seconds:.3f} seconds later")
    await asyncio.sleep(seconds)


def after(talk: Talk, prompt: str, **more: Any) -> Turn:
    """The next turn of the same session."""
    return replace(talk.turn, number=talk.turn.number + 1, prompt=prompt, resume=talk.resume, **more)


def processes(folder: Path) -> list[psutil.Process]:
    """All that runs for the session of this folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, FileNotFoundError):
            if process.environ().get("CLAUDE_CONFIG_DIR") == str(folder / "claude"):
                found.append(process)
    return found


def running(folder: Path, word: str) -> list[psutil.Process]:
    """Those of them whose last argument is this word."""
    found = []
    for process in processes(folder):
        with suppress(psutil.Error, FileNotFoundError):  # it may end while it is looked at
            if process.cmdline()[-1:] == [word]:
                found.append(process)
    return found


async def gone(processes: list[psutil.Process], seconds: float = 5) -> bool:
    with suppress(TimeoutError):
        await until(lambda: all(map(dead, processes)), seconds)
    return all(map(dead, processes))


def dead(process: psutil.Process) -> bool:
    """Looked at only, as how it ended is asyncio's to hear; one that its heir has yet to bury is dead too."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE and process.ppid() != os.getpid()
    except psutil.NoSuchProcess:
        return True
