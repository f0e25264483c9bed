"""Agents behind any command that speaks Claude Code's stream-json: a line of JSON for each message, in and out."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from pydantic import Field

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import claude_words, coding, gateway, home, rpc
from bot.runtimes.child import Child, Command
from bot.runtimes.fit import Program, begins
from bot.runtimes.home import Home
from bot.runtimes.stream_json_questions import Questions, unknown
from bot.runtimes.stream_json_story import Memory, Story

Json = dict[str, Any]


class StreamJsonOptions(home.Options):
    """The `options` of an agent behind such a command. Questions need `--permission-prompt-tool stdio`, or what the program has for it."""

    command: tuple[str, ...] = Field(min_length=1)
    """The command, word by word: it reads and writes stream-json. `{model}` stands for `model:` of the agent's file."""
    resume: tuple[str, ...] = ("--resume", "{session}")
    """What is added to it to go on with a conversation; empty where the program cannot."""


class StreamJson:
    """The runtime `stream_json`. Each turn is one process; what people say meanwhile is what it does next, in the same turn."""

    Options = StreamJsonOptions

    def __init__(self, options: StreamJsonOptions) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where there is no such command."""
        word, remedy = self.options.command[0], f"install it, or correct options.command in {agent.file}"
        await begins(Program(word, word, remedy, says=False), self.options, agent, environment)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        home = Home(turn, self.options, "stream_json")
        child = Child(self._command(home))
        work = Work(home, self.options, child)
        try:
            await child.start()
            async with aclosing(work.told(inbox)) as events:
                async for event in events:
                    yield event
        finally:
            await child.close(politely=work.story.end is not None)

    def _command(self, home: Home) -> Command:
        """Raises Unavailable."""
        home.prepare()
        turn, way = home.turn, gateway.of(home.turn)
        words = [word.replace("{model}", turn.agent.model) for word in self.options.command]
        resumed = [word.replace("{session}", turn.resume) for word in self.options.resume] if turn.resume else []
        given = way.environment if way else {}
        remedy = f"install it, or correct options.command in {turn.agent.file}"
        return home.command(words[0], *words, *resumed, remedy=remedy, environment=given)


class Work:
    """One turn with a process that has started."""

    def __init__(self, home: Home, options: StreamJsonOptions, child: Child) -> None:
        self.turn, self.child, self.seconds = (turn := home.turn), child, options.start_seconds
        self.found = bool(turn.resume and options.resume)
        key = claude_words.missing(turn.agent, turn.environment)
        self.story = Story(home.work, turn.agent.file, key, Memory.read(turn.folder) if self.found else Memory())
        self.questions = Questions(self.story)
        self.more: list[str] = []
        self.late: list[Event] = []

    async def told(self, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        async with aclosing(self.child.lines()) as lines:  # type: ignore[type-var]
            first = await self._begin(lines)
            session = str(first.get("session_id") or self.turn.resume or uuid4())
            yield Started(session, session, str(first.get("model") or self.turn.agent.model))
            if self.turn.resume and not self.found and not (self.turn.again and self.turn.number == 1):
                yield Notice(coding.LOST, "warning")
            listening = asyncio.create_task(self._listen(inbox), name=f"stream-json-inbox-{self.turn.session_id}")
            try:
                with coding.heard(self.turn, self.more):
                    async with aclosing(self._happen(first, lines)) as events:
                        async for event in events:
                            yield event
            finally:
                listening.cancel()
        assert self.story.end
        yield self.story.end

    async def _begin(self, lines: AsyncIterator[bytes]) -> Json:
        """Ask, and wait for the first sign. Raises Unavailable where it was no such program; else it may have worked without a word."""
        try:
            async with asyncio.timeout(self.seconds):
                await self._say("\n\n".join([*coding.unheard(self.turn), first_words(self.turn, self.found)]))
                async for line in lines:
                    if message := read(line):
                        return message
        except TimeoutError as error:
            raise RuntimeFailed(self.child.slow(self.seconds)) from error
        except RuntimeFailed as error:
            raise Unavailable(self.child.unfit(str(error))) from error
        await self.child.ended()
        if self.child.code and self.child.code > 0 and not self.child.broken:
            raise Unavailable(self.child.unfit())
        raise RuntimeFailed(self.child.why())

    async def _happen(self, first: Json, lines: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
        message = first
        while True:
            for told in (*self.questions.tell(message), *self.story.tell(message)):
                yield told
            while self.late:
                yield self.late.pop(0)
            if refusal := unknown(message):
                await self._write(refusal)
            if message["type"] == "result":
                self.story.memory.write(self.turn.folder)
                if not self.more or (self.story.end and self.story.end.state != "completed"):
                    return
                words, self.more[:] = "\n\n".join(self.more), []
                self.story.end = None
                await self._say(words)
            message = {}
            async for line in lines:
                if message := read(line):
                    break
            if not message:
                await self.child.ended()
                raise RuntimeFailed(self.child.why())

    async def _listen(self, inbox: AsyncIterator[Message]) -> None:
        async for message in inbox:
            if reply := self.questions.reply(message):
                self.late.append(reply[1])
                await self._write(reply[0])
            elif message.answer:
                self.late.append(Notice(coding.LATE))
            elif message.text.strip():
                self.more.append(coding.said(self.turn, message))

    async def _say(self, text: str) -> None:
        message = {"role": "user", "content": text}
        await self._write({"type": "user", "uuid": str(uuid4()), "message": message, "parent_tool_use_id": None, "session_id": ""})

    async def _write(self, message: Json) -> None:
        await self.child.write(json.dumps(message, ensure_ascii=False) + "\n")


def first_words(turn: Turn, found: bool) -> str:
    """What a new conversation begins with are the instructions: programs have no one place for them."""
    told = [] if found or not turn.instructions.strip() else [turn.instructions]
    return "\n\n".join([*told, coding.begun(turn, found, known=False)])


def read(line: bytes) -> Json:
    """Empty for what is no message: programs also say other things."""
    message = rpc.read(line)
    return message if isinstance(message.get("type"), str) else {}
