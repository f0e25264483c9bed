"""What Claude Code asks of people: a call to be allowed, or its own questions; held open until one of them answers."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from claude_agent_sdk import (
    HookContext,
    HookInput,
    HookJSONOutput,
    HookMatcher,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionUpdate,
    ToolPermissionContext,
)

from bot.event import ALLOW, ALLOW_SESSION, Answered, Event, Option, Outcome, Part, Question, permission
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import claude_words as words
from bot.runtimes.claude_memory import covered
from bot.runtimes.claude_story import ASKING, Story

Verdict = PermissionResultAllow | PermissionResultDeny
NOBODY = "The person did not answer. Do not ask the same again; go on without it, or say what you need."
ELSE = "The person did not answer this. What they say instead follows; until then, do nothing and say nothing."
DEFER: HookJSONOutput = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "defer"}}
EVER = 1_000_000.0  # seconds


class Questions:
    """`ask` is what the SDK calls before a tool is used; `answer` is told of every message that answers something.

    The agent's own questions are held open a step earlier, by a hook: only from there Claude Code can put one off, end, and ask it
    again in its next process. What the turn begins with answers that one.
    """

    def __init__(self, story: Story, turn: Turn, say: Callable[[Event], Awaitable[None]], drop: Callable[[Event], None]) -> None:
        self.story, self.say, self.drop = story, say, drop
        self._open: dict[str, asyncio.Future[Message | None]] = {}
        self._held: set[str] = set()
        self._answers: dict[str, Message] = {}
        self.parked = story.memory.parked
        """The question that was put off in the process before; Claude Code begins with it."""
        self.answered = bool(turn.answer and turn.answer.question == self.parked)
        """Whether the answer to it is what the turn begins with."""
        if self.parked:
            answer = turn.answer if turn.answer and self.answered else Answer(self.parked, note=ELSE)
            self._answers[self.parked] = Message("", "", "", turn.person, "", answer=answer)
        self._allowed = story.memory.asked.get(turn.answer.question, "") if turn.answer and agreed(turn.answer) else ""
        story.memory.asked = {}

    @property
    def hook(self) -> HookMatcher:
        return HookMatcher(matcher=ASKING, hooks=[self.hold], timeout=EVER)

    async def hold(self, given: HookInput, call: str | None, context: HookContext) -> HookJSONOutput:
        """The message that answers is kept for `ask`, which comes next."""
        if call and call not in self._answers and given["hook_event_name"] == "PreToolUse":
            self._held.add(call)
            message = await self._wait(questioned(call, given["tool_input"]))
            if message is None:
                return DEFER
            self._answers[call] = message
        return {}

    async def ask(self, tool: str, given: dict[str, Any], context: ToolPermissionContext) -> Verdict:
        call, lasting = context.tool_use_id or "", for_session(context.suggestions)
        message = self._answers.pop(call, None) or await self._permitted(tool, given, context, lasting)
        if message is None:
            return PermissionResultAllow()
        answer = message.answer or Answer(call)
        verdict = chosen(given, answer) if tool == ASKING else allowed(answer, lasting)
        if call == self.parked:
            self.story.memory.parked = ""  # and the desk knows what became of it
        else:
            await self.say(closed(call, verdict, message))
        if isinstance(verdict, PermissionResultDeny):
            self.story.denied.add(call)
        elif verdict.updated_permissions:
            self.story.memory.allow(verdict.updated_permissions)
        self.story.keep()
        return verdict

    async def _permitted(
        self, tool: str, given: dict[str, Any], context: ToolPermissionContext, lasting: list[PermissionUpdate]
    ) -> Message | None:
        """What a person says to this; None where they allowed the very same in the process before, and it had no time to do it."""
        call, exact = context.tool_use_id or "", words.exact(tool, given)
        print_of = hashlib.sha256(f"{tool}\n{exact}".encode()).hexdigest()
        if self._allowed == print_of:
            self._allowed = ""
            return None
        self.story.memory.asked[call] = print_of
        self.story.keep()
        text = context.title or words.question(tool, context.decision_reason)
        message = await self._wait(permission(call, text, exact, session=covered(lasting)))
        self.story.memory.asked.pop(call, None)
        return message

    async def _wait(self, question: Question) -> Message | None:
        """The message that answers; None where the question is put off."""
        self._open[question.id] = asyncio.get_running_loop().create_future()
        try:
            await self.say(question)
            return await self._open[question.id]
        except asyncio.CancelledError:  # Claude Code does not want to know any more, or has gone
            self.drop(Answered(question.id, "canceled"))
            raise
        finally:
            del self._open[question.id]

    def answer(self, message: Message) -> bool:
        """Whether somebody waited for this."""
        waiting = self._open.get(message.answer.question) if message.answer else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    def park(self) -> bool:
        """Put off the question that is open. Of several Claude Code would know only the last again, and a permission not at all."""
        match list(self._open.items()):
            case [(call, waiting)] if call in self._held and not waiting.done():
                waiting.set_result(None)
                return True
        return False


def questioned(call: str, given: Mapping[str, Any]) -> Question:
    parts = (
        Part(
            id=str(number), text=str(part.get("question", "")), header=str(part.get("header", "")),
            options=tuple(Option(str(option.get("label", "")), str(option.get("description", ""))) for option in part.get("options", ())),
            multi=bool(part.get("multiSelect")), free_text=True,
        )
        for number, part in enumerate(given.get("questions", ()))
    )  # fmt: skip
    return Question(call, "question", tuple(parts))


def for_session(suggestions: list[PermissionUpdate]) -> list[PermissionUpdate]:
    """What "for this session" may mean: the narrowest that Claude Code suggests, and never written into a repository's settings."""
    safe = [update for update in suggestions if update.behavior in (None, "allow") and update.mode in (None, "acceptEdits")]
    rules = [update for update in safe if update.type == "addRules"]
    return [replace(update, destination="session") for update in rules or safe]


def agreed(answer: Answer) -> bool:
    return isinstance(allowed(answer, []), PermissionResultAllow)


def allowed(answer: Answer, lasting: list[PermissionUpdate]) -> Verdict:
    match tuple(answer.parts.get("decision", ())):
        case (decision,) if decision == ALLOW_SESSION and lasting:
            return PermissionResultAllow(updated_permissions=lasting)
        case (decision,) if decision in (ALLOW, ALLOW_SESSION):
            return PermissionResultAllow()
        case _:
            return PermissionResultDeny(message=f"A person denied this. {answer.note}".strip())


def chosen(given: dict[str, Any], answer: Answer) -> Verdict:
    """The answers as Claude Code takes them: by the question's text, several joined."""
    told = {
        str(part.get("question", "")): ", ".join(answer.parts[str(number)])
        for number, part in enumerate(given.get("questions", ()))
        if answer.parts.get(str(number))
    }
    if not told:
        return PermissionResultDeny(message=answer.note or NOBODY)
    if answer.note:
        last = list(told)[-1]
        told[last] = f"{told[last]} ({answer.note})"
    return PermissionResultAllow(updated_input={**given, "answers": told})


def closed(question: str, verdict: Verdict, message: Message) -> Answered:
    answer = message.answer or Answer(question)
    denied: Outcome = "declined" if answer.parts or answer.note else "expired"
    outcome = denied if isinstance(verdict, PermissionResultDeny) else "answered"
    chosen = tuple(word for part in answer.parts.values() for word in part)
    return Answered(question, outcome, message.author.name or message.author.id, chosen)
