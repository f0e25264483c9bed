"""Agents that run on Hermes: on its gateway's API server, one of their own or one that runs elsewhere."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import uuid4

from anyio.streams.memory import MemoryObjectSendStream

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import coding, hermes_setting
from bot.runtimes.child import Child
from bot.runtimes.fit import Program, begins, has_key
from bot.runtimes.held import listen
from bot.runtimes.hermes_server import PAUSE, TRIES, Server
from bot.runtimes.hermes_setting import Setting
from bot.runtimes.hermes_story import Story
from bot.runtimes.loopback import Loopback, free
from bot.runtimes.telling import meanwhile, telling

Json = dict[str, Any]
PROGRAM = Program("Hermes", "hermes", hermes_setting.REMEDY)
OWN = re.compile("base_url|api_key")  # of a model, in what config.yaml may hold
RUNS = "hermes-runs"
UNSURE = "Perhaps Hermes has not got the answer; if it goes on waiting, stop it and ask again."
ENDS = {"completed": "run.completed", "failed": "run.failed", "cancelled": "run.cancelled"}


class Hermes:
    """The runtime `hermes`. What people say meanwhile is what it does next, in the same turn."""

    Options = hermes_setting.Options
    reports = True
    tools = True

    def __init__(self, options: hermes_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or has no key; or is not there, where it runs elsewhere."""
        if self.options.url:
            server = self._elsewhere(agent.file, environment)
            try:
                return await server.start(self.options.start_seconds)
            finally:
                await server.close()
        await begins(PROGRAM, self.options, agent, environment)
        self._keyed(agent, environment)

    def _keyed(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Without a key Hermes would only say that there was a connection error. Raises Unavailable."""
        if not OWN.search(json.dumps(self.options.config, default=str)):
            has_key("Hermes", agent, environment)

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(partial(self._run, turn, inbox), f"hermes-{turn.session_id}")

    async def _run(self, turn: Turn, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        async with tell:
            server = self._server(turn)
            try:
                await server.start(self.options.start_seconds)
                await Work(turn, server, inbox, tell).run()
                tell.close()  # all is told, and it may end in peace
            finally:
                await server.close()

    def _server(self, turn: Turn) -> Server:
        if self.options.url:
            return self._elsewhere(turn.agent.file, turn.environment)
        if not turn.gateway[0]:
            self._keyed(turn.agent, turn.environment)
        port, key = free(), secrets.token_urlsafe(32)
        url = f"http://127.0.0.1:{port}"
        return Server(url, key, f"options in {turn.agent.file}", Loopback(Child(Setting(turn, self.options).begun(port, key)), url))

    def _elsewhere(self, file: str, environment: Mapping[str, str]) -> Server:
        given = self.options
        if not (key := environment.get(given.key, "").strip()):
            raise Unavailable(
                f"{file}: options.key needs the variable {given.key}: name it under `environment:`, and set it where frontdesk runs."
            )
        return Server(given.url, key, f"options.url and options.key in {file}", private=given.private)


class Work:
    """One turn on a server that answers: one run, and another for what people said meanwhile."""

    def __init__(self, turn: Turn, server: Server, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.turn, self.server, self.inbox, self.tell = turn, server, inbox, tell
        self.story = Story(turn.agent)
        self.session = turn.resume or f"frontdesk-{uuid4()}"
        self.run_id = ""
        self.more: list[str] = []

    async def run(self) -> None:
        turn, server = self.turn, self.server
        history = await self._history() if turn.resume else []
        server.failed = RuntimeFailed
        await self.tell.send(Started(self.session, self.session, turn.agent.model))
        if turn.resume and not history and not (turn.again and turn.number == 1):
            await self.tell.send(Notice(coding.LOST, "warning"))
        try:
            await self._hear(await self._first(history))
        finally:
            if self.run_id and not self.story.end and not turn.leaving():
                await server.stop(self.run_id)
        assert self.story.end
        await self.tell.send(self.story.end)

    async def _first(self, history: list[Json]) -> AsyncGenerator[Json, None]:
        """What is asked, or what became of it since it was."""
        known = await self._known() if self.turn.again else ""
        if known:
            self.run_id = known
            if self.turn.answer:
                await self._decide(self.turn.answer)
            return self._looked()
        heard = any(message["role"] == "user" and message["content"] == self.turn.prompt for message in history)
        words = [*coding.unheard(self.turn), coding.begun(self.turn, bool(history), heard)]
        return await self._begun("\n\n".join(words), history)

    async def _hear(self, events: AsyncGenerator[Json, None]) -> None:
        listening = listen(self.turn, self.inbox, self._answered, self.tell.send, self._later)
        async with meanwhile(listening, f"hermes-inbox-{self.turn.session_id}"):
            with coding.heard(self.turn, self.more):
                await self._read(events)
                while self.more and self.story.end and self.story.end.state == "completed":
                    words, self.more[:] = [*self.more], []
                    self.story.begin()
                    await self._read(await self._begun("\n\n".join(words), await self._history()))

    async def _read(self, events: AsyncGenerator[Json, None]) -> None:
        async with aclosing(events):
            async for event in events:
                for told in self.story.tell(event):
                    await self.tell.send(told)

    async def _begun(self, words: str, history: list[Json]) -> AsyncGenerator[Json, None]:
        body: Json = {"input": words, "session_id": self.session, "conversation_history": history}
        body |= {"instructions": self.turn.instructions} if self.turn.instructions.strip() else {}
        self.run_id = str((await self.server.send("/v1/runs", body))["run_id"])
        await self.turn.keep.append(RUNS, [f"{self.turn.number} {self.run_id}"])
        return self._followed()

    async def _followed(self) -> AsyncGenerator[Json, None]:
        """What the run tells; where the connection breaks, what became of it."""
        try:
            async with aclosing(self.server.events(self.run_id)) as events:
                async for event in events:
                    yield event
        except RuntimeFailed:
            if self.server.local:
                raise
        if not self.story.end:
            async for event in self._looked():
                yield event

    async def _looked(self) -> AsyncGenerator[Json, None]:
        """How it ends, seen from outside: its events are told once, and to one listener."""
        tries = 0
        while True:
            try:
                state, tries = await self.server.get(f"/v1/runs/{self.run_id}"), 0
            except RuntimeFailed:
                tries += 1
                if tries > TRIES:
                    raise
                state = {}
            if state is None:
                raise RuntimeFailed("Hermes does not know the work any more: it was restarted in the middle. Say how to go on.")
            if end := ENDS.get(str(state.get("status"))):
                yield {**state, "event": end, "unheard": True}
                return
            await asyncio.sleep(PAUSE)

    async def _known(self) -> str:
        """The run that this turn had begun, if the server still knows it."""
        lines = [line.partition(" ") for line in await self.turn.keep.load(RUNS)]
        run = next((run for number, _, run in reversed(lines) if number == str(self.turn.number)), "")
        return run if run and await self.server.get(f"/v1/runs/{run}") is not None else ""

    async def _history(self) -> list[Json]:
        """What was said before, without what tools did."""
        kept = await self.server.get(f"/api/sessions/{self.session}/messages") or {}
        messages = [message for message in kept.get("data") or () if message.get("role") in ("user", "assistant")]
        return [{"role": message["role"], "content": message["content"]} for message in messages if message.get("content")]

    async def _answered(self, message: Message) -> bool:
        if not (answer := message.answer) or answer.question not in self.story.waiting:
            return False
        for due in self.story.due(answer):
            await self._decide(due)
        return True

    async def _later(self, said: str) -> None:
        self.more.append(said)

    async def _decide(self, answer: Answer) -> None:
        """What a person adds to it is said next: Hermes takes only the choice."""
        self.more += [answer.note] if answer.note else []
        try:
            await self.server.send(f"/v1/runs/{answer.question.rpartition('/')[0]}/approval", {"choice": self.story.choice(answer)})
        except RuntimeFailed as error:
            await self.tell.send(Notice(f"{UNSURE} {error}", "warning"))
