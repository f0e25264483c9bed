"""Contract: chat.*, the app's messages."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import events
from .test_calls import refused

MARK = {"event_type": "turn", "event_payload": {"id": "7"}}


async def test_a_posted_message_is_shown(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="general", text="hi")

    shown = slack.messages("general")[0]
    assert (shown["ts"], shown["text"], shown["bot_id"]) == (answer["ts"], "hi", "B0FRONTDESK")


async def test_an_answer_joins_the_thread(slack: Slack, client: AsyncWebClient) -> None:
    asked = await slack.mention("hello")

    await client.chat_postMessage(channel=asked["channel"], text="hi", thread_ts=asked["ts"])

    assert [slack.text(each) for each in slack.thread(asked)] == [f"@{slack.bot} hello", "hi"]


async def test_the_root_tells_of_its_replies(slack: Slack, client: AsyncWebClient) -> None:
    asked = await slack.mention("hello")

    await client.chat_postMessage(channel="general", text="hi", thread_ts=asked["ts"])

    assert slack.message(asked)["reply_users"] == [slack.bot]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "general"}, "no_text"),
        ({"channel": "nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "secret", "text": "x"}, "channel_not_found"),
        ({"channel": "general", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "general", "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"channel": "general", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": "general", "markdown_text": "y" * 12_001}, "msg_too_long"),
    ],
)
async def test_what_cannot_be_posted(client: AsyncWebClient, args: dict[str, object], error: str) -> None:
    assert await refused(client.api_call("chat.postMessage", json=args)) == error


async def test_a_public_channel_without_the_bot_refuses_it(slack: Slack, client: AsyncWebClient) -> None:
    await slack.kick("random")

    assert await refused(client.chat_postMessage(channel="random", text="x")) == "not_in_channel"


async def test_a_reply_is_no_root(slack: Slack, client: AsyncWebClient) -> None:
    asked = await slack.say("root")
    reply = await slack.say("reply", thread=asked)

    assert await refused(client.chat_postMessage(channel="general", text="x", thread_ts=reply["ts"])) == "cannot_reply_to_message"


async def test_a_very_long_text_is_cut(slack: Slack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="general", text="x" * 40_001)

    assert len(slack.messages("general")[0]["text"]) == 40_000


async def test_people_cannot_say_more_than_slack_takes(slack: Slack) -> None:
    words = "this has 40,001 characters, and Slack takes 40,000 in one message: shorten it, or attach it as a file"

    with pytest.raises(ValueError, match=words):
        await slack.say("x" * 40_001)

    assert slack.messages("general") == []


async def test_a_persons_id_stands_for_the_direct_messages(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel=slack.user("ben"), text="psst")

    assert answer["channel"] == slack.dm("ben")


async def test_an_edit_shows_the_new_text(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="one")

    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="two")

    assert slack.messages("general")[0]["text"] == "two"


async def test_an_edit_keeps_what_it_does_not_name(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="one", blocks=[{"type": "divider"}], metadata=MARK)

    change = {"channel": posted["channel"], "ts": posted["ts"], "attachments": [{"text": "more"}]}
    await client.api_call("chat.update", json=change)

    shown = slack.messages("general")[0]
    assert (shown["text"], shown["blocks"][0]["type"], shown["metadata"]) == ("one", "divider", MARK)


async def test_a_new_text_alone_takes_the_place_of_the_blocks(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="one", blocks=[{"type": "divider"}], metadata=MARK)

    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="two")

    shown = slack.messages("general")[0]
    assert (shown["blocks"], shown["metadata"]) == ([], MARK)


async def test_an_edit_takes_4000_characters_at_most(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="one")

    assert await refused(client.chat_update(channel=posted["channel"], ts=posted["ts"], text="x" * 4001)) == "msg_too_long"


async def test_the_app_cannot_edit_what_people_wrote(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("mine")

    assert await refused(client.chat_update(channel=said["channel"], ts=said["ts"], text="x")) == "cant_update_message"


async def test_a_message_that_is_gone_cannot_be_edited(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="one")
    await client.chat_delete(channel=posted["channel"], ts=posted["ts"])

    assert await refused(client.chat_update(channel=posted["channel"], ts=posted["ts"], text="x")) == "message_not_found"


async def test_the_app_cannot_delete_what_people_wrote(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("mine")

    assert await refused(client.chat_delete(channel=said["channel"], ts=said["ts"])) == "cant_delete_message"


async def test_a_deleted_root_leaves_a_tombstone(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="root")
    await slack.say("reply", thread=posted["ts"])

    await client.chat_delete(channel=posted["channel"], ts=posted["ts"])

    assert [each.get("subtype") for each in slack.thread("general", posted["ts"])] == ["tombstone", None]


async def test_the_app_hears_the_echo_of_its_edit(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="one")

    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="two")

    echo = events(slack, "message_changed")[0]
    assert (echo["message"]["text"], echo["previous_message"]["text"], echo["hidden"]) == ("two", "one", True)


async def test_what_one_person_sees_is_nowhere_else(slack: Slack, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel=slack.channel("general"), user=slack.user("ben"), text="psst")

    assert ([note["text"] for note in slack.ephemerals("ben")], slack.messages("general")) == (["psst"], [])


async def test_only_who_is_in_the_channel_can_see_an_ephemeral_message(slack: Slack, client: AsyncWebClient) -> None:
    call = client.chat_postEphemeral(channel=slack.channel("reviews"), user=slack.user("dan"), text="psst")

    assert await refused(call) == "user_not_in_channel"


async def test_a_permalink_of_a_reply_names_its_thread(slack: Slack, client: AsyncWebClient) -> None:
    said = await slack.say("root")
    reply = await slack.say("reply", thread=said)

    answer = await client.chat_getPermalink(channel=said["channel"], message_ts=reply["ts"])

    assert answer["permalink"].endswith(f"/p{reply['ts'].replace('.', '')}?thread_ts={said['ts']}&cid={said['channel']}")


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.postEphemeral", "chat.startStream"])
async def test_an_archived_channel_takes_nothing(slack: Slack, client: AsyncWebClient, method: str) -> None:
    await slack.archive("random")
    args = {"channel": slack.channel("random"), "text": "x", "user": slack.user("ana")}

    assert await refused(client.api_call(method, json=args)) == "is_archived"


async def test_a_message_in_an_archived_channel_stays_as_it_is(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="random", text="one")
    await slack.archive("random")

    assert await refused(client.chat_update(channel=posted["channel"], ts=posted["ts"], text="two")) == "is_inactive"


async def test_with_a_scope_of_its_own_the_app_writes_where_it_is_not(slack: Slack, client: AsyncWebClient) -> None:
    await slack.kick("random")
    slack.grant("chat:write.public")

    await client.chat_postMessage(channel="random", text="hi")

    assert slack.messages("random")[-1]["text"] == "hi"


@pytest.mark.parametrize(("granted", "name"), [(True, "Triage"), (False, None)])
async def test_another_name_needs_a_scope(slack: Slack, client: AsyncWebClient, granted: bool, name: str | None) -> None:
    (slack.grant if granted else slack.revoke)("chat:write.customize")

    await client.chat_postMessage(channel="general", text="hi", username="Triage", icon_emoji=":tada:")

    shown = slack.messages("general")[-1]
    assert (shown.get("username"), "icons" in shown) == (name, granted)
