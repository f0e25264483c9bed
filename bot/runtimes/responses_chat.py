"""One turn by Chat Completions, where a platform has nothing better: the whole conversation is ours, and sent each time."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Text, Thought
from bot.ports import Turn
from bot.runtimes import asking, attached, coding, responses_calls
from bot.runtimes.attached import Attached
from bot.runtimes.responses_line import Line
from bot.runtimes.responses_memory import Memory
from bot.runtimes.responses_story import CODES, usage
from bot.runtimes.sdk_wire import Json
from bot.runtimes.unknown import Unknown

CUT = "The connection broke in the middle of the answer. What came stands above; say how to go on."


class Chat:
    """One answer, piece by piece. `end` is why it ended, empty while it has not."""

    def __init__(self, file: str) -> None:
        self.file, self.text, self.end = file, "", ""
        self.calls: dict[int, Json] = {}
        self.used: Any = None
        self.odd: Json | None = None
        self.failed: Finished | None = None

    def tell(self, chunk: Json) -> Iterator[Event]:
        match chunk:
            case {"error": dict(error)}:
                self._failed(error)
            case {"error": str(words)} if words:
                self._failed({"message": words})
            case {"choices": list(choices)}:
                self.used = chunk.get("usage") or self.used
                for choice in choices[:1]:
                    yield from self._said(choice.get("delta") or choice.get("message") or {})
                    self.end = str(choice.get("finish_reason") or "") or self.end
            case {"usage": dict(used)}:
                self.used = used
            case _:
                self.odd = chunk

    def _said(self, delta: Json) -> Iterator[Event]:
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            yield Thought(str(thought))
        text, thought = _parted(delta.get("content") or delta.get("refusal") or "")
        yield from [Thought(thought)] if thought else []
        if text:
            self.text += text
            yield Text(text)
        for number, call in enumerate(delta.get("tool_calls") or ()):
            known = self.calls.setdefault(
                int(call.get("index", number)), {"type": "function_call", "call_id": "", "name": "", "arguments": ""}
            )
            function = call.get("function") or {}
            known["call_id"] = known["call_id"] or str(call.get("id") or "")
            known["name"] += str(function.get("name") or "")
            known["arguments"] += str(function.get("arguments") or "")

    def _failed(self, error: Json) -> None:
        code = str(error.get("code") or error.get("type") or "")
        status = CODES.get(code) or (int(code) if code.isdigit() else None)
        self.failed = Finished("failed", coding.failure(status, str(error.get("message") or "it does not say why"), self.file), code[:100])

    @property
    def message(self) -> Json:
        """As it is said again, the next time."""
        made = [
            {"id": call["call_id"], "type": "function", "function": {key: call[key] for key in ("name", "arguments")}}
            for call in self.asked
        ]
        return {"role": "assistant", "content": self.text or None, **({"tool_calls": made} if made else {})}

    @property
    def asked(self) -> list[Json]:
        return [call for _, call in sorted(self.calls.items())]


class Work:
    """It takes no words meanwhile: those wait for the next turn."""

    def __init__(self, turn: Turn, line: Line, asked: Json) -> None:
        self.turn, self.line, self.asked = turn, line, asked
        self.chat, self.memory = Chat(turn.agent.file), Memory(turn)
        self.unknown = Unknown(turn.folder, line.place.secrets.mask)
        self.said: list[Json] = []

    async def told(self) -> AsyncGenerator[Event, None]:
        turn, memory = self.turn, await self.memory.load()
        notices = [Notice(coding.LOST, "warning")] if turn.resume and not memory.known and not (turn.again and turn.number == 1) else []
        files, left = await attached.read(turn.files)
        started: list[Event] = [Started(turn.session_id, "", turn.agent.model), *notices, *left]
        if memory.over:
            text = str(memory.over.get("text") or "")
            for event in [*started, *([Text(text)] if text else []), *ending(memory.over["calls"])]:
                yield event
            return
        if memory.calls and turn.answer and turn.answer.question != responses_calls.asked(memory.calls).id:
            for event in [*started, Notice(coding.LATE), *ending(memory.calls)]:
                yield event
            return
        self.said = self._mine(files)
        system = [{"role": "system", "content": turn.instructions}] if turn.instructions.strip() else []
        try:
            opened = self.line.chat({**self.asked, "messages": [*system, *memory.said, *self.said]})
            async with opened as chunks, aclosing(self._heard(chunks, started)) as events:
                async for event in events:
                    yield event
        except Unavailable as error:
            if self.line.place.failed is Unavailable:
                raise
            await self._keep_cut()
            raise RuntimeFailed(f"{CUT} {error}") from error
        async for event in self._ended():
            yield event

    def _mine(self, files: list[Attached]) -> list[Json]:
        """What this turn adds: the results of calls that waited, else a message."""
        memory, turn = self.memory, self.turn
        if memory.calls:
            results = responses_calls.answered(memory.calls, turn).items()
            return [{"role": "tool", "tool_call_id": id, "content": result["output"]} for id, result in results]
        parts = [{"type": "text", "text": turn.prompt}, *map(_part, files)] if files else turn.prompt
        return [*memory.cut, {"role": "user", "content": parts}]

    async def _heard(self, chunks: AsyncGenerator[Json, None], started: list[Event]) -> AsyncGenerator[Event, None]:
        self.line.place.failed = RuntimeFailed
        for event in started:
            yield event
        async for chunk in chunks:
            for event in self.unknown.read(self.chat.tell, chunk):
                yield event
            if self.chat.odd:
                for notice in self.unknown.told(self.chat.odd, str(self.chat.odd.get("object") or self.chat.odd.get("type") or "")):
                    yield notice
                self.chat.odd = None

    async def _ended(self) -> AsyncGenerator[Event, None]:
        chat = self.chat
        for used in self.unknown.read(lambda counted: filter(None, [usage(counted)]), chat.used, "usage"):
            yield used
        if chat.failed or not chat.end:
            await self._keep_cut()
            yield chat.failed or Finished("failed", CUT, "cut")
            return
        await self.memory.ended(chat.end, chat.text, chat.asked, [*self.said, chat.message])
        if chat.end in ("length", "content_filter"):
            yield Notice(f"The answer was cut before its end ({chat.end}).", "warning")
        for event in ending(chat.asked):
            yield event

    async def _keep_cut(self) -> None:
        partial = [{"role": "assistant", "content": self.chat.text}] if self.chat.text else []
        if not self.memory.calls:  # else the same results are given the next time
            await self.memory.broke([self.said[-1], *partial])


def _parted(content: Any) -> tuple[str, str]:
    """What is said and what is thought, where a platform tells both in one list of parts, as Databricks and Mistral do."""
    if not isinstance(content, list):
        return str(content), ""
    parts = [part for part in content if isinstance(part, dict)]
    said = "".join(str(part.get("text") or "") for part in parts if part.get("type") in ("text", "output_text"))
    inner = [part.get("thinking") or part.get("summary") or () for part in parts if part.get("type") in ("thinking", "reasoning")]
    return said, "".join(str(each.get("text") or "") for one in inner if isinstance(one, list) for each in one if isinstance(each, dict))


def _part(file: Attached) -> Json:
    if file.kind == "picture":
        return {"type": "image_url", "image_url": {"url": file.url}}
    return {"type": "file", "file": {"filename": file.name, "file_data": file.url}}


def ending(calls: list[Json]) -> list[Event]:
    return [responses_calls.asked(calls), Finished("input_required")] if calls else [Finished("completed")]


def tools() -> list[Json]:
    function = {"name": asking.NAME, "description": asking.ABOUT, "parameters": asking.SCHEMA}
    return [{"type": "function", "function": function}]
