"""What goes wrong with platforms: each in words, nothing lost, nothing said twice, nothing leaked."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot import net
from bot.breaker import BREAKER
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Notice, Text
from bot.message import Answer
from bot.ports import Turn
from bot.runtimes.http_values import find
from bot.runtimes.unknown import FILE
from tests.standins.wait import until
from tests.standins.wall import SSE, Handler, Wall, says, streams

from .remote import Kept
from .talk import after, talked, talking
from .talk import turn as any_turn

PROFILE = """
name: Acme
headers: {Authorization: "Bearer {{ secret }}"}
start: {post: /start, body: {}, keep: {conversation: $.id}}
send: {post: /send, body: {text: "{{ prompt }}"}, keep: {run: $.run}}
stream: {get: "/runs/{{ run }}", cursor: Last-Event-ID}
mine: $.conversation
events:
  - {on: said, text: $.text}
  - {on: over, end: completed}
"""
SECRET = "s3cret-of-acme"


def said(text: str, id: int) -> str:
    return f'id: {id}\nevent: said\ndata: {{"text": "{text}"}}\n\n'


OVER = "event: over\ndata: {}\n\n"


@pytest.fixture
async def wall() -> AsyncIterator[Wall]:
    async with Wall() as wall:
        wall.on("POST", "/start", says({"id": "c1"}))
        wall.on("POST", "/send", says({"run": "r1"}))
        yield wall


def turn(tmp_path: Path, wall: Wall, profile: str = PROFILE, **options: Any) -> Turn:
    file = tmp_path / "acme.yaml"
    file.write_text(profile)
    given = {"profile": str(file), "url": wall.url, "key": "KEY", "private": True, "patience": 0.5, **options}
    made = any_turn(tmp_path / "s", "", "hello", environment={"KEY": SECRET}, keep=Kept())
    return replace(made, agent=made.agent.model_copy(update={"runtime": "http", "options": given}))


async def refused(turn: Turn) -> str:
    with pytest.raises(RuntimeFailed) as caught:
        await talked(turn)
    assert SECRET not in str(caught.value)
    return str(caught.value)


async def test_a_token_that_expires_in_the_middle_is_told(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/runs/r1", streams(said("one", 1), cut=True), says({"error": "expired"}, 401))

    told = await refused(turn(tmp_path, wall))

    assert "does not accept the credentials (401)" in told
    assert "have expired" in told


async def test_throttling_is_waited_out_where_that_is_soon(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/send", says({}, 429, Retry_After="0.05"), says({"run": "r1"}))
    wall.on("GET", "/runs/r1", streams(said("one", 1), OVER))

    talk = await talked(turn(tmp_path, wall))

    assert talk.answered == "one"
    assert [path for _, path, _ in wall.asked] == ["/start", "/send", "/send", "/runs/r1"]


async def test_throttling_for_long_is_told(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/send", says({}, 429, Retry_After="120"))

    assert "was asked too often (429). Try again in 120 seconds." in await refused(turn(tmp_path, wall))


async def test_a_request_that_may_have_been_heard_is_not_sent_twice(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/send", says({}, 502))

    assert "cannot do it now (502)" in await refused(turn(tmp_path, wall))
    assert [path for _, path, _ in wall.asked].count("/send") == 1


async def test_one_that_may_have_been_heard_is_not_sent_twice_though_it_is_asked_to_come_back(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/send", says({}, 503, Retry_After="0.05"), says({"run": "r1"}))

    assert "cannot do it now (503). Try again in 0.05 seconds." in await refused(turn(tmp_path, wall))
    assert [path for _, path, _ in wall.asked].count("/send") == 1


async def test_one_that_may_be_sent_twice_is(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/send", says({}, 502), says({"run": "r1"}))
    wall.on("GET", "/runs/r1", streams(said("one", 1), OVER))

    talk = await talked(turn(tmp_path, wall, PROFILE.replace("post: /send", "safe: true, post: /send")))

    assert talk.answered == "one"


async def test_a_web_page_in_place_of_events_is_told(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/runs/r1", streams("<html>Log in</html>", kind="text/html"))

    told = await refused(turn(tmp_path, wall))

    assert "answered with a web page where JSON belongs" in told
    assert "whether that is Acme" in told


async def hanging(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=SSE)
    await response.prepare(request)
    await response.write(said("one", 1).encode())
    await asyncio.Event().wait()
    return response


async def test_a_stream_that_stalls_is_opened_again(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/runs/r1", hanging, streams(said(" two", 2), OVER))

    talk = await talked(turn(tmp_path, wall, silence=0.2))

    assert talk.answered == "one two"
    assert "was silent for 0.2 seconds" in talk.all(Notice)[0].text


async def test_one_that_stalls_again_and_again_is_told(wall: Wall, tmp_path: Path) -> None:
    wall.on("GET", "/runs/r1", streams(said("one", 1), cut=True), streams(cut=True))

    assert "did not come back within 0.5 seconds" in await refused(turn(tmp_path, wall))


def flood() -> Iterator[bytes]:
    yield b"event: said\ndata: "
    for _ in range(100):
        yield b"x" * (1 << 20)


async def test_an_event_of_100_megabytes_is_refused_before_it_is_whole(wall: Wall, tmp_path: Path) -> None:
    sent = 0

    async def flooding(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        for piece in flood():
            await response.write(piece)
            sent += len(piece)
        return response

    wall.on("GET", "/runs/r1", flooding)

    assert "said more than 16 MiB in one event" in await refused(turn(tmp_path, wall))
    assert sent < 40 << 20


async def test_an_answer_for_another_session_is_never_shown(wall: Wall, tmp_path: Path) -> None:
    other = 'event: said\ndata: {"conversation": "c2", "text": "not yours"}\n\n'
    wall.on("GET", "/runs/r1", streams(said("one", 1), other, OVER))

    async with talking(turn(tmp_path, wall)) as talk:
        with pytest.raises(RuntimeFailed, match="Acme answers for another conversation than ours"):
            await talk.task

    assert talk.answered == "one"


async def test_on_a_shared_stream_other_sessions_are_passed_over(wall: Wall, tmp_path: Path) -> None:
    other = 'event: said\ndata: {"conversation": "c2", "text": "not yours"}\n\n'
    wall.on("GET", "/runs/r1", streams(other, said("one", 1), OVER))

    talk = await talked(turn(tmp_path, wall, PROFILE + "shared: true\n"))

    assert talk.answered == "one"


async def test_nothing_is_sent_to_where_a_platform_sends_us_on(wall: Wall, tmp_path: Path) -> None:
    async with Wall() as other:
        wall.on("POST", "/send", says({}, 307, Location=f"{other.url}/send"))

        told = await refused(turn(tmp_path, wall))

        assert f"sends us on to {other.url.removeprefix('http://')}" in told
        assert not other.asked


async def test_a_stop_reaches_a_platform_of_which_much_is_asked(wall: Wall, tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        await response.write(said("one", 1).encode())
        await asyncio.Event().wait()
        return response

    wall.on("GET", "/runs/r1", endless)
    wall.on("POST", "/cancel", says({}))
    async with talking(turn(tmp_path, wall, PROFILE + "cancel: {post: /cancel}\n")) as talk:
        await talk.until(lambda: talk.answered)
        crowd = [asyncio.create_task(net.pace(net.host_of(wall.url))) for _ in range(100)]
        await asyncio.sleep(0)

        await talk.stop()

    for task in crowd:
        task.cancel()
    assert wall.asked[-1][1] == "/cancel"


async def test_the_same_question_may_be_asked_again_in_a_later_turn(wall: Wall, tmp_path: Path) -> None:
    asks = "  - {on: ask, question: {id: $.q, text: $.text}, end: input_required}\n"
    answers = "answer: {question: {post: '/answer/{{ question }}', body: {said: '{{ answer }}'}, keep: {run: $.run}}}\n"
    asked = 'event: ask\ndata: {"q": "tools/x", "text": "May it?"}\n\n'
    wall.on("GET", "/runs/r1", streams(asked))
    wall.on("POST", "/answer/tools%2Fx", says({"run": "r1"}))
    wall.on("POST", "/answer/tools/x", says({"run": "r1"}))
    first = await talked(turn(tmp_path, wall, PROFILE + asks + answers))
    question = await first.question()

    second = await talked(after(first, "yes", answer=Answer(question.id, {"0": ("yes",)})))

    assert ("POST", "/answer/tools/x", {"said": "yes"}) in wall.asked
    assert (await second.question()).id != question.id


@pytest.mark.parametrize("known", [True, False], ids=["refused", "late"])
async def test_an_answer_that_reaches_nobody_is_told_though_the_platform_is_silent(wall: Wall, tmp_path: Path, known: bool) -> None:
    asks = "  - {on: ask, question: {id: $.q, text: $.text}}\nanswer: {question: {post: /answer}}\n"

    async def asking(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        await response.write(b'event: ask\ndata: {"q": "q1", "text": "Which?"}\n\n')
        await asyncio.Event().wait()
        return response

    wall.on("GET", "/runs/r1", asking)
    wall.on("POST", "/answer", says({}, 500))
    async with talking(turn(tmp_path, wall, PROFILE + asks)) as talk:
        question = await talk.question()
        talk.inbox.say("", answer=Answer(question.id if known else "another", {"0": ("yes",)}))
        async with asyncio.timeout(2):
            await talk.until(lambda: talk.all(Notice))

    assert ("refused what it was asked (500)" if known else "did not wait for it") in talk.all(Notice)[0].text


@pytest.mark.parametrize("there", ["http://[::1", f"/login?token={SECRET}"])
async def test_a_redirect_that_leads_nowhere_is_told_without_what_it_says(wall: Wall, tmp_path: Path, there: str) -> None:
    wall.on("POST", "/send", says({}, 307, Location=there))

    assert "sends us on to somewhere else" in await refused(turn(tmp_path, wall))


async def test_credentials_that_come_back_are_not_shown(wall: Wall, tmp_path: Path) -> None:
    echo = f'event: said\ndata: {{"text": "you sent {SECRET}"}}\n\nevent: odd\ndata: "{SECRET}"\n\n'
    wall.on("GET", "/runs/r1", streams(echo, OVER))

    talk = await talked(turn(tmp_path, wall))

    assert talk.answered == "you sent …"
    assert SECRET not in str(talk.events)
    assert SECRET not in (tmp_path / "s" / FILE).read_text()


async def test_a_platform_that_is_down_is_left_alone_and_told_so(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/start", says({}, 503))
    for _ in range(3):
        with pytest.raises(Unavailable, match="cannot do it now"):
            await talked(turn(tmp_path, wall))
    asked = len(wall.asked)

    with pytest.raises(Unavailable, match=r"does not answer since \d\d:\d\d:\d\d UTC; trying again at"):
        await talked(turn(tmp_path, wall))

    assert len(wall.asked) == asked
    assert [place.host for place in BREAKER.troubles()] == [net.host_of(wall.url)]


async def test_an_id_from_the_platform_stays_one_step_of_an_address(wall: Wall, tmp_path: Path) -> None:
    wall.on("POST", "/send", says({"run": "../../admin?x=1"}))

    await refused(turn(tmp_path, wall))

    assert [path for _, path, _ in wall.asked][-1] == "/runs/../../admin?x=1"  # as it is when it is read: %2F and %3F were sent


async def test_a_stream_that_ends_without_an_end_is_told_where_nothing_is_left_to_ask(wall: Wall, tmp_path: Path) -> None:
    direct = "name: Acme\nsend: {post: /send, form: sse}\nevents: [{on: said, text: $.text}, {on: over, end: completed}]"
    wall.on("POST", "/send", streams(said("one", 1)))

    talk = await talked(turn(tmp_path, wall, direct))

    assert talk.finished.state == "failed"
    assert talk.finished.reason == "Acme stopped talking, and did not say how it ended. Ask again."


@pytest.mark.parametrize("answer", [says([1]), says("what"), says({"run": {"deep": []}})], ids=["list", "words", "object"])
async def test_garbage_where_an_id_belongs_ends_in_words(wall: Wall, tmp_path: Path, answer: Handler) -> None:
    wall.on("POST", "/send", answer)

    assert "knows no such thing (404)" in await refused(turn(tmp_path, wall))


async def test_what_is_told_while_it_runs_is_whole(wall: Wall, tmp_path: Path) -> None:
    words = [f"w{number} " for number in range(300)]
    pieces = [said(word, number) for number, word in enumerate(words, 1)]

    async def going_on(request: web.Request) -> web.StreamResponse:
        """Ten are told once more each time; what was under way when the connection broke is lost."""
        last = int(request.headers.get("Last-Event-ID", 0))
        told = pieces[max(0, last - 10) : last + 100]
        return await (streams(*told, OVER) if last + 100 >= len(pieces) else streams(*told, cut=True))(request)

    wall.on("GET", "/runs/r1", going_on)

    talk = await talked(turn(tmp_path, wall))

    assert talk.answered == "".join(words)
    assert len(talk.all(Text)) == 300


async def test_what_is_said_meanwhile_is_asked_next_and_its_answer_comes_after_the_first(wall: Wall, tmp_path: Path) -> None:
    heard, more = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        heard.set()
        await more.wait()
        return web.json_response({"text": "three"})

    wall.on("POST", "/send", slow, says({"text": "four"}))
    whole = "name: Acme\nsend: {post: /send, body: {text: '{{ prompt }}'}}\nends: true\nevents: [{on: reply, whole: $.text}]"
    async with talking(turn(tmp_path, wall, whole)) as talk:
        await heard.wait()
        talk.inbox.say("and now?")
        await until(talk.inbox._messages.empty)
        more.set()
        await talk.task

    assert talk.answered == "three\n\nfour"
    assert [body for _, path, body in wall.asked if path == "/send"] == [{"text": "hello"}, {"text": "and now?"}]


async def test_what_was_said_to_a_turn_that_failed_is_said_with_the_next(wall: Wall, tmp_path: Path) -> None:
    heard, more = asyncio.Event(), asyncio.Event()

    async def broken(_: web.Request) -> web.StreamResponse:
        heard.set()
        await more.wait()
        return web.json_response({}, status=500)

    wall.on("POST", "/send", broken, says({"run": "r1"}))
    wall.on("GET", "/runs/r1", streams(said("one", 1), OVER))
    async with talking(turn(tmp_path, wall)) as talk:
        await heard.wait()
        talk.inbox.say("and be quick")
        await until(talk.inbox.empty)
        more.set()
        with pytest.raises(RuntimeFailed, match="refused what it was asked"):
            await talk.task

    await talked(then := after(talk, "go on"))
    await talked(replace(then, number=3, prompt="the end"))

    assert [body["text"] for _, path, body in wall.asked if path == "/send"] == ["hello", "and be quick\n\ngo on", "the end"]


def test_in_text_that_is_no_json_nothing_is_found() -> None:
    assert find("$.id", "this is no JSON", {}) is None
