"""What Codex asks of people: approvals, its own questions, the forms of MCP servers; each held open until somebody answers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.event import ALLOW, ALLOW_SESSION, Answered, Event, Outcome, Question
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import codex_forms as forms
from bot.runtimes.codex_setting import Memory
from bot.runtimes.rpc import Json, Refused


class Questions:
    """`serve` answers a request of Codex's, `answer` is told of every message that answers something.

    `steer` gives words to the agent, `drop` tells an event without waiting. `memory` holds what people have allowed for the session;
    `cut` counts what was still asked when all ended.
    """

    def __init__(
        self,
        turn: Turn,
        folder: Path,
        say: Callable[[Event], Awaitable[None]],
        drop: Callable[[Event], None],
        steer: Callable[[str], Awaitable[None]],
    ) -> None:
        self.turn, self.folder, self.say, self.drop, self.steer = turn, folder, say, drop, steer
        self.memory = Memory()
        self.cut = 0
        self._open: dict[str, asyncio.Future[Message]] = {}
        self._requests: dict[int | str, str] = {}
        self._changes: dict[str, list[Json]] = {}

    def note(self, method: str, params: Json) -> None:
        """Codex says what a file change is when it begins, and asks for it later; and says when it does not wait any more."""
        match method, params:
            case "item/started", {"item": {"type": "fileChange", "id": str(item), "changes": list(changes)}}:
                self._changes[item] = changes
            case "item/fileChange/patchUpdated", {"itemId": str(item), "changes": list(changes)}:
                self._changes[item] = changes
            case "serverRequest/resolved", {"requestId": int() | str() as request} if request in self._requests:
                self._open.pop(self._requests[request]).cancel()

    async def serve(self, request: int | str, method: str, params: Json) -> Any:
        """Raises Refused for what no person can answer."""
        changes = self._changes.get(str(params.get("itemId")), [])
        question = forms.asked(named(request, params), method, params, changes, self.folder)
        if question is None:
            if method == "mcpServer/elicitation/request":
                return {"action": "decline"}
            raise Refused(f"Frontdesk does not know {method}")
        prints = forms.prints(method, params, changes)
        if prints and prints <= self.memory.allowed:
            return forms.reply(method, params, question, Answer(question.id, {"decision": (ALLOW_SESSION,)}))
        message = self._given(question) or await self._wait(request, question)
        answer = message.answer or Answer(question.id)
        if ALLOW_SESSION in answer.parts.get("decision", ()):
            self.memory.allowed |= prints
            self.memory.write(self.turn.folder)
        if question.kind == "permission" and answer.note:
            await self.steer(answer.note)
        await self.say(closed(question, message))
        return forms.reply(method, params, question, answer)

    def _given(self, question: Question) -> Message | None:
        """The answer, where the turn begins with it: the process before has asked."""
        answer = self.turn.answer
        return Message("", "", "", self.turn.person, "", answer=answer) if answer and answer.question == question.id else None

    async def _wait(self, request: int | str, question: Question) -> Message:
        self._requests[request] = question.id
        self._open[question.id] = asyncio.get_running_loop().create_future()
        try:
            await self.say(question)
            return await self._open[question.id]
        except asyncio.CancelledError:  # Codex does not want to know any more, or has gone
            self.cut += question.id in self._open
            self.drop(Answered(question.id, "canceled"))
            raise
        finally:
            self._open.pop(question.id, None)
            del self._requests[request]

    def answer(self, message: Message) -> bool:
        """Whether somebody waited for this."""
        waiting = self._open.get(message.answer.question) if message.answer else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True


def named(request: int | str, params: Json) -> str:
    """The same whenever Codex asks it; it counts its requests anew in each process, and turns it does not."""
    return f"{params['turnId']}-{request}" if params.get("turnId") else uuid4().hex


def closed(question: Question, message: Message) -> Answered:
    answer = message.answer or Answer(question.id)
    chosen = tuple(word for part in answer.parts.values() for word in part)
    outcome: Outcome = "answered" if chosen or answer.note else "expired"
    if question.kind == "permission" and not {ALLOW, ALLOW_SESSION} & set(chosen):
        outcome = "declined" if outcome == "answered" else "expired"
    return Answered(question.id, outcome, message.author.name or message.author.id, chosen)
