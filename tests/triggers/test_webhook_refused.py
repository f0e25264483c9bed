"""What is refused of webhooks, and in which words: nobody begins anything, or learns anything, who does not know the secret."""

import asyncio
import gzip
import time
from collections.abc import Callable

import pytest

from bot.errors import StoreFailed
from bot.journal import Delivery
from bot.triggers import webhook
from tests.standins.wait import until
from tests.triggers.calls import ALERTS, ISSUES, PULLS, SECRET, Called, agent, generic, github, linear, mark, recorded, served

OPENED = recorded("github_pull_request_opened")
CREATED = recorded("linear_issue_create")


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("/hooks/reviewer/github", lambda: github(OPENED, "pull_request", secret="another")),
        ("/hooks/reviewer/1", lambda: github(OPENED, "pull_request", secret="another")),
        ("/hooks/nobody/github", lambda: github(OPENED, "pull_request")),
        ("/hooks/reviewer/9", lambda: github(OPENED, "pull_request")),
        ("/hooks/reviewer/linear", lambda: linear(CREATED, secret="another")),
        ("/hooks/reviewer/linear", lambda: linear(CREATED, at=time.time() - 90)),
        ("/hooks/reviewer/linear", lambda: linear(CREATED, at=time.time() + 90)),
        ("/hooks/reviewer/linear", lambda: linear(CREATED, at=10**400)),
        ("/hooks/reviewer/generic", lambda: generic({}, secret="another")),
        ("/hooks/reviewer/generic", lambda: generic({}, secret="")),
        ("/hooks/reviewer/generic", lambda: generic({}, secret="é")),
        ("/hooks/nobody/generic", lambda: generic({})),
        ("/hooks/reviewer/generic", lambda: ({"Content-Type": "application/json"}, b"{}")),
        ("/hooks/reviewer/github", lambda: generic(OPENED)),
        ("/hooks/reviewer/github", lambda: github(OPENED, "pull_request", **{"X-Hub-Signature-256": "sha256="})),
        ("/hooks/reviewer/github", lambda: github(OPENED, "pull_request", **{"X-Hub-Signature-256": mark(b"", SECRET)})),
    ],
)
async def test_what_is_not_proven_is_refused_in_the_same_words_whether_or_not_such_an_agent_is_here(
    path: str, make: Callable[[], Called]
) -> None:
    async with served(agent(PULLS, ISSUES, ALERTS)) as desk:
        answer = await desk.call(path, make())

    assert answer == (401, webhook.WRONG)
    assert not desk.kept.rows


async def test_what_was_changed_on_its_way_is_refused() -> None:
    headers, raw = github(OPENED, "pull_request")
    async with served(agent(PULLS)) as desk:
        status, _ = await desk.call("/hooks/reviewer/github", (headers, raw.replace(b"limit-keys", b"evil-keys!")))

    assert status == 401


async def test_a_secret_that_is_not_set_opens_nothing() -> None:
    async with served(agent(PULLS), environment={"HOOK": ""}) as desk:
        answers = [await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request", secret=secret)) for secret in (SECRET, "")]

    assert answers == [(503, webhook.SECRETLESS)] * 2
    assert not desk.kept.rows


async def test_a_form_is_refused_with_the_remedy() -> None:
    form = github(OPENED, "pull_request", **{"Content-Type": "application/x-www-form-urlencoded"})
    async with served(agent(PULLS)) as desk:
        status, words = await desk.call("/hooks/reviewer/github", form)

    assert (status, "application/json" in words) == (415, True)


async def test_what_is_packed_is_refused() -> None:
    headers, raw = github(OPENED, "pull_request", **{"Content-Encoding": "gzip"})
    async with served(agent(PULLS)) as desk:
        status, _ = await desk.call("/hooks/reviewer/github", (headers, gzip.compress(raw)))

    assert status == 415


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000, b"[" * 51 + b"]" * 51, b'{"n": ' + b"9" * 5000 + b"}"])
async def test_what_is_no_json_is_told(raw: bytes) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
    async with served(agent(ALERTS)) as desk:
        status, words = await desk.call("/hooks/reviewer/generic", (headers, raw))

    assert (status, words.partition(":")[0]) == (400, "This is no JSON")


@pytest.mark.parametrize("told", [True, False])
async def test_what_is_too_long_is_refused_whether_or_not_it_says_so(told: bool) -> None:
    async def pieces() -> object:
        for _ in range(64):
            yield b" " * 1024

    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
    async with served(agent(ALERTS), limit=10_000) as desk:
        body = b" " * 65536 if told else pieces()
        async with desk.client.post("/hooks/reviewer/generic", data=body, headers=headers) as answer:
            status, words = answer.status, await answer.text()

    assert (status, words) == (413, webhook.LONG.format(10_000))


async def test_when_too_much_is_sent_at_once_the_rest_is_asked_to_wait() -> None:
    async with served(agent(ALERTS)) as desk:
        desk.webhooks._room = 1
        refused = await desk.call("/hooks/reviewer/generic", generic({"number": 1}))
        desk.webhooks._room = 100
        taken = await desk.call("/hooks/reviewer/generic", generic({"number": 1}))

    assert (refused, taken[0]) == ((503, webhook.TIGHT), 202)


async def test_who_sends_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.05)
    async with served(agent(ALERTS)) as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.client.port)
        head = f"POST /hooks/reviewer/generic HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{".encode())
        line = await reader.readline()
        writer.close()

    assert line == b"HTTP/1.1 408 Request Timeout\r\n"


async def test_who_hangs_up_in_the_middle_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with served(agent(ALERTS)) as desk:
        room = desk.webhooks._room
        _, writer = await asyncio.open_connection("127.0.0.1", desk.client.port)
        head = f"POST /hooks/reviewer/generic HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{".encode())
        await until(lambda: desk.webhooks._room < room)
        writer.close()

        await until(lambda: desk.webhooks._room == room)

    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_more_than_a_file_allows_are_told_to_come_later_and_so_are_people_once() -> None:
    async with served(agent(f"{ALERTS}, per_minute: 2")) as desk:
        statuses = [(await desk.call("/hooks/reviewer/generic", generic({"number": number})))[0] for number in range(5)]

    assert statuses == [202, 202, 429, 429, 429]
    assert (len(desk.kept.prompts), len(desk.kept.words)) == (2, 1)
    assert "`per_minute`" in desk.kept.words[0]


async def test_what_cannot_be_kept_is_not_acknowledged() -> None:
    async def full(delivery: Delivery) -> bool:
        raise StoreFailed("The disk that holds the database is full.")

    async with served(agent(ALERTS)) as desk:
        desk.webhooks.take = full
        answer = await desk.call("/hooks/reviewer/generic", generic({}))

    assert answer == (503, "The disk that holds the database is full.")


async def test_before_the_agents_are_known_everybody_is_asked_to_wait() -> None:
    async with served() as desk:
        answer = await desk.call("/hooks/reviewer/generic", generic({}))

    assert answer == (503, webhook.STARTING)
