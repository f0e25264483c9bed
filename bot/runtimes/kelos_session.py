"""A turn in a Kelos Session: found by its name, said once, and heard from its journal however often the connection breaks."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from anyio.streams.memory import MemoryObjectSendStream

from bot import net
from bot.breaker import Left, at
from bot.clock import now
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Usage
from bot.ports import Turn
from bot.runtimes import kelos_setting as setting
from bot.runtimes.kelos_place import Place, Wire
from bot.runtimes.kelos_story import KNOWN, Story
from bot.runtimes.shim_line import PASSING, Cut
from bot.runtimes.telling import telling, underway
from bot.runtimes.unknown import GARBLED, Unknown
from bot.spoken import Json

COUNTED = "kelos-counted"
LOOK, TOLD = 1.0, 3.0  # seconds between two looks at a Session; after which it is said that it is not ready
STOPPING = 1.5  # seconds
STOPPED = ("turn.interrupting", "turn.completed")
TRIES = 3  # before anything was begun
RESET = "The session was reset in the middle of this, and what came of it is not known: look at it in Kelos, or ask again."
LOST = "The session was taken away since, with all that was said in it; the agent knows only the last message."
ELSEWHERE = "The question was answered elsewhere already, or is not asked any more."


class Work:
    """A session's question needs nobody who holds it open: it ends the turn, and its answer goes on with the same one."""

    tell: MemoryObjectSendStream[Event]

    def __init__(self, turn: Turn, options: setting.KelosOptions, place: Place, name: str) -> None:
        self.turn, self.options, self.place, self.name = turn, options, place, name
        self.request = f"{turn.session_id}/{turn.number}" + (f"/{turn.answer.question}" if turn.answer else "")
        past = _past(turn.resume, name)
        self.journal, self.last, self.begins = str(past.get("journal") or ""), int(past.get("last") or 0), int(past.get("last") or 0)
        self.story, self.unknown = Story(), Unknown(turn.folder, place.secrets.mask)
        self.id = ""
        self.history: list[Json] | None = []
        self.late: list[Event] = []
        self.waiting: set[str] = set()
        self.begun = self.placed = self.sent = False
        self.told_how = bool(self.journal)  # its instructions are told when the conversation begins
        self.used, self.base = (0, 0), (0, 0)
        self.failed: Unavailable | None = None

    def told(self) -> AsyncGenerator[Event, None]:
        return telling(self._work, f"kelos-{self.turn.session_id}")

    async def _work(self, tell: MemoryObjectSendStream[Event]) -> None:
        self.tell = tell
        async with tell:
            try:
                with underway(lambda: self.begun):
                    await self._ready()
                    await self._follow()
            finally:
                await self._stop()
            assert self.story.end
            await self._tell(*await self._used(), self.story.end)

    async def _tell(self, *events: Event) -> None:
        for event in events:
            await self.tell.send(event)

    async def _ready(self) -> None:
        """There is one, and it is awake."""
        begun, said = time.monotonic(), ""
        while (found := await self.place.find()) is None or found["phase"] != "Ready":
            await self._help(found)
            waited, words = time.monotonic() - begun, str((found or {}).get("message") or "The session is not ready yet.")
            if waited > self.options.start_seconds:
                raise Unavailable(f"The session {self.name} was not ready within {self.options.start_seconds:g} seconds. {words}")
            if waited > TOLD and words != said:
                said = words
                await self._tell(*([] if self.begun else [self._started()]), Notice(words))
            await asyncio.sleep(LOOK)

    async def _help(self, found: Json | None) -> None:
        if found is None:
            return await self.place.make(setting.session(self.turn, self.options))
        match found:
            case {"phase": "Failed"}:
                raise Unavailable(f"The session {self.name} has failed: {found['message'] or 'it does not say why'}. Look at it in Kelos.")
            case {"phase": "Suspended", "idle": True}:
                await self.place.wake()
            case {"phase": "Suspended"}:
                raise Unavailable(f"Somebody has suspended the session {self.name}: resume it in Kelos, and ask again.")

    def _started(self) -> Started:
        self.begun = True
        resume = {"session": self.name, "journal": self.journal, "last": self.begins}
        return Started(json.dumps(resume), self.name, self.turn.agent.model)

    async def _follow(self) -> None:
        """Hear all that this turn tells, over as many connections as it takes."""
        lost, tries = 0.0, 0
        while True:
            before = self.last
            await self._connect()
            if self.story.end:
                return
            lost, tries = (time.monotonic(), 0) if self.last > before or not lost else (lost, tries + 1)
            self._judge(lost, tries)
            if self.sent and not tries:
                await self._tell(Notice(f"The connection to the session was lost at {at(now())}; trying to get it back."))
            await asyncio.sleep(net.pause(tries))
            with suppress(*PASSING):
                await self.place.find()  # its pod may be another by now

    def _judge(self, lost: float, tries: int) -> None:
        if self.failed and not self.begun and (tries >= TRIES - 1 or isinstance(self.failed, Left)):
            raise self.failed
        if time.monotonic() - lost > self.options.patience:
            raise RuntimeFailed(f"The connection was lost, and did not come back within {self.options.patience:g} seconds. {self.failed}")

    async def _connect(self) -> None:
        """One connection, until its end; `failed` says why it ended."""
        self.failed = Cut("The session ended the connection.")
        try:
            async with self.place.opened() as wire:
                await self._hear(wire)
        except PASSING as error:
            self.failed = error

    async def _hear(self, wire: Wire) -> None:
        self.history = []
        asked = {"journalId": self.journal} if self.journal else {}
        await wire.send({"type": "subscribe", "since": self.last, "historyBounds": True, **asked})
        async with aclosing(wire.told()) as told:
            async for said in told:
                await self._tell(*await self._read(said, wire))
                if self.story.end:
                    return

    async def _stop(self) -> None:
        """Nobody would hear what comes of it, unless the next process goes on with it."""
        if self.story.end or not self.sent or self.turn.leaving():
            return
        async with net.ending(STOPPING), self.place.opened() as wire, aclosing(wire.told()) as told:
            await wire.send({"type": "interrupt", "requestId": f"{self.request}/stop"})
            async for said in told:
                if said.get("type") in STOPPED and _number(said) > self.last:
                    return

    async def _read(self, said: Json, wire: Wire) -> list[Event]:
        try:
            return await self._heard(said, wire)
        except GARBLED:
            return list(self.unknown.told(said, str(said.get("type"))))

    async def _heard(self, said: Json, wire: Wire) -> list[Event]:
        kind, number = str(said.get("type")), int(said.get("id") or 0)
        if number and number <= self.last:
            return []  # it was told before
        match said:
            case {"type": "history.start"}:
                self.late += self._bounded(said)
                return []
            case {"type": "runtime.status", "runtime": dict(status)}:
                used = status.get("usage") or {}
                self.used = int(used.get("inputTokens") or 0), int(used.get("outputTokens") or 0)
                return []
            case {"type": "history.end"}:
                return await self._live(wire)
            case {"type": "error", "status": "rejected"}:
                return self._rejected(said)
            case _ if kind not in KNOWN:
                return list(self.unknown.told(said, kind))
        if self.history is not None:
            self.history.append(said)  # if the connection breaks before its end, it comes once more
            return []
        self.last = max(number, self.last)
        self._note(said)
        return list(self.story.tell(said)) if self.id and said.get("turnId") == self.id else []

    def _bounded(self, said: Json) -> list[Event]:
        journal, turn, told = str(said.get("journalId") or ""), self.turn, list[Event]()
        anew = bool(self.journal) and (journal != self.journal or bool(said.get("reset")))
        if anew and (self.sent or (turn.again and not turn.answer)):
            raise RuntimeFailed(RESET)
        if anew:
            told.append(Notice(LOST, "warning"))
        if anew or not self.journal:
            self.journal, self.last, self.begins, self.told_how = journal, 0, 0, False
        if not self.sent and not turn.again and not turn.answer:
            self.begins = int(said.get("lastEventId") or 0)
        return told

    def _note(self, said: Json) -> None:
        """Which turn is ours, and which questions wait."""
        match said:
            case {"type": "user.message" | "user.message.updated", "requestId": self.request, "turnId": str(id)}:
                self.id, self.sent = id, True
            case {"type": "input.requested", "inputId": str(id)}:
                self.waiting.add(id)
                if self.turn.answer and self.turn.answer.question == id:
                    self.id = str(said.get("turnId") or "")
            case {"type": "input.resolved", "inputId": str(id)}:
                self.waiting.discard(id)
                self.story.resolved.add(id)
            case {"type": "turn.completed", "status": "merged", "turnId": self.id}:
                self.id = ""

    async def _live(self, wire: Wire) -> list[Event]:
        """All that was before is known: say what there is to say, unless it was said."""
        history, self.history = self.history or [], None
        for said in history:
            self.last = max(int(said.get("id") or 0), self.last)
            self._note(said)
        events: list[Event] = []
        if not self.placed:
            self.placed = True
            await self._count()
            events += [self._started(), *self.late]
        answer = self.turn.answer
        if answer and answer.question in self.waiting:
            self.story.resolved.add(answer.question)
        for said in history:
            events += self.story.tell(said) if self.id and said.get("turnId") == self.id and not self.story.end else ()
        if answer and answer.question in self.waiting:
            await wire.send({"type": "input", "inputId": answer.question, "requestId": self.request, **_answers(self.turn)})
            self.sent = True
        elif not self.id:
            await self._say(wire)
        return events

    async def _say(self, wire: Wire) -> None:
        for id in sorted(self.waiting):  # whoever asks anew does not answer what was asked before
            await wire.send({"type": "input", "inputId": id, "cancel": True})
        words = [self.turn.instructions] if self.turn.instructions.strip() and not self.told_how else []
        self.sent = True
        await wire.send({"type": "message", "requestId": self.request, "text": "\n\n".join([*words, self.turn.prompt])})

    def _rejected(self, said: Json) -> list[Event]:
        words = str(said.get("text") or "it does not say why")
        if said.get("requestId") != self.request:
            return []
        if self.turn.answer and "input request" in words:
            return [Notice(ELSEWHERE, "warning")]
        if "reconnects" in words or "reclaimed" in words:
            self.sent = bool(self.id)
            raise Cut(f"The session is being made anew: {words}")
        self.story.end = Finished("failed", f"The session refused it: {words}")
        return []

    async def _count(self) -> None:
        """What the session had used before this turn; the process before may have noted it."""
        kept = await self.turn.keep.load(COUNTED) if self.turn.again or self.turn.answer else []
        self.base = tuple(json.loads(kept[-1])) if kept else self.used
        if not kept:
            await self.turn.keep.append(COUNTED, [json.dumps(self.used)])

    async def _used(self) -> list[Usage]:
        read, written = self.used[0] - self.base[0], self.used[1] - self.base[1]
        await self.turn.keep.append(COUNTED, [json.dumps(self.used)])
        return [Usage(read, written)] if (read > 0 or written > 0) and min(read, written) >= 0 else []


def _number(said: Json) -> int:
    """Its place in the journal; 0 where it has none."""
    number = said.get("id")
    return number if isinstance(number, int) else 0


def _answers(turn: Turn) -> dict[str, Any]:
    parts = {part: list(words) for part, words in turn.answer.parts.items() if words} if turn.answer else {}
    return {"answers": parts} if parts else {"cancel": True}


def _past(resume: str, name: str) -> Json:
    """Where the last turn stood; nothing, where the conversation was another runtime's."""
    try:
        past = json.loads(resume or "{}")
    except ValueError:
        return {}
    return past if isinstance(past, dict) and past.get("session") == name else {}
