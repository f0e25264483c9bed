"""Agents that run on Pi, in a process of its own on this machine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding, pi_setting
from bot.runtimes.child import Child
from bot.runtimes.claude_words import content
from bot.runtimes.fit import Program, begins, has_key
from bot.runtimes.pi_process import Process, older
from bot.runtimes.pi_questions import Questions
from bot.runtimes.pi_setting import Setting
from bot.runtimes.pi_story import Story, refused

Json = dict[str, Any]
PROGRAM = Program("Pi", "pi", pi_setting.REMEDY)


class Pi:
    """The runtime `pi`. Each turn is one process, which goes on with the session file in the session's folder."""

    Options = pi_setting.Options

    def __init__(self, options: pi_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or has no key."""
        try:
            await begins(PROGRAM, self.options, agent, environment)
        except Unavailable as error:
            raise Unavailable(older(str(error), agent.file) or str(error)) from error
        if not self.options.models:
            has_key("Pi", agent, environment)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        setting = Setting(turn, self.options)
        process = Process(Child(setting.begun()), self.options.start_seconds, turn.agent.file)
        story = Story(turn.agent.file, setting.work)
        work = Work(turn, process, story, inbox)
        try:
            state, messages = await process.start()
            yield Started(Path(state["sessionFile"]).name, str(state.get("sessionId", "")), named(state))
            if turn.resume and not messages and not (turn.again and turn.number == 1):
                yield Notice(coding.LOST, "warning")
            known = any(message.get("role") == "user" and content(message.get("content")) == turn.prompt for message in messages)
            await work.say(coding.begun(turn, bool(messages), known))
            async for event in work.told():
                yield event
        finally:
            await work.stop()
            await process.close(story.settled)


class Work:
    """One turn of a process that has started."""

    def __init__(self, turn: Turn, process: Process, story: Story, inbox: AsyncIterator[Message]) -> None:
        self.turn, self.process, self.story, self.inbox = turn, process, story, inbox
        self.questions = Questions(story)
        self.numbers = count(1)
        self.sent: set[str] = set()  # what Pi has not said yet that it has
        self.beside: list[Event] = []
        self.refusal: Finished | None = None
        self.listening: asyncio.Task[None] | None = None

    async def told(self) -> AsyncGenerator[Event, None]:
        self.listening = asyncio.create_task(self._listen(), name=f"pi-inbox-{self.turn.session_id}")
        async for record in self.process.records:
            self._acknowledged(record)
            if asked := self.questions.asked(record):
                yield asked
            for event in self.story.tell(record):
                yield event
            while self.beside:
                yield self.beside.pop(0)
            if self.refusal or (self.story.settled and not self.sent):
                break
        else:
            raise RuntimeFailed(self.process.child.why())
        yield self.refusal or self.story.end()

    async def say(self, text: str) -> None:
        """Into what runs, before the model is asked again; anew, where nothing runs any more."""
        number = str(next(self.numbers))
        self.sent.add(number)
        await self.process.send({"type": "prompt", "id": number, "message": text, "streamingBehavior": "steer"})

    async def stop(self) -> None:
        if self.listening:
            self.listening.cancel()
            await asyncio.wait([self.listening])
            _ = self.listening.cancelled() or self.listening.exception()  # that Pi has gone is told by what it does not say

    def _acknowledged(self, record: Json) -> None:
        match record:
            case {"type": "response", "command": "prompt", "id": str(number), "success": bool(good)}:
                self.sent.discard(number)
                self.story.settled = False  # what is taken after the end begins anew
                if not good:
                    self.refusal = refused(str(record.get("error") or "nothing"), self.turn.agent.file)

    async def _listen(self) -> None:
        async for message in self.inbox:
            if found := self.questions.answered(message):
                reply, closed = found
                self.beside.append(closed)
                await self.process.send(reply)
            elif message.answer:
                self.beside.append(Notice(coding.LATE))
            elif message.text.strip():
                await self.say(coding.said(self.turn, message))


def named(state: Json) -> str:
    """The model, as an agent's file would name it."""
    model = state.get("model") or {}
    return f"{model['provider']}/{model['id']}" if model.get("provider") and model.get("id") else ""
