"""Agents that run on Hermes: on its gateway's API server, one of their own or one that runs elsewhere."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Any
from uuid import uuid4

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import coding, hermes_setting
from bot.runtimes.child import Child
from bot.runtimes.fit import Program, begins, has_key
from bot.runtimes.hermes_server import TRIES, Server
from bot.runtimes.hermes_setting import Setting
from bot.runtimes.hermes_story import Story
from bot.runtimes.loopback import Loopback, free

Json = dict[str, Any]
PROGRAM = Program("Hermes", "hermes", hermes_setting.REMEDY)
OWN = re.compile("base_url|api_key")  # of a model, in what config.yaml may hold
RUNS = "hermes-runs"
POLL = 1.0  # seconds between two looks at a run whose events nobody can have any more
ENDS = {"completed": "run.completed", "failed": "run.failed", "cancelled": "run.cancelled"}


class Hermes:
    """The runtime `hermes`. What people say meanwhile is what it does next, in the same turn."""

    Options = hermes_setting.Options
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

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        server = self._server(turn)
        try:
            await server.start(self.options.start_seconds)
            async with aclosing(Work(turn, server).told(inbox)) as events:
                async for event in events:
                    yield event
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
        return Server(given.url, key, f"options.url and options.key in {file}")


class Work:
    """One turn on a server that answers: one run, and another for what people said meanwhile."""

    def __init__(self, turn: Turn, server: Server) -> None:
        self.turn, self.server = turn, server
        self.story = Story(turn.agent)
        self.session = turn.resume or f"frontdesk-{uuid4()}"
        self.run = ""
        self.more: list[str] = []
        self.late: list[Event] = []

    async def told(self, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        turn, server = self.turn, self.server
        history = await self._history() if turn.resume else []
        server.failed = RuntimeFailed
        yield Started(self.session, self.session, turn.agent.model)
        if turn.resume and not history and not (turn.again and turn.number == 1):
            yield Notice(coding.LOST, "warning")
        listening = asyncio.create_task(self._listen(inbox), name=f"hermes-inbox-{turn.session_id}")
        try:
            with coding.heard(turn, self.more):
                async for event in self._runs(history):
                    yield event
                    while self.late:
                        yield self.late.pop(0)
            if listening.done():
                listening.result()
        finally:
            listening.cancel()
            if self.run and not self.story.end and not turn.leaving():
                await server.stop(self.run)
        assert self.story.end
        yield self.story.end

    async def _runs(self, history: list[Json]) -> AsyncGenerator[Event, None]:
        known = await self._known() if self.turn.again else ""
        if known:
            self.run = known
            if self.turn.answer:
                await self._decide(self.turn.answer)
            events = self._looked()
        else:
            heard = any(message["role"] == "user" and message["content"] == self.turn.prompt for message in history)
            words = [*coding.unheard(self.turn), coding.begun(self.turn, bool(history), heard)]
            events = await self._begun("\n\n".join(words), history)
        while True:
            async with aclosing(events):
                async for event in events:
                    for told in self.story.tell(event):
                        yield told
            if not self.more or not self.story.end or self.story.end.state != "completed":
                return
            words, self.more[:] = [*self.more], []
            self.story.begin()
            events = await self._begun("\n\n".join(words), await self._history())

    async def _begun(self, words: str, history: list[Json]) -> AsyncGenerator[Json, None]:
        body: Json = {"input": words, "session_id": self.session, "conversation_history": history}
        body |= {"instructions": self.turn.instructions} if self.turn.instructions.strip() else {}
        self.run = str((await self.server.send("/v1/runs", body))["run_id"])
        await self.turn.keep.append(RUNS, [f"{self.turn.number} {self.run}"])
        return self._followed()

    async def _followed(self) -> AsyncGenerator[Json, None]:
        """What the run tells; where the connection breaks, what became of it."""
        try:
            async with aclosing(self.server.events(self.run)) as events:
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
                state, tries = await self.server.get(f"/v1/runs/{self.run}"), 0
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
            await asyncio.sleep(POLL)

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

    async def _listen(self, inbox: AsyncIterator[Message]) -> None:
        async for message in inbox:
            answer = message.answer
            if answer and answer.question in self.story.waiting:
                for due in self.story.due(answer):
                    await self._decide(due)
            elif answer:
                self.late.append(Notice(coding.LATE))
            elif message.text.strip():
                self.more.append(coding.said(self.turn, message))

    async def _decide(self, answer: Answer) -> None:
        """What a person adds to it is said next: Hermes takes only the choice."""
        self.more += [answer.note] if answer.note else []
        with suppress(RuntimeFailed):  # where nobody waits any more, what the run then tells says so
            await self.server.send(f"/v1/runs/{answer.question.rpartition('/')[0]}/approval", {"choice": self.story.choice(answer)})
