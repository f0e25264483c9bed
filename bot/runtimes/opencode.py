"""Agents that run on OpenCode: its server, in a process of its own on this machine."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from anyio.streams.memory import MemoryObjectSendStream

from bot.agent import Agent
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding, gateway, opencode_setting
from bot.runtimes.child import Child
from bot.runtimes.fit import Program, begins, has_key
from bot.runtimes.held import listen
from bot.runtimes.opencode_questions import Questions
from bot.runtimes.opencode_server import OLDEST, Server
from bot.runtimes.opencode_setting import Setting
from bot.runtimes.opencode_story import Story
from bot.runtimes.telling import meanwhile, telling

Json = dict[str, Any]
PROGRAM = Program("OpenCode", "opencode", opencode_setting.REMEDY, OLDEST)


class OpenCode:
    """The runtime `opencode`. Each turn is one server, which goes on with the session that lies in the session's folder."""

    Options = opencode_setting.Options
    reports = True

    def __init__(self, options: opencode_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or has no key."""
        await begins(PROGRAM, self.options, agent, environment)
        self._keyed(agent, environment)

    def _keyed(self, agent: Agent, environment: Mapping[str, str]) -> None:
        if not (self.options.config.get("provider") or agent.model.startswith(opencode_setting.HOSTED)):
            has_key("OpenCode", agent, environment)

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(partial(self._run, turn, inbox), f"opencode-{turn.session_id}")

    async def _run(self, turn: Turn, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        async with tell:
            setting, password = Setting(turn, self.options), secrets.token_urlsafe(32)
            if not (turn.agent.model or gateway.of(turn)):
                self._keyed(turn.agent, turn.environment)
            model = setting.model()
            server = Server(Child(setting.begun(password)), password, self.options.start_seconds)
            try:
                await server.start()
                await Work(setting, server, model, inbox, tell).run()
                tell.close()  # all is told, and it may end in peace
            finally:
                await server.close()


class Work:
    """One turn on a server that has started."""

    story: Story
    questions: Questions

    def __init__(
        self, setting: Setting, server: Server, model: Json, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]
    ) -> None:
        self.setting, self.server, self.inbox, self.tell, self.turn = setting, server, inbox, tell, setting.turn
        self.given = {"system": self.turn.instructions, **({"model": model} if model else {})}
        self.sent = 0

    async def run(self) -> None:
        prompt = await self._begin()
        async with aclosing(self.server.events()) as events:
            await anext(events)  # somebody listens: nothing of what is asked now goes unheard
            await self._say(prompt)
            await self._hear(events)
        await self.tell.send(self.story.end())

    async def _begin(self) -> str:
        """Go on with the session, or begin one. Gives what is said first."""
        turn, server = self.turn, self.server
        history = await server.get(f"/session/{turn.resume}/message") if turn.resume else None
        session = turn.resume if history is not None else str((await server.send("/session", {"title": turn.agent.name}))["id"])
        await self.tell.send(Started(session, session, turn.agent.model))
        if turn.resume and history is None and not (turn.again and turn.number == 1):
            await self.tell.send(Notice(coding.LOST, "warning"))
        before: list[Json] = history or []
        self.story = Story(session, turn.agent.file, self.setting.work, (message["info"]["id"] for message in before))
        self.questions = Questions(self.story)
        return coding.begun(turn, history is not None, any(said(message, turn.prompt) for message in before))

    async def _hear(self, events: AsyncIterator[Json]) -> None:
        listening = listen(self.turn, self.inbox, self._answered, self.tell.send, self._say)
        try:
            async with meanwhile(listening, f"opencode-inbox-{self.turn.session_id}"):
                await self._read(events)
        finally:
            if not self.story.idle:
                await self.server.abort(self.story.session)

    async def _read(self, events: AsyncIterator[Json]) -> None:
        async for event in events:
            for told in (*self.questions.tell(event), *self.story.tell(event)):
                await self.tell.send(told)
            if self.story.idle and len(self.story.heard) >= self.sent:
                return

    async def _say(self, text: str) -> None:
        self.sent += 1
        body = {"parts": [{"type": "text", "text": text}], **self.given}
        await self.server.send(f"/session/{self.story.session}/prompt_async", body)

    async def _answered(self, message: Message) -> bool:
        reply = self.questions.reply(message)
        if reply:
            await self._keep(reply.rules)
            await self.server.send(reply.path, reply.body)
        return reply is not None

    async def _keep(self, rules: tuple[Json, ...]) -> None:
        """What is allowed for the session has to hold in the next turn's server too."""
        if rules:
            path = f"/session/{self.story.session}"
            known = (await self.server.get(path) or {}).get("permission") or []
            await self.server.send(path, {"permission": [*known, *rules]}, "PATCH")


def said(message: Json, prompt: str) -> bool:
    """Whether a message of the history is this prompt."""
    texts = (str(part.get("text", "")) for part in message.get("parts", ()) if part.get("type") == "text")
    return message.get("info", {}).get("role") == "user" and prompt in texts
