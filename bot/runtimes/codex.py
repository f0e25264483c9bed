"""Agents that run on Codex, in a process of their own on this machine."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.prompt import line
from bot.runtimes import codex_setting, gateway
from bot.runtimes import codex_words as words
from bot.runtimes.child import Child
from bot.runtimes.codex_questions import LATE, Questions
from bot.runtimes.codex_setting import REMEDY, Memory, Setting
from bot.runtimes.codex_story import Story
from bot.runtimes.rpc import Gone, Json, Peer, Refused
from bot.runtimes.telling import telling

HEARD = 1000  # what Codex has said and we have not read; then it waits
AGAIN = (
    "The process that you ran in was restarted in the middle of your work on the last request. What you did before is done: look at how "
    "things stand, do nothing twice, and go on until the request is fulfilled."
)
LOST = "What was said before in this conversation is not on this machine any more; the agent knows only the last message."


class Codex:
    """The runtime `codex`. Each turn is one process, which goes on with the thread that is kept in the session's folder."""

    Options = codex_setting.Options

    def __init__(self, options: codex_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where there is no key: a session has a home of its own, which no login of ours reaches."""
        if not environment.get(self.options.key):
            raise Unavailable(f"Codex is not logged in. {words.missing(agent.file, self.options.key, {})}")

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(lambda tell: Work(Setting(turn, self.options), inbox, tell).run(), f"codex-{turn.session_id}")


class Work:
    """One turn, from the start of the process to its end."""

    def __init__(self, setting: Setting, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.setting, self.inbox, self.tell, self.turn = setting, inbox, tell, setting.turn
        self.heard: asyncio.Queue[tuple[str, Json]] = asyncio.Queue(HEARD)
        self.questions = Questions(setting.home.work, tell.send, self._drop, self._say)
        self.child: Child
        self.peer: Peer
        self.story: Story
        self.saying = 0
        self.begun = False

    async def run(self) -> None:
        async with self.tell:
            self.setting.prepare()
            command = self.setting.command()
            if not command.environment.get(self.setting.key):
                raise Unavailable(f"Codex is not logged in. {self._remedy()}")
            self.child = Child(command)
            self.peer = Peer(self.child.write, self._hear, self.questions.serve)
            try:
                await self.child.start()
                await self._together()
            finally:
                await self._end()
            assert self.story.end is not None
            await self.tell.send(self.story.end)

    async def _together(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._listen_to_codex())
                await self._begin()
                listening = group.create_task(self._listen())
                await self._read()
                for task in (listening, reading):
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _listen_to_codex(self) -> None:
        await self.peer.read(self.child.lines())
        await self.child.ended()
        raise RuntimeFailed(self.child.why()) if self.begun else Unavailable(f"{self.child.why()} Perhaps it is too old; {REMEDY}.")

    async def _begin(self) -> None:
        seconds = self.setting.options.start_seconds
        try:
            async with asyncio.timeout(seconds):
                started, notices = await self._thread()
        except TimeoutError as error:
            raise Unavailable(f"Codex did not start within {seconds:g} seconds. Try again, or {REMEDY}.") from error
        except Refused as error:
            raise Unavailable(f"Codex could not begin: {words.short(str(error), 300)}") from error
        except Gone:
            await asyncio.Event().wait()  # who reads says why
        self.begun = True
        await self.tell.send(started)
        for notice in notices:
            await self.tell.send(notice)
        await self._start(worded(self.turn, bool(notices)))

    async def _thread(self) -> tuple[Started, list[Notice]]:
        """Greet, then go on with the thread, or begin one. Raises Refused, Gone; Unavailable where it is too old."""
        told = {"clientInfo": {"name": "frontdesk", "title": "Frontdesk", "version": "1"}, "capabilities": {"experimentalApi": True}}
        greeted = await self.peer.call("initialize", told)
        if old := words.old(str((greeted or {}).get("userAgent", ""))):
            raise Unavailable(old)
        await self.peer.notify("initialized", {})
        notices: list[Notice] = []
        given = self.setting.thread()
        try:
            found = await self.peer.call("thread/resume", {**given, "threadId": self.turn.resume}) if self.turn.resume else None
        except Refused as error:
            if "no rollout" not in str(error) and "not found" not in str(error):
                raise
            found = None
            notices = [] if self.turn.again and self.turn.number == 1 else [Notice(LOST, "warning")]
        opened = found or await self.peer.call("thread/start", given)
        thread = str(opened["thread"]["id"])
        memory = Memory.read(self.turn.folder, thread)
        self.story = Story(thread, self.setting.home.work, memory, lambda: memory.write(self.turn.folder), self._fail)
        return Started(thread, thread, str(opened.get("model") or self.turn.agent.model)), notices

    async def _start(self, text: str) -> None:
        self.story.end = None
        with suppress(Gone):  # who reads says why
            await self.peer.call("turn/start", {"threadId": self.story.thread, "input": said(text)})

    async def _listen(self) -> None:
        async for message in self.inbox:
            if self.questions.answer(message):
                continue
            if message.answer:
                await self.tell.send(Notice(LATE))
            elif message.text.strip():
                await self._say(message.text if message.author.id == self.turn.person.id else attributed(message))

    async def _say(self, text: str) -> None:
        """To what runs, or as what comes next where that has just ended."""
        self.saying += 1
        try:
            await self.peer.call("turn/steer", {"threadId": self.story.thread, "expectedTurnId": self.story.turn, "input": said(text)})
        except Refused:
            await self._start(text)
        except Gone:
            return  # who reads says why
        finally:
            self.saying -= 1
        await self.heard.put(("", {}))  # whoever waits for the end looks again

    async def _read(self) -> None:
        while True:
            method, params = await self.heard.get()
            for event in self.story.tell(method, params):
                await self.tell.send(event)
            if self.story.end and not self.saying:
                return

    async def _hear(self, method: str, params: Json) -> None:
        self.questions.note(method, params)
        await self.heard.put((method, params))

    async def _end(self) -> None:
        try:
            if interrupt := self.begun and bool(self.story.turn) and self.child.code is None:
                stop = {"id": 0, "method": "turn/interrupt", "params": {"threadId": self.story.thread, "turnId": self.story.turn}}
                with suppress(RuntimeFailed):
                    await self.child.write(f"{json.dumps(stop)}\n")
            await self.child.close(politely=interrupt)
        finally:
            self.child.kill()

    def _fail(self, error: Json) -> str:
        return words.failure(error, self.turn.agent.file, self._remedy())

    def _remedy(self) -> str:
        if self.turn.gateway[0]:
            return gateway.REMEDY
        return words.missing(self.turn.agent.file, self.setting.options.key, self.turn.environment)

    def _drop(self, event: Event) -> None:
        """Tell it if there is still somebody to tell; never wait."""
        with suppress(anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self.tell.send_nowait(event)


def said(text: str) -> list[Any]:
    return [{"type": "text", "text": text}]


def attributed(message: Message) -> str:
    return f"{line(message.author.name or message.author.id)} says: {message.text}"


def worded(turn: Turn, lost: bool) -> str:
    """What is said first: for a turn that was cut, to go on, and the answer that it had waited for."""
    if not turn.again or not turn.resume or lost:
        return turn.prompt
    return f"{AGAIN}\n\n{turn.prompt}" if turn.answer else f"{AGAIN} The request was:\n\n{turn.prompt}"
