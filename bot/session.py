"""One conversation with one agent in one thread, as far as it has got: the one state machine, pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from bot.event import (
    Answered,
    Artifact,
    Event,
    Finished,
    Improvement,
    Item,
    Notice,
    Plan,
    Question,
    Queued,
    Started,
    Step,
    Text,
    Thought,
    Usage,
)
from bot.message import Message, Person

State = Literal["submitted", "working", "input_required", "completed", "failed", "canceled", "rejected"]
OVER: frozenset[State] = frozenset({"completed", "failed", "canceled", "rejected"})
NOTHING = Usage()
KEPT = 30  # steps and notices that the state itself remembers; the store has them all
MADE = 100  # artifacts that it remembers: the first, so that each keeps its place, by which a surface knows that it was given


@dataclass(frozen=True, slots=True)
class Session:
    """A session. Times in Unix seconds. What stands under `number` belongs to the current turn, and is new with each.

    `runtime` is the name of that which knows `resume`; rows from before it was kept have none. `asked` is when the turn's first
    message was said; `waited` whether it has asked a person; `spent` is of the whole session. `private` is what only whoever asks reads.
    `more` is how many artifacts came after those that are remembered.
    `told` is how much of the `answer` stood there when it asked last: nothing takes that back; `before` is that of processes that ended.
    """

    id: str
    agent: str
    thread: str
    asker: Person
    channel: str = ""
    channel_name: str = ""
    title: str = ""
    private: bool = False
    muted: bool = False
    resume: str = ""
    runtime: str = ""
    model: str = ""
    spent: Usage = NOTHING
    seen: float = 0.0
    state: State = "submitted"
    number: int = 0
    asked: float = 0.0
    ended: float = 0.0
    by: Person | None = None
    source: str = ""
    answer: str = ""
    before: str = ""
    told: int = 0
    thought: str = ""
    steps: tuple[Step, ...] = ()
    count: int = 0
    waited: bool = False
    plan: tuple[Item, ...] = ()
    questions: tuple[Question, ...] = ()
    closed: tuple[Answered, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    more: int = 0
    notices: tuple[Notice, ...] = ()
    queued: Queued | None = None
    usage: Usage = NOTHING
    reason: str = ""
    error: str = ""

    @property
    def over(self) -> bool:
        """Whether the current turn has ended, with or without success."""
        return self.state in OVER

    @property
    def live(self) -> bool:
        """Whether a turn is under way: begun, and neither ended nor waiting for a person."""
        return self.state in ("submitted", "working")

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions that still wait for a person, oldest first."""
        done = {answered.id for answered in self.closed}
        return tuple(question for question in self.questions if question.id not in done)

    def begin(self, messages: Iterable[Message]) -> "Session":
        """The session with a new turn for these messages, of which there is at least one."""
        said = list(messages)
        return replace(
            self, state="submitted", seen=self.asked, number=self.number + 1, title=self.title or heading(said[-1].text),
            asked=min(message.at for message in said), ended=0.0, by=said[-1].author, source=said[-1].id, answer="", before="", told=0,
            thought="", steps=(), count=0, waited=False, plan=(), artifacts=(), more=0, notices=(), queued=None, usage=NOTHING,
            reason="", error="",
        )  # fmt: skip

    def resumed(self) -> "Session":
        """The session whose turn was cut, before the runtime goes on with it and tells its text anew."""
        before = joined(self.before, self.answer[: self.told])  # a question's answer goes to one that does not tell that anew
        return replace(self, state="submitted", ended=0.0, answer="", before=before, told=0, thought="", queued=None)

    def asked_about(self, told: Iterable[Event]) -> "Session":
        """The session whose turn is over, once its agent was asked about that: only where it is found is another, and what it cost."""
        after = self.fold(told, self.ended)
        return replace(self, resume=after.resume, runtime=after.runtime, model=after.model, usage=after.usage, spent=after.spent)

    def fold(self, events: Iterable[Event], at: float) -> "Session":
        """The session after all of these."""
        session = self
        for event in events:
            session = session.apply(event, at)
        return session

    def apply(self, event: Event, at: float = 0.0) -> "Session":
        """The session after `event`, which came at `at`. Pure, so that a view can be tested without a runtime."""
        match event:
            case Started(resume, _, model, runtime):
                known = self.model if runtime == self.runtime or not self.runtime else ""
                return replace(self, state="working", resume=resume, runtime=runtime, model=model or known, queued=None)
            case Text(text, final):
                return replace(self, answer=joined(self.answer[: self.told], text) if final else self.answer + text)
            case Thought(text):
                return replace(self, thought=(self.thought + text)[-600:])
            case Step():
                return self._step(event)
            case Plan(items):
                return replace(self, plan=items)
            case Question(id):
                if any(question.id == id for question in self.questions):
                    return self
                asked = replace(self, questions=(*self.questions, event)[-KEPT:], told=len(self.answer))
                return replace(asked, state="input_required", waited=True)
            case Answered():
                return self._answered(event)
            case Artifact():
                return self._made(event)
            case Usage():
                return replace(self, usage=add(self.usage, event), spent=add(self.spent, event))
            case Notice():
                return self if event in self.notices else replace(self, notices=(*self.notices, event)[-KEPT:])
            case Improvement():
                return self
            case Queued():
                return replace(self, queued=event)
            case Finished():
                return self._finished(event, at)
            case _:
                assert_never(event)

    def _step(self, step: Step) -> "Session":
        if any(old.call_id == step.call_id for old in self.steps):
            return replace(self, steps=tuple(step if old.call_id == step.call_id else old for old in self.steps))
        return replace(self, steps=(*self.steps, step)[-KEPT:], count=self.count + 1)

    def _made(self, artifact: Artifact) -> "Session":
        if artifact in self.artifacts:
            return self
        room = len(self.artifacts) < MADE
        return replace(self, artifacts=(*self.artifacts, artifact)) if room else replace(self, more=self.more + 1)

    def _answered(self, answered: Answered) -> "Session":
        if all(question.id != answered.id for question in self.open):
            return self
        session = replace(self, closed=(*self.closed, answered)[-KEPT:])
        waited = self.state == "input_required" and not session.open
        return replace(session, state="working") if waited else session

    def _finished(self, end: Finished, at: float) -> "Session":
        answer = joined(self.before, self.answer)
        if end.state == "input_required":
            return replace(self, state="input_required", ended=at, answer=answer, before="", thought="")
        steps = self.steps  # one that works when all is cut stays so: nobody knows how far it got
        if end.state == "completed":
            steps = tuple(replace(step, status="failed") if step.status == "working" else step for step in steps)
        closed = (*self.closed, *(Answered(question.id, "lost") for question in self.open))[-KEPT:]
        over = replace(self, answer=answer, before="", thought="", steps=steps, closed=closed)
        return replace(over, state=end.state, reason=end.reason, error=end.error, ended=at)


def add(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cached_tokens + other.cached_tokens,
        one.usd + other.usd,
        other.source,
    )


def joined(before: str, text: str) -> str:
    """Both, where the second does not say the first again."""
    before = before.strip()
    if not before or text.lstrip().startswith(before):
        return text
    return f"{before}\n\n{text.lstrip()}".rstrip()


def heading(text: str) -> str:
    """A title for a session that begins with these words: one line, at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59].rstrip() + "…"
