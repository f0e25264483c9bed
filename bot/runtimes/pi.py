"""Agents that run on Pi, in a process of its own on this machine."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from anyio.streams.memory import MemoryObjectSendStream

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding, pi_setting
from bot.runtimes.child import Child
from bot.runtimes.claude_words import content
from bot.runtimes.fit import Program, begins, has_key
from bot.runtimes.held import listen
from bot.runtimes.pi_process import Process, older
from bot.runtimes.pi_questions import Questions
from bot.runtimes.pi_setting import Setting
from bot.runtimes.pi_story import Story, refused
from bot.runtimes.telling import meanwhile, telling

Json = dict[str, Any]
PROGRAM = Program("Pi", "pi", pi_setting.REMEDY)


class Pi:
    """The runtime `pi`. Each turn is one process, which goes on with the session file in the session's folder."""

    Options = pi_setting.Options
    reports = True

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

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(lambda tell: Work(Setting(turn, self.options), inbox, tell).run(), f"pi-{turn.session_id}")


class Work:
    """One turn, from the start of the process to its end."""

    process: Process

    def __init__(self, setting: Setting, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.setting, self.inbox, self.tell, self.turn = setting, inbox, tell, setting.turn
        self.story = Story(self.turn.agent.file, setting.work)
        self.questions = Questions(self.story)
        self.numbers = count(1)
        self.sent: set[str] = set()  # what Pi has not said yet that it has
        self.refusal: Finished | None = None

    async def run(self) -> None:
        async with self.tell:
            process = self.process = Process(Child(self.setting.begun()), self.setting.options.start_seconds, self.turn.agent.file)
            try:
                await self._begin(*await process.start())
                await self._hear()
                self.tell.close()  # all is told, and it may end in peace
            finally:
                await process.close(self.story.settled)

    async def _begin(self, state: Json, messages: list[Json]) -> None:
        turn = self.turn
        await self.tell.send(Started(Path(state["sessionFile"]).name, str(state.get("sessionId", "")), named(state)))
        if turn.resume and not messages and not (turn.again and turn.number == 1):
            await self.tell.send(Notice(coding.LOST, "warning"))
        known = any(message.get("role") == "user" and content(message.get("content")) == turn.prompt for message in messages)
        await self._say(coding.begun(turn, bool(messages), known))

    async def _hear(self) -> None:
        listening = listen(self.turn, self.inbox, self._answered, self.tell.send, self._say)
        async with meanwhile(listening, f"pi-inbox-{self.turn.session_id}"):
            await self._read()
        await self.tell.send(self.refusal or self.story.end())

    async def _read(self) -> None:
        async for record in self.process.records:
            self._acknowledged(record)
            asked = self.questions.asked(record)
            for event in (*([asked] if asked else []), *self.story.tell(record)):
                await self.tell.send(event)
            if self.refusal or (self.story.settled and not self.sent):
                return
        raise RuntimeFailed(self.process.child.why())

    async def _say(self, text: str) -> None:
        """Into what runs, before the model is asked again; anew, where nothing runs any more."""
        number = str(next(self.numbers))
        self.sent.add(number)
        await self.process.send({"type": "prompt", "id": number, "message": text, "streamingBehavior": "steer"})

    async def _answered(self, message: Message) -> bool:
        found = self.questions.answered(message)
        if found:
            await self.tell.send(found[1])
            await self.process.send(found[0])
        return found is not None

    def _acknowledged(self, record: Json) -> None:
        match record:
            case {"type": "response", "command": "prompt", "id": str(number), "success": bool(good)}:
                self.sent.discard(number)
                self.story.settled = False  # what is taken after the end begins anew
                if not good:
                    self.refusal = refused(str(record.get("error") or "nothing"), self.turn.agent.file)


def named(state: Json) -> str:
    """The model, as an agent's file would name it."""
    model = state.get("model") or {}
    return f"{model['provider']}/{model['id']}" if model.get("provider") and model.get("id") else ""
