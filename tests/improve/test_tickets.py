"""Tickets at stand-ins for GitHub and Linear: each once, and what goes wrong in words for whoever pressed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.agent import Agent
from bot.app.better import client
from bot.errors import BotError, ConfigError
from bot.found import Card, Hit
from bot.improve import ticket
from bot.improve.tickets import Filing
from tests.standins.stage import agent
from tests.standins.tickets import KEY, TOKEN, GitHub, Linear

HITS = (Hit("s1", 1, "helper", ("U1", "U2"), 0.5, "slack:T1:C1:100.5"), Hit("s2", 1, "helper", ("U2",), 0.25))
CARD = Card("f1a2", "helper", "It asks for the ticket", "It has no access.", "Give it some.", "improver", "slack:T1:C9:7.7", HITS, 1.7e9)
SILENT = b'{"data": {"issues": {"nodes": []}, "teams": {"nodes": [{"id": "1"}]}, "issueCreate": {"success": false}}}'
ENVIRONMENT = {"GITHUB_TOKEN": TOKEN, "LINEAR_API_KEY": KEY, "OLD": "ghp_another0000"}


def link(thread: str) -> str:
    return f"https://acme.test/{thread.rpartition(':')[2]}"


FILING = Filing(ENVIRONMENT, client, link)


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    async with GitHub() as github:
        yield github


@pytest.fixture
async def linear() -> AsyncIterator[Linear]:
    async with Linear() as linear:
        yield linear


def improver(place: GitHub | Linear, **more: Any) -> Agent:
    where = (
        {"github": "acme/agents", "token": "GITHUB_TOKEN"} if isinstance(place, GitHub) else {"linear": "ENG", "token": "LINEAR_API_KEY"}
    )
    return agent("improver", tickets={**where, "url": place.url, "private": True, **more})


async def test_an_issue_is_filed_at_github_with_all_that_is_known(github: GitHub) -> None:
    filed = await FILING.file(improver(github), CARD, "ben")

    [issue] = github.issues
    assert filed == ("https://github.test/acme/agents/issues/1", "acme/agents#1")
    assert issue["title"] == "helper: It asks for the ticket"
    for words in ("> It has no access.", "> Give it some.", "People hit: 2 · turns: 2 · cost: $0.75", "[1](https://acme.test/100.5)",
                  "Found by the agent improver, filed by ben, talked about in [this thread](https://acme.test/7.7)"):  # fmt: skip
        assert words in issue["body"]


async def test_an_issue_is_filed_at_linear(linear: Linear) -> None:
    filed = await FILING.file(improver(linear), CARD, "ben")

    [issue] = linear.issues.values()
    assert filed == ("https://linear.test/acme/issue/ENG-1", "ENG-1")
    assert (issue["title"], "> It has no access." in issue["description"]) == ("helper: It asks for the ticket", True)


async def test_what_was_filed_already_is_found_at_github_behind_a_hundred_others(github: GitHub) -> None:
    first = await FILING.file(improver(github), CARD, "ben")
    github.issues += [{"title": "Other", "body": None, "number": n, "html_url": "x"} for n in range(2, 150)]

    assert await FILING.file(improver(github), CARD, "ana") == first
    assert len(github.issues) == 149


async def test_what_was_filed_already_is_found_at_linear(linear: Linear) -> None:
    first = await FILING.file(improver(linear), CARD, "ben")

    assert await FILING.file(improver(linear), CARD, "ana") == first
    assert len(linear.issues) == 1


async def test_another_finding_has_another_ticket(github: GitHub, linear: Linear) -> None:
    for place in (github, linear):
        await FILING.file(improver(place), CARD, "ben")
        await FILING.file(improver(place), replace(CARD, id="f3b4"), "ben")

    assert (len(github.issues), len(linear.issues)) == (2, 2)


async def test_a_connection_that_breaks_after_it_was_filed_files_nothing_twice(github: GitHub, linear: Linear) -> None:
    for place in (github, linear):
        place.silent = True
        with pytest.raises(BotError, match=r"does not answer .* Nothing is lost: press \*File a ticket\* again"):
            await FILING.file(improver(place), CARD, "ben")
        place.silent = False
        await FILING.file(improver(place), CARD, "ben")

    assert (len(github.issues), len(linear.issues)) == (1, 1)


async def test_one_that_is_down_is_told_with_what_to_do(github: GitHub, linear: Linear) -> None:
    for place in (github, linear):
        await place.down()

        with pytest.raises(BotError, match=r"(GitHub|Linear) does not answer now\. Nothing is lost: .* tickets\.url .* is right") as told:
            await FILING.file(improver(place), CARD, "ben")

        assert "Errno" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (503, b"<html>", {}, "GitHub answers with 503, which is no answer. Nothing is lost"),
        (200, b"[[", {}, "GitHub answers with 200, which is no answer"),
        (403, b"{}", {"X-RateLimit-Remaining": "0"}, "GitHub lets us file nothing right now"),
        (403, b'{"message": "Resource not accessible by personal access token"}', {}, "Resource not accessible by personal access token"),
        (403, b"<html>", {}, r"file issues in acme/agents \(it says 403\)"),
        (301, b"{}", {"Location": "/repositories/1/issues"}, "acme/agents is called otherwise by now: correct tickets.github"),
        (410, b'{"message": "Issues are disabled for this repo"}', {}, "There are no issues of acme/agents for the token in GITHUB_TOKEN"),
        (422, b'{"message": "Validation Failed"}', {}, r"GitHub does not take this ticket \(Validation Failed\)"),
    ],
)
async def test_what_github_answers_is_told_in_words(github: GitHub, status: int, body: bytes, headers: dict[str, str], words: str) -> None:
    github.refuse(status, body, headers)

    with pytest.raises(BotError, match=words):
        await FILING.file(improver(github), CARD, "ben")


async def test_what_linear_answers_is_told_in_words(linear: Linear) -> None:
    for status, body, words in (
        (502, b"<html>", "Linear answers with 502, which is no answer"),
        (400, b'{"errors": [{"message": "x", "extensions": {"code": "RATELIMITED"}}]}', "Linear lets us file nothing right now"),
        (403, b'{"errors": [{"message": "x", "extensions": {"code": "FORBIDDEN"}}]}', "does not let the key in LINEAR_API_KEY file issues"),
        (200, b'{"errors": [{"message": "Title too long"}]}', r"Linear does not take this ticket \(Title too long\)"),
        (200, b'{"errors": [{}]}', r"Linear does not take this ticket \(it does not say why\)"),
        (200, SILENT, "Linear did not file it, and does not say why"),
        (200, b'{"data": null}', "Linear answers with 200, which is no answer"),
    ):
        linear.refuse(status, body, {})
        with pytest.raises(BotError, match=words):
            await FILING.file(improver(linear), CARD, "ben")


async def test_a_token_that_is_none_is_named_and_never_shown(github: GitHub, linear: Linear) -> None:
    for place, words in ((github, "GitHub does not take the token in OLD"), (linear, "Linear does not take the key in OLD")):
        with pytest.raises(BotError, match=words) as told:
            await FILING.file(improver(place, token="OLD"), CARD, "ben")

        assert "ghp_another0000" not in str(told.value)


async def test_places_that_there_are_not_are_named(github: GitHub, linear: Linear) -> None:
    with pytest.raises(BotError, match=r"There are no issues of acme/other .* correct tickets\.github"):
        await FILING.file(improver(github, github="acme/other"), CARD, "ben")
    with pytest.raises(BotError, match=r"Linear has no team OPS .* correct tickets\.linear"):
        await FILING.file(improver(linear, linear="OPS"), CARD, "ben")


async def test_a_variable_that_is_not_set_is_named(github: GitHub) -> None:
    with pytest.raises(ConfigError, match=r"agents/improver\.md: tickets\.token names NOT_SET, which is not set .* start frontdesk again"):
        await FILING.file(improver(github, token="NOT_SET"), CARD, "ben")


async def test_where_the_file_is_wrong_by_now_it_is_told_that_its_last_good_version_counts(github: GitHub) -> None:
    wrong = "agents/improver.md: tickets.github: 'acme' is no repository; until that is right, its last good version goes on"
    filing = Filing({}, client, link, lambda: ["agents/improver2.md: it cannot be read", wrong])

    with pytest.raises(BotError, match=f"^{wrong}. By that version: agents/improver.md: tickets.token names GITHUB_TOKEN"):
        await filing.file(improver(github), CARD, "ben")


async def test_where_nothing_says_where_tickets_go_that_is_told_with_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"Whoever looks after agents/improver\.md can write `tickets: \{github: owner/repository"):
        await FILING.file(agent("improver"), CARD, "ben")


async def test_an_address_in_our_own_network_has_to_be_meant(github: GitHub) -> None:
    with pytest.raises(ConfigError, match=r"it leads to a private address; if that is meant, set tickets\.private to true") as told:
        await FILING.file(improver(github, private=False), CARD, "ben")

    assert str(told.value).startswith(f"agents/improver.md: tickets cannot go to {github.url}: ")
    assert "again" not in str(told.value)


@pytest.mark.parametrize(
    "tickets",
    [
        {"token": "GITHUB_TOKEN"},
        {"github": "agents", "token": "GITHUB_TOKEN"},
        {"github": "ENG", "token": "GITHUB_TOKEN"},
        {"github": "../..", "token": "GITHUB_TOKEN"},
        {"linear": "a/b", "token": "LINEAR_API_KEY"},
        {"github": "acme/agents", "linear": "ENG", "token": "GITHUB_TOKEN"},
    ],
)
def test_a_file_that_does_not_say_where_is_told_how(tickets: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="say where, either as `github: owner/repository` or as `linear: TEAM`"):
        agent(tickets=tickets)


def test_a_token_itself_does_not_belong_in_a_file() -> None:
    with pytest.raises(ValueError, match="name the variable that holds the token"):
        agent(tickets={"github": "acme/agents", "token": TOKEN})


def test_a_ticket_about_private_conversations_leads_to_none() -> None:
    text = ticket.body(replace(CARD, hits=HITS[1:]), "ben", link)

    assert "What happened: only in private conversations." in text
