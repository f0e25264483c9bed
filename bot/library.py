"""Frontdesk as a library: ask any runtime, and hear the same events, without Slack, a database or a daemon."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from bot.agent import Agent, explain
from bot.errors import ConfigError
from bot.event import Answered, Event, Finished, Question, Started
from bot.inbox import settle
from bot.message import Answer, Message, Person
from bot.ports import Runtime, Turn
from bot.prompt import answered
from bot.runtimes import runtime_of
from bot.scratch import scratch
from bot.session import Session
from bot.turn import told

CALLER = Person("library", "whoever calls", "admin")
PLAIN = (  # what is said of a file, for whom there is none
    (r"into frontdesk's environment,? and name it under `environment:` in query\(\)", "into `environment` of query()"),
    (r"frontdesk's environment (in place of the one that is there), and start frontdesk again", r"`environment` of query() \1"),
    (
        r"name (it|PATH) under `environment:`( there| in query\(\))?(, and set it)?( where frontdesk runs)?",
        r"give \1 in `environment` of query()",
    ),
    (r"`(\w+):` in query\(\)", r"`\1` of query()"),
)
Answers = Callable[[Question], Awaitable[Mapping[str, tuple[str, ...]]]]
"""What a question is answered with: for each of its parts, by its id, the labels chosen or the words typed."""


async def query(
    prompt: str,
    *,
    runtime: str = "claude_code",
    model: str = "",
    instructions: str = "",
    options: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    answer: Answers | None = None,
    folder: Path | None = None,
    resume: str = "",
    files: Sequence[Path] = (),
) -> AsyncGenerator[Event, None]:
    """Ask an agent one thing, and tell what happens: Started first, Finished last, whatever goes wrong in between.

        from bot.event import Finished, Text

        answer = ""
        async for event in query("Fix the failing test", runtime="codex", options={"cwd": "."}):
            match event:
                case Text(text, final): answer = text if final else answer + text
                case Finished(state, reason): print(answer, state, reason)

    The answer comes in pieces (Text); one that is `final` says it anew, in place of those before it since the last Question. `runtime`
    is a name of `bot.runtimes.RUNTIMES` or "module:Class", `options` are its own, as in an agent's file. `environment` is all that the
    agent's process gets of yours: keys, and PATH where another than the system's is wanted. `answer` is asked each Question; without it
    a question ends the turn, with the state "input_required". To go on with a conversation give the same `folder`, and as `resume` what
    Started gave; without a folder one is made and thrown away. Stopping the iteration, and closing it, stops the work.

    Raises ConfigError for a runtime, or options, that there are not, and ValueError where `answer` gives what was not asked; all other
    failures are told by Finished, in words.
    """
    made = runtime_of(agent := _agent(runtime, model, options))
    with ExitStack() as stack:
        place = folder or stack.enter_context(scratch())
        place.mkdir(parents=True, exist_ok=True)
        turn = Turn(
            uuid4().hex, 2 if resume else 1, agent, prompt, instructions, resume, folder=place.resolve(), files=tuple(files),
            person=CALLER, environment=dict(environment or {}),
        )  # fmt: skip
        async with aclosing(_turns(_Talk(turn, answer), made)) as events:
            async for event in events:
                yield event


async def _turns(talk: "_Talk | None", runtime: Runtime) -> AsyncGenerator[Event, None]:
    """One turn; and where the runtime does not wait for its answers, one more for each."""
    while talk:
        async with aclosing(talk.run(runtime)) as events:
            async for event in events:
                yield event
        talk = talk.next()


class _Called(Agent):
    """An agent without a file."""

    @property
    def file(self) -> str:
        return "query()"


class _Talk:
    """One turn, and what it was answered: that goes to it as it runs, or is how the next one begins."""

    def __init__(self, turn: Turn, answer: Answers | None) -> None:
        self.turn, self.answer, self.resume = turn, answer, turn.resume
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.last: tuple[Question, Answer] | None = None
        self.given: set[str] = set()
        self.parked = False

    async def run(self, runtime: Runtime) -> AsyncGenerator[Event, None]:
        async with aclosing(told(runtime.run(self.turn, self._inbox()))) as events:  # type: ignore[arg-type,type-var]
            async for event in events:
                self.parked = isinstance(event, Finished) and event.state == "input_required" and self.last is not None
                if isinstance(event, Started):
                    self.resume = event.resume
                if self.parked or self._known(event):
                    continue
                yield replace(event, reason=plain(event.reason)) if isinstance(event, Finished) else event
                if isinstance(event, Question):
                    yield await self._ask(event)
                if isinstance(event, Question) and self.answer is None:
                    return

    def _known(self, event: Event) -> bool:
        """Whether the caller was told this before: that it has begun, and what they answered."""
        if isinstance(event, Answered):
            return event.id in self.given
        return isinstance(event, Started) and self.turn.answer is not None

    async def _ask(self, question: Question) -> Event:
        if self.answer is None:
            return Finished("input_required", "The agent asked something, and `answer` was not given.")
        given = Answer(question.id, _fitting(question, await self.answer(question)))
        self.last = question, given
        self.given.add(question.id)
        letter = Message(uuid4().hex, "", "", CALLER, "", "answer", answer=given)
        self.said.put_nowait(letter)
        return settle(Session(self.turn.session_id, "", "", CALLER, questions=(question,)), letter)

    async def _inbox(self) -> AsyncIterator[Message]:
        while True:
            yield await self.said.get()

    def next(self) -> "_Talk | None":
        """The turn that goes on with the answer, where the runtime did not wait for it."""
        if not self.parked or self.last is None:
            return None
        question, given = self.last
        words = answered({part.id: part.text for part in question.parts}, given)
        turn = replace(self.turn, number=self.turn.number + 1, resume=self.resume, prompt=words, answer=given)
        return _Talk(turn, self.answer)


def plain(text: str) -> str:
    for said, meant in PLAIN:
        text = re.sub(said, meant, text)
    return text


def _agent(runtime: str, model: str, options: Mapping[str, Any] | None) -> Agent:
    given = {"name": "agent", "version": "", "description": "Asked by a program.", "runtime": runtime, "model": model}
    try:
        return _Called.model_validate({**given, "options": dict(options or {})})
    except ValidationError as error:
        raise ConfigError("; ".join(explain(error, Agent))) from error


def _fitting(question: Question, answers: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Raises ValueError for what answers nothing that was asked."""
    parts = [part.id for part in question.parts]
    if wrong := [id for id in answers if id not in parts]:
        raise ValueError(f"`answer` gave {wrong[0]!r}, which is no part of the question; its parts are {', '.join(map(repr, parts))}")
    return answers
