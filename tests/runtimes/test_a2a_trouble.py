"""What is wrong with an A2A agent, or with what its file says of it, is told in words, with the remedy."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.agent import parse
from bot.errors import ConfigError, RuntimeFailed, Unavailable
from bot.runtimes import runtime_of
from tests.runtimes.a2a_turns import all_of, answer, end, run, turn
from tests.standins.a2a_agent import Agent

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def site(handler: Handler) -> AsyncIterator[str]:
    """Anything but an agent: the handler answers whatever is asked."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


def card(url: str, **more: Any) -> web.Response:
    face = {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    return web.json_response({"name": "x", "supportedInterfaces": [face], "capabilities": {"streaming": True}, **more})


def saying(*results: object) -> Handler:
    """An agent that answers every call with these results, as they stand, whether A2A knows them or not."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return card(f"http://{request.host}/")
        lines = [result if isinstance(result, str) else json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}) for result in results]
        return web.Response(text="".join(f"data: {line}\n\n" for line in lines), content_type="text/event-stream")

    return handler


async def page(request: web.Request) -> web.Response:
    return web.Response(text="<html>Please log in</html>", content_type="text/html")


async def number(request: web.Request) -> web.Response:
    return web.json_response([1, 2, 3])


async def broken(request: web.Request) -> web.Response:
    return web.Response(status=503)


async def missing(request: web.Request) -> web.Response:
    return web.Response(status=404)


async def forbidden(request: web.Request) -> web.Response:
    return web.Response(status=403)


async def elsewhere(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect("https://evil.test/")


async def loop(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect(request.path)


async def silent(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def stranger(request: web.Request) -> web.Response:
    return card("https://evil.test/rpc")


async def grpc_only(request: web.Request) -> web.Response:
    return web.json_response({"name": "x", "supportedInterfaces": [{"url": "h:1", "protocolBinding": "GRPC", "protocolVersion": "1.0"}]})


async def page_after_card(request: web.Request) -> web.Response:
    return card(f"http://{request.host}/") if request.method == "GET" else await page(request)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (page, "not A2A: check options.url"),
        (number, "not A2A"),
        (page_after_card, "not A2A"),
        (grpc_only, "not A2A"),
        (broken, "HTTP 503"),
        (missing, "HTTP 404.*options.url"),
        (forbidden, "HTTP 403.*options.headers"),
        (elsewhere, "sends us on to evil.test.*options.url"),
        (loop, "leads nowhere"),
        (silent, "silent for too long"),
        (stranger, "evil.test.*options.endpoint"),
        (saying("what?"), "not A2A"),
        (saying({"task": 7}), "not A2A"),
        (saying("[" * 100_000), "not A2A"),
        (saying({"task": {"id": {"a": 1}}}), "not A2A"),
        (saying('{"jsonrpc": "2.0", "error": {"code": -32603, "message": "no\\n memory"}}'), "refused: no memory"),
        (saying('{"jsonrpc": "2.0", "error": "oops"}'), "refused"),
    ],
    ids=lambda one: getattr(one, "__name__", None) or one,
)
async def test_what_is_no_agent_is_unavailable(tmp_path: Path, handler: Handler, words: str) -> None:
    async with site(handler) as url:
        with pytest.raises(RuntimeFailed, match=words) as raised:
            await all_of(run(url, turn(tmp_path, "hello"), timeout=0.3, silence=0.3, headers={"X-Key": "s3cret"}))

    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, Unavailable) or handler is silent


async def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match=r"cannot be reached.*options.url in agents/remote.md"):
        await all_of(run(f"http://127.0.0.1:{port}", turn(tmp_path, "hello")))


async def test_a_certificate_that_is_none_is_unavailable(tmp_path: Path) -> None:
    async with Agent() as agent:
        with pytest.raises(Unavailable, match="cannot be trusted"):
            await all_of(run(agent.url.replace("http:", "https:"), turn(tmp_path, "hello")))


async def test_a_connection_that_breaks_after_the_question_was_sent_is_not_simply_tried_elsewhere(tmp_path: Path) -> None:
    async def slams(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return card(f"http://{request.host}/")
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with site(slams) as url:
        with pytest.raises(RuntimeFailed, match="before you ask again") as raised:
            await all_of(run(url, turn(tmp_path, "hello")))

    assert not isinstance(raised.value, Unavailable)


async def test_what_nobody_knows_is_passed_over(tmp_path: Path) -> None:
    task = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING", "mood": "fine"}}
    odd = {"artifactUpdate": {"taskId": "t", "contextId": "c", "artifact": {"artifactId": "a", "parts": [{"text": "hi"}, {"hologram": 1}]}}}
    done = {"statusUpdate": {"taskId": "t", "contextId": "c", "status": {"state": "TASK_STATE_COMPLETED"}}}
    async with site(saying({"task": task}, odd, {"weather": "rain"}, done)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello"), protocol="1.0"))

    assert answer(events) == "hi"
    assert end(events).state == "completed"


async def test_an_agent_that_appends_the_whole_text_again_and_again_is_told_once(tmp_path: Path) -> None:
    def update(text: str, append: bool) -> dict[str, object]:
        return {"artifactUpdate": {"taskId": "t", "artifact": {"artifactId": "a", "parts": [{"text": text}]}, "append": append}}

    done = {"statusUpdate": {"taskId": "t", "status": {"state": "TASK_STATE_COMPLETED"}}}
    texts = [update("ha", False), update("ha", True), update(" said the old fox", True), update("haha said the old fox, and left", True)]
    async with site(saying(*texts, done)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert answer(events) == "haha said the old fox, and left"


async def test_an_agent_that_first_repeats_the_question_has_still_heard_the_answer(tmp_path: Path) -> None:
    def task(state: str, text: str) -> dict[str, object]:
        message = {"messageId": "q1", "role": "ROLE_AGENT", "parts": [{"text": text}]}
        return {"id": "t", "contextId": "c", "status": {"state": state, "message": message}}

    waiting = task("TASK_STATE_INPUT_REQUIRED", "Which?")
    said = {"artifactUpdate": {"taskId": "t", "artifact": {"artifactId": "a", "parts": [{"text": "Blue it is."}]}}}
    done = {"statusUpdate": {"taskId": "t", "status": {"state": "TASK_STATE_COMPLETED"}}}
    stream = saying({"task": waiting}, said, done)

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "POST" and (await request.json())["method"] == "GetTask":
            return web.json_response({"jsonrpc": "2.0", "id": 1, "result": waiting})
        return await stream(request)

    async with site(handler) as url:
        events = await all_of(run(url, turn(tmp_path, "Blue", 2, resume='{"context": "c", "task": "t", "message": "S1-1"}')))

    assert answer(events) == "Blue it is."


async def test_a_hundred_sessions_that_find_nobody_do_not_all_knock(tmp_path: Path) -> None:
    asked = []

    async def busy(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=503)

    async with site(busy) as url:
        runs = (all_of(run(url, turn(tmp_path, "hello"))) for _ in range(100))
        ends = await asyncio.gather(*runs, return_exceptions=True)

    assert all(isinstance(end, Unavailable) for end in ends)
    assert len(asked) < 5


async def test_a_card_that_led_nowhere_is_read_anew(tmp_path: Path) -> None:
    async with Agent() as agent:
        addresses = ["http://127.0.0.1:9/", f"{agent.url}/"]

        async def moving(request: web.Request) -> web.Response:
            return card(addresses.pop(0))

        async with site(moving) as url:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await all_of(run(url, turn(tmp_path, "!say hi")))
            events = await all_of(run(url, turn(tmp_path, "!say hi")))

    assert answer(events) == "hi"


async def test_an_agent_that_is_older_than_its_card_is_understood(tmp_path: Path) -> None:
    task = {"kind": "task", "id": "t", "contextId": "c", "status": {"state": "submitted"}}
    said = {
        "kind": "artifact-update",
        "taskId": "t",
        "contextId": "c",
        "artifact": {"artifactId": "a", "parts": [{"kind": "text", "text": "hi"}]},
    }
    done = {"kind": "status-update", "taskId": "t", "contextId": "c", "final": True, "status": {"state": "completed"}}
    async with site(saying(task, said, done)) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert (answer(events), end(events).state) == ("hi", "completed")


async def test_an_answer_that_stands_only_in_the_tasks_history_is_told(tmp_path: Path) -> None:
    letter = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "It is 42."}]}
    status = {"state": "TASK_STATE_COMPLETED", "message": {**letter, "parts": [{"text": "Task completed successfully"}]}}
    async with site(saying({"task": {"id": "t", "contextId": "c", "status": status, "history": [letter]}})) as url:
        events = await all_of(run(url, turn(tmp_path, "hello")))

    assert (answer(events), end(events).reason) == ("It is 42.", "")


async def test_a_redirect_on_the_same_host_is_followed_and_a_cards_own_address_will_do(tmp_path: Path) -> None:
    async with Agent() as agent:

        async def front(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect("/moved/card.json") if "moved" not in request.path else web.HTTPNotFound()

        async def moved(request: web.Request) -> web.Response:
            if "moved" not in request.path:
                return await front(request)
            return card(f"{agent.url}/")

        async with site(moved) as url:
            events = await all_of(run(f"{url}/card.json", turn(tmp_path, "!say hi")))

    assert answer(events) == "hi"


async def test_credentials_come_from_the_environment_that_the_file_names(tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer $TOKEN"}
    async with Agent(token="s3cret") as agent:
        events = await all_of(run(agent.url, turn(tmp_path, "!say in", environment={"TOKEN": "s3cret\n"}), headers=headers))
        with pytest.raises(Unavailable, match=r"HTTP 401.*options.headers in agents/remote.md"):
            await all_of(run(agent.url, turn(tmp_path, "!say in", environment={"TOKEN": "wrong"}), headers=headers))
        with pytest.raises(Unavailable, match=r"agents/remote.md: options.headers.Authorization needs the variable TOKEN"):
            await all_of(run(agent.url, turn(tmp_path, "!say in"), headers=headers))
        with pytest.raises(Unavailable, match="cannot be sent") as raised:
            await all_of(run(agent.url, turn(tmp_path, "!say in", environment={"TOKEN": "s3\ncret"}), headers=headers))

    assert answer(events) == "in"
    assert "cret" not in str(raised.value)


async def test_an_endpoint_may_stand_in_for_what_the_card_says(tmp_path: Path) -> None:
    async with Agent() as agent, site(stranger) as url:
        events = await all_of(run(url, turn(tmp_path, "!say hi"), endpoint=agent.url, headers={"X-Key": "1"}))

    assert answer(events) == "hi"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{}", "options.url: is missing"),
        ("{url: 'ftp://x'}", "options.url: an address begins with https://"),
        ("{url: example.com}", "options.url: an address begins with https://"),
        ("{url: 'http://x:port'}", "options.url: this is no address"),
        ("{url: 'https://me:pass@x.test'}", "options.url: credentials do not belong"),
        ("{url: 'https://x.test', endpoint: nowhere}", "options.endpoint: an address begins"),
        ("{url: 'https://x.test', header: {}}", "options.header: unknown key; did you mean 'headers'"),
        ("{url: 'https://x.test', headers: {'a b': c}}", "options.headers: 'a b' cannot be the name"),
        ("{url: 'https://x.test', protocol: 2}", "options.protocol: has to be 'auto', '0.3' or '1.0'"),
        ("{url: 'https://x.test', silence: 0}", "options.silence: has to be greater than 0"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_key(options: str, words: str) -> None:
    agent = parse("remote", f"---\ndescription: x\nruntime: a2a\noptions: {options}\n---\n")

    with pytest.raises(ConfigError, match=words):
        runtime_of(agent)


def test_numbers_will_do_for_a_protocol() -> None:
    runtime_of(parse("remote", "---\ndescription: x\nruntime: a2a\noptions: {url: 'https://x.test', protocol: 0.3}\n---\n"))
