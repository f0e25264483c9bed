"""The door to LiteLLM: harnesses have a token of their turn, LiteLLM has the key and whom each call is for, and people see what it cost."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.app import lent
from bot.errors import Unavailable
from bot.event import Event, Finished, Started, Usage
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import gateway
from bot.runtimes.codex import Codex
from bot.runtimes.codex_setting import Options
from bot.runtimes.gateway_bill import Bill, Cost, number
from bot.runtimes.gateway_server import GatewayServer, stamp
from bot.settings import Settings
from tests.runtimes.hardship import program
from tests.runtimes.talk import turn
from tests.standins.stage import Stage, agent, staged

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Does = Callable[[aiohttp.ClientSession, Turn], Awaitable[list[Event]]]
SAID = {"model": "m", "messages": []}


class LiteLLM:
    """A stand-in, which answers as `answer` says; `heard` are the calls that came."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Answer = self._plain
        self.url = ""

    async def _plain(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True}, headers={"x-litellm-response-cost": "0.5", "Set-Cookie": "a=b"})

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.heard.append((request.raw_path, {name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return await self.answer(request)


@pytest.fixture
async def litellm() -> AsyncIterator[LiteLLM]:
    made, app = LiteLLM(), web.Application()
    app.router.add_route("*", "/{path:.*}", made.serve)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}".format(*runner.addresses[0])
    yield made
    await runner.cleanup()


@pytest.fixture
async def stage(litellm: LiteLLM, tmp_path: Path) -> AsyncIterator[Stage]:
    lending = lent.Lent(Settings(litellm_api_base=f"{litellm.url}/v1", litellm_api_key="sk-real"))
    async with staged(tmp_path) as stage:
        stage.agent, stage.aids = agent(), lending.aids
        yield stage
    await lending.close()


class Calls:
    """A harness: does what it is given with its turn's way to models, and tells that."""

    def __init__(self, does: Does) -> None:
        self.does, self.turns = does, list[Turn]()

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        self.turns.append(turn)
        yield Started("r1")
        async with aiohttp.ClientSession(auto_decompress=False) as http:
            for event in await self.does(http, turn):
                yield event
        yield Finished("completed")


def way(turn: Turn) -> gateway.Gateway:
    found = gateway.of(turn)
    assert found
    return found


async def ask(http: aiohttp.ClientSession, turn: Turn, path: str = "messages?beta=true", **more: str) -> tuple[int, str]:
    headers = {"x-api-key": way(turn).key, **more}
    async with http.post(f"{way(turn).openai}/{path}", json=SAID, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


def streams(*lines: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for line in lines:
            for part in (line[:9], line[9:]):  # a line can come in pieces
                await response.write(part.encode())
        return response

    return answer


async def once(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
    await ask(http, turn)
    return [Usage(1000, 10, 0, 0.7)]


async def test_a_call_reaches_litellm_with_its_key_and_whom_it_is_for(stage: Stage, litellm: LiteLLM) -> None:
    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        await ask(http, turn, **{"Authorization": f"Bearer {way(turn).key}", "x-litellm-tags": "person:boss", "anthropic-beta": "b1"})
        return []

    runtime = Calls(calls)
    await stage.run(runtime)

    [(path, headers, body)] = litellm.heard
    assert (path, json.loads(body)) == ("/v1/messages?beta=true", SAID)
    assert (headers["authorization"], headers["anthropic-beta"]) == ("Bearer sk-real", "b1")
    assert headers["x-litellm-tags"] == "session:s1,agent:helper,person:U1,channel:C1"
    assert headers["x-litellm-end-user-id"] == "U1"
    assert "x-api-key" not in headers
    assert way(runtime.turns[0]).key not in str(headers)


async def test_a_harness_has_no_key_of_litellms(stage: Stage) -> None:
    runtime = Calls(once)
    await stage.run(runtime)

    assert "sk-real" not in str(way(runtime.turns[0]).acp("m"))


async def test_what_litellm_says_that_a_call_costs_counts_in_place_of_what_the_harness_says(stage: Stage) -> None:
    session = await stage.run(Calls(once))

    assert session.usage == Usage(1000, 10, 0, 0.5, "gateway")


@pytest.mark.parametrize(
    "told",
    [
        {"type": "message_delta", "usage": {"output_tokens": 1, "cost": 0.25}},
        {"object": "chat.completion.chunk", "choices": [], "usage": {"prompt_tokens": 1, "cost": 0.25}},
        {"type": "response.completed", "response": {"output": [{"text": "x" * 100}], "usage": {"cost": 0.25}}},
    ],
)
async def test_the_cost_at_the_end_of_a_stream_counts(stage: Stage, litellm: LiteLLM, told: object) -> None:
    litellm.answer = streams('data: {"text": "the \\"cost\\" is"}\n\n', f"data: {json.dumps(told)}\n\n", "data: [DONE]\n\n")

    session = await stage.run(Calls(once))

    assert session.usage.usd == 0.25


async def test_where_litellm_does_not_tell_it_what_the_harness_says_counts(stage: Stage, litellm: LiteLLM) -> None:
    litellm.answer = streams('data: {"type": "message_stop"}\n\n')

    session = await stage.run(Calls(once))

    assert session.usage == Usage(1000, 10, 0, 0.7, "runtime")


async def test_nobody_gets_through_without_the_token_of_a_turn_that_runs(stage: Stage, litellm: LiteLLM) -> None:
    async def tries(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        found.append((await ask(http, turn, **{"x-api-key": "sk-real"}))[0])
        return []

    found: list[int] = []
    await stage.run(runtime := Calls(tries))
    async with aiohttp.ClientSession() as http:
        found.append((await ask(http, runtime.turns[0]))[0])

    assert found == [401, 401]
    assert not litellm.heard


@pytest.mark.parametrize(
    "path",
    ["/key/generate", "/v1/models/../../key/generate", "/v1/%2e%2e/key/list", "//evil/v1/models", "@evil/v1/models", "/v1/models/%2e%2e"],
)
async def test_only_calls_of_models_go_through(stage: Stage, litellm: LiteLLM, path: str) -> None:
    async def tries(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        host, port = way(turn).url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nx-api-key: {way(turn).key}\r\nConnection: close\r\n\r\n".encode())
        said.append(await reader.readline())
        writer.close()
        return []

    said: list[bytes] = []
    await stage.run(Calls(tries))

    assert said[0].split()[1] in (b"400", b"404")
    assert not litellm.heard


async def test_an_answer_comes_piece_by_piece(stage: Stage, litellm: LiteLLM) -> None:
    seen = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        await seen.wait()
        await response.write(b"data: two\n\n")
        return response

    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        async with http.post(f"{way(turn).openai}/responses", json=SAID, headers={"x-api-key": way(turn).key}) as answer:
            first = await answer.content.readuntil(b"\n\n")
            seen.set()
            pieces.extend((first, await answer.content.read()))
        return []

    litellm.answer, pieces = answer, list[bytes]()
    await stage.run(Calls(calls))

    assert pieces == [b"data: one\n\n", b"data: two\n\n"]


async def test_what_is_packed_stays_packed(stage: Stage, litellm: LiteLLM) -> None:
    packed = gzip.compress(json.dumps(SAID).encode())

    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        headers = {"x-api-key": way(turn).key, "Content-Encoding": "gzip"}
        async with http.post(f"{way(turn).openai}/responses", data=packed, headers=headers) as answer:
            await answer.read()
        return []

    await stage.run(Calls(calls))

    assert litellm.heard[0][2] == packed


async def test_a_redirect_is_the_harnesss_to_follow(stage: Stage, litellm: LiteLLM) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://elsewhere.example/"})

    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        found.append((await ask(http, turn))[0])
        return []

    litellm.answer, found = answer, list[int]()
    await stage.run(Calls(calls))

    assert found == [307]


async def test_a_litellm_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        said.append(await ask(http, turn))
        return []

    server, said = GatewayServer("http://127.0.0.1:9", "k"), list[tuple[int, str]]()
    async with staged(tmp_path) as stage:
        stage.aids = (server,)
        await stage.run(Calls(calls))
    await server.close()

    assert said[0][0] == 502
    assert "LiteLLM at LITELLM_API_BASE cannot be reached" in said[0][1]


def half(content: bytes, **headers: str) -> Answer:
    """An answer that breaks off after this."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(content)
        assert request.transport
        request.transport.abort()
        return response

    return answer


async def test_half_an_answer_does_not_look_like_a_whole_one(stage: Stage, litellm: LiteLLM) -> None:
    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        with pytest.raises(aiohttp.ClientError):
            await ask(http, turn)
        return []

    litellm.answer = half(b"half")

    assert (await stage.run(Calls(calls))).state == "completed"


async def test_what_an_answer_cost_that_was_cut_is_what_the_harness_says(stage: Stage, litellm: LiteLLM) -> None:
    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        await ask(http, turn)  # which costs 0.5
        litellm.answer = half(b'data: {"half": 1}\n\n', **{"Content-Type": "text/event-stream"})
        with pytest.raises(aiohttp.ClientError):
            await ask(http, turn)
        return [Usage(1000, 10, 0, 0.7)]

    session = await stage.run(Calls(calls))

    assert round(session.usage.usd, 3) == 0.7


async def test_who_hangs_up_ends_the_call_of_the_model(stage: Stage, litellm: LiteLLM) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async def calls(http: aiohttp.ClientSession, turn: Turn) -> list[Event]:
        asked = asyncio.create_task(ask(http, turn))
        await begun.wait()
        asked.cancel()
        async with asyncio.timeout(5):
            await ended.wait()
        return []

    litellm.answer = answer

    assert (await stage.run(Calls(calls))).state == "completed"


async def test_calls_of_which_litellm_tells_no_cost_are_not_lost_beside_one_of_which_it_does() -> None:
    told: list[Event] = []

    async def tell(event: Event) -> None:
        told.append(event)

    bill = Bill(tell)
    await bill.count(0.25)
    await bill.count(None)
    rest = bill.priced(Usage(10, 1, 0, 1.0))

    assert told == [Usage(usd=0.25, source="gateway")]
    assert rest == Usage(10, 1, 0, 0.75, "gateway")


@pytest.mark.parametrize("said", ["None", "nan", "-1", "inf", "", "free", True, None, {}])
def test_what_is_no_sum_is_no_cost(said: object) -> None:
    assert number(said) is None


def test_a_stream_is_looked_through_only_where_no_header_tells() -> None:
    cost = Cost({"x-litellm-response-cost": "0.1", "Content-Type": "text/event-stream"})

    cost.hear(b'data: {"usage": {"cost": 9}}\n')

    assert cost.usd == 0.1


def test_the_gateways_address_serves_both_kinds_of_clients(tmp_path: Path) -> None:
    found = way(turn(tmp_path / "s", "", "", gateway=("http://proxy:4000/v1/", "k")))

    assert (found.url, found.openai) == ("http://proxy:4000", "http://proxy:4000/v1")


def test_without_a_gateway_there_is_no_other_way(tmp_path: Path) -> None:
    assert lent.gateway(Settings()) is None
    assert gateway.of(turn(tmp_path / "s", "", "")) is None


async def test_where_litellm_has_the_key_nobody_asks_an_agent_for_one(tmp_path: Path) -> None:
    codex = Codex(Options(path=program(tmp_path / "codex", "echo codex-cli 0.169.0")))
    with pytest.raises(Unavailable, match="not logged in"):
        await codex.reach(agent(), {})

    await codex.reach(agent(), {"LITELLM_API_BASE": "http://proxy:4000"})


def test_a_name_adds_no_header_and_no_tag(tmp_path: Path) -> None:
    told = stamp(turn(tmp_path / "s", "", "", channel="C1,admin:yes\nx-other: 1"))

    assert told["x-litellm-tags"].endswith("channel:C1_admin_yes_x-other__1")
