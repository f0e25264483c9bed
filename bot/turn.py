"""The heart: a runtime's events become the session's state, and what people see of it."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot import clock, policy, prompt
from bot.agent import Agent, gone
from bot.aid import Aid, Talk
from bot.ending import stop
from bot.errors import BotError, ConfigError, Superseded
from bot.event import Event, Finished, Notice, Question, Queued, Started, Usage, merge
from bot.inbox import Heard, Inbox
from bot.line import Line, Ticket
from bot.message import Quote
from bot.ports import Runtime, Show, Store, Surface, Turn
from bot.report import Reports
from bot.session import Session
from bot.words import span

log = logging.getLogger(__name__)
GONE = Finished("failed", "The agent's runtime ended without saying how.")
LOST = "What was said before was said to {0}, and {2} names {1} now; the agent knows only the last message."
LOOK = 1.0  # seconds between two looks whether a turn waits in line still: from then on its time counts
KNOWN: tuple[type, ...] = Event.__args__


@dataclass(frozen=True, slots=True)
class House:
    """Where sessions have their folders, the environment that agents' files may name, and how long a question is held open (seconds).

    `line` is where turns wait for one another; `aids` is what they are lent, one after the other.
    """

    folder: Path
    environment: Mapping[str, str]
    hold: float = 600.0
    line: Line = field(default_factory=Line)
    aids: Sequence[Aid] = ()


class Turns:
    """Runs the turns of any session. What it is given is all that it knows."""

    def __init__(
        self, agent: Callable[[str], Agent], runtime: Callable[[Agent], Runtime], store: Store, surface: Surface, house: House
    ) -> None:
        self.agent, self.runtime, self.store, self.surface, self.house = agent, runtime, store, surface, house
        self.reports = Reports(runtime, store, surface, house.line, lambda turn, talk: told(self._lent(turn, talk)))
        self.leaving = False  # set when the process goes away

    async def run(self, session_id: str, wake: asyncio.Event) -> None:
        """Say to the agent whatever waits in the session's inbox, until nothing does. `wake` is set when more has come."""
        session, epoch = await self.store.begin(session_id)
        over: Turn | None = None
        while True:
            wake.clear()
            inbox = Inbox(self.store, self.surface, session, wake)
            ready, agent = await inbox.open(), self._agent(session)
            if not ready and not inbox.again:
                return await self.reports.ask(session, epoch, agent, over, wake)
            async with self.surface.follow(session, agent, epoch) as show:
                if not ready:
                    return show(session)  # its question may not have been seen yet
                session = await self._go_on(session, epoch, agent, inbox, show)
            over = inbox.turn
            await self.store.release(session.id, epoch, inbox.missed)
            if session.ended:
                await self.store.finish(session.id, epoch, session.number)
            # else it waits for a person, and its answer may have come at that very moment: look once more

    def _agent(self, session: Session) -> Agent:
        try:
            return self.agent(session.agent)
        except ConfigError:
            return gone(session.agent)

    async def _go_on(self, session: Session, epoch: int, agent: Agent, inbox: Inbox, show: Show) -> Session:
        if inbox.again and session.ended:
            show(session)  # only its last word was not shown yet
            return session
        return await (self._stopped if inbox.stops else self._turn)(session, epoch, agent, inbox, show)

    async def _turn(self, session: Session, epoch: int, agent: Agent, inbox: Inbox, show: Show) -> Session:
        session = await self._begin(session, epoch, agent, inbox, show)
        today = await self._today(agent, session)
        async with aclosing(self._happen(session, agent, inbox, today)) as happening:
            async for events in happening:
                session = session.fold(events, at := clock.now())
                inbox.session = session
                await self._save(epoch, inbox, events, at)
                show(session)
        if session.state == "canceled" and inbox.stopped:
            await inbox.close()
        return session

    async def _today(self, agent: Agent, session: Session) -> float:
        """What the agent has cost today beside this turn, in US dollars."""
        return (await self.store.spent(agent.name, clock.midnight())).usd - session.usage.usd

    async def _save(self, epoch: int, inbox: Inbox, events: Sequence[Event], at: float) -> None:
        try:
            await self.store.save(epoch, inbox.session, events, at)
        except Superseded:
            inbox.lost = True  # what runs is not ours to stop any more
            raise

    async def _begin(self, session: Session, epoch: int, agent: Agent, inbox: Inbox, show: Show) -> Session:
        answered = inbox.answered()
        session = session.fold(answered, clock.now())
        session = session.resumed() if inbox.again else session.begin(inbox.messages)
        show(session)  # the first sign: a crash before it is kept shows the same message again, not another
        await self.store.take(session.id, epoch, session, agent, [message.id for message in inbox.messages])
        if answered:
            await self.store.save(epoch, session, answered, clock.now())
        inbox.begun(epoch, session, agent)
        for message in inbox.messages:
            await self.surface.mark(message, "taken")
        return session

    async def _stopped(self, session: Session, epoch: int, agent: Agent, inbox: Inbox, show: Show) -> Session:
        """Somebody stopped what had not begun, what was cut, or what waited for an answer."""
        at, meant = clock.now(), [message.id for message in (*inbox.stops, *inbox.messages)]
        if inbox.messages and not inbox.again:
            session = session.begin(inbox.messages)
        if session.over or not session.number:
            await self.store.drop(meant, (session.id, epoch))
            return session
        session = session.apply(end := Finished("canceled", inbox.stops[-1].text), at)
        await self.store.take(session.id, epoch, session, agent, meant)  # the turn's, until people have seen its end
        await self.store.save(epoch, session, [end], at)
        show(session)
        return session

    async def _happen(self, session: Session, agent: Agent, inbox: Inbox, today: float) -> AsyncGenerator[list[Event], None]:
        """What the runtime tells, in batches, until the turn ends: by itself, by a person, by its time, or by its budget."""
        left, last = agent.budget.minutes_per_turn * 60, time.monotonic()
        heard = inbox.heard
        pump = asyncio.create_task(_pump(told(self._run(session, agent, inbox, today)), heard), name=f"turn-{session.id}")
        pump.add_done_callback(lambda _: None if heard.events else heard.add(GONE))
        watch = asyncio.create_task(inbox.watch(), name=f"inbox-{session.id}")
        try:
            while True:
                waiting, queued = inbox.session.state == "input_required", self.house.line.waits(session.id)
                limit = self.house.hold if waiting else LOOK if queued else left
                batch = await _batch(heard, pump, limit) if limit > 0 else None
                if batch is None and waiting:
                    return
                if any(isinstance(event, Usage) for event in batch or ()):  # others spend of the same budget meanwhile
                    today = await self._today(agent, inbox.session)
                left -= 0 if waiting or queued else time.monotonic() - last
                last = time.monotonic()
                if batch is None and queued:
                    continue
                end = policy.end(batch, inbox.session, agent, today)
                if end and end.state != "completed":
                    await _stop(pump)
                yield merge([*(event for event in batch or [] if not isinstance(event, Finished)), *([end] if end else [])])
                if end:
                    return
        finally:
            watch.cancel()
            await _stop(pump)
            await asyncio.wait([watch])

    async def _run(self, session: Session, agent: Agent, inbox: Inbox, today: float) -> AsyncGenerator[Event, None]:
        self.agent(session.agent)  # raises, in words, if its file is gone
        if why := policy.broke(agent, session, today + session.usage.usd):
            yield Finished("rejected", why)
            return
        begun = inbox.again or inbox.answer is not None
        ticket = Ticket(session.id, agent.name, _person(session), session.channel, agent.budget.turns_at_once or 0, begun, session.asked)
        async with self.house.line.stand(ticket) as places:
            async for place in places:
                yield Queued(place.ahead, place.seconds)
            inbox.turn, notices = await self._prepare(session, agent, inbox)
            for notice in notices:
                yield notice
            async with aclosing(self._lent(inbox.turn, Talk(session, inbox, self.surface))) as events:
                async for event in events:
                    yield event

    async def _lent(self, turn: Turn, talk: Talk) -> AsyncGenerator[Event, None]:
        """What the runtime tells of a turn, with all that it is lent."""
        runtime = self.runtime(turn.agent)
        async with AsyncExitStack() as lent:
            for aid in self.house.aids:
                turn = await lent.enter_async_context(aid.lend(turn, runtime, talk))
            async with aclosing(runtime.run(turn, talk.inbox)) as events:  # type: ignore[type-var]
                async for event in events:
                    yield talk.last(named(event, turn.agent))

    async def _prepare(self, session: Session, agent: Agent, inbox: Inbox) -> tuple[Turn, list[Notice]]:
        """All that the runtime needs: context, files, a folder."""
        folder = self.house.folder / session.id
        (folder / "in").mkdir(parents=True, exist_ok=True)
        here, resume, notices = placed(session, agent)
        files: list[Path] = []
        quotes: tuple[Quote, ...] = ()
        for attachment in [attachment for message in inbox.messages for attachment in message.files]:
            try:
                files.append(await self.surface.fetch(attachment, folder / "in"))
            except BotError as error:
                notices.append(Notice(str(error), "warning"))
        try:
            quotes = await self.surface.said(session, session.seen, inbox.messages)
        except BotError as error:
            notices.append(Notice(str(error), "warning"))
        last = inbox.messages[-1]
        if last.late and not inbox.again:
            notices.append(Notice(f"This was asked {span(clock.now() - last.at)} ago, while I was away."))
        environment = {name: self.house.environment[name] for name in agent.environment if name in self.house.environment}
        text = inbox.words() or prompt.compose(inbox.messages, quotes, files)
        answer = inbox.answer if resume or not session.resume else None  # who asked is not there any more
        instructions = prompt.instructions(agent, last.author, last.channel_name or session.channel_name or last.channel, last.at)
        return Turn(
            session.id, session.number, here, text, instructions, resume, inbox.again, answer, folder.resolve(),
            tuple(files), last.author, environment, lambda: self.leaving or inbox.lost, channel=session.channel,
            keep=self.store.keep(session.id),
        ), notices  # fmt: skip


