"""What Claude Code asks of people: a call to be allowed, or its own questions; held open until one of them answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from claude_agent_sdk import PermissionResultAllow, PermissionResultDeny, PermissionUpdate, ToolPermissionContext

from bot.event import ALLOW, ALLOW_SESSION, Answered, Event, Option, Outcome, Part, Question, permission
from bot.message import Answer, Message
from bot.runtimes import claude_words as words
from bot.runtimes.claude_story import ASKING, Story

Verdict = PermissionResultAllow | PermissionResultDeny
NOBODY = "The person did not answer. Do not ask the same again; go on without it, or say what you need."


class Questions:
    """`ask` is what the SDK calls before a tool is used; `answer` is told of every message that answers something."""

    def __init__(self, story: Story, say: Callable[[Event], Awaitable[None]], drop: Callable[[Event], None]) -> None:
        self.story, self.say, self.drop = story, say, drop
        self._open: dict[str, asyncio.Future[Message]] = {}

    async def ask(self, tool: str, given: dict[str, Any], context: ToolPermissionContext) -> Verdict:
        lasting = for_session(context.suggestions)
        question = asked(tool, given, context, bool(lasting))
        self._open[question.id] = asyncio.get_running_loop().create_future()
        try:
            await self.say(question)
            message = await self._open[question.id]
        except asyncio.CancelledError:  # Claude Code does not want to know any more, or has gone
            self.drop(Answered(question.id, "canceled"))
            raise
        finally:
            del self._open[question.id]
        answer = message.answer or Answer(question.id)
        verdict = chosen(given, answer) if tool == ASKING else allowed(answer, lasting)
        await self.say(closed(question.id, verdict, message))
        if isinstance(verdict, PermissionResultDeny):
            self.story.denied.add(question.id)
        elif verdict.updated_permissions:
            self.story.memory.allow(verdict.updated_permissions)
            self.story.keep()
        return verdict

    def answer(self, message: Message) -> bool:
        """Whether somebody waited for this."""
        waiting = self._open.get(message.answer.question) if message.answer else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True


def asked(tool: str, given: Mapping[str, Any], context: ToolPermissionContext, lasting: bool) -> Question:
    call = context.tool_use_id or ""
    if tool != ASKING:
        text = context.title or words.question(tool, context.decision_reason)
        return permission(call, text, words.exact(tool, given), session=lasting)
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
