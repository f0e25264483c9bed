"""Figures for Prometheus. No label names a person, a channel or a text."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics, generate_latest

from bot import clock
from bot.agent import Agent
from bot.event import Usage
from bot.ops.ear import Ear
from bot.ports import Show
from bot.session import Session

disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the series
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10)  # Slack waits 3 s for an acknowledgement
SLOW = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
WRITES = frozenset(
    ("receive", "done", "start", "put", "finish", "release", "drop", "begin", "take", "save", "close", "rate", "reserve", "sent")
)


@dataclass(slots=True)
class Watched:
    """A turn whose first sign has not been seen yet."""

    agent: str
    asked: float


class Metrics(Ear):
    """Counts what it hears; what stands still (`Gauge`) is looked up when somebody asks."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        ProcessCollector(registry=own)
        self.deliveries = Counter("frontdesk_deliveries", "What Slack delivered", ["kind", "again"], registry=own)
        self.acknowledged = Histogram(
            "frontdesk_acknowledgement_seconds", "From Slack's delivery to its acknowledgement", buckets=QUICK, registry=own
        )
        self.turns = Gauge("frontdesk_turns", "Turns that run, wait for room, or wait for a person", ["agent", "state"], registry=own)
        self.finished = Counter("frontdesk_turns_finished", "Turns that have ended", ["agent", "state"], registry=own)
        self.lasted = Histogram("frontdesk_turn_seconds", "From the message to the end of its turn", ["agent"], buckets=SLOW, registry=own)
        self.first = Histogram(
            "frontdesk_first_sign_seconds", "From the message until something stands in the thread", ["agent"], buckets=SLOW, registry=own
        )
        self.last = Histogram(
            "frontdesk_last_word_seconds", "From a turn's end until its last word stands there", ["agent"], buckets=SLOW, registry=own
        )
        self.calls = Counter("frontdesk_slack_calls", "Calls to Slack; a 429 is `ratelimited`", ["method", "outcome"], registry=own)
        self.answered = Histogram("frontdesk_slack_call_seconds", "Until Slack answered", ["method"], buckets=QUICK, registry=own)
        self.writes = Histogram("frontdesk_store_write_seconds", "Until a write was durable", ["call"], buckets=QUICK, registry=own)
        self.cost = Counter("frontdesk_cost_usd", "What agents have cost since the start, in US dollars", ["agent"], registry=own)
        self.tokens = Counter("frontdesk_tokens", "Tokens that agents have used since the start", ["agent", "kind"], registry=own)
        self.budget = Gauge("frontdesk_slack_budget_used", "Share of Slack's rate limit that is used up", ["method"], registry=own)
        self.waiting = Gauge("frontdesk_messages_waiting", "Messages of ours that wait to be written", registry=own)
        self.questions = Gauge("frontdesk_questions_open", "Questions that wait for a person", registry=own)
        self.replicas = Gauge("frontdesk_replicas", "Processes that serve this database", registry=own)
        self._watched: dict[str, Watched] = {}  # by the session's id

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def look(self, budget: Mapping[str, float], waiting: int) -> None:
        """What stands still in this process."""
        for method, share in budget.items():
            self.budget.labels(method).set(share)
        self.waiting.set(waiting)

    def count(self, questions: int, replicas: int) -> None:
        """What the database says."""
        self.questions.set(questions)
        self.replicas.set(replicas)

    @contextmanager
    def receiving(self, kind: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.acknowledged.observe(time.monotonic() - began)

    def kept(self, call: str, given: Sequence[Any], answer: Any, seconds: float) -> None:
        if call in WRITES:
            self.writes.labels(call).observe(seconds)
        match call, given:
            case "receive", (delivery, *_):
                self.deliveries.labels(delivery.kind, "no" if answer else "yes").inc()
            case "save", (_, Session() as session, events, *_):
                for event in events:
                    self._spent(session.agent, event)
            case "sent", (str(slot), *_):
                self._seen(slot.partition(":")[0])
            case _:
                pass

    def _spent(self, agent: str, event: object) -> None:
        if isinstance(event, Usage):
            self.cost.labels(agent).inc(max(event.usd, 0))
            kinds = {"input": event.input_tokens, "output": event.output_tokens, "cached": event.cached_tokens}
            for kind, count in kinds.items():
                self.tokens.labels(agent, kind).inc(max(count, 0))

    def _seen(self, session_id: str) -> None:
        if turn := self._watched.pop(session_id, None):
            self.first.labels(turn.agent).observe(max(clock.now() - turn.asked, 0))

    @contextmanager
    def following(self, session: Session, agent: Agent) -> Iterator[Show]:
        before, now, state = session, session, ""

        def told(session: Session) -> None:
            nonlocal now, state
            if session.number != now.number:
                self._watched[session.id] = Watched(session.agent, session.asked)
            now = session
            state = self._move(session.agent, state, standing(session))

        try:
            yield told
            if now.over and now.ended != before.ended:
                self.last.labels(now.agent).observe(max(clock.now() - now.ended, 0))
        finally:
            self._move(now.agent, state, "")
            self._watched.pop(now.id, None)
            if now.over and now.ended != before.ended:
                self.finished.labels(now.agent, now.state).inc()
                self.lasted.labels(now.agent).observe(max(now.ended - now.asked, 0))

    def _move(self, agent: str, old: str, new: str) -> str:
        if old != new:
            for state, step in ((old, -1), (new, 1)):
                if state:
                    self.turns.labels(agent, state).inc(step)
        return new

    def called(self, method: str, outcome: str, seconds: float) -> None:
        self.calls.labels(method, outcome).inc()
        self.answered.labels(method).observe(seconds)


def standing(session: Session) -> str:
    """Where a turn stands; empty where it is over."""
    if session.state == "input_required":
        return "asking"
    return ("waiting" if session.queued else "running") if session.live else ""
