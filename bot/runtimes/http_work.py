"""One turn on a platform: what is sent, what is heard, and how it is found again where the connection or we were cut."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any

from bot import net
from bot.breaker import Down, Left
from bot.clock import now
from bot.errors import RuntimeFailed, Unavailable
from bot.event import ALLOW, ALLOW_SESSION, Event, Finished, Notice, Text
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes import coding
from bot.runtimes.feed import Raw
from bot.runtimes.http_ear import Ear
from bot.runtimes.http_line import Busy, Cut, Gone, Line
from bot.runtimes.http_profile import Call, Profile
from bot.runtimes.http_setting import scope
from bot.runtimes.http_story import CONVERSATION, Story
from bot.runtimes.unsaid import Unsaid

Json = dict[str, Any]
SENT = "http-sent"
LOOK = 1.0  # seconds between two looks at what became of it, at first
STOPPING = 1.5  # seconds
DECISIONS = {ALLOW: "once", ALLOW_SESSION: "session"}
TRANSIENT = (Cut, Gone, Down, Busy)


class Work:
    """What people say meanwhile is what is asked next, in the same turn. `watch` sees what comes, before it is told as ours."""

    def __init__(self, turn: Turn, line: Line, patience: float, watch: Callable[[Raw], object] = bool) -> None:
        self.turn, self.line, self.patience, self.watch = turn, line, patience, watch
        self.profile: Profile = line.setting.profile
        known = scope(turn, self.profile, line.setting.values)
        self.story = Story(self.profile, {**known, **_kept(turn.resume, self.profile)}, turn.folder, lambda text: line.secrets.mask(text))
        self.ear = Ear(self.profile.stream)
        self.asked = False  # whether somebody works for us there, whom we can come back to
        self.broken: Unavailable | None = None
        self.unsaid = Unsaid(turn)
        self.late: list[Event] = []
        self.known = self.story.started

    async def told(self, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        sent = await self._sent() if self.turn.again else {}
        self.story.scope.update(_kept(sent.get("kept", ""), self.profile))
        await self.unsaid.load()
        await self._ready()
        self.known = self.story.started
        yield self.known
        if before := sent.get("before"):
            self.story.begin(before)
            yield Text(before)
        if self.turn.files:
            yield Notice(f"{', '.join(file.name for file in self.turn.files)}: {self.profile.name} is sent no files.", "warning")
        listening = asyncio.create_task(self._listen(inbox), name=f"http-inbox-{self.turn.session_id}")
        try:
            async with aclosing(self._rounds(sent)) as events:
                async for event in events:
                    yield event
                    while self.late:
                        yield self.late.pop(0)
            if listening.done():
                listening.result()
        except Unavailable as error:
            raise RuntimeFailed(str(error)) from error  # Unavailable is only raised while nothing has begun
        finally:
            listening.cancel()
            await self._stop()
        assert self.story.end
        yield self.story.end

    async def _ready(self) -> None:
        """Somebody is there, and has a conversation with us if one is begun by itself."""
        start = self.profile.start
        if start and self.story.scope.get(CONVERSATION) is None:
            self.story.learn(start, await self.line.call(start, self.story.scope))
        elif self.profile.check:
            await self.line.call(self.profile.check, self.story.scope)
        else:
            await self.line.reach()

    async def _rounds(self, sent: Json) -> AsyncGenerator[Event, None]:
        raws = await self._first(sent)
        while True:
            async with aclosing(raws):
                async for raw in raws:
                    for event in self._told(raw) if isinstance(raw, Raw) else [raw]:
                        yield event
            if not self.unsaid.words or not self.story.end or self.story.end.state != "completed":
                return
            words = "\n\n".join(self.unsaid.take())
            self.story.scope |= {"prompt": words, "words": words, "once": f"{self.story.scope['once']}-{self.ear.heard}"}
            self.story.begin()
            raws = self._followed(self._spoken(await self._asking()))

    def _told(self, raw: Raw) -> Iterator[Event]:
        self.watch(raw)
        events = list(self.story.read(raw))
        if (started := self.story.started) != self.known:
            self.known = started  # more is known of where the work is
            yield started
        yield from events

    async def _asking(self) -> Call:
        """The request that asks; what was said before is known by name from then on, where the platform has to be reminded of it."""
        profile, begun = self.profile, self.story.scope.get(CONVERSATION) is not None
        if begun and profile.recall:
            with suppress(Gone):  # nothing was said yet
                self.story.learn(profile.recall, await self.line.call(profile.recall, self.story.scope))
        return profile.send if begun or not profile.begin else profile.begin

    async def _first(self, sent: Json) -> AsyncGenerator[Raw | Event, None]:
        """What there is to do: ask, answer, or go on listening to what was asked before."""
        call = self._answering(self.turn.answer) if self.turn.answer else None
        send = call or await self._asking()
        if not sent or (not sent["done"] and send.safe):
            if not call:
                self._add(self.unsaid.take(asked=True))
            return self._followed(self._spoken(send))
        lasting = self._lasting() and (sent["done"] or not send.keep)
        if not lasting:
            raise RuntimeFailed(
                f"This was cut in its middle, and {self.profile.name} cannot say what became of it: look there, or ask again."
            )
        self.asked = True
        if call:
            with suppress(Unavailable):  # where nobody waits any more, what is then heard says so
                await self.line.call(call, self.story.scope)
        return self._followed(self._again(None))

    def _add(self, left: list[str]) -> None:
        """What an earlier turn had to leave unsaid is said first."""
        scope, prompt = self.story.scope, self.turn.prompt
        said = "\n\n".join([*left, prompt])
        scope |= {"prompt": said, "words": scope["words"].removesuffix(prompt) + said}

    async def _followed(self, source: AsyncGenerator[Raw, None]) -> AsyncGenerator[Raw | Event, None]:
        """What it tells, over as many connections as it takes."""
        lost, tries = 0.0, 0
        while True:
            heard = self.ear.heard
            async with aclosing(self._uncut(source)) as raws:
                async for raw in raws:
                    yield raw
                    if self.story.end:
                        return
            if self.broken is None and (self.profile.ends or not self._lasting()):
                for event in self._ended():
                    yield event
                return
            lost = (lost or time.monotonic()) if self.broken else 0.0
            tries = tries + 1 if self.ear.heard == heard else 1
            if self.broken and time.monotonic() - lost > self.patience:
                raise RuntimeFailed(f"The connection was lost, and did not come back within {self.patience:g} seconds. {self.broken}")
            if self.broken and tries == 1:
                yield Notice(f"{self.broken} Trying again." if not isinstance(self.broken, Left) else str(self.broken))
            await asyncio.sleep(self._wait(tries))
            source = self._again(self.broken)

    async def _uncut(self, source: AsyncGenerator[Raw, None]) -> AsyncGenerator[Raw, None]:
        """The same, until the connection breaks, which `broken` then says; raised where nothing is there to come back to."""
        self.broken = None
        try:
            async with aclosing(source):
                async for raw in source:
                    yield raw
        except TRANSIENT as error:
            if not (self.asked and self._lasting()):
                raise
            self.broken = error

    def _wait(self, tries: int) -> float:
        if isinstance(self.broken, Left):
            return min(max(self.broken.again - now(), 0.1), self.patience)
        return net.pause(tries) if self.broken else min(LOOK * 1.5**tries, net.LONGEST)

    async def _spoken(self, send: Call) -> AsyncGenerator[Raw, None]:
        """Say it, and hear what comes of it."""
        stream, self.ear = self.profile.stream, Ear(self.profile.stream)
        if stream is None:
            await self._note(done=False)
            async with self.line.opened(send, self.story.scope, {}) as raws:
                self.asked = True
                await self.unsaid.given()
                async for raw in raws:
                    self.story.learn(send, raw.data)
                    self.ear.heard += 1
                    yield raw
            await self._note(done=True)
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
        await self._note(done=False)
        self.story.learn(call, await self.line.call(call, self.story.scope))
        self.asked = True
        await self._note(done=True)
        await self.unsaid.given()

    def _lasting(self) -> bool:
        """Whether what was asked can be found again."""
        stream = self.profile.stream
        return bool(self.profile.history or (stream and (stream.cursor or stream.replays)))

    def _ended(self) -> list[Event]:
        if self.profile.ends:
            return list(self.story.close(Finished("completed")))
        return list(self.story.close(Finished("failed", f"{self.profile.name} stopped talking, and did not say how it ended. Ask again.")))

    async def _note(self, *, done: bool) -> None:
        await self.turn.keep.append(
            SENT, [json.dumps({"turn": self.turn.number, "done": done, "kept": self.story.resume, "before": self.story.before})]
        )

    async def _sent(self) -> Json:
        """What this turn had come to, in a process that ended."""
        notes = [json.loads(line) for line in await self.turn.keep.load(SENT)]
        return next((note for note in reversed(notes) if note["turn"] == self.turn.number), {})

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
                self.late.append(Notice(coding.LATE))

    async def _answered(self, answer: Answer) -> bool:
        if self.story.open.pop(answer.question, None) is None or not (call := self._answering(answer)):
            return False
        try:
            await self.line.call(call, self.story.scope)
        except Unavailable as error:
            self.late.append(Notice(str(error), "warning"))
        return True

    async def _stop(self) -> None:
        """End the work there, unless it has ended: nobody would hear what comes of it."""
        if not self.profile.cancel or not self.asked or self.story.end or self.turn.leaving():
            return
        async with net.ending(STOPPING):
            await self.line.call(self.profile.cancel, self.story.scope)


def _kept(text: str, profile: Profile) -> Json:
    """What an earlier turn has kept; nothing where the conversation was another runtime's."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if name in profile.kept} if isinstance(found, dict) else {}
