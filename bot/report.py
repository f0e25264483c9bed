"""What an agent is asked, unseen, once its turn is over: what would have helped it; and how its answer is read."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, get_args

from bot import clock, policy
from bot.agent import Agent
from bot.aid import Talk
from bot.ending import stop
from bot.errors import ConfigError
from bot.event import Event, Finished, Improvement, ImprovementKind, Notice, Question, Started, Step, Text, Usage
from bot.inbox import Inbox
from bot.line import Line
from bot.message import Answer, Quote
from bot.ports import Runtime, Store, Surface, Turn
from bot.session import Session

log = logging.getLogger(__name__)
SECONDS = 60.0  # that it may take
DOLLARS = 0.5  # that it may cost, where a runtime tells its cost in time
SHORT = 40  # characters of an answer that is worth no question, where nothing was done for it
MOST = 5  # improvements in one answer
LONG = 2000  # characters of each
LONGEST = 20_000  # characters of an answer that are read
OPENS = re.compile(r"[\[{]")
TRIES = 100  # places in it where JSON may begin
IDLE = ("read", "search", "think")  # steps that change nothing
OURS = re.compile(r"((mcp|tool)\W+)?(frontdesk\W+)?report improvement", re.IGNORECASE)  # what runtimes call our tool, their `_` as spaces
KINDS = get_args(ImprovementKind)
ASK = f"""\
This is not a message of a person. Nobody in the thread sees it or your answer, which goes to those who look after you.

Look back at what you were asked last: what was missing, unclear, slow or denied, and what would have helped you? Do no more of the work, \
use no tool, and ask nobody. Answer with a JSON list and nothing else, [] if nothing would have helped, with at most {MOST} objects:

[{{"kind": "{'" or "'.join(KINDS)}", "text": "what would have helped, in a sentence", "evidence": "what happened: a command, an error"}}]

Repeat no secrets and nothing that people told you in confidence. Do not speak of this later."""


def worth(session: Session) -> bool:
    """Whether there is something to look back at: a word of thanks is answered, and that is all."""
    worked = session.count > 0 or session.waited or len(session.answer.strip()) > SHORT
    return session.state == "completed" and bool(session.resume) and worked


def hidden(turn: Turn, session: Session, here: Agent) -> Turn:
    """The turn in which the agent is asked. Its number is no other turn's, wherever such numbers are kept."""
    asked = replace(turn, number=-turn.number, agent=here, prompt=ASK, resume=session.resume)
    return replace(asked, again=False, answer=None, files=(), leaving=bool)


def read(text: str) -> list[Improvement]:
    """What an answer says, which should be a JSON list; it may stand between words, in a fence, under a key, or be broken off."""
    text, at, found = text[:LONGEST], 0, list[Improvement]()
    for _ in range(TRIES):
        if (begins := OPENS.search(text, at)) is None:
            break
        value, at = _decoded(text, begins.start())
        found += _improvements(value)
    return list(dict.fromkeys(found))[:MOST]


def _decoded(text: str, at: int) -> tuple[Any, int]:
    """The JSON that begins there, and where it ends."""
    with suppress(ValueError, RecursionError):
        return json.JSONDecoder().raw_decode(text, at)
    return None, at + 1


def _improvements(value: Any) -> Iterator[Improvement]:
    match value:
        case {"text": str(text)} if text.strip():
            kind, evidence = value.get("kind"), value.get("evidence")
            yield Improvement(kind if kind in KINDS else "other", _cut(text), _cut(evidence) if isinstance(evidence, str) else "")
        case dict():
            yield from (one for inner in value.values() if isinstance(inner, list) for one in _improvements(inner))
        case list():
            yield from (one for inner in value if isinstance(inner, dict) for one in _improvements(inner))


def _cut(text: str) -> str:
    return text.strip()[:LONG]


class Unseen(Talk):
    """Nobody is told anything, and nobody is asked; what the agent says by our tool is kept."""

    async def tell(self, event: Event) -> None:
        if isinstance(event, Improvement):
            await super().tell(event)

    async def ask(self, question: Question, seconds: float) -> Answer | None:
        return None

    async def said(self) -> tuple[Quote, ...]:
        return ()


Tell = Callable[[Turn, Talk], AsyncIterator[Event]]


