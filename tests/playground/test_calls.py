"""Contract: every Web API call, whatever it asks for."""

import pytest
from aiohttp import ClientSession, FormData
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack


async def refused(call: object) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call  # type: ignore[misc]
    return str(caught.value.response["error"])


async def test_the_bot_learns_who_it_is(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.auth_test()

    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (slack.bot, "B0FRONTDESK", slack.team)


async def test_the_scopes_are_in_a_header(slack: Slack, client: AsyncWebClient) -> None:
    slack.scopes.clear()
    slack.grant("chat:write")

    answer = await client.auth_test()

    assert answer.headers["x-oauth-scopes"] == "chat:write"


async def test_a_wrong_token_is_invalid_auth(client: AsyncWebClient) -> None:
    client.token = "xoxb-wrong"

    assert await refused(client.auth_test()) == "invalid_auth"


async def test_a_second_workspace_is_a_second_stand_in(slack: Slack, client: AsyncWebClient) -> None:
    async with Slack() as other:
        web = AsyncWebClient(other.bot_token, base_url=other.url)
        await web.chat_postMessage(channel="general", text="hi")
        client.token = other.bot_token

        assert await refused(client.auth_test()) == "invalid_auth"
        assert [slack.messages("general"), [each["text"] for each in other.messages("general")]] == [[], ["hi"]]


async def test_no_token_is_not_authed(slack: Slack, http: ClientSession) -> None:
    async with http.post(slack.url + "auth.test") as response:
        assert await response.json() == {"ok": False, "error": "not_authed"}


async def test_the_bots_token_opens_no_socket(slack: Slack, client: AsyncWebClient) -> None:
    assert await refused(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"


async def test_a_method_that_slack_does_not_know(client: AsyncWebClient) -> None:
    assert await refused(client.api_call("chat.shout")) == "unknown_method"


async def test_arguments_come_as_json(slack: Slack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=slack.channel("general"), text="hi", team_id="T9")

    assert slack.calls[-1].args == {"channel": slack.channel("general"), "text": "hi"}


async def test_arguments_come_as_a_form(slack: Slack, client: AsyncWebClient) -> None:
    await client.api_call("chat.postMessage", data={"channel": "#general", "text": "hi", "blocks": '[{"type":"divider"}]'})

    assert [block["type"] for block in slack.messages("general")[0]["blocks"]] == ["divider"]


async def test_arguments_come_in_the_query(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.api_call("users.info", http_verb="GET", params={"user": slack.user("ana")})

    assert answer["user"]["name"] == "ana"


async def test_arguments_come_as_multipart(slack: Slack, http: ClientSession) -> None:
    form = FormData({"channel": "general", "text": "hi", "token": slack.bot_token}, default_to_multipart=True)

    async with http.post(slack.url + "chat.postMessage", data=form) as response:
        assert (await response.json())["message"]["text"] == "hi"


async def test_a_missing_scope_is_named(slack: Slack, client: AsyncWebClient) -> None:
    slack.revoke("chat:write")

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="general", text="hi")

    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "chat:write")


async def test_reading_a_channel_needs_the_scope_of_its_kind(slack: Slack, client: AsyncWebClient) -> None:
    slack.revoke("im:history")
    channel = slack.dm("ana")

    assert await refused(client.conversations_history(channel=channel)) == "missing_scope"


async def test_each_call_is_recorded_with_its_answer(slack: Slack, client: AsyncWebClient) -> None:
    await refused(client.chat_postMessage(channel="nowhere", text="hi"))

    call = slack.calls[-1]
    assert (call.method, call.status, call.response["error"]) == ("chat.postMessage", 200, "channel_not_found")


async def test_the_21st_call_of_a_tier_2_method_is_too_many(client: AsyncWebClient) -> None:
    for _ in range(20):
        await client.users_list()

    with pytest.raises(SlackApiError) as caught:
        await client.users_list()

    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")


async def test_too_many_calls_are_told_when_to_come_again(client: AsyncWebClient) -> None:
    for _ in range(20):
        await client.users_list()

    with pytest.raises(SlackApiError) as caught:
        await client.users_list()

    assert 50 <= int(caught.value.response.headers["Retry-After"]) <= 60


async def test_a_channel_takes_a_burst_of_ten_posts_and_then_one_a_second(client: AsyncWebClient) -> None:
    for index in range(10):
        await client.chat_postMessage(channel="general", text=str(index))

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="general", text="10")

    assert caught.value.response.headers["Retry-After"] == "1"


