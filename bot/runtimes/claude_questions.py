"""What Claude Code asks of people: a call to be allowed, or its own questions."""

import hashlib
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

from bot.event import ALLOW, ALLOW_SESSION, permission
from bot.message import NOBODY, Answer, Message
from bot.ports import Turn
from bot.runtimes import claude_words as words
from bot.runtimes import coding
from bot.runtimes.claude_memory import covered
from bot.runtimes.claude_story import ASKING, Story
from bot.runtimes.held import Drop, Held, Say, closed

Verdict = PermissionResultAllow | PermissionResultDeny
ELSE = "The person did not answer this. What they say instead follows; until then, do nothing and say nothing."
DEFER: HookJSONOutput = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "defer"}}
EVER = 1_000_000.0  # seconds
PARKED = Message("", "", "", NOBODY, "")  # in place of an answer: the question is put off


class Questions(Held):
    """`ask` is what the SDK calls before a tool is used.

    The agent's own questions are held open a step earlier, by a hook: only from there Claude Code can put one off, end, and ask it
    again in its next process. What the turn begins with answers that one.
    """

    def __init__(self, story: Story, turn: Turn, say: Say, drop: Drop) -> None:
        super().__init__(say, drop)
        self.story = story
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
            message = await self._ask(words.questioned(call, given["tool_input"]))
            if message is PARKED:
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
            await self.say(closed(call, message, isinstance(verdict, PermissionResultAllow)))
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
        message = await self._ask(permission(call, text, exact, session=covered(lasting)))
        self.story.memory.asked.pop(call, None)
        return message

    def park(self) -> bool:
        """Put off the question that is open. Of several Claude Code would know only the last again, and a permission not at all."""
        match list(self._open.items()):
            case [(call, waiting)] if call in self._held and not waiting.done():
                waiting.set_result(PARKED)
                return True
        return False


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
    if told := words.answered(given, answer):
        return PermissionResultAllow(updated_input={**given, "answers": told})
    return PermissionResultDeny(message=answer.note or coding.NOBODY)