class Reports:
    """Asks agents about their turns that are over. `tell` has a runtime do a turn, with all that it is lent."""

    def __init__(self, runtime: Callable[[Agent], Runtime], store: Store, surface: Surface, line: Line, tell: Tell) -> None:
        self.runtime, self.store, self.surface, self.line, self.tell = runtime, store, surface, line, tell

    async def ask(self, session: Session, epoch: int, agent: Agent, over: Turn | None, wake: asyncio.Event) -> None:
        """Ask about the turn that is `over`, and keep what is said. Whoever speaks (`wake`), or needs the room, ends it at once."""
        here = agent.found(session.runtime or agent.runtime)
        if over is None or over.leaving() or here is None or not worth(session) or not await self._due(session, here):
            return
        with self.line.beside() as needed:
            if needed and not wake.is_set():
                asking = asyncio.create_task(self._listen(session, epoch, hidden(over, session, here)), name=f"report-{session.id}")
                asking.add_done_callback(_noted)
                await _until(asking, wake, needed)

    async def _due(self, session: Session, here: Agent) -> bool:
        """Whether it is to be asked: where its file or its runtime says so, it has money left, and has not said it by itself."""
        if not (self._can(here) if here.improve is None else here.improve):
            return False
        told = await self.store.steps(session.id, session.number)
        return not any(isinstance(one, Improvement) for one in told) and not await self._broke(session, here)

    def _can(self, here: Agent) -> bool:
        with suppress(ConfigError):
            return bool(getattr(self.runtime(here), "reports", False))
        return False

    async def _broke(self, session: Session, here: Agent) -> str:
        return policy.broke(here, session, (await self.store.spent(here.name, clock.midnight())).usd)

    async def _listen(self, session: Session, epoch: int, turn: Turn) -> None:
        talk = Unseen(session, Inbox(self.store, self.surface, session, asyncio.Event()), self.surface)
        reply = Reply(session, epoch, talk, self.store)
        async with aclosing(self.tell(turn, talk)) as events:  # type: ignore[type-var]
            async for event in events:
                if not await reply.hear(event) or (isinstance(event, Usage) and await self._broke(reply.session, turn.agent)):
                    return


class Reply:
    """What is kept of a hidden turn: where the conversation is found, what it cost, and what was said."""

    def __init__(self, session: Session, epoch: int, talk: Talk, store: Store) -> None:
        self.session, self.epoch, self.talk, self.store = session, epoch, talk, store
        self.before = Started(session.resume, "", session.model, session.runtime)
        self.most = session.usage.usd + DOLLARS
        self.text, self.warned = "", False

    async def hear(self, event: Event) -> bool:
        """Whether it may go on."""
        match event:
            case Text(text, final):
                self.text = (text if final else self.text + text)[:LONGEST]
            case Started() | Usage():
                await self._keep([event])
            case Notice(level="warning"):
                self.warned = True
            case Finished("completed"):
                told = [one for one in self.talk.inbox.heard.events if isinstance(one, Improvement)]
                await self._keep(told or read(self.text))
            case Step(title=title) if _acts(event):
                extra = {"action": "report_acts", "session": self.session.id, "agent": self.session.agent, "step": title}
                log.warning("report_acts", extra=extra)
                await self._keep([event])
        if self.warned and self.session.resume != self.before.resume:  # what was said before is lost, and the next turn is to say so
            await self._keep([self.before])
            return False
        return not (isinstance(event, Question) or _acts(event)) and self.session.usage.usd <= self.most

    async def _keep(self, told: Sequence[Event]) -> None:
        self.session = self.session.asked_about(told)
        if told:
            await self.store.save(self.epoch, self.session, told, clock.now())


def _acts(event: Event) -> bool:
    """Whether it is a step that may change something; a title that an agent has given itself is none of ours."""
    if not isinstance(event, Step) or event.kind in IDLE:
        return False
    return event.kind != "other" or not OURS.fullmatch(event.title.replace("_", " "))


async def _until(asking: "asyncio.Task[None]", *ends: asyncio.Event) -> None:
    """Wait for it, but no longer than until one of these is set, or its time is over."""
    waits = [asyncio.create_task(end.wait()) for end in ends]
    try:
        await asyncio.wait([asking, *waits], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(asking, *waits)


def _noted(asking: "asyncio.Task[None]") -> None:
    if not asking.cancelled() and (error := asking.exception()):
        log.warning("report_not_kept", exc_info=error, extra={"action": "report_not_kept"})
