"""What can be wrong with a LangGraph server, or with what it tells, ends in words, with the remedy and without the key."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.agent import Agent
from bot.errors import ConfigError, RuntimeFailed, Unavailable
from bot.event import Notice
from bot.runtimes import langgraph_line, runtime_of
from bot.runtimes.unknown import FILE
from tests.runtimes.talk import talked, talking
from tests.runtimes.test_langgraph import saying, turn
from tests.standins.langgraph_server import LangGraphServer
from tests.standins.wait import until

KEY = {"LG_KEY": "s3cret-value"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answering(status: int = 200, text: str = "", **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    return handler


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (answering(text="<html>Log in</html>"), "Is it a LangGraph server"),
        (answering(text="[1, 2"), "Is it a LangGraph server"),
        (answering(text="[" * 100_000), "Is it a LangGraph server"),
        (answering(text="7"), "Is it a LangGraph server"),
        (answering(401, "{}"), "does not accept the key .401., or not any more"),
        (answering(429, "{}", **{"Retry-After": "3600"}), "asked too often .429."),
        (answering(500, "{}"), "cannot do it now .500."),
        (answering(422, '{"detail": "bad s3cret-value"}'), "refused what it was asked"),
        (answering(302, "", Location="https://evil.test/x"), "sends us on to evil.test"),
        (answering(text="x" * (17 << 20)), "more than 16 MiB"),
    ],
    ids=["page", "half", "deep", "number", "expired", "throttled", "broken", "refused", "elsewhere", "flood"],
)
async def test_a_server_that_cannot_be_talked_with_is_unavailable(tmp_path: Path, handler: Handler, words: str) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as site:
        with pytest.raises(Unavailable, match=words) as raised:
            await talked(turn(tmp_path, str(site.make_url("")), key="LG_KEY", environment=KEY))

    assert "s3cret" not in str(raised.value)


async def test_an_address_of_our_own_network_has_to_be_meant(tmp_path: Path) -> None:
    async with LangGraphServer() as server:
        with pytest.raises(Unavailable, match=r"private address.*options.private"):
            await talked(turn(tmp_path, server.url, private=False))

    assert not server.runs


async def test_a_thread_of_somebody_else_is_not_shown(tmp_path: Path) -> None:
    async with LangGraphServer() as server:
        server.threads["mine"] = {"thread_id": "yours", "status": "idle", "values": {}, "interrupts": {}}
        with pytest.raises(RuntimeFailed, match="answered for another conversation"):
            await talked(replace(turn(tmp_path, server.url), resume="mine", number=2))

    assert not server.runs


async def test_what_another_run_tells_is_not_shown(tmp_path: Path) -> None:
    async with LangGraphServer() as server:
        server.next = saying("their secret")
        server.next.parts.insert(0, ("metadata", {"run_id": "another"}))
        with pytest.raises(RuntimeFailed, match="answered for another conversation"):
            await talked(turn(tmp_path, server.url))


async def test_what_nobody_knows_is_kept_and_said_once(tmp_path: Path) -> None:
    odd = [("hologram", {"depth": 3}), ("metadata", {"run_id": "r1"}), ("hologram|tools:1", {"depth": 4}), ("hologram", {})]
    async with LangGraphServer() as server:
        server.next = saying("Hello")
        server.next.parts[:0] = odd

        talk = await talked(turn(tmp_path, server.url))

    assert talk.answered == "Hello"
    assert [notice.text for notice in talk.all(Notice)] == [
        f"The agent told of something that frontdesk does not know ({name}); it was kept in {FILE}."
        for name in ("hologram", "hologram|tools:1")
    ]
    assert json.loads((tmp_path / FILE).read_text().splitlines()[0]) == {"name": "hologram", "raw": {"depth": 3}}


async def test_an_event_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    stopped, written = asyncio.Event(), list[int]()

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            for number in range(100):
                await response.write(b"x" * (1 << 20))
                written.append(number)
        finally:
            stopped.set()
        return response

    async with LangGraphServer() as server:
        server.streams = flood
        with pytest.raises(RuntimeFailed, match="more than 16 MiB"):
            await talked(turn(tmp_path, server.url))
        async with asyncio.timeout(5):
            await stopped.wait()

    assert len(written) < 100


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_server_that_is_busy_for_a_moment_is_asked_again(tmp_path: Path, status: int) -> None:
    async with LangGraphServer() as server:
        server.next, server.refusals = saying("a", "b"), [status, status]

        talk = await talked(turn(tmp_path, server.url))

    assert talk.answered == "ab"
    assert not server.refusals


async def test_a_stream_that_stalls_is_taken_up_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(langgraph_line, "SILENCE", 0.1)
    async with LangGraphServer() as server:
        server.next = saying("a", "b", held=1)
        async with talking(turn(tmp_path, server.url)) as talk:
            await until(lambda: len(server.joined) > 1)
            server.runs[0].more.set()
            await talk.task

    assert talk.answered == "ab"
    assert server.joined[:2] == ["-1", "0-0"]


async def test_one_that_stalls_again_and_again_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(langgraph_line, "SILENCE", 0.1)
    async with LangGraphServer() as server:
        server.next = saying("a", "b", held=1)
        with pytest.raises(RuntimeFailed, match=r"did not come back within 0\.3 seconds\. .* does not answer"):
            await talked(turn(tmp_path, server.url, patience=0.3))


async def test_a_token_that_expires_in_the_middle_is_told(tmp_path: Path) -> None:
    async with LangGraphServer() as server:
        server.next, server.refusals = saying("a", "b", cut=1), []
        server.cut_refusals = [401]
        with pytest.raises(RuntimeFailed, match=r"does not accept the key .401., or not any more") as raised:
            await talked(turn(tmp_path, server.url))

    assert not isinstance(raised.value, Unavailable)


@pytest.mark.parametrize("url", ["ftp://x", "x.test", "https://me:pass@x.test"])
def test_an_address_that_is_none_is_a_mistake_in_the_file(url: str) -> None:
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": "langgraph", "options": {"url": url}}
    with pytest.raises(ConfigError, match=r"agents/coder.md: options.url: "):
        runtime_of(Agent.model_validate(given))
