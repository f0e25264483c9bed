"""Agents that are graphs of DeepAgents, or others of LangGraph: a server of their own, in a process on this machine."""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

from bot.agent import Agent
from bot.errors import RuntimeFailed
from bot.event import Event, Finished
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import deepagents_setting
from bot.runtimes.child import Child
from bot.runtimes.deepagents_setting import NAME, Setting
from bot.runtimes.fit import Program, begins
from bot.runtimes.langgraph_line import Line, Part
from bot.runtimes.langgraph_work import Work
from bot.runtimes.loopback import Loopback, free

PROGRAM = Program("LangGraph", "langgraph", deepagents_setting.REMEDY)
FAILED = re.compile(r"Run encountered an error in graph: <class '[^']*'>\((.*?)\)(?:\x1b|\s{2,}|\s*\[|$)")
UNLOADED = re.compile(r"(Failed to load graph .*)")
LOOKED = 10_000  # bytes of a line that are looked through; an agent's tools may log what they like


class DeepAgents:
    """The runtime `deepagents`. Each turn is one server, which goes on with the thread that lies in the session's folder."""

    Options = deepagents_setting.Options
    reports = True

    def __init__(self, options: deepagents_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or there is no graph."""
        deepagents_setting.graph(self.options.graph, agent.file)
        await begins(PROGRAM, self.options, agent, environment)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        """The end is told last: the server writes down what was said when it is closed, and whoever has heard the end does not wait."""
        end: Finished | None = None
        async with self._served(turn) as work, aclosing(work.told()) as events:
            async for event in events:
                if isinstance(event, Finished):
                    end = event
                else:
                    yield event
        assert end
        yield end

    @asynccontextmanager
    async def _served(self, turn: Turn) -> AsyncIterator[Work]:
        setting, port, key = Setting(turn, self.options), free(), secrets.token_urlsafe(32)
        child = Child(setting.begun(port, key))
        server = Server(child, f"http://127.0.0.1:{port}", key, f"options.graph in {turn.agent.file}")
        try:
            await server.local.start("/ok", self.options.start_seconds)
            yield Work(turn, server, NAME, self.options.configurable, setting.work)
        finally:
            await server.close()


class Server(Line):
    """The process, and the connection to it."""

    def __init__(self, child: Child, url: str, key: str, place: str) -> None:
        super().__init__(url, place, key)
        self.local = Loopback(child, url, self._hear)
        self._reason = ""

    def _hear(self, line: bytes) -> None:
        """Its log says what its answers leave out, and why it does not start."""
        text = line[:LOOKED].decode(errors="replace").strip()
        if found := FAILED.search(text):
            self._reason = found[1]
        elif found := UNLOADED.search(text):
            self.local.child.complaint = found[1]

    async def _joined(self, thread: str, run: str, last: str) -> AsyncGenerator[Part, None]:
        """As long as the process is there: the SDK would try for half a minute to reach one that is not."""
        async with aclosing(super()._joined(thread, run, last)) as parts:
            while (part := await self._next(parts)) is not None:
                yield part

    async def _next(self, parts: AsyncGenerator[Part, None]) -> Part | None:
        part = asyncio.create_task(anext(parts, None))
        try:
            await asyncio.wait((part, self.local.over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not part.done():
                part.cancel()
                await asyncio.wait((part,))
        if part.cancelled():
            raise RuntimeFailed(self.local.child.why())
        return await part

    async def gone(self) -> str:
        return await self.local.gone()

    def reason(self) -> str:
        return self._reason

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await self.local.close()
