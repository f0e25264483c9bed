"""Looking on: a port with an ear at it tells what happens there, and nobody inside knows of it."""

import inspect
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from functools import reduce
from typing import Any, TypeVar, cast

from bot.agent import Agent
from bot.event import Event
from bot.message import Message
from bot.ports import Runtime, Show, Surface, Turn
from bot.session import Session

Port = TypeVar("Port")
Around = AbstractContextManager[None]


class Ear:
    """Hears nothing; whoever wants to hear something overrides it. Nothing that it does may wait, or fail."""

    def receiving(self, kind: str) -> Around:
        """Around the time from Slack's delivery to its acknowledgement."""
        return nullcontext()

    def kept(self, call: str, given: Sequence[Any], answer: Any, seconds: float) -> None:
        """A call of the store has come back."""

    def following(self, session: Session, agent: Agent) -> AbstractContextManager[Show]:
        """Around what is shown of one turn, until its last word stands there; what it yields is given each state."""
        return nullcontext(lambda session: None)

    def running(self, turn: Turn) -> AbstractContextManager[Turn]:
        """Around what the runtime does in a turn, which is given the turn that this yields."""
        return nullcontext(turn)

    def called(self, method: str, outcome: str, seconds: float) -> None:
        """Slack has been called."""


class Store:
    """A store that tells an ear of each call that has come back."""

    def __init__(self, port: Any, ear: Ear) -> None:
        self._port, self._ear = port, ear

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*given: Any, **named: Any) -> Any:
            began = time.monotonic()
            answer = await found(*given, **named)
            self._ear.kept(name, (*given, *named.values()), answer, time.monotonic() - began)
            return answer

        self.__dict__[name] = call  # found at once from now on
        return call


class Followed:
    """A surface that tells an ear what it is shown."""

    def __init__(self, port: Surface, ear: Ear) -> None:
        self._port, self._ear = port, ear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    @asynccontextmanager
    async def follow(self, session: Session, agent: Agent, epoch: int) -> AsyncIterator[Show]:
        with self._ear.following(session, agent) as told:
            async with self._port.follow(session, agent, epoch) as show:

                def both(session: Session) -> None:
                    told(session)
                    show(session)

                yield both


class Run:
    """A runtime around whose turns an ear listens."""

    def __init__(self, runtime: Runtime, ear: Ear) -> None:
        self._runtime, self._ear = runtime, ear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        with self._ear.running(turn) as turn:
            async with aclosing(self._runtime.run(turn, inbox)) as events:  # type: ignore[type-var]
                async for event in events:
                    yield event


class Ears:
    """All that listen. Without any, each port stays as it is."""

    def __init__(self, *ears: Ear) -> None:
        self.ears = ears

    def store(self, port: Port) -> Port:
        kept: Any = port
        return cast(Port, reduce(Store, self.ears, kept))

    def surface(self, port: Surface) -> Surface:
        shown: Any = port
        return cast(Surface, reduce(Followed, self.ears, shown))

    def runtime(self, made: Callable[[Agent], Runtime]) -> Callable[[Agent], Runtime]:
        return (lambda agent: reduce(Run, self.ears, made(agent))) if self.ears else made

    def receive(self, heard: Callable[[Any], Awaitable[Any]], kind: Callable[[Any], str]) -> Callable[[Any], Awaitable[Any]]:
        return reduce(lambda inner, ear: _around(inner, ear, kind), self.ears, heard)

    def called(self, method: str, outcome: str, seconds: float) -> None:
        for ear in self.ears:
            ear.called(method, outcome, seconds)


def _around(heard: Callable[[Any], Awaitable[Any]], ear: Ear, kind: Callable[[Any], str]) -> Callable[[Any], Awaitable[Any]]:
    async def receive(body: Any) -> Any:  # Bolt gives by name
        with ear.receiving(kind(body)):
            return await heard(body)

    return receive
