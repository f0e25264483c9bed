"""Looks on while the desk of play works, for authors: writes down what agents are told and say, and runs a turn again."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from bot import policy, prompt
from bot.agent import Agent
from bot.cli import notes
from bot.errors import ConfigError
from bot.event import Event, Finished, Question, Usage, merge
from bot.message import Message
from bot.playground.bench import Card, Run, Story, Told
from bot.ports import Runtime, Turn
from bot.runtimes import runtime_of
from bot.session import Session
from bot.settings import Settings
from bot.slack import parse
from bot.store.files import Agents
from bot.store.sql import SqlStore
from bot.turn import told

KEPT = 200  # sessions
MANY = 2000  # events of a turn


@dataclass
class Heard:
    """One turn, in the thread or run again: by whom it was done, how far it has got, and what it was told."""

    agent: Agent
    session: Session
    turn: Turn | None = None
    events: list[tuple[float, Event]] = field(default_factory=list)
    again: "Heard | None" = None
    task: "asyncio.Task[None] | None" = None

    def add(self, session: Session, events: Sequence[Event], at: float) -> None:
        self.session = session
        before = self.events[-1:]
        times = [*(when for when, _ in before), *(at for _ in events)]
        merged = merge([*(event for _, event in before), *events])
        self.events[len(self.events) - len(before) :] = zip(times, merged, strict=False)
        del self.events[:-MANY]


class Kept(SqlStore):
    """The store, whose every turn and event the bench is told as well."""

    bench: "Watching"

    async def take(self, session_id: str, epoch: int, session: Session, agent: Agent, message_ids: Sequence[str]) -> None:
        await super().take(session_id, epoch, session, agent, message_ids)
        self.bench.began(session, agent)

    async def save(self, epoch: int, session: Session, events: Sequence[Event], at: float) -> None:
        await super().save(epoch, session, events, at)
        self.bench.happened(session, events, at)


class Seen:
    """A runtime whose turns the bench is shown before they run. Nothing goes on after play: a closed turn stops for good."""

    def __init__(self, runtime: Runtime, bench: "Watching") -> None:
        self.runtime, self.bench = runtime, bench

    def __getattr__(self, name: str) -> Any:
        return getattr(self.runtime, name)

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.bench.given(turn)
        async with aclosing(self.runtime.run(replace(turn, leaving=bool), inbox)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event


class Watching:
    """Implements Bench. `tell` is called when there is something new to see; `bot` is how people mention it, `site` its address."""

    def __init__(self, settings: Settings, files: Agents, tell: Callable[[], None], bot: str, site: str) -> None:
        self.settings, self.files, self.tell, self.bot, self.site = settings, files, tell, bot, site
        self.wrong: Callable[[], Sequence[str]] = tuple  # what is wrong besides what the files' reader found
        self.store = Kept(settings.database_url)
        self.store.bench = self
        self._heard: dict[str, dict[int, Heard]] = {}

    def runtime(self, agent: Agent) -> Runtime:
        return Seen(runtime_of(agent), self)

    def began(self, session: Session, agent: Agent) -> None:
        turns = self._heard.pop(session.id, {})
        self._heard[session.id] = turns  # the newest is the last
        before = turns.get(session.number)
        turns[session.number] = replace(before, session=session) if before else Heard(agent, session)
        for old in list(self._heard)[:-KEPT]:
            del self._heard[old]
        self.tell()

    def happened(self, session: Session, events: Sequence[Event], at: float) -> None:
        if heard := self._heard.get(session.id, {}).get(session.number):
            heard.add(session, events, at)
            self.tell()

    def given(self, turn: Turn) -> None:
        if heard := self._heard.get(turn.session_id, {}).get(turn.number):
            heard.turn = turn
            self.tell()

    # what the page asks

    def agents(self) -> Sequence[Card]:
        found = sorted(self.files.agents, key=lambda agent: agent.name)
        return [self._card(agent, found) for agent in found]

    def _card(self, agent: Agent, every: Sequence[Agent]) -> Card:
        unset = [name for name in agent.environment if not self.settings.environment.get(name)]
        wrong = [problem for problem in self._wrong() if agent.file in problem]
        ways = tuple(notes.routes(agent, every, self.bot, self.site))
        return Card(agent.name, agent.file, agent.description, agent.runtime, agent.version, ways, wrong, unset)

    def _wrong(self) -> list[str]:
        return list(dict.fromkeys([*self.files.problems, *self.wrong()]))

    def problems(self) -> Sequence[str]:
        files = [agent.file for agent in self.files.agents]
        return [problem for problem in self._wrong() if not any(file in problem for file in files)]

    def sessions(self, place: str = "", thread: str = "") -> Sequence[Told]:
        every = reversed(list(self._heard.values()))
        found = [list(turns.values()) for turns in every if not thread or parse.place(_last(turns).thread) == (place, thread)]
        return [self._told(turns, tuple(map(self._story, turns)) if thread else ()) for turns in found]

    def _told(self, turns: Sequence[Heard], stories: Sequence[Story]) -> Told:
        last = turns[-1].session
        place, thread = parse.place(last.thread)
        tokens = last.spent.input_tokens + last.spent.output_tokens
        return Told(
            last.id, place, thread, last.agent, turns[-1].agent.runtime, last.state, last.title, last.model,
            last.asker.name or last.asker.id, last.spent.usd, tokens, stories,
        )  # fmt: skip

    def _story(self, heard: Heard) -> Story:
        now = self._agent(heard.agent.name)
        again = _run(heard.again, "It would ask:") if heard.again else None
        return Story(
            heard.session.number, _run(heard, "It asked:"), _prompt(heard), heard.session.model,
            now is None or now.version != heard.agent.version, self._final(heard, now), again,
        )  # fmt: skip

    def _agent(self, name: str) -> Agent | None:
        return next((agent for agent in self.files.agents if agent.name == name), None)

    def _final(self, heard: Heard, now: Agent | None) -> str:
        """Why a turn cannot be run again, in words."""
        if heard.turn is None:
            return "Its agent was not told anything yet."
        if heard.turn.answer:
            return "It began with the answer to a question. Run the turn again that asked it."
        return "" if now else f"{heard.agent.file} is gone. Put it back to run this turn again."

    # a turn, run again

    def again(self, session: str, turn: int) -> None:
        heard = self._heard.get(session, {}).get(turn)
        now = self._agent(heard.agent.name) if heard else None
        if heard is None or now is None or (final := self._final(heard, now)):
            raise ValueError(final if heard and now else "This turn, or its agent, is not there any more.")
        if heard.again and heard.again.task and not heard.again.task.done():
            raise ValueError("It runs already. Stop it first, or wait.")
        fresh = Session(f"again-{uuid4().hex}", now.name, heard.session.thread, heard.session.asker, number=1, asked=time.time())
        heard.again = Heard(now, fresh)
        heard.again.task = asyncio.create_task(self._repeat(heard, heard.again), name=fresh.id)
        self.tell()

    def halt(self, session: str, turn: int) -> None:
        heard = self._heard.get(session, {}).get(turn)
        if heard and heard.again and heard.again.task:
            heard.again.task.cancel()

    async def close(self) -> None:
        """Stop whatever is run again."""
        tasks = [heard.again.task for turns in self._heard.values() for heard in turns.values() if heard.again and heard.again.task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _repeat(self, heard: Heard, again: Heard) -> None:
        """Run the prompt until it ends: by itself, by a question, by its time, by its budget, or by a person."""
        minutes, end = again.agent.budget.minutes_per_turn, Finished("canceled", "It was stopped.")
        try:
            async with asyncio.timeout(minutes * 60), aclosing(told(self._events(heard, again))) as events:  # type: ignore[type-var]
                end = await self._follow(again, events) or end
        except TimeoutError:
            end = Finished("failed", f"This took longer than the {minutes:g} minutes that {again.agent.file} allows for one turn.")
        finally:
            if not again.session.over:
                self._note(again, end)

    async def _follow(self, again: Heard, events: AsyncIterator[Event]) -> Finished | None:
        """Note what happens; how it ends, where a question or the budget ends it."""
        async for event in events:
            self._note(again, event)
            if isinstance(event, Question):
                return Finished("input_required")
            if isinstance(event, Usage) and (why := policy.broke(again.agent, again.session, again.session.spent.usd)):
                return Finished("failed", why)
        return None

    def _note(self, again: Heard, event: Event) -> None:
        at = time.time()
        again.add(again.session.apply(event, at), [event], at)
        self.tell()

    async def _events(self, heard: Heard, again: Heard) -> AsyncGenerator[Event, None]:
        turn = await self._renewed(heard, again)
        async with aclosing(runtime_of(again.agent).run(turn, _silence())) as events:  # type: ignore[type-var]
            async for event in events:
                yield event

    async def _renewed(self, heard: Heard, again: Heard) -> Turn:
        """The same prompt, for the agent as it is now, in a folder of its own with the same files, without what was said before."""
        before, session, agent = heard.turn, heard.session, again.agent
        found = await self.store.asked_by(session.source)
        if before is None or found is None:
            raise ConfigError("What this turn was asked is not kept any more.")
        message = found[1].message
        place = message.channel_name or session.channel_name or message.channel
        folder = (self.settings.sessions_dir / again.session.id).resolve()
        await asyncio.to_thread(shutil.copytree, before.folder / "in", folder / "in")
        again.turn = replace(
            before, session_id=again.session.id, number=1, agent=agent, resume="", again=False, answer=None, folder=folder, leaving=bool,
            prompt=before.prompt.replace(str(before.folder), str(folder)),
            files=tuple(folder / "in" / file.name for file in before.files),
            instructions=prompt.instructions(agent, message.author, place, message.at),
            environment={name: value for name, value in self.settings.environment.items() if name in agent.environment},
        )  # fmt: skip
        return again.turn


async def _silence() -> AsyncIterator[Message]:
    """An inbox into which nobody says anything."""
    nothing: Sequence[Message] = ()
    await asyncio.Event().wait()
    for message in nothing:
        yield message


def _last(turns: Mapping[int, Heard]) -> Session:
    return list(turns.values())[-1].session


def _run(heard: Heard, asked: str) -> Run:
    instructions = heard.turn.instructions if heard.turn else ""
    return notes.run(heard.agent.version, instructions, heard.session, heard.events, asked)


def _prompt(heard: Heard) -> str:
    """What the agent was told, but for what somebody typed into a secret part of a question."""
    if heard.turn is None:
        return ""
    answer = heard.turn.answer
    question = next((each for each in heard.session.questions if answer and each.id == answer.question), None)
    return "(kept secret)" if question and any(part.secret for part in question.parts) else heard.turn.prompt
