"""One trace goes from Slack's envelope through the turn and its runtime to the last edit, and holds no word of anybody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot import app
from bot.errors import ConfigError
from bot.ops.watch import COLLECTOR, Watch
from bot.playground import Slack
from bot.runtimes.claude_setting import Options, Setting
from bot.settings import Settings
from tests.runtimes.a2a_turns import all_of, run, turn
from tests.standins.a2a_agent import Agent
from tests.test_path import find, said

RUNTIME = '''
from bot.event import Finished, Started, Text


class Tells:
    """Says what its environment holds."""

    async def run(self, turn, inbox):
        yield Started("r")
        yield Text(turn.environment.get("TRACEPARENT", "nothing"))
        yield Finished("completed")
'''


class Collector:
    """What OpenTelemetry's collector would be given."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        given = ExportTraceServiceRequest.FromString(await request.read())
        self.spans += [span for resource in given.resource_spans for scope in resource.scope_spans for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def named(self, name: str) -> Span:
        return next(span for span in self.spans if span.name == name)

    def above(self, span: Span) -> list[str]:
        """The names from this span up to the root."""
        by_id = {each.span_id: each for each in self.spans if each.trace_id == span.trace_id}
        return [span.name, *(self.above(by_id[span.parent_span_id]) if span.parent_span_id in by_id else [])]


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    made = Collector()
    served = web.Application()
    served.add_routes([web.post("/v1/traces", made.receive)])
    runner = web.AppRunner(served)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setenv(COLLECTOR, made.url)  # OpenTelemetry reads it itself
    try:
        yield made
    finally:
        await runner.cleanup()


@pytest.fixture
def traced(settings: Settings, collector: Collector) -> Settings:
    return settings.model_copy(update={"environment": {COLLECTOR: collector.url}})


async def test_a_trace_goes_from_the_envelope_to_the_last_edit(traced: Settings, slack: Slack, collector: Collector) -> None:
    async with app.running(traced) as desk:
        root = await slack.mention("!slow 0.1\n!say one\n!say the secret word")
        await slack.until(lambda: said(slack, root) and "the secret word" in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)

    turn = collector.named("turn helper")
    envelope = collector.above(turn)[-1]
    assert envelope in ("slack app_mention", "slack message")
    assert collector.above(collector.named("run echo")) == ["run echo", "turn helper", envelope]
    assert collector.above(collector.named("slack chat.postMessage")) == ["slack chat.postMessage", "turn helper", envelope]
    assert collector.above(collector.named("slack chat.update")) == ["slack chat.update", "turn helper", envelope]
    edits = [span.end_time_unix_nano for span in collector.spans if span.name == "slack chat.update"]
    assert max(edits) <= turn.end_time_unix_nano
    assert "secret" not in str(collector.spans)
    assert "ana" not in str(collector.spans)


async def test_the_answer_to_a_question_goes_on_in_a_turn_that_is_traced(traced: Settings, slack: Slack, collector: Collector) -> None:
    async with app.running(traced) as desk:
        root = await slack.mention("!ask Which colour? | Red | Blue\n!say It is {answer}.")
        await slack.press(await slack.until(lambda: find(slack, root, "Which colour?")), "Red", "ana")
        await slack.until(lambda: "It is Red." in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)

    turns = [span for span in collector.spans if span.name == "turn helper"]
    assert collector.above(turns[-1]) == ["turn helper", "slack block_actions"]
    assert '"completed"' in str(turns[-1].attributes)


async def test_a_turn_that_failed_is_marked_without_its_words(traced: Settings, slack: Slack, collector: Collector) -> None:
    async with app.running(traced) as desk:
        root = await slack.mention("!fail The secret disk is gone.")
        await slack.until(lambda: said(slack, root) and "disk is gone" in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)

    assert collector.named("turn helper").status.message == "failed"
    assert "secret" not in str(collector.spans)


async def test_a_runtime_is_told_what_it_runs_under(
    traced: Settings, slack: Slack, collector: Collector, agents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tells_trace.py").write_text(RUNTIME)
    monkeypatch.syspath_prepend(tmp_path)
    (agents / "teller.md").write_text("---\ndescription: Tells.\nruntime: tells_trace:Tells\n---\n")
    async with app.running(traced) as desk:
        root = await slack.mention("teller: go")
        await slack.until(lambda: said(slack, root) and "00-" in said(slack, root)[-1])
        await slack.until(lambda: not desk.engine.running)

    run = collector.named("run tells_trace:Tells")
    assert f"00-{run.trace_id.hex()}-{run.span_id.hex()}-" in said(slack, root)[-1]


async def test_a_collector_that_is_not_there_holds_nobody_up(settings: Settings, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COLLECTOR, "http://127.0.0.1:9")
    async with asyncio.timeout(15), app.running(settings.model_copy(update={"environment": {COLLECTOR: "http://127.0.0.1:9"}})):
        root = await slack.mention("hello")
        await slack.until(lambda: said(slack, root) and "You said: hello" in said(slack, root)[-1])


def test_traces_that_cannot_be_made_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name="opentelemetry")

    monkeypatch.setattr("bot.ops.watch.import_module", missing)

    with pytest.raises(ConfigError) as refused:
        Watch(Settings(environment={COLLECTOR: "http://127.0.0.1:9"}))

    assert str(refused.value) == f"{COLLECTOR} is set, but there is no opentelemetry; install it with: pip install 'frontdesk[otel]'"


async def test_an_agent_elsewhere_is_told_in_a_header_what_it_runs_under(tmp_path: Path) -> None:
    under = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with Agent() as agent:
        await all_of(run(agent.url, turn(tmp_path, "!say hi", environment={"TRACEPARENT": under})))

        assert {headers.get("traceparent") for method, headers in agent.calls if "essage" in method} == {under}


def test_claude_code_is_told_in_its_environment_what_it_runs_under(tmp_path: Path) -> None:
    given = Setting(turn(tmp_path, "hello", environment={"TRACEPARENT": "00-1-2-03"}), Options())

    assert given.environment["TRACEPARENT"] == "00-1-2-03"
