"""Agents that run on OpenCode: its server, in a process of its own on this machine."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from bot.agent import Agent
from bot.errors import RuntimeFailed
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding, gateway, opencode_setting
from bot.runtimes.child import Child
from bot.runtimes.fit import Program, begins, has_key
from bot.runtimes.opencode_questions import Questions
from bot.runtimes.opencode_server import OLDEST, Server
from bot.runtimes.opencode_setting import Setting
from bot.runtimes.opencode_story import Story

Json = dict[str, Any]
PROGRAM = Program("OpenCode", "opencode", opencode_setting.REMEDY, OLDEST)


class OpenCode:
    """The runtime `opencode`. Each turn is one server, which goes on with the session that lies in the session's folder."""

    Options = opencode_setting.Options

    def __init__(self, options: opencode_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or has no key."""
        await begins(PROGRAM, self.options, agent, environment)
        self._keyed(agent, environment)

    def _keyed(self, agent: Agent, environment: Mapping[str, str]) -> None:
        if not (self.options.config.get("provider") or agent.model.startswith(opencode_setting.HOSTED)):
            has_key("OpenCode", agent, environment)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        setting = Setting(turn, self.options)
        if not (turn.agent.model or gateway.of(turn)):
            self._keyed(turn.agent, turn.environment)
        model, password = setting.model(), secrets.token_urlsafe(32)
        server = Server(Child(setting.begun(password)), password, self.options.start_seconds)
        try:
            await server.start()
            history = await server.get(f"/session/{turn.resume}/message") if turn.resume else None
            session = turn.resume if history is not None else str((await server.send("/session", {"title": turn.agent.name}))["id"])
            yield Started(session, session, turn.agent.model)
            if turn.resume and history is None and not (turn.again and turn.number == 1):
                yield Notice(coding.LOST, "warning")
            before: list[Json] = history or []
            prompt = coding.begun(turn, history is not None, any(said(message, turn.prompt) for message in before))
            story = Story(session, turn.agent.file, setting.work, (message["info"]["id"] for message in before))
            async with aclosing(Work(turn, server, story, model).told(prompt, inbox)) as events:
                async for event in events:
                    yield event
        finally:
            await server.close()


class Work:
    """One turn on a server that has started."""

    def __init__(self, turn: Turn, server: Server, story: Story, model: Json) -> None:
        self.turn, self.server, self.story = turn, server, story
        self.questions = Questions(story)
        self.given = {"system": turn.instructions, **({"model": model} if model else {})}
        self.sent = 0
        self.late: list[Notice] = []

    async def told(self, prompt: str, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        async with aclosing(self.server.events()) as events:
            await anext(events)  # somebody listens: nothing of what is asked now goes unheard
            await self._say(prompt)
            listening = asyncio.create_task(self._listen(inbox), name=f"opencode-inbox-{self.turn.session_id}")
            listening.add_done_callback(self._deaf)
            try:
                async for event in events:
                    for told in (*self.questions.tell(event), *self.story.tell(event)):
                        yield told
                    while self.late:
                        yield self.late.pop()
                    if self.story.idle and len(self.story.heard) >= self.sent:
                        break
            except RuntimeFailed:
                _ = listening.done() and listening.result()  # the first that went wrong says why
                raise
            finally:
                listening.cancel()
                if not self.story.idle:
                    await self.server.abort(self.story.session)
        yield self.story.end()

    async def _say(self, text: str) -> None:
        self.sent += 1
        body = {"parts": [{"type": "text", "text": text}], **self.given}
        await self.server.send(f"/session/{self.story.session}/prompt_async", body)

    async def _listen(self, inbox: AsyncIterator[Message]) -> None:
        async for message in inbox:
            if reply := self.questions.reply(message):
                await self._keep(reply.rules)
                await self.server.send(reply.path, reply.body)
            elif message.answer:
                self.late.append(Notice(coding.LATE))
            elif message.text.strip():
                await self._say(coding.said(self.turn, message))

    async def _keep(self, rules: tuple[Json, ...]) -> None:
        """What is allowed for the session has to hold in the next turn's server too."""
        if rules:
            path = f"/session/{self.story.session}"
            known = (await self.server.get(path) or {}).get("permission") or []
            await self.server.send(path, {"permission": [*known, *rules]}, "PATCH")

    def _deaf(self, listening: "asyncio.Task[None]") -> None:
        """What a person said could not be given: the work cannot go on as if nothing had been said."""
        if not listening.cancelled() and listening.exception():
            self.server.child.kill()


def said(message: Json, prompt: str) -> bool:
    """Whether a message of the history is this prompt."""
    texts = (str(part.get("text", "")) for part in message.get("parts", ()) if part.get("type") == "text")
    return message.get("info", {}).get("role") == "user" and prompt in texts
