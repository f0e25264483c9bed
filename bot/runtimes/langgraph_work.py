"""One turn on a LangGraph server: a session is a thread there, and a turn a run."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

from bot.errors import RuntimeFailed
from bot.event import Event, Finished, Notice, Started, Text, Usage
from bot.ports import Turn
from bot.runtimes import coding, langgraph_questions
from bot.runtimes import langgraph_words as words
from bot.runtimes.langgraph_line import Line, Part
from bot.runtimes.langgraph_story import Story, answer, known
from bot.runtimes.unknown import Unknown

Json = dict[str, Any]
COUNTED = "langgraph-counted"


class Work:
    """`assistant` is the graph's name on the server; `configurable` what it is given beside the words."""

    def __init__(self, turn: Turn, line: Line, assistant: str, configurable: Mapping[str, Any], folder: Path) -> None:
        self.turn, self.line, self.assistant = turn, line, assistant
        self.configurable = {**({"model": turn.agent.model} if turn.agent.model else {}), **configurable}
        self.story, self.unknown = Story(folder), Unknown(turn.folder, line.secrets.mask)
        self.thread = self.run = ""

    async def told(self) -> AsyncGenerator[Event, None]:
        """It takes no words meanwhile: those wait for the next turn."""
        turn, line = self.turn, self.line
        await line.knows(self.assistant)
        thread, found = await line.thread(turn.resume)
        self.thread, line.failed = thread["thread_id"], RuntimeFailed
        yield Started(self.thread, self.thread, turn.agent.model)
        if turn.resume and not found and not (turn.again and turn.number == 1):
            yield Notice(coding.LOST, "warning")
        over = False
        try:
            known = await line.find(self.thread, self._name) if turn.again and found else ""
            counted = (await turn.keep.load(COUNTED))[-1:] if known else []
            self.run = known or await line.begin(self.thread, self.assistant, self._name, self._asked(thread), self.configurable)
            async with aclosing(self._happen(place(counted[0]) if counted else ())) as events:
                async for event in events:
                    yield event
            over = True
            async for event in self._end():
                yield event
        finally:
            if self.run and not over and not turn.leaving():
                await line.cancel(self.thread, self.run)

    @property
    def _name(self) -> str:
        """By which a later process finds the run again."""
        return f"{self.turn.session_id}/{self.turn.number}" + (f"/{self.turn.answer.question}" if self.turn.answer else "")

    def _asked(self, thread: Json) -> Json:
        """What the run begins with: the answer where the graph waits for one, else a message."""
        interrupts = [each for several in (thread.get("interrupts") or {}).values() for each in several]
        if interrupt := langgraph_questions.waits(interrupts, self.turn.answer):
            return {"command": {"resume": {interrupt["id"]: langgraph_questions.resumed(interrupt, self.turn)}}}
        begun = (thread.get("values") or {}).get("messages")
        told = [] if begun or not self.turn.instructions.strip() else [self.turn.instructions]
        return {"input": {"messages": [{"role": "user", "content": "\n\n".join([*told, self.turn.prompt])}]}}

    async def _happen(self, counted: tuple[int, ...]) -> AsyncGenerator[Event, None]:
        """What was counted before, in a process that ended, is not counted again."""
        async with aclosing(self.line.follow(self.thread, self.run)) as parts:
            async for part in parts:
                for event in await self._told(part, counted):
                    yield event

    async def _told(self, part: Part, counted: tuple[int, ...]) -> list[Event]:
        odd = [] if known(part.event) else self.unknown.told(part.data, part.event)
        events = [*odd, *self.unknown.read(partial(self.story.tell, part.event), part.data, part.event)]
        return [event for event in events if not isinstance(event, Usage) or await self._counts(part.id or "", counted)]

    async def _counts(self, id: str, counted: tuple[int, ...]) -> bool:
        if fresh := not counted or place(id) > counted:
            await self.turn.keep.append(COUNTED, [id])
        return fresh

    async def _end(self) -> AsyncIterator[Event]:
        status = await self.line.status(self.thread, self.run)
        thread, _ = await self.line.thread(self.thread)
        interrupts = [each for several in (thread.get("interrupts") or {}).values() for each in several]
        match status:
            case "success" | "interrupted" if interrupts:
                yield langgraph_questions.asked(interrupts[0], self.turn.number)
                yield Finished("input_required")
            case "success":
                if text := self.story.whole(thread.get("values")) if self.story.said else answer(thread.get("values")):
                    yield Text(text, final=True)
                yield Finished("completed")
            case "interrupted":
                yield Finished("canceled")
            case "timeout":
                yield Finished("failed", f"{self.line.url} stopped the graph: it took longer than that server allows.")
            case _:
                name = str(self.story.error.get("error") or "")
                told = self.line.reason() or self.line.secrets.mask(masked(str(self.story.error.get("message") or "")))
                yield Finished("failed", words.failure(name, told, self.turn.agent), name[:100])


def masked(message: str) -> str:
    """What a server sends in place of a reason is none."""
    return "" if message == "An internal error occurred" else message


def place(id: str) -> tuple[int, ...]:
    """Where in its stream an event stands."""
    return tuple(int(part) for part in id.split("-") if part.isdigit())
