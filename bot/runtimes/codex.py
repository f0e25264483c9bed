"""Agents that run on Codex, in a process of their own on this machine."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from anyio.streams.memory import MemoryObjectSendStream

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import codex_setting, coding, gateway
from bot.runtimes import codex_words as words
from bot.runtimes.child import PATIENCE, Child
from bot.runtimes.codex_daemon import Daemon
from bot.runtimes.codex_questions import Questions
from bot.runtimes.codex_setting import Memory, Setting
from bot.runtimes.codex_story import Story
from bot.runtimes.fit import Program, begins
from bot.runtimes.rpc import Gone, Json, Peer, Refused
from bot.runtimes.telling import drop, meanwhile, telling

PROGRAM = Program("Codex", "codex", codex_setting.REMEDY, codex_setting.OLDEST)
HEARD = 1000  # what Codex has said and we have not read; then it waits


class Codex:
    """The runtime `codex`. Each turn is one process, which goes on with the thread that is kept in the session's folder."""

    Options = codex_setting.Options
    reports = True

    def __init__(self, options: codex_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or there is no key: a session has a home of its own, which no login of ours reaches."""
        if not any(environment.get(name) for name in (self.options.key, "LITELLM_API_BASE")):
            raise Unavailable(f"Codex is not logged in. {words.missing(agent.file, self.options.key, {})}")
        await begins(PROGRAM, self.options, agent, environment)

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(lambda tell: Work(Setting(turn, self.options), inbox, tell).run(), f"codex-{turn.session_id}")


class Work:
    """One turn, from the start of the process to its end."""

    def __init__(self, setting: Setting, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.setting, self.inbox, self.tell, self.turn = setting, inbox, tell, setting.turn
        self.heard: asyncio.Queue[tuple[str, Json]] = asyncio.Queue(HEARD)
        self.questions = Questions(setting.turn, setting.work, tell.send, partial(drop, tell), self._say)
        self.child: Child
        self.peer: Peer
        self.story: Story
        self.saying = 0
        self.begun = self.waits = False

    async def run(self) -> None:
        async with self.tell:
            command = self.setting.begun()
            if not command.environment.get(self.setting.key):
                raise Unavailable(f"Codex is not logged in. {self._remedy()}")
            self.child = Daemon(command, self.setting.socket, self.setting.options.daemon_hours) if self.setting.alone else Child(command)
            self.peer = Peer(self.child.write, self._hear, self.questions.serve)
            try:
                if not await self._found():
                    await self.child.start()
                await self._together()
            finally:
                await self._end()
            assert self.story.end is not None
            await self.tell.send(self.story.end)

    async def _together(self) -> None:
        async with meanwhile(self._listen_to_codex(), f"codex-{self.turn.session_id}"):
            await self._begin()
            async with meanwhile(self.questions.listen(self.turn, self.inbox, self._say), f"codex-inbox-{self.turn.session_id}"):
                await self._read()

    async def _listen_to_codex(self) -> None:
        with suppress(RuntimeFailed):  # the child knows why it was ended
            await self.peer.read(self.child.lines())
        await self.child.ended()
        raise RuntimeFailed(self.child.why()) if self.begun else Unavailable(self.child.unfit())

    async def _begin(self) -> None:
        seconds = self.setting.options.start_seconds
        try:
            async with asyncio.timeout(seconds):
                started, notices = await self._thread()
        except TimeoutError as error:
            raise Unavailable(self.child.slow(seconds)) from error
        except Refused as error:
            raise Unavailable(f"Codex could not begin: {words.short(str(error), 300)}") from error
        except Gone:
            await asyncio.Event().wait()  # who reads says why
        except RuntimeFailed as error:
            raise error if isinstance(error, Unavailable) else Unavailable(self.child.unfit(str(error))) from error
        self.begun = True
        await self.tell.send(started)
        for notice in notices:
            await self.tell.send(notice)
        if not self.waits:
            await (self._say if self.story.turn else self._start)(
                coding.begun(self.turn, bool(self.turn.resume) and not notices, known=False)
            )

    async def _found(self) -> bool:
        """Whether the Codex that asked what is now answered has gone on without us."""
        return isinstance(self.child, Daemon) and self.turn.answer is not None and await self.child.find()

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
            notices = [] if self.turn.again and self.turn.number == 1 else [Notice(coding.LOST, "warning")]
        opened = found or await self.peer.call("thread/start", given)
        thread = str(opened["thread"]["id"])
        self.questions.memory = memory = Memory.read(self.turn.folder).of(thread)
        self.story = Story(thread, self.setting.work, memory, lambda: memory.write(self.turn.folder), self._fail)
        await self._rejoin(opened["thread"])
        return Started(thread, thread, str(opened.get("model") or self.turn.agent.model)), notices

    async def _rejoin(self, thread: Json) -> None:
        """What runs in it already, and waits for its answer: its text is told anew from the beginning."""
        match thread:
            case {"status": {"activeFlags": list(flags)}, "turns": [*_, {"id": str(turn), "status": "inProgress", "items": list(items)}]}:
                self.story.turn, self.waits = turn, any(str(flag).startswith("waitingOn") for flag in flags)
                for item in items:
                    if item.get("type") in ("agentMessage", "fileChange"):
                        await self._hear("item/started" if item.get("status") == "inProgress" else "item/completed", {"item": item})

    async def _start(self, text: str) -> None:
        self.story.end = None
        try:
            await self.peer.call("turn/start", {"threadId": self.story.thread, "input": said(text)})
        except Refused as error:
            raise RuntimeFailed(f"Codex refused what it was asked: {words.short(str(error), 300)}") from error
        except Gone:
            return  # who reads says why

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
            if isinstance(self.child, Daemon) and self.questions.cut == 1 and self.turn.leaving():  # a turn begins with one answer
                return await self.child.leave()
            await self.child.close(politely=await self._interrupted())
        finally:
            self.child.kill()

    async def _interrupted(self) -> bool:
        """Whether Codex was told to end what it does; one that hangs may not hear it any more."""
        if not (self.begun and self.story.turn and self.child.code is None):
            return False
        stop = {"id": 0, "method": "turn/interrupt", "params": {"threadId": self.story.thread, "turnId": self.story.turn}}
        with suppress(RuntimeFailed, TimeoutError):
            await asyncio.wait_for(self.child.write(f"{json.dumps(stop)}\n"), PATIENCE / 2)
            return True
        return False

    def _fail(self, error: Json) -> str:
        return words.failure(error, self.turn.agent.file, self._remedy())

    def _remedy(self) -> str:
        if self.turn.gateway[0]:
            return gateway.REMEDY
        return words.missing(self.turn.agent.file, self.setting.options.key, self.turn.environment)


def said(text: str) -> list[Any]:
    return [{"type": "text", "text": text}]
