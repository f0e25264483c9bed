"""OpenTelemetry: from Slack's envelope through the turn to its last edit. What people and agents say is in no attribute."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib.metadata import version
from threading import Timer
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.agent import Agent
from bot.ops.ear import Ear
from bot.ports import Show, Turn
from bot.session import Session

FLUSH = 2.0  # seconds that a process which goes away waits for a collector
KEPT = 10_000  # sessions whose last envelope is remembered until its turn begins
HEARD = ("start", "put", "close")  # what puts a message into a session's inbox
CARRIER = TraceContextTextMapPropagator()


class Traces(Ear):
    """Where spans go, and how often, is for OpenTelemetry's own variables (OTEL_…) to say."""

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        resource = Resource.create({"service.name": "frontdesk", "service.version": version("frontdesk")})
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.exporter = exporter or OTLPSpanExporter()
        self.provider.add_span_processor(BatchSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("frontdesk")
        self._causes: OrderedDict[str, Context] = OrderedDict()  # by the session's id

    def close(self) -> None:
        """Send what has not been sent yet, as long as there is somebody to take it. Blocks."""
        enough = Timer(FLUSH, self.exporter.shutdown)
        enough.start()
        self.provider.shutdown()
        enough.cancel()

    @contextmanager
    def receiving(self, kind: str) -> Iterator[None]:
        with self._span(f"slack {kind}", SpanKind.SERVER, Context()):
            yield

    def kept(self, call: str, given: Sequence[Any], answer: Any, seconds: float) -> None:
        if call in HEARD and answer and trace.get_current_span().get_span_context().is_valid:
            session = given[0]
            self._causes[session.id if isinstance(session, Session) else str(session)] = trace.set_span_in_context(trace.get_current_span())
            while len(self._causes) > KEPT:
                self._causes.popitem(last=False)

    @contextmanager
    def following(self, session: Session, agent: Agent) -> Iterator[Show]:
        cause = self._causes.pop(session.id, None) or Context()
        attributes = {"frontdesk.agent": agent.name, "frontdesk.runtime": agent.runtime, "frontdesk.session": session.id}
        with self._span(f"turn {agent.name}", SpanKind.INTERNAL, cause, attributes) as span:
            number = session.number

            def told(session: Session) -> None:
                nonlocal number
                if session.number != number:
                    number = session.number
                    span.add_event("begun", {"frontdesk.turn": number})
                if session.ended:
                    _end(span, session)

            yield told

    @contextmanager
    def running(self, turn: Turn) -> Iterator[Turn]:
        attributes = {"frontdesk.turn": turn.number, "frontdesk.again": turn.again}
        with self._span(f"run {turn.agent.runtime}", SpanKind.CLIENT, None, attributes):
            carrier: dict[str, str] = {}
            CARRIER.inject(carrier)
            named = {name.upper(): value for name, value in carrier.items()}
            yield replace(turn, environment={**turn.environment, **named})

    def _span(
        self, name: str, kind: SpanKind, under: Context | None, attributes: Mapping[str, str | int] | None = None
    ) -> AbstractContextManager[Span]:
        """Without its exceptions: what they say may be somebody's own words."""
        return self.tracer.start_as_current_span(
            name, context=under, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
        )

    def called(self, method: str, outcome: str, seconds: float) -> None:
        if not trace.get_current_span().get_span_context().is_valid:
            return  # nobody's: a look at names, the clock on a message
        now = time.time_ns()
        span = self.tracer.start_span(
            f"slack {method}", kind=SpanKind.CLIENT, start_time=now - int(seconds * 1e9), attributes={"frontdesk.outcome": outcome}
        )
        if outcome != "ok":
            span.set_status(Status(StatusCode.ERROR, outcome))
        span.end(now)


def _end(span: Span, session: Session) -> None:
    span.add_event("ended", {"frontdesk.state": session.state})
    span.set_attribute("frontdesk.state", session.state)
    if session.state in ("failed", "rejected"):
        span.set_status(Status(StatusCode.ERROR, session.state))
