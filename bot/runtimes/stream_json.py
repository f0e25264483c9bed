"""Agents behind any command that speaks Claude Code's stream-json: a line of JSON for each message, in and out."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from anyio.streams.memory import MemoryObjectSendStream
from pydantic import Field

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import claude_bill, claude_words, coding, gateway, home, rpc
from bot.runtimes.child import Child, Command
from bot.runtimes.fit import Program, begins
from bot.runtimes.held import listen
from bot.runtimes.stream_json_questions import Questions, unknown
from bot.runtimes.stream_json_story import Memory, Story
from bot.runtimes.telling import meanwhile, telling

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
        self.reports = bool(options.resume)

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where there is no such command."""
        word, remedy = self.options.command[0], f"install it, or correct options.command in {agent.file}"
        await begins(Program(word, word, remedy, says=False), self.options, agent, environment)

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(lambda tell: Work(Setting(turn, self.options), inbox, tell).run(), f"stream-json-{turn.session_id}")


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    options: StreamJsonOptions
    name: str = "stream_json"

    def begun(self) -> Command:
        """Raises Unavailable."""
        self.prepare()
        turn, way = self.turn, gateway.of(self.turn)
        words = [word.replace("{model}", turn.agent.model) for word in self.options.command]
        resumed = [word.replace("{session}", turn.resume) for word in self.options.resume] if turn.resume else []
        given = way.environment if way else {}
        remedy = f"install it, or correct options.command in {turn.agent.file}"
        return self.command(words[0], *words, *resumed, remedy=remedy, environment=given)


class Work:
    """One turn, from the start of the process to its end."""

    child: Child
    lines: AsyncIterator[bytes]

    def __init__(self, setting: Setting, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.setting, self.inbox, self.tell, self.turn = setting, inbox, tell, (turn := setting.turn)
        self.found = bool(turn.resume and setting.options.resume)
        key = claude_words.missing(turn.agent, turn.environment)
        self.story = Story(setting.work, turn.agent.file, key, Memory.read(turn.folder) if self.found else Memory())
        self.questions = Questions(self.story)
        self.more: list[str] = []

    async def run(self) -> None:
        async with self.tell:
            child = self.child = Child(self.setting.begun())
            known = await asyncio.to_thread(claude_bill.counted, claude_bill.config(self.setting.environment), self.turn.resume)
            self.story.memory.counts_from(known)
            try:
                await child.start()
                self.lines = child.lines()
                await self._converse(await self._begin())
                self.tell.close()  # all is told, and it may end in peace
            finally:
                await child.close(politely=self.story.end is not None)

    async def _begin(self) -> Json:
        """Ask, and wait for the first sign. Raises Unavailable where it was no such program; else it may have worked without a word."""
        seconds = self.setting.options.start_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._say("\n\n".join([*coding.unheard(self.turn), first_words(self.turn, self.found)]))
                first = await self._heard()
        except TimeoutError as error:
            raise RuntimeFailed(self.child.slow(seconds)) from error
        except RuntimeFailed as error:
            raise Unavailable(self.child.unfit(str(error))) from error
        if first:
            return first
        if self.child.code and self.child.code > 0 and not self.child.broken:
            raise Unavailable(self.child.unfit())
        raise RuntimeFailed(self.child.why())

    async def _converse(self, first: Json) -> None:
        session = str(first.get("session_id") or self.turn.resume or uuid4())
        await self.tell.send(Started(session, session, str(first.get("model") or self.turn.agent.model)))
        if self.turn.resume and not self.found and not (self.turn.again and self.turn.number == 1):
            await self.tell.send(Notice(coding.LOST, "warning"))
        listening = listen(self.turn, self.inbox, self._answered, self.tell.send, self._later)
        async with meanwhile(listening, f"stream-json-inbox-{self.turn.session_id}"):
            with coding.heard(self.turn, self.more):
                await self._read(first)
        assert self.story.end
        await self.tell.send(self.story.end)

    async def _read(self, message: Json) -> None:
        while message:
            for told in (*self.questions.tell(message), *self.story.tell(message)):
                await self.tell.send(told)
            if refusal := unknown(message):
                await self._write(refusal)
            if message["type"] == "result" and not await self._goes_on():
                return
            message = await self._heard()
        raise RuntimeFailed(self.child.why())

    async def _goes_on(self) -> bool:
        """With what was said meanwhile, if anything was."""
        self.story.memory.write(self.turn.folder)
        if not self.more or (self.story.end and self.story.end.state != "completed"):
            return False
        words, self.more[:] = "\n\n".join(self.more), []
        self.story.end = None
        await self._say(words)
        return True

    async def _heard(self) -> Json:
        """Its next message; empty where it says nothing more."""
        async for line in self.lines:
            if message := read(line):
                return message
        await self.child.ended()
        return {}

    async def _answered(self, message: Message) -> bool:
        reply = self.questions.reply(message)
        if reply:
            await self.tell.send(reply[1])
            await self._write(reply[0])
        return reply is not None

    async def _later(self, said: str) -> None:
        self.more.append(said)

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
