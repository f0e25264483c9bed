"""What an ACP agent asks of people: leave to do something, or a form; held open until one of them answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

from acp.schema import (
    AcceptElicitationResponse,
    AllowedOutcome,
    DeclineElicitationResponse,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
)
from pydantic import BaseModel

from bot.event import ALLOW, ALLOW_SESSION, DENY, Answered, Event, Option, Outcome, Part, Question
from bot.message import Answer, Message
from bot.runtimes import acp_form as form
from bot.runtimes import acp_words as words
from bot.runtimes.acp_story import Story

KINDS = {ALLOW: "allow_once", ALLOW_SESSION: "allow_always", DENY: "reject_once"}
DEEDS = ("ask_user", "request_approval", "post_update", "upload_file", "read_thread", "report_improvement")
OURS = re.compile(rf"mcp__frontdesk__({'|'.join(DEEDS)})")  # the whole title
Say = Callable[[Event], Awaitable[None]]


class Questions:
    """What the SDK calls where the agent wants something of us. `answer` is told of every message that answers something."""

    def __init__(self, story: Story, say: Say, drop: Callable[[Event], None], lent: bool) -> None:
        """`lent` says that the agent was lent our tools."""
        self.story, self.say, self.drop, self.lent = story, say, drop, lent
        self.notes: list[str] = []
        self._open: dict[str, asyncio.Future[Message]] = {}

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **meta: Any
    ) -> RequestPermissionResponse:
        given = plain(tool_call)
        if self._ours(given) and (once := pick(options, "allow_once")):  # they ask people themselves
            return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=once.option_id))
        call = self.story.asked(tool_call.tool_call_id, given)
        offered = {label: option for label, kind in KINDS.items() if (option := pick(options, kind)) or label == DENY}
        part = Part(
            "decision",
            words.question(call),
            tuple(
                Option(label, words.lasting(option.name)) if option and label == ALLOW_SESSION else Option(label)
                for label, option in offered.items()
            ),
        )
        message = await self._ask(Question(f"acp-{uuid4().hex[:12]}", "permission", (part,), words.exact(call)))
        answer = message.answer or Answer("")
        label = next(iter(answer.parts.get("decision", ())), DENY)
        option = offered.get(label)
        if option is None or label == DENY:
            self.story.deny(self.story.meant(tool_call.tool_call_id, given))
            self.notes += [answer.note] if answer.note else []
        await self._close(answer, message, label != DENY and option is not None)
        if option is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=option.option_id))

    def _ours(self, call: dict[str, Any]) -> bool:
        """The agent gives calls their titles, so what would run something is asked whatever it is called."""
        return self.lent and OURS.fullmatch(str(call.get("title"))) is not None and not words.command(call)

    async def create_elicitation(self, message: str, mode: Any, **meta: Any) -> AcceptElicitationResponse | DeclineElicitationResponse:
        schema = plain(mode).get("requestedSchema") or {}
        parts = form.parts(message, schema)
        if not parts:
            return DeclineElicitationResponse(action="decline")
        said = await self._ask(Question(f"acp-{uuid4().hex[:12]}", "question", parts))
        answer = said.answer or Answer("")
        try:
            content = form.filled(schema, answer)
        except ValueError:
            content = {}
        await self._close(answer, said, bool(content))
        self.notes += [answer.note] if answer.note else []
        return AcceptElicitationResponse(action="accept", content=content) if content else DeclineElicitationResponse(action="decline")

    def answer(self, message: Message) -> bool:
        """Whether somebody waited for this."""
        waiting = self._open.get(message.answer.question) if message.answer else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    async def _ask(self, question: Question) -> Message:
        self._open[question.id] = asyncio.get_running_loop().create_future()
        try:
            await self.say(question)
            return await self._open[question.id]
        except asyncio.CancelledError:  # nobody waits for it any more
            self.drop(Answered(question.id, "canceled"))
            raise
        finally:
            del self._open[question.id]

    async def _close(self, answer: Answer, message: Message, taken: bool) -> None:
        refused: Outcome = "declined" if answer.parts or answer.note else "expired"
        chosen = tuple(word for part in answer.parts.values() for word in part)
        await self.say(Answered(answer.question, "answered" if taken else refused, message.author.name or message.author.id, chosen))


def pick(options: Sequence[PermissionOption], kind: str) -> PermissionOption | None:
    """The option of this kind; of several that last, the one for this session only."""
    same = [option for option in options if option.kind == kind]
    return next((option for option in same if "session" in f"{option.option_id} {option.name}".lower()), same[0] if same else None)


def plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
