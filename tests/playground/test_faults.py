"""Contract: what can go wrong on purpose."""

import pytest
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .test_calls import refused


async def test_a_call_fails_with_an_error_of_slack(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", error="restricted_action")

    assert await refused(client.chat_postMessage(channel="general", text="x")) == "restricted_action"


async def test_a_call_is_told_to_come_later(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("chat.update", retry_after=7)

    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel="general", ts="1", text="x")

    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")


async def test_a_fault_lasts_as_many_times_as_it_was_asked_for(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("auth.test", times=2)

    answers = [await outcome(client) for _ in range(3)]

    assert answers == [500, 500, 200]


async def test_a_fault_for_no_call_is_none(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("auth.test", times=0)

    assert await outcome(client) == 200


async def outcome(client: AsyncWebClient) -> int:
    try:
        return (await client.auth_test()).status_code
    except SlackApiError as error:
        return int(error.response.status_code)


async def test_a_fault_can_be_for_any_method(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("*", status=503)

    assert await outcome(client) == 503


async def test_a_failed_call_did_nothing(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("chat.postMessage")

    await refused(client.chat_postMessage(channel="general", text="x"))

    assert slack.messages("general") == []


async def test_an_ambiguous_send_was_done(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", after=True)

    await refused(client.chat_postMessage(channel="general", text="x"))

    assert len(slack.messages("general")) == 1


async def test_a_cut_connection_leaves_the_sender_in_doubt(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", status=0, after=True)

    with pytest.raises(ClientError):
        await client.chat_postMessage(channel="general", text="x")

    assert len(slack.messages("general")) == 1


async def test_the_sdks_own_second_try_posts_twice(slack: Slack, client: AsyncWebClient) -> None:
    client.retry_handlers.append(AsyncConnectionErrorRetryHandler(max_retry_count=1))
    slack.fail("chat.postMessage", status=0, after=True)

    await client.chat_postMessage(channel="general", text="x")

    assert len(slack.messages("general")) == 2


async def test_faults_can_be_taken_away(slack: Slack, client: AsyncWebClient) -> None:
    slack.fail("auth.test", times=9)

    slack.forgive()

    assert await outcome(client) == 200


async def test_an_outage_can_be_ended(slack: Slack, client: AsyncWebClient) -> None:
    slack.go_down(60)

    slack.go_down(0)

    assert await outcome(client) == 200


async def test_a_revoked_scope_comes_back(slack: Slack, client: AsyncWebClient) -> None:
    slack.revoke("users:read")
    before = await refused(client.users_list())

    slack.grant("users:read")

    assert (before, (await client.users_list())["ok"]) == ("missing_scope", True)