def placed(session: Session, agent: Agent) -> tuple[Agent, str, list[Notice]]:
    """The agent where its conversation is, and what it is found by there; it begins anew where the file names that runtime no more."""
    if not session.resume:
        return agent, "", []
    if here := agent.found(session.runtime or agent.runtime):
        return here, session.resume, []
    return agent, "", [Notice(LOST.format(session.runtime, agent.runtime, agent.file), "warning")]


def named(event: Event, agent: Agent) -> Event:
    """Where a conversation is belongs to what is needed to find it again."""
    return replace(event, runtime=event.runtime or agent.runtime) if isinstance(event, Started) else event


async def told(events: AsyncGenerator[Event, None]) -> AsyncIterator[Event]:
    """The events, of which the last is Finished, whatever the runtime does; if it raises, the failure in words."""
    last: Event | None = None
    try:
        async with aclosing(events), aclosing(_known(events)) as known:
            async for last in known:
                yield last
        if not isinstance(last, Finished):
            yield GONE
    except BotError as error:
        yield Finished("failed", str(error), type(error).__name__)
    except Exception as error:
        log.exception("runtime_crashed", extra={"action": "runtime_crashed"})
        yield Finished("failed", f"The agent's runtime broke: {type(error).__name__}. The log of frontdesk says where.", repr(error)[:500])


