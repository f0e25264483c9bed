"""What the doctor finds in a workspace that is set up right, and in ones that are not."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.agent import Agent, parse
from bot.playground import Slack
from bot.settings import Settings
from bot.slack.doctor import Finding, examine, unknown
from bot.slack.manifest import manifest

HELPER = """\
---
description: Helps.
runtime: echo
triggers: [{mention: ["#general"]}]
allow: {approve: ["@platform"]}
---
Help.
"""


def agents(text: str = HELPER) -> list[Agent]:
    return [parse("helper", text)]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(manifest=manifest(agents())) as running:
        yield running


def settings(slack: Slack, **other: str) -> Settings:
    tokens = {"slack_bot_token": slack.bot_token, "slack_app_token": slack.app_token, "slack_api_url": slack.url}
    return Settings.model_validate({**tokens, **other})


async def look(slack: Slack, text: str = HELPER, **other: str) -> dict[str, Finding]:
    found = await examine(settings(slack, **other), agents(text), 0, print)
    return {finding.name: finding for finding in found}


async def test_a_workspace_that_is_set_up_right_has_nothing_wrong(slack: Slack) -> None:
    found = await look(slack)

    assert [finding.words for finding in found.values() if not finding.ok] == []
    assert list(found) == ["bot token", "app token", "scopes", "channels", "user groups", "socket"]
    assert found["channels"].words == "the bot is in #general"
    assert slack.sockets == 0


async def test_a_mention_really_arrives_and_is_left_to_the_desk(slack: Slack) -> None:
    told: list[str] = []
    looking = asyncio.create_task(examine(settings(slack), agents(), 20, told.append))
    await slack.until(lambda: told)

    await slack.mention("hello")
    found = (await looking)[-1]

    assert told == ["Mention me in Slack now, within 20 seconds: @frontdesk hello"]
    assert (found.name, found.ok, found.words) == ("events", True, "a mention arrived")
    assert {envelope.state for envelope in slack.envelopes} == {"waiting"}


async def test_a_mention_that_never_comes_says_what_to_look_at(slack: Slack) -> None:
    found = (await examine(settings(slack), agents(), 0.1, print))[-1]

    assert (found.ok, found.words) == (False, "no mention within 0.1 s")
    assert found.remedy.startswith("invite the bot to that channel; compare the app's events with manifest.yaml")


@pytest.mark.parametrize(
    ("token", "name", "words"),
    [
        ({"slack_bot_token": ""}, "bot token", "SLACK_BOT_TOKEN is not set"),
        ({"slack_bot_token": "xoxb-no"}, "bot token", "Slack says invalid_auth: the token is wrong: copy it again"),
        ({"slack_app_token": ""}, "app token", "SLACK_APP_TOKEN is not set"),
        ({"slack_app_token": "xapp-no"}, "app token", "Slack says invalid_auth: the token is wrong: copy it again"),
    ],
)
async def test_a_wrong_token_is_named_with_where_to_get_the_right_one(
    slack: Slack, token: dict[str, str], name: str, words: str
) -> None:  # fmt: skip
    found = (await look(slack, **token))[name]

    assert (found.ok, found.words) == (False, words)
    assert "https://api.slack.com/apps, your app" in found.remedy


async def test_tokens_that_were_swapped_are_told_apart(slack: Slack) -> None:
    found = await look(slack, slack_bot_token=slack.app_token, slack_app_token=slack.bot_token)

    kinds = "Slack says not_allowed_token_type: this is another kind of token: a bot's begins with xoxb-, an app's with xapp-"
    assert (found["bot token"].words, found["app token"].words) == (kinds, kinds)


async def test_a_missing_scope_is_named(slack: Slack) -> None:
    slack.scopes.discard("files:read")
    slack.scopes.add("channels:join")

    found = (await look(slack))["scopes"]

    assert (found.ok, found.words) == (False, "the bot token lacks files:read")
    assert found.remedy.endswith("your app, App Manifest, and then install the app again")


async def test_a_channel_without_the_bot_and_a_group_that_is_not_there_are_named(slack: Slack) -> None:
    found = await look(slack, HELPER.replace("#general", "#secret").replace("@platform", "@nobody"))

    assert (found["channels"].ok, found["channels"].words) == (False, "the bot is not in #secret")
    assert (found["user groups"].ok, found["user groups"].words) == (False, "there is no @nobody")
    assert found["user groups"].remedy.endswith("until then it lets nobody through")


async def test_a_slack_that_cannot_be_reached_is_told_in_words() -> None:
    nowhere = Settings(slack_bot_token="xoxb-x", slack_app_token="xapp-x", slack_api_url="http://127.0.0.1:9/api/")

    found = await examine(nowhere, agents(), 0, print)

    assert [(finding.name, finding.ok) for finding in found] == [("slack", False)]
    assert found[0].words.startswith("cannot be reached at http://127.0.0.1:9/api/ (")
    assert found[0].remedy == "check the network, and SLACK_API_URL"


async def test_a_name_that_nothing_in_slack_has_is_told_with_its_file() -> None:
    async with Slack() as slack:
        settings = Settings(slack_bot_token=slack.bot_token, slack_api_url=slack.url)
        named = parse(
            "x", "---\ndescription: x\nruntime: echo\ntriggers: [{mention: ['#general', '#nowhere']}]\nallow: {run: ['@nobody']}\n---\n"
        )

        assert await unknown(settings, [named]) == [
            "agents/x.md: no channel is called #nowhere; correct the name, or invite the bot",
            "agents/x.md: no user group is called @nobody; correct the name, or invite the bot",
        ]
