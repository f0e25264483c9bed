"""One turn in a container: what its harness tells, kept by number, so that whoever was cut off hears the rest."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

from bot.event import Artifact, Event, Finished, Notice, Question, Started
from bot.message import Message
from bot.ports import Runtime, Turn
from bot.spoken import LARGEST, Json, dump
from bot.turn import told

ALONE = 3600.0  # seconds that a turn goes on while nobody listens
BEAT = 15.0  # seconds between two signs of life
STOPPED = Finished("canceled")
CLOSING = 10.0  # seconds that a harness may take to stop


class Work:
    """`first` is the number of its first record. It goes on whether or not somebody listens, but not for ever."""

    def __init__(self, name: str, runtime: Runtime, turn: Turn, first: int, alone: float = ALONE) -> None:
        self.name, self.turn, self.first, self.alone = name, turn, first, alone
        self.records: list[Json] = []
        self.end: Finished | None = None
        self.open: set[str] = set()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._heard: set[str] = set()
        self._listens = False
        self._followers = 0
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._run(runtime), name=f"shim-{name}")
        self._lonely = self._alone()

    @property
    def busy(self) -> bool:
        """Also while it puts things away after its last word."""
        return not self._task.done()

    @property
    def next(self) -> int:
        return self.first + len(self.records)

    def say(self, message: Message) -> bool:
        """Whether the agent will hear it: not once its turn is over."""
        if message.id in self._heard:
            return True
        if self.end or not self._listens:
            return False
        self._heard.add(message.id)
        if message.answer:
            self.open.discard(message.answer.question)
        self._said.put_nowait(message)
        return True

    async def stop(self, end: Finished = STOPPED) -> None:
        """All that it began is gone when this is over."""
        if not self.end:
            self._close(end)
            self._task.cancel()  # one that has ended by itself is putting things away
        await asyncio.wait([self._task], timeout=CLOSING)

    async def follow(self, after: int) -> AsyncGenerator[Json | None, None]:
        """Each record after that number, until the last; None is a sign of life."""
        at = max(after + 1, self.first)
        self._lonely.cancel()
        self._followers += 1
        try:
            while not (self.end and at >= self.next):
                more = self._more
                for record in self.records[at - self.first :]:
                    yield record
                    at += 1
                if at >= self.next and not self.end and not await self._woken(more):
                    yield None
        finally:
            self._followers -= 1
            if not self._followers and not self.end:
                self._lonely = self._alone()

    async def _woken(self, more: asyncio.Event) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT):
                return await more.wait()
        return False

    def _alone(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self.alone, self._task.cancel)

    async def _run(self, runtime: Runtime) -> None:
        turn: Turn | None = self.turn
        try:
            while turn:
                turn = await self._once(runtime, turn)
        finally:
            self._lonely.cancel()
            self._close(Finished("canceled", "Nobody listened to it any more, so it was stopped."))

    async def _once(self, runtime: Runtime, turn: Turn) -> Turn | None:
        """One turn of the harness; and what is then to be said, where somebody spoke and it did not come to hear it."""
        resume = turn.resume
        async with aclosing(told(runtime.run(turn, self._inbox()))) as events:  # type: ignore[arg-type,type-var]
            async for event in events:
                resume = event.resume if isinstance(event, Started) else resume
                more = self._left() if isinstance(event, Finished) and event.state == "completed" else []
                if more:
                    return replace(turn, prompt="\n\n".join(more), resume=resume, answer=None, files=())
                await self._tell(event)
        return None

    def _left(self) -> list[str]:
        left = []
        while not self._said.empty():
            left.append(self._said.get_nowait().text)
        return [text for text in left if text.strip()]

    async def _inbox(self) -> AsyncIterator[Message]:
        if not self._listens:
            self._listens = True
            self._note({"listens": True})
        while True:
            yield await self._said.get()

    async def _tell(self, event: Event) -> None:
        match event:
            case Finished():
                self._close(event)
            case Artifact(path=path) if path:
                self._note(await asyncio.to_thread(_carried, event, Path(path)))
            case Question(id):
                self.open.add(id)
                self._note({"event": dump(event)})
            case _:
                self._note({"event": dump(event)})

    def _close(self, end: Finished) -> None:
        if not self.end:
            self.end = end
            self._note({"event": dump(end)})

    def _note(self, record: Json) -> None:
        self.records.append({"n": self.next, **record})
        self._more.set()
        self._more = asyncio.Event()


def _carried(artifact: Artifact, path: Path) -> Json:
    """A file goes with its event: nobody else can read it where it stands."""
    try:
        large = path.stat().st_size > LARGEST
        data = b"" if large else path.read_bytes()
    except OSError as error:
        return {"event": dump(Notice(f"{artifact.name} cannot be read: {error.strerror}.", "warning"))}
    if large:
        return {"event": dump(Notice(f"{artifact.name} is too large to be brought here from its container.", "warning"))}
    return {"event": dump(replace(artifact, path=path.name)), "data": base64.b64encode(data).decode()}
