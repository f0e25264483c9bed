"""One turn on a platform: what is sent, what is heard, and how it is found again where the connection or we were cut."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from anyio.streams.memory import MemoryObjectSendStream

from bot import clock, net
from bot.breaker import Down, Left
from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, ALLOW_SESSION, Event, Finished, Notice, Text
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import coding
from bot.runtimes import http_memory as memory
from bot.runtimes.feed import Raw
from bot.runtimes.http_ear import Ear
from bot.runtimes.http_line import Busy, Cut, Gone, Line
from bot.runtimes.http_profile import Call, Profile
from bot.runtimes.http_setting import scope
from bot.runtimes.http_story import CONVERSATION, Story
from bot.runtimes.telling import meanwhile, telling, underway
from bot.runtimes.unsaid import Unsaid

Json = dict[str, Any]
LOOK = 1.0  # seconds between two looks at what became of it, at first
STOPPING = 1.5  # seconds
DECISIONS = {ALLOW: "once", ALLOW_SESSION: "session"}
TRANSIENT = (Cut, Gone, Down, Busy)


class Work:
    """What people say meanwhile is what is asked next, in the same turn. `watch` sees what comes, before it is told as ours."""

    tell: MemoryObjectSendStream[Event | Raw]

    def __init__(self, turn: Turn, line: Line, patience: float, watch: Callable[[Raw], object] | None = None) -> None:
        self.turn, self.line, self.patience, self.watch = turn, line, patience, watch
        self.profile: Profile = line.setting.profile
        known = scope(turn, self.profile, line.setting.values)
        self.story = Story(
            self.profile, {**known, **memory.kept(turn.resume, self.profile)}, turn.folder, lambda text: line.secrets.mask(text)
        )
        self.ear = Ear(self.profile.stream)
        self.asked = False  # whether somebody works for us there, whom we can come back to
        self.broken: Unavailable | None = None
        self.unsaid = Unsaid(turn)
        self.known = self.story.started

    async def told(self, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        """What becomes of an answer is told though the platform is silent."""
        async with aclosing(telling(partial(self._work, inbox), f"http-{self.turn.session_id}")) as told:
            async for each in told:
                if isinstance(each, Raw):
                    self._watched(each)
                else:
                    yield each

    def _watched(self, raw: Raw) -> None:
        if self.watch:
            self.watch(raw)

    async def _work(self, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event | Raw]) -> None:
        self.tell = tell
        async with tell:
            await self._converse(inbox, await self._begin())
            assert self.story.end
            await self._say(self.story.end)

    async def _say(self, *events: Event) -> None:
        for event in events:
            await self.tell.send(event)

    async def _begin(self) -> Json:
        """Somebody is there, and it is said that it begins; what it had come to, in a process that ended, is given."""
        sent = await memory.sent(self.turn)
        self.story.scope.update(memory.kept(sent.get("kept", ""), self.profile))
        await self.unsaid.load()
        await self._ready()
        self.known = self.story.started
        await self._say(self.known)
        if before := sent.get("before"):
            self.story.begin(before)
            await self._say(Text(before))
        if self.turn.files:
            names = ", ".join(file.name for file in self.turn.files)
            await self._say(Notice(f"{names}: {self.profile.name} is sent no files.", "warning"))
        return sent

    async def _converse(self, inbox: AsyncIterator[Message], sent: Json) -> None:
        try:
            with underway(lambda: True):
                async with meanwhile(self._listen(inbox), f"http-inbox-{self.turn.session_id}"):
                    await self._rounds(sent)
        finally:
            await self._stop()

    async def _ready(self) -> None:
        """Somebody is there, and has a conversation with us if one is begun by itself."""
        start = self.profile.start
        if start and self.story.scope.get(CONVERSATION) is None:
            self.story.learn(start, await self.line.call(start, self.story.scope))
        elif self.profile.check:
            await self.line.call(self.profile.check, self.story.scope)
        else:
            await self.line.reach()

    async def _rounds(self, sent: Json) -> None:
        await self._first(sent)
        while self.unsaid.words and self.story.end and self.story.end.state == "completed":
            words = "\n\n".join(self.unsaid.take())
            self.story.scope |= {"prompt": words, "words": words, "once": f"{self.story.scope['once']}-{self.ear.heard}"}
            self.story.begin()
            await self._recall()
            await self._follow(self._spoken(self._sending))

    async def _tell(self, raw: Raw) -> None:
        if self.watch:
            await self.tell.send(raw)
        events = list(self.story.read(raw))
        if (started := self.story.started) != self.known:
            self.known = started  # more is known of where the work is
            await self._say(started)
        await self._say(*events)

    @property
    def _sending(self) -> Call:
        """The request that asks."""
        begun = self.story.scope.get(CONVERSATION) is not None
        return self.profile.send if begun or not self.profile.begin else self.profile.begin

    async def _recall(self) -> None:
        """What was said before is known by name from then on."""
        recall = self.profile.recall
        if recall and self.story.scope.get(CONVERSATION) is not None:
            with suppress(Gone):  # nothing was said yet
                self.story.learn(recall, await self.line.call(recall, self.story.scope))

    async def _first(self, sent: Json) -> None:
        """What there is to do: ask, answer, or go on listening to what was asked before."""
        call = self._answering(self.turn.answer) if self.turn.answer else None
        send = call or self._sending
        if not sent or (not sent["done"] and send.safe):
            if not call:
                await self._recall()
                self._add(self.unsaid.take(asked=True))
            return await self._follow(self._spoken(send))
        lasting = self._lasting() and (sent["done"] or not send.keep)
        if not lasting:
            raise RuntimeFailed(
                f"This was cut in its middle, and {self.profile.name} cannot say what became of it: look there, or ask again."
            )
        self.asked = True
        if call:
            with suppress(Unavailable):  # where nobody waits any more, what is then heard says so
                await self.line.call(call, self.story.scope)
        await self._follow(self._again(None))

    def _add(self, left: list[str]) -> None:
        """What an earlier turn had to leave unsaid is said first."""
        scope, prompt = self.story.scope, self.turn.prompt
        said = "\n\n".join([*left, prompt])
        scope |= {"prompt": said, "words": scope["words"].removesuffix(prompt) + said}

    async def _follow(self, source: AsyncGenerator[Raw, None]) -> None:
        """Hear what it tells, over as many connections as it takes."""
        lost, tries, heard = 0.0, 0, self.ear.heard
        while True:
            await self._hear(source)
            if self.story.end:
                return
            if self.broken is None and (self.profile.ends or not self._lasting()):
                return await self._say(*self._ended())
            now = time.monotonic()
            lost, tries = (lost or now, tries + 1) if self.ear.heard == heard else (now, 1)
            lost, heard = lost if self.broken else 0.0, self.ear.heard
            if self.broken and now - lost > self.patience:
                raise RuntimeFailed(f"The connection was lost, and did not come back within {self.patience:g} seconds. {self.broken}")
            if self.broken and tries == 1:
                await self._say(Notice(f"{self.broken} Trying again." if not isinstance(self.broken, Left) else str(self.broken)))
            await asyncio.sleep(self._wait(tries))
            source = self._again(self.broken)

    async def _hear(self, source: AsyncGenerator[Raw, None]) -> None:
        """One connection, until it breaks, which `broken` then says; raised where nothing is there to come back to."""
        self.broken = None
        try:
            await self._read(source)
        except TRANSIENT as error:
            if not (self.asked and self._lasting()):
                raise
            self.broken = error

    async def _read(self, source: AsyncGenerator[Raw, None]) -> None:
        async with aclosing(source):
            async for raw in source:
                await self._tell(raw)
                if self.story.end:
                    return

    def _wait(self, tries: int) -> float:
        if isinstance(self.broken, Left):
            return min(max(self.broken.again - clock.now(), 0.1), self.patience)
        return net.pause(tries) if self.broken else min(LOOK * 1.5**tries, net.LONGEST)

    async def _spoken(self, send: Call) -> AsyncGenerator[Raw, None]:
        """Say it, and hear what comes of it."""
        stream, self.ear = self.profile.stream, Ear(self.profile.stream)
        if stream is None:
            await memory.note(self.turn, self.story, done=False)
            async with self.line.opened(send, self.story.scope, {}) as raws:
                self.asked = True
                await self.unsaid.given()
                async for raw in raws:
                    self.story.learn(send, raw.data)
                    self.ear.heard += 1
                    yield raw
            await memory.note(self.turn, self.story, done=True)
            return
        if not stream.first:
            await self._send(send)
        async with self.line.opened(stream, self.story.scope, {}) as raws:
            if stream.first:
                await self._send(send)
            async for raw in self.ear.fresh(raws):
                yield raw

    async def _again(self, error: Unavailable | None) -> AsyncGenerator[Raw, None]:
        """Listen again, where one can; else look what became of it."""
        stream, history = self.profile.stream, self.profile.history
        lasting = stream is not None and bool(stream.cursor or stream.replays)
        if history and (not lasting or isinstance(error, Gone) or (error is None and self.ear.heard)):
            yield Raw("history", await self.line.call(history, self.story.scope))
            return
        assert stream
        async with self.line.opened(stream, self.story.scope, self.ear.again()) as raws:
            async for raw in self.ear.fresh(raws):
                yield raw

    async def _send(self, call: Call) -> None:
        await memory.note(self.turn, self.story, done=False)
        self.story.learn(call, await self.line.call(call, self.story.scope))
        self.asked = True
        await memory.note(self.turn, self.story, done=True)
        await self.unsaid.given()

    def _lasting(self) -> bool:
        """Whether what was asked can be found again."""
        stream = self.profile.stream
        return bool(self.profile.history or (stream and (stream.cursor or stream.replays)))

    def _ended(self) -> list[Event]:
        if self.profile.ends:
            return list(self.story.close(Finished("completed")))
        return list(self.story.close(Finished("failed", f"{self.profile.name} stopped talking, and did not say how it ended. Ask again.")))

    def _answering(self, answer: Answer) -> Call | None:
        """The request that answers, where there is one; its words are known by name from then on."""
        parts = list(answer.parts.values())
        decided = DECISIONS.get(next((words[0] for words in parts if words), ""), "deny")
        words = next((words[0] for words in parts if words), answer.note)
        self.story.scope |= {
            "question": answer.question.rpartition("/")[0], "answer": words, "answers": [list(words) for words in parts],
            "decision": decided, "note": answer.note or None,
        }  # fmt: skip
        return self.profile.answer.get("permission" if "decision" in answer.parts else "question")

    async def _listen(self, inbox: AsyncIterator[Message]) -> None:
        async for message in inbox:
            if message.answer is None and message.text.strip():
                await self.unsaid.heard(message)
            elif message.answer and not await self._answered(message.answer):
                await self._say(Notice(coding.LATE))

    async def _answered(self, answer: Answer) -> bool:
        if self.story.open.pop(answer.question, None) is None or not (call := self._answering(answer)):
            return False
        try:
            await self.line.call(call, self.story.scope)
        except Unavailable as error:
            await self._say(Notice(str(error), "warning"))
        return True

    async def _stop(self) -> None:
        """End the work there, unless it has ended: nobody would hear what comes of it."""
        if not self.profile.cancel or not self.asked or self.story.end or self.turn.leaving():
            return
        async with net.ending(STOPPING):
            await self.line.call(self.profile.cancel, self.story.scope)