async def _known(events: AsyncIterator[Event]) -> AsyncGenerator[Event, None]:
    """The events, up to the end that they tell. Raises TypeError at what is none."""
    async for event in events:
        if not isinstance(event, KNOWN) or (isinstance(event, Question) and not event.parts):
            raise TypeError(f"the runtime told a {type(event).__name__}, which is no event")
        yield event
        if isinstance(event, Finished):
            return


async def _pump(events: AsyncIterator[Event], heard: Heard) -> None:
    async with aclosing(events):  # type: ignore[type-var]
        async for event in events:
            await heard.put(event)


async def _batch(heard: Heard, pump: "asyncio.Task[None]", seconds: float) -> list[Event] | None:
    """Whatever has come meanwhile, at least one event; None when the time is over."""
    if not heard.events and pump.done():
        return [GONE]
    try:
        async with asyncio.timeout(seconds):
            return await heard.take()
    except TimeoutError:
        return None


async def _stop(pump: "asyncio.Task[None]") -> None:
    """Close the runtime, and wait until it is closed: what has been said to be stopped has stopped."""
    if not await stop(pump):
        log.error("runtime_does_not_stop", extra={"action": "runtime_does_not_stop"})


def _person(session: Session) -> str:
    return session.by.id if session.by else session.asker.id
