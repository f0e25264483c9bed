"""Contract: channels, their history, the people and groups."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import events
from .test_calls import refused
from .test_chat import MARK


async def paged(call: Any, key: str, **args: Any) -> list[list[Any]]:
    """All pages of a listing."""
    pages, cursor = [], ""
    while True:
        answer = await call(cursor=cursor, **args) if cursor else await call(**args)
        pages.append(answer[key])
        cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
        if not cursor:
            return pages


async def test_the_public_channels_are_listed(client: AsyncWebClient) -> None:
    answer = await client.conversations_list()

    assert [channel["name"] for channel in answer["channels"]] == ["general", "reviews", "triage", "random", "partners"]


async def test_a_listing_comes_in_pages(client: AsyncWebClient) -> None:
    pages = await paged(client.conversations_list, "channels", limit=2)

    assert [len(page) for page in pages] == [2, 2, 1]


async def test_a_private_channel_is_listed_where_the_bot_is_in(slack: Slack, client: AsyncWebClient) -> None:
    await slack.invite("secret")

    answer = await client.conversations_list(types="private_channel")

    assert [channel["name"] for channel in answer["channels"]] == ["secret"]


async def test_a_shared_channel_says_so(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.conversations_info(channel=slack.channel("partners"))

    assert answer["channel"]["is_ext_shared"] is True


async def test_a_private_channel_without_the_bot_is_unknown(slack: Slack, client: AsyncWebClient) -> None:
    assert await refused(client.conversations_info(channel=slack.channel("secret"))) == "channel_not_found"


async def test_who_is_in_a_channel(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.conversations_members(channel=slack.channel("partners"))

    assert slack.user("eve") in answer["members"]


async def test_history_is_newest_first_without_replies(slack: Slack, client: AsyncWebClient) -> None:
    first = await slack.say("one")
    await slack.say("reply", thread=first)
    await slack.say("two")

    answer = await client.conversations_history(channel=first["channel"])

    assert [message["text"] for message in answer["messages"]] == ["two", "one"]


async def test_history_comes_in_pages(slack: Slack, client: AsyncWebClient) -> None:
    for index in range(5):
        await slack.say(str(index))

    pages = await paged(client.conversations_history, "messages", channel=slack.channel("general"), limit=2)

    assert [[message["text"] for message in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]


@pytest.mark.parametrize(("inclusive", "texts"), [(False, ["two"]), (True, ["two", "one"])])
async def test_history_since_a_message(slack: Slack, client: AsyncWebClient, inclusive: bool, texts: list[str]) -> None:
    await slack.say("zero")
    said = await slack.say("one")
    await slack.say("two")

    answer = await client.conversations_history(channel=said["channel"], oldest=said["ts"], inclusive=inclusive)

    assert [message["text"] for message in answer["messages"]] == texts


@pytest.mark.parametrize("asked", [True, False])
async def test_metadata_comes_when_it_is_asked_for(slack: Slack, client: AsyncWebClient, asked: bool) -> None:
    await client.chat_postMessage(channel="general", text="x", metadata=MARK)

    answer = await client.conversations_history(channel=slack.channel("general"), include_all_metadata=asked)

    assert ("metadata" in answer["messages"][0]) is asked


async def test_a_thread_is_oldest_first(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("root")
    for index in range(3):
        await slack.say(str(index), thread=root)

    pages = await paged(client.conversations_replies, "messages", channel=root["channel"], ts=root["ts"], limit=2)

    assert [[message["text"] for message in page] for page in pages] == [["root", "0"], ["1", "2"]]


async def test_a_thread_that_is_none(slack: Slack, client: AsyncWebClient) -> None:
    assert await refused(client.conversations_replies(channel=slack.channel("general"), ts="1.000001")) == "thread_not_found"


async def test_a_channel_without_the_bot_has_no_history_for_it(slack: Slack, client: AsyncWebClient) -> None:
    await slack.kick("random")

    assert await refused(client.conversations_history(channel=slack.channel("random"))) == "not_in_channel"


async def test_the_bot_joins_a_public_channel(slack: Slack, client: AsyncWebClient) -> None:
    await slack.kick("random")

    await client.conversations_join(channel=slack.channel("random"))

    assert events(slack, "member_joined_channel")[0]["user"] == slack.bot


async def test_direct_messages_are_opened(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.conversations_open(users=slack.user("ben"))

    assert answer["channel"]["id"] == slack.dm("ben")


async def test_a_cursor_of_another_listing(client: AsyncWebClient) -> None:
    assert await refused(client.conversations_list(cursor="bm9uc2Vuc2U=")) == "invalid_cursor"


@pytest.mark.parametrize(
    ("name", "trait"), [("carla", "is_admin"), ("dan", "is_restricted"), ("eve", "is_stranger"), ("deploybot", "is_bot")]
)
async def test_what_is_known_of_people(slack: Slack, client: AsyncWebClient, name: str, trait: str) -> None:
    answer = await client.users_info(user=slack.user(name))

    assert answer["user"][trait] is True


async def test_somebody_unknown(client: AsyncWebClient) -> None:
    assert await refused(client.users_info(user="U404")) == "user_not_found"


async def test_user_groups_have_members(slack: Slack, client: AsyncWebClient) -> None:
    groups = (await client.usergroups_list())["usergroups"]

    answer = await client.usergroups_users_list(usergroup=groups[0]["id"])

    assert (groups[0]["handle"], answer["users"]) == ("platform", [slack.user("carla"), slack.user("ben")])


async def test_where_the_bot_is(slack: Slack, client: AsyncWebClient) -> None:
    await slack.kick("random")

    answer = await client.users_conversations()

    assert "random" not in [channel["name"] for channel in answer["channels"]]


async def test_the_workspace_can_be_larger(slack: Slack, client: AsyncWebClient) -> None:
    slack.add_person("fay")
    slack.add_channel("ops", ["fay", "frontdesk"])

    said = await slack.say("hello", by="fay", channel="ops")

    assert slack.messages("#ops")[0]["ts"] == said["ts"]


async def test_the_bot_reacts(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("x")

    await client.reactions_add(channel=said["channel"], timestamp=said["ts"], name="eyes")

    assert slack.message(said)["reactions"] == [{"name": "eyes", "users": [slack.bot], "count": 1}]


async def test_the_bot_reacts_once(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("x")
    await client.reactions_add(channel=said["channel"], timestamp=said["ts"], name="eyes")

    assert await refused(client.reactions_add(channel=said["channel"], timestamp=said["ts"], name="eyes")) == "already_reacted"


async def test_a_reaction_that_is_not_there_cannot_go(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("x")

    assert await refused(client.reactions_remove(channel=said["channel"], timestamp=said["ts"], name="eyes")) == "no_reaction"


async def test_a_broadcast_reply_is_in_the_history_too(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("root")
    await client.chat_postMessage(channel=root["channel"], text="done", thread_ts=root["ts"], reply_broadcast=True)

    answer = await client.conversations_history(channel=root["channel"])

    assert [message["text"] for message in answer["messages"]] == ["done", "root"]


async def test_what_was_deleted_is_not_in_the_history(slack: Slack, client: AsyncWebClient) -> None:
    said = [await slack.say(text) for text in ("one", "two", "three")]
    await slack.delete(said[1])

    pages = await paged(client.conversations_history, "messages", channel=said[0]["channel"], limit=1)

    assert [page[0]["text"] for page in pages] == ["three", "one"]


async def test_a_reply_that_was_deleted_is_not_in_the_thread(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("root")
    replies = [await slack.say(text, thread=root) for text in ("one", "two")]
    await slack.delete(replies[0])

    answer = await client.conversations_replies(channel=root["channel"], ts=root["ts"])

    assert [message["text"] for message in answer["messages"]] == ["root", "two"]


async def test_a_part_of_a_thread_is_read(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("root")
    replies = [await slack.say(text, thread=root) for text in ("one", "two", "three")]

    answer = await client.conversations_replies(channel=root["channel"], ts=root["ts"], oldest=replies[0]["ts"], latest=replies[2]["ts"])

    assert [message["text"] for message in answer["messages"]] == ["root", "two"]


@pytest.mark.parametrize("name", ["oldest", "latest"])
async def test_a_time_that_is_none(slack: Slack, client: AsyncWebClient, name: str) -> None:
    call = client.api_call("conversations.history", params={"channel": slack.channel("general"), name: "yesterday"})

    assert await refused(call) == f"invalid_ts_{name}"


async def test_a_shared_channel_names_the_other_company(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.conversations_info(channel=slack.channel("partners"))

    assert answer["channel"]["connected_team_ids"] == ["T0PARTNER"]


async def test_a_reaction_needs_a_timestamp_that_is_one(slack: Slack, client: AsyncWebClient) -> None:
    call = client.reactions_add(channel=slack.channel("general"), timestamp="now", name="eyes")

    assert await refused(call) == "bad_timestamp"


async def test_the_app_puts_23_reactions_at_most(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("hello")
    for index in range(23):
        slack.emoji.add(f"face{index}")
        await client.reactions_add(channel=said["channel"], timestamp=said["ts"], name=f"face{index}")

    assert await refused(client.reactions_add(channel=said["channel"], timestamp=said["ts"], name="eyes")) == "too_many_reactions"


@pytest.mark.parametrize("name", ["no_such_thing", ":eyes:", "Eyes", "eyes::skin-tone-9"])
async def test_a_reaction_needs_an_emoji_that_is_there(slack: Slack, client: AsyncWebClient, name: str) -> None:
    said = await slack.say("hello")

    assert await refused(client.reactions_add(channel=said["channel"], timestamp=said["ts"], name=name)) == "invalid_name"


@pytest.mark.parametrize("name", ["eyes", "wave::skin-tone-3", "shipit"])
async def test_a_reaction_is_any_emoji_of_slack_or_of_the_workspace(slack: Slack, client: AsyncWebClient, name: str) -> None:
    said = await slack.say("hello")
    slack.emoji.add("shipit")

    await client.reactions_add(channel=said["channel"], timestamp=said["ts"], name=name)

    assert [each["name"] for each in slack.message(said)["reactions"]] == [name]


@pytest.mark.parametrize("method", ["conversations.info", "conversations.history", "conversations.members", "conversations.join"])
async def test_a_channel_is_known_by_its_id_only(client: AsyncWebClient, method: str) -> None:
    assert await refused(client.api_call(method, params={"channel": "general"})) == "channel_not_found"


async def test_the_51st_kind_of_reaction_is_too_many(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("hello")
    for index in range(50):
        await slack.react(said, f"face{index}", by="ana" if index % 2 else "ben")

    assert await refused(client.reactions_add(channel=said["channel"], timestamp=said["ts"], name="eyes")) == "too_many_emoji"


async def test_a_person_is_found_by_email(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.users_lookupByEmail(email="ben@example.com")

    assert answer["user"]["id"] == slack.user("ben")


async def test_an_email_that_nobody_has(client: AsyncWebClient) -> None:
    assert await refused(client.users_lookupByEmail(email="nobody@example.com")) == "users_not_found"


async def test_who_is_behind_a_bot(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.bots_info(bot="B0DEPLOYBOT")

    assert answer["bot"]["user_id"] == slack.user("deploybot")


async def test_a_bot_that_is_none(client: AsyncWebClient) -> None:
    assert await refused(client.bots_info(bot="B404")) == "bot_not_found"


async def test_the_workspace_is_told(slack: Slack, client: AsyncWebClient) -> None:
    slack.grant("team:read")

    answer = await client.team_info()

    assert answer["team"]["id"] == slack.team
