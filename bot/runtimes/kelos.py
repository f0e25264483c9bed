"""Agents on Kelos: a Session for a conversation, or a Task for each thing asked."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

from bot.agent import Agent
from bot.event import Event
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import kelos_session, kelos_task
from bot.runtimes.kelos_place import ByCluster, ByConsole, Place
from bot.runtimes.kelos_setting import API, KelosOptions, name_of
from bot.runtimes.kubernetes_line import Line


class Kelos:
    """The runtime `kelos`. What people say meanwhile waits for the next turn."""

    Options = KelosOptions

    def __init__(self, options: KelosOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where Kelos is not there, or does not let us in."""
        turn = Turn("doctor", 1, agent, "", environment=environment)
        if self.options.mode == "session":
            async with self._place(turn, name_of(turn, self.options)) as place:
                await place.find()
            return
        async with Line(self.options, agent.file) as line:
            await line.get(line.path("tasks", api=API), {"limit": "1"})

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        async with aclosing(self._task(turn) if self.options.mode == "task" else self._session(turn)) as events:
            async for event in events:
                yield event

    async def _task(self, turn: Turn) -> AsyncGenerator[Event, None]:
        async with Line(self.options, turn.agent.file) as line, aclosing(kelos_task.Work(turn, self.options, line).told()) as events:
            async for event in events:
                yield event

    async def _session(self, turn: Turn) -> AsyncGenerator[Event, None]:
        name = name_of(turn, self.options)
        async with self._place(turn, name) as place, aclosing(kelos_session.Work(turn, self.options, place, name).told()) as events:
            async for event in events:
                yield event

    @asynccontextmanager
    async def _place(self, turn: Turn, name: str) -> AsyncIterator[Place]:
        if self.options.console:
            async with ByConsole(self.options, turn, name) as console:
                yield console
            return
        async with Line(self.options, turn.agent.file) as line:
            yield ByCluster(line, name, self.options.silence)
