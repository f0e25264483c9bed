"""A harness that AgentCore itself runs (InvokeHarness): what is said to it, and what it tells, as events."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Question, Started, Step, Text, Thought, Usage
from bot.net import Secrets
from bot.ports import Turn
from bot.runtimes import asking, coding
from bot.runtimes import claude_words as words
from bot.runtimes.unknown import Unknown
from bot.spoken import Json

Calls = dict[str, tuple[str, str]]  # by their ids: name and input
CUT = "This was cut in its middle, and AgentCore cannot say what became of it: look there, or ask again."
LIMITS = {
    "max_tokens": "The model's answer became too long.", "max_output_tokens_exceeded": "The model's answer became too long.",
    "max_iterations_exceeded": "The harness has used all the rounds that it may.", "timeout_exceeded": "The harness has used all its time.",
    "model_context_window_exceeded": "The conversation has become too long for the model.",
    "content_filtered": "A filter of the platform has stopped the answer.",
}  # fmt: skip
TOOL = {
    "type": "inline_function", "name": asking.NAME,
    "config": {"inlineFunction": {"description": asking.ABOUT, "inputSchema": asking.SCHEMA}},
}  # fmt: skip


class Client(Protocol):
    """Who calls InvokeHarness."""

    session: str
    secrets: Secrets

    def invoked(self, asked: Json, limit: float) -> Any: ...


class Harnessed:
    """One turn. What is open when it ends waits at AgentCore, and is answered by the next."""

    def __init__(self, turn: Turn, client: Client, silence: float, *, asks: bool) -> None:
        self.turn, self.client, self.silence, self.asks = turn, client, silence, asks
        self.unknown = Unknown(turn.folder, client.secrets.mask)
        self.calls: Calls = {}
        self.done: set[str] = set()
        self.current, self.reason = "", ""

    async def told(self) -> AsyncGenerator[Event, None]:
        if self.turn.again and not self.turn.answer:
            raise RuntimeFailed(CUT)
        async with self.client.invoked(self._asked(), self.silence) as events:
            yield self._started([])
            async with aclosing(self._happen(events)) as happening:
                async for event in happening:
                    yield event
        for event in self._end():
            yield event

    def _started(self, waits: list[str]) -> Started:
        kept = json.dumps({"session": self.client.session, "waits": waits})
        return Started(kept, self.client.session, self.turn.agent.model)

    def _asked(self) -> Json:
        turn = self.turn
        given: Json = {"messages": [{"role": "user", "content": self._content()}]}
        if turn.agent.model:
            given["model"] = {"bedrockModelConfig": {"modelId": turn.agent.model}}
        return {**given, **({"tools": [TOOL]} if self.asks else {})}

    def _content(self) -> list[Json]:
        """The answers to what waits, or that there are none; then what is said."""
        turn, past = self.turn, _past(self.turn.resume, self.client.session)
        parts = turn.answer.parts if turn.answer else {}
        results = {id: ", ".join(said) for id, said in parts.items()}
        waiting = {id: results.get(id) or coding.NOBODY for id in [*past.get("waits", ()), *results]}
        content: list[Json] = [
            {"toolResult": {"toolUseId": id, "content": [{"text": said}], "status": "success"}} for id, said in waiting.items()
        ]
        begins = [turn.instructions] if turn.instructions.strip() and not past else []
        return content if turn.answer else [*content, {"text": "\n\n".join([*begins, turn.prompt])}]

    async def _happen(self, events: AsyncIterator[Json]) -> AsyncGenerator[Event, None]:
        """Raises RuntimeFailed when the connection breaks or falls silent."""
        while True:
            try:
                async with asyncio.timeout(self.silence):
                    said = await anext(events, None)
            except TimeoutError as error:
                raise RuntimeFailed(f"AgentCore was silent for {self.silence:g} seconds. {CUT}") from error
            except Unavailable as error:
                raise RuntimeFailed(f"{error} {CUT}") from error
            if said is None:
                return
            for event in self.unknown.read(self._tell, said):
                yield event

    def _tell(self, said: Json) -> list[Event]:
        match said:
            case {"contentBlockDelta": {"delta": dict(delta)}}:
                return self._delta(delta)
            case {"contentBlockStart": {"start": {"toolUse": {"toolUseId": str(id), "name": str(name)}}}}:
                self.current, self.calls[id] = id, (name, "")
                return [] if name == asking.NAME else [Step(id, words.short(name, words.LONG), words.kind(name))]
            case {"contentBlockStart": {"start": {"toolResult": {"toolUseId": str(id)} as result}}}:
                self.done.add(id)
                name, given = self.calls.get(id, ("a tool", ""))
                status = "failed" if result.get("status") == "error" else "completed"
                return [Step(id, words.short(name, words.LONG), words.kind(name), status, words.short(given, 2000))]  # type: ignore[arg-type]
            case {"metadata": {"usage": dict(used)}}:
                cached = int(used.get("cacheReadInputTokens") or 0)
                return [Usage(int(used.get("inputTokens") or 0), int(used.get("outputTokens") or 0), cached)]
            case {"messageStop": {"stopReason": str(reason)}}:
                self.reason = reason
            case {"messageStart": _} | {"contentBlockStart": _} | {"contentBlockStop": _} | {"hookEvent": _}:
                pass
            case _:
                return list(self.unknown.told(said))
        return []

    def _delta(self, delta: Json) -> list[Event]:
        match delta:
            case {"text": str(text)}:
                return [Text(text)]
            case {"reasoningContent": {"text": str(text)}}:
                return [Thought(text)]
            case {"toolUse": {"input": str(more)}} if self.current in self.calls:
                name, given = self.calls[self.current]
                self.calls[self.current] = name, given + more
        return []

    def _end(self) -> list[Event]:
        waits = {id: call for id, call in self.calls.items() if id not in self.done} if self.reason == "tool_use" else {}
        if waits:
            parts = tuple(asking.part(id, name, given) for id, (name, given) in waits.items())
            return [self._started(list(waits)), Question(parts[0].id, "question", parts), Finished("input_required")]
        match self.reason:
            case "end_turn" | "stop_sequence" | "tool_use" | "tool_result":
                return [Finished("completed")]
            case "interrupted" | "hook_stopped":
                return [Finished("canceled")]
            case "":
                raise RuntimeFailed(CUT)
        return [Finished("failed", LIMITS.get(self.reason, f"The harness stopped: {self.reason}."), self.reason)]


def _past(resume: str, session: str) -> Json:
    try:
        past = json.loads(resume or "{}")
    except ValueError:
        return {}
    return past if isinstance(past, dict) and past.get("session") == session else {}
