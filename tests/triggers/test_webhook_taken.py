"""What is taken of webhooks: each once, by the first that wants it, and nothing lost that a file cannot be filled in with."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress

import pytest

from bot.journal import Delivery
from bot.triggers import held
from bot.triggers.call import read
from tests.standins.wait import until
from tests.triggers.calls import ALERTS, ISSUES, PULLS, Called, Desk, agent, generic, github, linear, recorded, served

OPENED, LABELED = recorded("github_pull_request_opened"), recorded("github_issues_labeled")
CREATED, UPDATED = recorded("linear_issue_create"), recorded("linear_issue_update")
DRAFTS = "source: github, secret: $HOOK, filter: 'body.pull_request.draft', post_to: '#random', prompt: 'Wait for {{ body.number }}'"
MISTAKEN = "source: github, secret: $HOOK, post_to: '#reviews', prompt: 'Review {{ body.pull_request.page }}'"


async def test_what_github_tells_is_taken_and_says_what_it_is_about() -> None:
    async with served(agent(PULLS)) as desk:
        answer = await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request", id="4d5e6f"))

    [fired] = desk.kept.fired
    assert answer == (202, "Taken.")
    assert (fired.key, fired.agent, fired.post_to) == ("webhook:reviewer:1:4d5e6f", "reviewer", "#reviews")
    assert fired.headline == "GitHub: pull request opened in acme/api: Limit how often a key may ask https://github.com/acme/api/pull/1287"
    assert fired.prompt.startswith('Review "https://github.com/acme/api/pull/1287"')


async def test_what_linear_tells_is_taken() -> None:
    async with served(agent(ISSUES)) as desk:
        status, _ = await desk.call("/hooks/reviewer/linear", linear(CREATED))

    [fired] = desk.kept.fired
    assert status == 202
    assert fired.headline.startswith("Linear: Issue create: ENG-412 Export stops after 10,000 rows https://linear.app/acme/issue/ENG-412/")


@pytest.mark.parametrize("signed", [True, False])
async def test_what_anybody_tells_is_taken_with_a_token_or_signed(signed: bool) -> None:
    call = github({"title": "Disk full"}, "") if signed else generic({"title": "Disk full"})
    async with served(agent(ALERTS)) as desk:
        status, _ = await desk.call("/hooks/reviewer/generic", call)

    assert status == 202
    assert [fired.headline for fired in desk.kept.fired] == ["A webhook was called: Disk full"]


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("/hooks/reviewer/github", lambda: github(OPENED, "pull_request", id="one")),
        ("/hooks/reviewer/linear", lambda: linear(CREATED, id="one")),
        ("/hooks/reviewer/generic", lambda: generic({}, **{"Idempotency-Key": "one"})),
        ("/hooks/reviewer/generic", lambda: generic({}, **{"Idempotency-Key": "ü" * 500})),
    ],
)
async def test_what_is_told_again_begins_nothing(path: str, make: Callable[[], Called]) -> None:
    call = make()
    async with served(agent(PULLS, ISSUES, ALERTS)) as desk:
        first, again = [await desk.call(path, call) for _ in range(2)]

    assert (first, again) == ((202, "Taken."), (200, "It was taken before."))
    assert len(desk.kept.rows) == 1


async def test_what_says_when_it_was_sent_begins_nothing_again_under_another_id() -> None:
    headers, raw = linear(CREATED)
    async with served(agent(ISSUES)) as desk:
        first, again = [await desk.call("/hooks/reviewer/linear", ({**headers, "Linear-Delivery": id}, raw)) for id in ("one", "other")]

    assert (first, again) == ((202, "Taken."), (200, "It was taken before."))


@pytest.mark.parametrize(
    ("path", "agents", "make"),
    [
        ("github", PULLS, lambda id: github(OPENED, "pull_request", id=id)),
        ("generic", ALERTS, lambda id: github({"title": "Disk full"}, "", **{"Idempotency-Key": id})),
    ],
)
async def test_others_may_tell_two_things_in_the_same_words(path: str, agents: str, make: Callable[[str], Called]) -> None:
    async with served(agent(agents)) as desk:
        statuses = [(await desk.call(f"/hooks/reviewer/{path}", make(id)))[0] for id in ("monday", "tuesday")]

    assert statuses == [202, 202]


def test_without_an_id_the_same_words_within_a_minute_are_the_same() -> None:
    ids = [read("generic", {}, raw, now).id for raw, now in [(b"[1]", 60), (b"[1]", 119), (b"[2]", 119), (b"[1]", 120)]]

    assert [ids[0] == id for id in ids] == [True, True, False, False]


async def test_a_ping_is_answered_and_begins_nothing() -> None:
    everything = "source: github, secret: $HOOK, post_to: '#reviews', prompt: 'Look'"
    async with served(agent(everything)) as desk:
        answer = await desk.call("/hooks/reviewer/github", github(recorded("github_ping"), "ping"))

    assert answer == (200, "pong")
    assert not desk.kept.rows


@pytest.mark.parametrize(
    ("events", "filter", "status"),
    [
        ("[]", "", 202),
        ("[issues]", "", 202),
        ("[issues.labeled, push]", "", 202),
        ("issues", "", 202),
        ("[issues.opened]", "", 200),
        ("[label]", "", 200),
        ("[issues]", "body.label.name == 'bug'", 202),
        ("[issues]", "'bug' in body.issue.labels | map(attribute='name')", 202),
        ("[issues]", "body.sender.type == 'Bot'", 200),
        ("[issues]", "body.pull_request.draft", 200),
        ("[issues]", "body.issue.assignee.login == 'bo-dev'", 200),
        ("[issues]", "body.issue.milestone > 3", 200),
        ("[]", "event == 'issues' and not body.pull_request", 202),
    ],
)
async def test_events_and_a_filter_say_what_is_wanted(events: str, filter: str, status: int) -> None:
    asks = f'source: github, secret: $HOOK, events: {events}, filter: "{filter}", post_to: C0123, prompt: Look'
    async with served(agent(asks)) as desk:
        answered, _ = await desk.call("/hooks/reviewer/1", github(LABELED, "issues"))

    assert answered == status
    assert len(desk.kept.rows) == (status == 202)


async def test_an_update_in_linear_is_told_from_a_creation() -> None:
    async with served(agent(ISSUES)) as desk:
        status, _ = await desk.call("/hooks/reviewer/linear", linear(UPDATED))

    assert (status, desk.kept.rows) == (200, {})


async def test_of_several_webhooks_at_one_address_the_first_that_wants_it_has_it() -> None:
    async with served(agent(DRAFTS, PULLS)) as desk:
        ready = await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request"))
        draft = {**OPENED, "pull_request": {**OPENED["pull_request"], "draft": True}}
        await desk.call("/hooks/reviewer/github", github(draft, "pull_request"))

    assert ready[0] == 202
    assert [fired.post_to for fired in desk.kept.fired] == ["#reviews", "#random"]


async def test_each_agent_has_addresses_of_its_own() -> None:
    async with served(agent(PULLS), agent(PULLS, name="other")) as desk:
        for name in ("reviewer", "other"):
            await desk.call(f"/hooks/{name}/1", github(OPENED, "pull_request", id="same"))

    assert [fired.agent for fired in desk.kept.fired] == ["reviewer", "other"]


async def test_what_a_prompt_cannot_be_filled_in_with_is_kept_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with served(agent(MISTAKEN)) as desk:
        answers = [await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request")) for _ in range(3)]

    assert answers == [(202, "Taken.")] * 3
    assert [row.kind for row in desk.kept.rows.values()].count("held") == 3
    assert desk.kept.words == [
        "Of agents/reviewer.md, its github webhook: its `prompt` cannot be filled in: there is no body.pull_request.page in this call;"
        " correct it, or write {{ body.pull_request.page | default('…') }} for calls that have none."
        " What was sent is kept for 7 days, and I go on with it as soon as the file is right."
    ]
    assert "there is no body.pull_request.page" in caplog.text


async def test_what_was_kept_goes_on_when_the_file_is_mended() -> None:
    async with served(agent(MISTAKEN)) as desk, dealt(desk):
        await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request", id="one"))
        await until(lambda: desk.webhooks.held._waiting)

        desk.agents[:] = [agent(PULLS)]

        await until(lambda: desk.kept.prompts)
        await until(lambda: not desk.webhooks.held._waiting)
        again = await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request", id="one"))

    assert len(desk.kept.prompts) == 1
    assert again == (200, "It was taken before.")


async def test_a_file_that_is_mended_wrongly_is_told_of_again() -> None:
    async with served(agent(MISTAKEN)) as desk, dealt(desk):
        await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request"))
        await until(lambda: desk.webhooks.held._waiting)

        desk.agents[:] = [agent(MISTAKEN.replace("page", "url_of_it"))]

        await until(lambda: len(desk.kept.words) == 2)
        assert "there is no body.pull_request.url_of_it" in desk.kept.words[1]


async def test_when_too_many_wait_more_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST", 1)
    async with served(agent(MISTAKEN)) as desk, dealt(desk):
        await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request"))
        await until(lambda: desk.webhooks.held._waiting)

        status, words = await desk.call("/hooks/reviewer/github", github(OPENED, "pull_request"))

    assert (status, "until an agent's file is mended" in words) == (503, True)


async def test_what_waited_too_long_is_given_up_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    body = {"agent": "reviewer", "number": 1, "call": {"source": "github", "id": "1", "event": "push", "action": "", "body": {}}}
    async with served(agent(MISTAKEN)) as desk:
        with caplog.at_level(logging.ERROR):
            await desk.webhooks.held.mended(Delivery("held:one", "held", "", 1.0), body)

    assert "webhook_given_up" in caplog.text


class dealt:
    """What is kept is dealt with, as the door does it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.tasks = desk, dict[str, asyncio.Task[None]]()

    async def __aenter__(self) -> None:
        self.door = asyncio.create_task(self._door())

    async def _door(self) -> None:
        while True:
            for key, row in [*self.desk.kept.rows.items()]:
                if row.kind == "held" and key not in self.tasks:
                    self.tasks[key] = asyncio.create_task(self.desk.webhooks.held.mended(row, json.loads(row.body)))
            await asyncio.sleep(0.01)

    async def __aexit__(self, *_: object) -> None:
        for task in [self.door, *self.tasks.values()]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
