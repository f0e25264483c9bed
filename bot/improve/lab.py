"""Where an agent is asked something that counts for nobody: in a folder that is thrown away, with nobody there to answer it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from bot import policy
from bot.agent import Agent
from bot.aid import Aid, Talk
from bot.event import Event, Finished, Question, Usage
from bot.message import NOBODY, Answer, Message, Quote
from bot.past import Outcome
from bot.ports import Runtime, Turn
from bot.scratch import scratch
from bot.session import Session
from bot.turn import told


@dataclass(frozen=True, slots=True)
class Lab:
    """What trials may use. `box` makes of an agent one that can do nothing outside, and raises ConfigError where it cannot.

    `environment` is what its file may name of ours; `hidden` what of this machine it is not to see. `usd` and `minutes` are for all of a
    trial; `today` is what the agent has cost today.
    """

    box: Callable[[Agent], Agent]
    runtime: Callable[[Agent], Runtime]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    aids: Sequence[Aid] = ()
    hidden: tuple[Path, ...] = ()
    usd: float = 1.0
    minutes: float = 30.0
    today: float = 0.0


@dataclass(slots=True)
class Purse:
    """What is left of a trial's limits. `ends` is on the clock that never jumps."""

    lab: Lab
    ends: float
    spent: float = 0.0

    @classmethod
    def of(cls, lab: Lab) -> "Purse":
        return cls(lab, time.monotonic() + lab.minutes * 60)

    def empty(self, agent: Agent) -> str:
        """Why nothing more can be tried, in words; empty while it can."""
        if self.spent >= self.lab.usd:
            return f"the limit of ${self.lab.usd:g} for the whole trial was reached"
        if time.monotonic() >= self.ends:
            return f"the limit of {self.lab.minutes:g} minutes for the whole trial was reached"
        return policy.broke(agent, Session("", agent.name, "", NOBODY), self.lab.today + self.spent)


class Alone(Talk):
    """Nobody is there: nobody hears what is told, and nobody answers."""

    def __init__(self, session: Session) -> None:
        self.session, self.priced = session, lambda usage: usage

    async def tell(self, event: Event) -> None:
        """Forget it."""

    async def ask(self, question: Question, seconds: float) -> Answer | None:
        return None

    async def said(self) -> tuple[Quote, ...]:
        return ()

    def last(self, event: Event) -> Event:
        return self.priced(event) if isinstance(event, Usage) else event


async def ask(agent: Agent, message: Message, prompt: str, instructions: str, purse: Purse) -> Outcome:
    """What an agent, already in its box, makes of a prompt, within its budget and what is left of the trial's."""
    session, began = Session(uuid4().hex, agent.name, "", message.author).begin([message]), time.monotonic()
    seconds = min(agent.budget.minutes_per_turn * 60, purse.ends - began)
    with scratch() as folder:
        place = folder / "session"
        place.mkdir(mode=0o700)
        given = {name: purse.lab.environment[name] for name in agent.environment if name in purse.lab.environment}
        turn = Turn(session.id, 1, agent, prompt, instructions, folder=place, person=message.author, environment=given)
        session = await _heard(session, turn, purse, seconds)
    purse.spent += session.usage.usd
    used = time.monotonic() - began
    return Outcome(session.answer, session.state, session.reason, session.usage.usd, used, agent.version)


@dataclass(slots=True)
class Hearing:
    """What was heard so far; `why` is what ended it, where it did not end by itself."""

    session: Session
    why: str

    async def listen(self, turn: Turn, purse: Purse) -> None:
        """Until it ends, a person would be needed, or a limit is reached."""
        async with aclosing(told(_happen(turn, purse.lab, Alone(self.session)))) as events:  # type: ignore[type-var]
            async for event in events:
                if (why := _broke(self.session, turn.agent, purse)) and not isinstance(event, Finished):
                    self.why = why
                    return
                self.session = self.session.apply(event)
                if isinstance(event, Question):
                    self.why = f"It asks, and nobody is there: {event.parts[0].text} {event.detail}".strip()
                    return


async def _heard(session: Session, turn: Turn, purse: Purse, seconds: float) -> Session:
    """The session in the end."""
    hearing = Hearing(session, f"It had taken {seconds / 60:.0f} minutes, and may take no more.")
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await hearing.listen(turn, purse)
    heard = hearing.session
    return heard if heard.over else replace(heard, state="input_required" if heard.open else "canceled", reason=hearing.why)


def _broke(session: Session, agent: Agent, purse: Purse) -> str:
    spent = purse.spent + session.usage.usd
    if spent >= purse.lab.usd:
        return f"The limit of ${purse.lab.usd:g} for the whole trial was reached."
    return policy.broke(agent, session, purse.lab.today + spent)


async def _happen(turn: Turn, lab: Lab, talk: Alone) -> AsyncGenerator[Event, None]:
    runtime = lab.runtime(turn.agent)
    async with AsyncExitStack() as lent:
        for aid in lab.aids:
            turn = await lent.enter_async_context(aid.lend(turn, runtime, talk))
        turn = replace(turn, hidden=(*turn.hidden, *lab.hidden))
        events = await lent.enter_async_context(aclosing(runtime.run(turn, _silence())))  # type: ignore[type-var]
        async for event in events:
            yield talk.last(event)


async def _silence() -> AsyncIterator[Message]:
    """An inbox that nobody writes into."""
    await asyncio.Event().wait()
    yield Message("", "", "", NOBODY, "")
