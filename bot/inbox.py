"""A session's inbox, as the turn sees it that runs: what it began with, and what people say meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property

from bot import prompt
from bot.agent import Agent
from bot.errors import StoreFailed, Superseded
from bot.event import Answered, Event, Finished, Question
from bot.message import Answer, Message
from bot.ports import Store, Surface, Turn
from bot.session import Session

AGAIN = 1.0  # seconds until a database that is away is asked again
MOST = 1000  # events that wait at once; whoever tells more waits


class Heard:
    """What happens in a turn, until it is taken; nothing after its end. An asyncio.Queue takes 3 KiB more, for each session."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, event: Event) -> None:
        if not (self.events and isinstance(self.events[-1], Finished)):
            self.events.append(event)
        self._changed()

    async def put(self, event: Event) -> None:
        while len(self.events) >= MOST:
            await self._change()
        self.add(event)

    async def take(self) -> list[Event]:
        """All that has come, at least one event."""
        while not self.events:
            await self._change()
        events, self.events = self.events, []
        self._changed()
        return events

    def _change(self) -> asyncio.Future[None]:
        self._waiting.append(change := asyncio.get_running_loop().create_future())
        return change

    def _changed(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)
        self._waiting.clear()


class Inbox:
    """First `open` says what the turn is about; then it is what the runtime iterates over, while `watch` fills it.

    `again` says that the turn had begun in a process that ended; `stops` are those by which somebody has stopped it before it went on;
    `stopped` is the stop that came while it ran, with what waited then;
    `heard` is what happens meanwhile, be it that the runtime tells it or that people do it; `asked` are the questions that were
    asked beside the runtime, and whose answers are not for it; `turn` is what the runtime was given of it all.
    """

    def __init__(self, store: Store, surface: Surface, session: Session, wake: asyncio.Event) -> None:
        self.store, self.surface, self.session, self.wake = store, surface, session, wake
        self.messages: list[Message] = []
        self.turn: Turn | None = None
        self.again = False
        self.stops: list[Message] = []
        self.stopped: list[Message] = []
        self.missed: list[str] = []
        self.lost = False  # set when another replica has taken the session over
        self._owner: tuple[int, Agent] | None = None
        self._known: set[str] = set()
        self.heard = Heard()
        self.asked: dict[str, asyncio.Future[Message]] = {}
        self._listening = 0

    @cached_property
    def _given(self) -> asyncio.Queue[Message]:
        return asyncio.Queue()  # of a thousand sessions that stream, few need it

    async def open(self) -> bool:
        """Read what waits: the rest of a turn that was cut, or what a new one is to begin with. False if there is nothing to do."""
        unread = await self.store.unread(self.session.id)
        cut = [one.message for one in unread if one.turn]
        fresh = [one.message for one in unread if not one.turn]
        self.again = bool(cut)
        self.stops = [message for message in fresh if message.door == "stop"]
        if self.stops:
            meant = fresh[: fresh.index(self.stops[-1])]
            self.messages = [*cut, *(message for message in meant if message.door != "stop")]
            return True
        answers = [message for message in fresh if message.answer]
        waits = {question.id for question in self.session.open}
        given = answers or [message for message in cut if message.answer and message.answer.question in waits]
        if waits and not given and not (cut and self.session.ended):
            for message in fresh:
                await self.surface.mark(message, "queued")
            return False  # its question still waits for a person; what else was said waits with it
        # What was said besides an answer is said to the turn as it goes on, or is the next.
        self.messages = [*cut, *answers] if cut else answers or fresh
        self._known = {message.id for message in self.messages}
        return bool(self.messages)

    @property
    def answer(self) -> Answer | None:
        """The answer that the turn begins with."""
        return next((message.answer for message in reversed(self.messages) if message.answer), None)

    def answered(self) -> list[Event]:
        """What the turn's first messages mean for the questions that were open."""
        return [settle(self.session, message) for message in self.messages if message.answer]

    def words(self) -> str:
        """The answers that the turn begins with, in words; empty if it begins with none."""
        answers = [message.answer for message in self.messages if message.answer]
        return "\n\n".join(self._word(answer, again=self.again or len(answers) > 1) for answer in answers)

    def _word(self, answer: Answer, *, again: bool) -> str:
        parts = {part.id: part.text for question in self.session.questions if question.id == answer.question for part in question.parts}
        return prompt.answered(parts, answer, again=again)

    def begun(self, epoch: int, session: Session, agent: Agent) -> None:
        self._owner, self.session = (epoch, agent), session

    async def watch(self) -> None:
        """Take in what people say, for as long as the turn runs. A stop ends it."""
        while True:
            try:
                await self._look()
            except StoreFailed:
                await asyncio.sleep(AGAIN)
                continue
            except Superseded:
                self.lost = True
                return await self.heard.put(Finished("canceled"))  # nobody sees it: it is not ours to say
            await self.wake.wait()
            self.wake.clear()

    async def _look(self) -> None:
        for one in await self.store.unread(self.session.id):
            if one.message.id not in self._known:
                await self._take_in(one.message)

    async def _take_in(self, message: Message) -> None:
        self._known.add(message.id)
        if message.answer and (asked := self.asked.get(message.answer.question)):
            return asked.set_result(message)
        if message.door == "stop":
            waiting = await self._meant(message)
            self.stopped = [message, *waiting]
            said = sum(each.door != "stop" for each in waiting)  # two may have pressed at once
            dropped = f" What waited ({said}) was dropped too." if said else ""
            await self.heard.put(Finished("canceled", message.text + dropped))
            return
        if (not self._listening and not message.answer) or message.files:
            await self.surface.mark(message, "queued")
        if not message.files:  # files are brought when a turn begins, so a message with some begins one
            self._given.put_nowait(message)

    async def _meant(self, stop: Message) -> list[Message]:
        """What waits and is stopped too: whoever says stop means all of it; whoever takes back one message means only that."""
        waiting = [one.message for one in await self.store.unread(self.session.id) if not one.turn and one.message.id != stop.id]
        return [] if stop.name else [message for message in waiting if message.at <= stop.at]

    async def close(self) -> None:
        """The turn was stopped, and that is kept: nobody has to stop it again."""
        owner = (self.session.id, self._owner[0]) if self._owner else None
        await self.store.drop([message.id for message in self.stopped], owner)
        for message in self.stopped:
            await self.surface.mark(message, "taken")

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        """The next thing said. Whoever takes it has to give it to the agent: it is the turn's from now on."""
        self._listening += 1
        try:
            message = await self._given.get()
        finally:
            self._listening -= 1
        await self.heed(message)
        return message

    async def heed(self, message: Message) -> None:
        """This message is the turn's from now on."""
        if self._owner:
            await self._note(message, *self._owner)
        if message.answer:
            self.asked.pop(message.answer.question, None)
            await self.heard.put(settle(self.session, message))
        else:
            await self.surface.mark(message, "given")

    async def _note(self, message: Message, epoch: int, agent: Agent) -> None:
        """The turn has read this message; unless it ended at that very moment."""
        try:
            await self.store.take(self.session.id, epoch, self.session, agent, [message.id])
        except asyncio.CancelledError:
            self.missed.append(message.id)
            raise
        except Superseded:
            self.lost = True
            raise


def settle(session: Session, message: Message) -> Answered:
    """An answer as the event that closes its question. What was typed into a secret part is not repeated."""
    answer = message.answer or Answer("")
    question = next((question for question in session.questions if question.id == answer.question), None)
    if not answer.parts:
        return Answered(answer.question, "expired")
    return Answered(answer.question, "answered", message.author.name or message.author.id, shown(question, answer))


def shown(question: Question | None, answer: Answer) -> tuple[str, ...]:
    """What may be shown of an answer."""
    secret = {part.id for part in question.parts if part.secret} if question else set()
    chosen = [word for part, words in answer.parts.items() for word in (["(kept secret)"] if part in secret else words)]
    return tuple([*chosen, f"“{answer.note}”"] if answer.note else chosen)
