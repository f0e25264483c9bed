"""One turn in a container: what its shim is told, what it tells, and how it is heard again where somebody was cut off."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial

from anyio.streams.memory import MemoryObjectSendStream

from bot import net
from bot.breaker import Left, at
from bot.clock import now
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Usage
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding
from bot.runtimes.shim_line import PASSING, Carrier, Chunks, Cut, spoken
from bot.runtimes.shim_orders import Orders
from bot.runtimes.shim_records import Record, artifact, records
from bot.runtimes.telling import telling, underway
from bot.runtimes.unknown import Unknown
from bot.runtimes.unsaid import Unsaid
from bot.spoken import Json, load

KEPT = "shim-heard"
STOPPING = 1.0  # seconds
TRIES = 3  # before anything was begun
LOST = "The container in which this ran has ended in its middle, and what it did is not known: look there, or ask again."


class Work:
    """`orders` are what the shim is told. Whatever is sent twice is done once, so that any try may be repeated."""

    tell: MemoryObjectSendStream[Event]

    def __init__(self, turn: Turn, carrier: Carrier, orders: Orders) -> None:
        self.turn, self.carrier, self.orders = turn, carrier, orders
        self.silence, self.patience = orders.options.silence, orders.options.patience
        self.unknown, self.resume = Unknown(turn.folder, carrier.secrets.mask), turn.resume
        self.boot, self.at, self.counted = "", 0, 0
        self.asked = self.known = self.begun = self.over = False
        self.end: Finished | None = None
        self.kept: dict[str, int] = {}
        self.names: set[str] = set()
        self.unsaid = Unsaid(turn)
        self.failed: Unavailable | None = None
        self._saying = asyncio.Lock()
        self._ear: asyncio.Task[None] | None = None

    def told(self, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(partial(self._work, inbox), f"shim-{self.turn.session_id}")

    async def _work(self, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.tell = tell
        async with tell:
            await self._remember()
            try:
                with underway(lambda: self.begun):
                    await self._turns(inbox)
            finally:
                await self._close()
            await self._tell(self.end or Finished("failed", LOST))

    async def _tell(self, *events: Event) -> None:
        for event in events:
            await self.tell.send(event)

    async def _remember(self) -> None:
        """What an earlier process has heard of this very turn."""
        for said in await self.turn.keep.load(KEPT) if self.turn.again else ():
            name, boot, number = said.rsplit(" ", 2)
            self.names.add(name)
            self.kept[boot] = int(number)
        self.known = self.orders.name in self.names
        await self.unsaid.load()
        if not self.turn.again and not self.turn.answer:
            self.orders = self.orders.beside(self.unsaid.take())

    async def _turns(self, inbox: AsyncIterator[Message]) -> None:
        """The turn, and one more for what was said too late for it."""
        async with aclosing(self.carrier.ready()) as waiting:
            async for words in waiting:
                await self._wait(words)
        while True:
            await self._follow(inbox)
            async with self._saying:  # what is on its way to the agent has arrived by then, or has not
                self.over = not (self.end and self.end.state == "completed" and (self.unsaid.words or self.orders.next in self.names))
            if self.over:
                return
            self.known = self.orders.next in self.names  # an earlier process has begun it
            self.orders = self.orders.then([] if self.known else self.unsaid.take(), self.resume)
            self.end, self.at = None, 0

    async def _wait(self, words: str) -> None:
        if not self.begun:
            self.begun = True
            await self._tell(Started(self.resume or self.orders.resumed(""), self.orders.session, self.turn.agent.model))
        await self._tell(Notice(words))

    async def _event(self, record: Record) -> list[Event]:
        if not (said := record.said.get("event")):
            return []
        event = load(said)
        match event:
            case None:
                return list(self.unknown.told(said, str(said.get("type"))))
            case Started(resume, native, model):
                self.begun, self.resume = True, self.orders.resumed(resume)
                return [Started(self.resume, native, model)]
            case Finished("failed", reason, "Unavailable" | "ConfigError") if not self.begun:
                self.over = True
                raise Unavailable(reason)
            case Finished("failed", reason, "RuntimeFailed" | "Unavailable" | "ConfigError"):
                self.over = True
                raise RuntimeFailed(reason)
            case Finished():
                self.end = event
                return []
            case Usage() if record.n <= self.counted:
                return []  # it was counted in the process before
            case Usage():
                await self._keep(record.n)
        return [await artifact(event, record.said.get("data"), self.turn.folder)]

    async def _keep(self, number: int) -> None:
        self.counted = number
        await self.turn.keep.append(KEPT, [f"{self.orders.name} {self.boot} {number}"])

    async def _follow(self, inbox: AsyncIterator[Message]) -> None:
        """Hear what the shim tells, over as many connections as it takes."""
        lost, tries = 0.0, 0
        while True:
            before = self.at
            await self._connect(inbox)
            if self.end:
                return
            progress = self.at > before
            lost, tries = (time.monotonic(), 0) if progress or not lost else (lost, tries + 1)
            self._judge(lost, tries)
            if self.begun and not tries:
                await self._tell(Notice(f"The connection to {self.carrier.place} was lost at {at(now())}; trying to get it back."))
            await asyncio.sleep(net.pause(tries))

    def _judge(self, lost: float, tries: int) -> None:
        """Give up when the connection stays lost; before anything was begun, soon."""
        if self.failed and not self.known and (tries >= TRIES - 1 or isinstance(self.failed, Left)):
            raise self.failed
        if time.monotonic() - lost > self.patience:
            raise RuntimeFailed(f"The connection was lost, and did not come back within {self.patience:g} seconds. {self.failed}")

    async def _connect(self, inbox: AsyncIterator[Message]) -> None:
        """One connection, until its end; `failed` says why it ended."""
        self.failed = Cut(f"{self.carrier.place} ended the connection.")
        order = await self.orders.run(self.at, known=self.known)
        self.asked = True
        try:
            async with self.carrier.opened(order, self.silence) as chunks:
                await self._hear(chunks, inbox)
        except PASSING as error:
            self.failed = error

    async def _hear(self, chunks: Chunks, inbox: AsyncIterator[Message]) -> None:
        async with aclosing(records(chunks, self.carrier, self.silence)) as told:
            async for record in told:
                await self._read(record, inbox)
                if self.end:
                    return

    async def _read(self, record: Record, inbox: AsyncIterator[Message]) -> None:
        await self._met(record)
        if record.n <= self.at:
            return
        self.at = record.n
        if record.said.get("listens") and not self._ear:
            self._ear = asyncio.create_task(self._listen(inbox), name=f"shim-inbox-{self.turn.session_id}")
        await self._tell(*await self._event(record))

    async def _met(self, record: Record) -> None:
        """The shim says first who it is."""
        if record.said.get("lost"):
            self.over = True
            raise RuntimeFailed(LOST)
        if not (boot := record.said.get("boot")):
            return
        if self.boot and self.boot != boot:
            raise RuntimeFailed(LOST)
        self.boot, self.known = str(boot), True
        await self.unsaid.given()
        self.counted = max(self.counted, self.kept.get(self.boot, 0))
        await self._keep(self.counted)

    async def _listen(self, inbox: AsyncIterator[Message]) -> None:
        """What people say, and their answers. Taking something is a promise to give it to the agent."""
        async for message in inbox:
            async with self._saying:
                late = await self._heard(message)
            if late:
                await self._tell(Notice(coding.LATE))

    async def _heard(self, message: Message) -> bool:
        """Whether it is an answer for which nobody waits."""
        if message.answer:
            return not await self._say(message)
        elif message.text.strip():
            await self.unsaid.heard(message)
            if await self._say(message):
                await self.unsaid.given(message.id)
        return False

    async def _say(self, message: Message) -> bool:
        """Whether the agent will hear it."""
        for tries in range(0 if self.over else net.TRIES):
            try:
                return bool((await self._call(self.orders.say(message), net.CALL)).get("taken"))
            except PASSING:
                await asyncio.sleep(net.pause(tries))
            except RuntimeFailed:
                break
        return False

    async def _call(self, order: bytes, limit: float) -> Json:
        async with self.carrier.opened(order, limit) as chunks:
            return await spoken(chunks, limit)

    async def _close(self) -> None:
        """Nobody would hear what comes of it, unless the next process goes on with it."""
        if self._ear:
            self._ear.cancel()
            await asyncio.wait([self._ear])
        if not self.asked or self.over or self.turn.leaving():
            return
        stopped = False
        async with net.ending(STOPPING):
            await self._call(self.orders.stop(), STOPPING)
            stopped = True
        if not stopped:
            async with net.ending(net.CONNECTING):
                await self.carrier.end()