async def test_posts_in_another_channel_are_counted_apart(slack: Slack, client: AsyncWebClient) -> None:
    for index in range(10):
        await client.chat_postMessage(channel="general", text=str(index))

    await client.chat_postMessage(channel="reviews", text="first")

    assert len(slack.messages("reviews")) == 1


async def test_posts_by_a_persons_id_and_by_their_direct_messages_are_counted_together(slack: Slack, client: AsyncWebClient) -> None:
    for index in range(10):
        await client.chat_postMessage(channel=slack.user("ana"), text=str(index))

    assert await refused(client.chat_postMessage(channel=slack.dm("ana"), text="10")) == "ratelimited"


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"attachments": ["a"]}, "invalid_attachments"),
        ("chat.postMessage", {"blocks": [{"type": ["a"]}]}, "invalid_blocks"),
        ("chat.postMessage", {"blocks": [{"type": "divider", "block_id": ["a"]}]}, "invalid_blocks"),
        ("chat.postMessage", {"blocks": [{"type": "divider", "child_blocks": ["a"]}]}, "invalid_blocks"),
        ("chat.postMessage", {"blocks": [{"type": "data_table", "caption": "c", "rows": [[], []], "page_size": "x"}]}, "invalid_blocks"),
        ("conversations.history", {"limit": [1]}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": ["a"]}, "invalid_arguments"),
        ("assistant.threads.setStatus", {"status": "x", "loading_messages": 1}, "invalid_arguments"),
    ],
)
async def test_what_is_of_no_known_form_is_refused(
    slack: Slack, client: AsyncWebClient, method: str, args: dict[str, object], error: str
) -> None:  # fmt: skip
    said = await slack.say("hello")
    where = {"channel": said["channel"], "channel_id": said["channel"], "thread_ts": said["ts"]}

    assert await refused(client.api_call(method, json=where | args)) == error


async def test_a_page_can_show_the_budgets(slack: Slack, client: AsyncWebClient) -> None:
    await client.users_list()

    assert slack.budgets()["users.list"] == {"limit": 20, "used": 1, "refused": 0}


async def test_the_limits_can_be_turned_off(http: ClientSession) -> None:
    async with Slack(rates=None) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url, session=http)

        for index in range(30):
            await client.chat_postMessage(channel="general", text=str(index))

        assert len(slack.messages("general")) == 30


async def test_the_limits_can_be_multiplied(http: ClientSession) -> None:
    async with Slack(rates=2) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url, session=http)

        for _ in range(40):
            await client.users_list()

        assert await refused(client.users_list()) == "ratelimited"


async def test_two_workspaces_know_nothing_of_each_other(http: ClientSession) -> None:
    async with Slack() as ours, Slack(team="T0OTHER") as other:
        await other.say("hello")
        told = [await AsyncWebClient(each.bot_token, base_url=each.url, session=http).auth_test() for each in (ours, other)]
        foreign = AsyncWebClient(ours.bot_token, base_url=other.url, session=http)

        assert [answer["team_id"] for answer in told] == ["T0FRONTDESK", "T0OTHER"]
        assert [answer["url"] for answer in told] == ["https://frontdesk-play.slack.com/", "https://other-play.slack.com/"]
        assert [len(each.messages("general")) for each in (ours, other)] == [0, 1]
        assert await refused(foreign.auth_test()) == "invalid_auth"
