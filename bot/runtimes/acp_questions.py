"""What an ACP agent asks of people: leave to do something, or a form."""

import re
from collections.abc import Sequence
from itertools import chain, count
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

from bot.event import ALLOW, ALLOW_SESSION, DENY, Option, Part, Question
from bot.message import Answer
from bot.runtimes import acp_form as form
from bot.runtimes import acp_words as words
from bot.runtimes.acp_story import Story
from bot.runtimes.held import Drop, Held, Say, closed

KINDS = {ALLOW: "allow_once", ALLOW_SESSION: "allow_always", DENY: "reject_once"}
NAME = 55  # characters of the agent's own name on a button
MOST = 10  # ways to do a thing once that can be chosen
DEEDS = (
    "ask_user", "request_approval", "post_update", "upload_file", "propose_schedule", "report_findings", "read_thread",
    "report_improvement",
)  # fmt: skip
OURS = re.compile(rf"mcp__frontdesk__({'|'.join(DEEDS)})")  # the whole title


class Questions(Held):
    """What the SDK calls where the agent wants something of us."""

    def __init__(self, story: Story, say: Say, drop: Drop, lent: bool) -> None:
        """`lent` says that the agent was lent our tools."""
        super().__init__(say, drop)
        self.story, self.lent = story, lent
        self.notes: list[str] = []

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **meta: Any
    ) -> RequestPermissionResponse:
        given = plain(tool_call)
        if self._ours(given) and (once := pick(options, "allow_once")):  # they ask people themselves
            return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=once.option_id))
        call = self.story.asked(tool_call.tool_call_id, given)
        offered = _offered(options)
        text = "\n".join(filter(None, [words.question(call), _missing(options)]))
        part = Part("decision", text, tuple(Option(label, _means(label, option)) for label, option in offered.items()))
        message = await self._ask(Question(f"acp-{uuid4().hex[:12]}", "permission", (part,), words.exact(call)))
        answer = message.answer or Answer("")
        label = next(iter(answer.parts.get("decision", ())), DENY)
        option = offered.get(label)
        if option is None or label == DENY:
            self.story.deny(self.story.meant(tool_call.tool_call_id, given))
            self.notes += [answer.note] if answer.note else []
        await self.say(closed(answer.question, message, label != DENY and option is not None))
        if option is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=option.option_id))

    def _ours(self, call: dict[str, Any]) -> bool:
        """The agent gives calls their titles, so what would run or change something is asked whatever it is called."""
        harmless = call.get("kind", "other") == "other" and not words.command(call) and not call.get("content")
        return self.lent and OURS.fullmatch(str(call.get("title"))) is not None and harmless

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
        await self.say(closed(answer.question, said, bool(content)))
        self.notes += [answer.note] if answer.note else []
        return AcceptElicitationResponse(action="accept", content=content) if content else DeclineElicitationResponse(action="decline")


def pick(options: Sequence[PermissionOption], kind: str) -> PermissionOption | None:
    """The option of this kind; of several that last, the one for this session only."""
    same = [option for option in options if option.kind == kind]
    return next((option for option in same if "session" in f"{option.option_id} {option.name}".lower()), same[0] if same else None)


def _offered(options: Sequence[PermissionOption]) -> dict[str, PermissionOption | None]:
    """What a person may choose, by its label: one option of each kind, but of several ways to do it once each, by the agent's own name.

    What such a label begins with is ours, so no agent can make one that reads, or counts, as another decision.
    """
    once = _once(options)
    kinds = {label: pick(options, kind) for label, kind in KINDS.items() if label != ALLOW or len(once) == 1}
    offered: dict[str, PermissionOption | None] = {}
    for n, option in enumerate(once[:MOST] if len(once) > 1 else [], 1):
        label, taken = f"{ALLOW}: {words.short(_name(option), NAME)}", {each.lower() for each in offered}
        names = chain([label], (f"{label} ({k})" for k in count(n)))
        offered[next(name for name in names if name.lower() not in taken)] = option
    return offered | {label: option for label, option in kinds.items() if option or label == DENY}


def _once(options: Sequence[PermissionOption]) -> list[PermissionOption]:
    return [option for option in options if option.kind == KINDS[ALLOW]]


def _name(option: PermissionOption) -> str:
    return " ".join(option.name.split()) or option.option_id


def _means(label: str, option: PermissionOption | None) -> str:
    """What stands beside a label that does not say all."""
    if option is None or label in (ALLOW, DENY):
        return ""
    if label == ALLOW_SESSION:
        return words.lasting(option.name)
    return words.short(_name(option), 150) if len(_name(option)) > NAME else ""


def _missing(options: Sequence[PermissionOption]) -> str:
    known = len(_once(options))
    return f"The agent knows {known} ways to do it, and the first {MOST} can be chosen here." if known > MOST else ""


def plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
