"""What Codex asks of people: approvals, its own questions, the forms of MCP servers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.event import ALLOW, ALLOW_SESSION, Question
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import codex_forms as forms
from bot.runtimes.codex_setting import Memory
from bot.runtimes.held import Drop, Held, Say, closed
from bot.runtimes.rpc import Json, Refused


class Questions(Held):
    """`serve` answers a request of Codex's; `steer` gives words to the agent.

    `memory` holds what people have allowed for the session; `cut` counts what was still asked when all ended.
    """

    def __init__(self, turn: Turn, folder: Path, say: Say, drop: Drop, steer: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(say, drop)
        self.turn, self.folder, self.steer = turn, folder, steer
        self.memory = Memory()
        self.cut = 0
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
                self._open[self._requests.pop(request)].cancel()

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
        allowed = bool({ALLOW, ALLOW_SESSION} & {*answer.parts.get("decision", ())})
        taken = allowed if question.kind == "permission" else bool(answer.parts or answer.note)
        await self.say(closed(question.id, message, taken))
        return forms.reply(method, params, question, answer)

    def _given(self, question: Question) -> Message | None:
        """The answer, where the turn begins with it: the process before has asked."""
        answer = self.turn.answer
        return Message("", "", "", self.turn.person, "", answer=answer) if answer and answer.question == question.id else None

    async def _wait(self, request: int | str, question: Question) -> Message:
        self._requests[request] = question.id
        try:
            return await self._ask(question)
        except asyncio.CancelledError:
            self.cut += request in self._requests
            raise
        finally:
            self._requests.pop(request, None)


def named(request: int | str, params: Json) -> str:
    """The same whenever Codex asks it; it counts its requests anew in each process, and turns it does not."""
    return f"{params['turnId']}-{request}" if params.get("turnId") else uuid4().hex
