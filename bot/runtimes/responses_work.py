"""One turn by OpenAI's Responses: an answer that is followed until it is over, over as many connections as it takes."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext

from bot import net
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Text
from bot.ports import Turn
from bot.runtimes import attached, coding, responses_calls, sdk_wire
from bot.runtimes.responses_line import Events, Line
from bot.runtimes.responses_memory import Memory
from bot.runtimes.responses_story import Story
from bot.runtimes.sdk_wire import Json
from bot.runtimes.unknown import Unknown

LOOKED = "response.looked"
TRIES = 20  # connections without news, one after the other
CUT = (
    "The connection broke in the middle of the answer, and the platform cannot take it up again. What came stands above; say how to go on."
)


class Work:
    """`asked` is what goes with every request: the model, and its tools. With `state` "ours" the platform need keep nothing."""

    def __init__(self, turn: Turn, line: Line, asked: Json, state: str, patience: float) -> None:
        self.turn, self.line, self.asked, self.state, self.patience = turn, line, asked, state, patience
        self.background = bool(asked.get("background"))
        self.story, self.memory = Story(turn.agent.file), Memory(turn)
        self.unknown = Unknown(turn.folder, line.place.secrets.mask)
        self.input: list[Json] = []
        self.begun = False
        self.answers = False  # whether this turn's words are the answer to a call
        self.conversation = ""
        self.notices: list[Notice] = []
        self.broken: Unavailable | None = None
        self.lost, self.tries = 0.0, 0

    async def told(self) -> AsyncGenerator[Event, None]:
        """It takes no words meanwhile: those wait for the next turn."""
        turn, memory = self.turn, await self.memory.load()
        self.conversation = turn.resume if self.state == "conversation" else ""
        if self.state == "conversation" and not self.conversation:
            self.conversation = await self.line.conversation()
        if turn.resume and not memory.known and not (turn.again and turn.number == 1) and not self.conversation:
            self.notices.append(Notice(coding.LOST, "warning"))
        if memory.calls and not await self._enough():
            async for event in self._waits():
                yield event
            return
        try:
            async with aclosing(self._happen()) as events:
                async for event in events:
                    yield event
        except RuntimeFailed:
            if self.begun:
                await memory.broke(self._cut())
            raise
        finally:
            if self.background and self.story.id and not self.story.end and not turn.leaving():
                await self.line.cancel(self.story.id)
        async for event in self._ended():
            yield event

    def _started(self) -> list[Event]:
        self.line.place.failed = RuntimeFailed
        started = Started(self.conversation or self.turn.session_id, self.memory.mine, self.turn.agent.model)
        return [started, *self.notices, *responses_calls.denied(self.memory.calls, self.memory.given)]

    async def _enough(self) -> bool:
        """Whether all calls that waited are answered by now."""
        memory, turn = self.memory, self.turn
        if memory.over or memory.mine:
            return True
        rest = [call for call in memory.calls if responses_calls.id_of(call) not in memory.given]
        if turn.answer and rest and turn.answer.question != responses_calls.asked(rest).id:
            self.notices.append(Notice(coding.LATE))
            return False
        self.answers = bool(rest)
        if rest:
            await memory.answered(responses_calls.answered(rest, turn))
        return all(responses_calls.id_of(call) in memory.given for call in memory.calls)

    async def _waits(self) -> AsyncGenerator[Event, None]:
        for event in self._started():
            yield event
        rest = [call for call in self.memory.calls if responses_calls.id_of(call) not in self.memory.given]
        yield responses_calls.asked(rest)
        yield Finished("input_required")

    async def _happen(self) -> AsyncGenerator[Event, None]:
        if self.memory.over:
            for event in [*self._started(), *([Text(text)] if (text := str(self.memory.over.get("text") or "")) else [])]:
                yield event
            return
        opening = await self._opening()
        while not self.story.end:
            async with aclosing(self._uncut(opening)) as events:
                async for event in events:
                    yield event
            if not self.story.end:
                opening = await (self._again(self.broken) if self.begun else self._opening())

    async def _uncut(self, opening: AbstractAsyncContextManager[Events]) -> AsyncGenerator[Event, None]:
        """One connection, until it breaks, which `broken` then says."""
        self.broken = None
        try:
            async with opening as heard, aclosing(self._heard(heard)) as events:
                async for event in events:
                    yield event
        except Unavailable as error:
            if not self.begun and not self._forgotten(error):
                raise
            self.broken = error

    async def _heard(self, heard: Events) -> AsyncGenerator[Event, None]:
        for event in [] if self.begun else self._started():
            yield event
        self.begun = True
        async for each in heard:
            async for event in self._tell(each):
                yield event

    def _forgotten(self, error: Unavailable) -> bool:
        """Whether the platform does not know any more what was said before; then it is told anew."""
        lost = bool(self.memory.answer) and sdk_wire.status(error) in (400, 404) and "previous" in str(error).lower()
        if lost:
            self.memory.answer, self.memory.calls = "", []
            self.notices.append(Notice(coding.LOST, "warning"))
        return lost

    def _cut(self) -> list[Json]:
        """What was said in vain."""
        partial = [{"role": "assistant", "content": self.story.text}] if self.story.text else []
        return [*(item for item in self.input if "role" in item), *partial]

    async def _opening(self) -> AbstractAsyncContextManager[Events]:
        """The answer that this turn had begun, if it can be had; else a new one."""
        turn, mine = self.turn, self.memory.mine if self.turn.again else ""
        self.story.id = mine
        state = await self.line.look(mine) if mine else None
        if state and self.background:
            return self.line.follow(mine, -1)
        if state and state.get("status") in ("completed", "queued", "in_progress"):
            return nullcontext(_only({"type": LOOKED, "response": state}))
        self.story.id = ""
        prompt = coding.begun(turn, bool(mine), known=False) if mine else turn.prompt
        self.input = [*self.memory.given.values()] if self.memory.calls else []
        if not (self.memory.calls and self.answers):
            files, left = await attached.read(turn.files)
            self.notices += left
            self.input += [*self.memory.cut, responses_calls.message(prompt, files)]
        before = self.memory.said if self.state == "ours" else []
        context: Json = {"conversation": self.conversation} if self.conversation else {}
        if self.state == "previous" and self.memory.answer:
            context = {"previous_response_id": self.memory.answer}
        return self.line.respond({**self.asked, **context, "input": [*before, *self.input]})

    async def _tell(self, each: Json) -> AsyncGenerator[Event, None]:
        known = self.story.id
        for event in self.unknown.read(self.story.tell, each, str(each.get("type"))):
            yield event
        self.lost, self.tries = (self.lost, self.tries) if each.get("type") == LOOKED else (0.0, 0)
        other = str((each.get("response") or {}).get("id") or "") if isinstance(each.get("response"), dict) else ""
        if known and other and other != known:
            raise RuntimeFailed(f"{self.line.place.url} answers for other work than was asked ({other}). Say how to go on.")
        if self.story.id and self.story.id != self.memory.mine:
            await self.memory.begun(self.story.id)
        if self.story.odd:
            for notice in self.unknown.told(self.story.odd, str(self.story.odd.get("type"))):
                yield notice
            self.story.odd = None

    async def _again(self, broke: Unavailable | None) -> AbstractAsyncContextManager[Events]:
        """Where it goes on: a platform that works in the background tells the rest, others at most what became of it."""
        now = time.monotonic()
        self.lost, self.tries = self.lost or now, self.tries + 1
        given_up = self.tries > TRIES or now - self.lost > self.patience
        if not self.story.id or (given_up and (broke or not self.background)):
            raise RuntimeFailed(f"{CUT} {broke or ''}".strip()) from broke
        await asyncio.sleep(net.pause(self.tries))
        if self.background:
            return self.line.follow(self.story.id, self.story.last)
        try:
            state = await self.line.look(self.story.id)
        except Unavailable as error:
            return nullcontext(_raised(error))
        if state is None or state.get("status") == "cancelled":  # most platforms stop when nobody listens any more
            raise RuntimeFailed(CUT) from broke
        return nullcontext(_only({"type": LOOKED, "response": state}))

    async def _ended(self) -> AsyncGenerator[Event, None]:
        story, memory = self.story, self.memory
        if memory.over:
            calls = list(memory.over.get("calls") or [])
        else:
            calls = responses_calls.waiting(story.items) if story.end and story.end.state == "completed" else []
            said = [*self.input, *spoken(story.items)] if self.state == "ours" else []
            if story.end and story.end.state == "completed":
                await memory.ended(story.id, story.text, calls, said)
            else:
                await memory.broke(self._cut())
            if story.used:
                yield story.used
        if calls:
            yield responses_calls.asked(calls)
            yield Finished("input_required")
        else:
            yield story.end or Finished("completed")


def spoken(items: list[Json]) -> list[Json]:
    """What of an answer is said again to a platform that keeps nothing."""
    found: list[Json] = []
    for item in items:
        match item:
            case {"type": "message", "content": list(parts)}:
                found.append({"role": "assistant", "content": "\n\n".join(str(part.get("text") or "") for part in parts)})
            case {"type": "function_call", "call_id": id, "name": name, "arguments": given}:
                found.append({"type": "function_call", "call_id": id, "name": name, "arguments": given})
            case {"type": responses_calls.LEAVE}:
                found.append(item)
            case {"type": "function_call_output", "call_id": id, "output": output}:
                found.append({"type": "function_call_output", "call_id": id, "output": output})
    return found


async def _only(event: Json) -> Events:
    yield event


async def _raised(error: Unavailable) -> Events:
    raise error
    yield {}
