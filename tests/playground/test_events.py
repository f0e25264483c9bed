"""Contract: what the app is told of what people do."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import events


def kinds(slack: Slack) -> list[str]:
    return [event.get("subtype") or event["type"] for event in events(slack)]


async def test_a_mention_in_a_channel_arrives_twice(slack: Slack) -> None:
    said = await slack.mention("hello")

    found = events(slack)
    assert [(event["type"], event["channel"], event["ts"]) for event in found] == [
        ("message", said["channel"], said["ts"]),
        ("app_mention", said["channel"], said["ts"]),
    ]


async def test_the_two_events_of_a_mention_have_ids_of_their_own(slack: Slack) -> None:
    await slack.mention("hello")

    assert len({envelope.payload["event_id"] for envelope in slack.envelopes}) == 2


async def test_a_direct_message_is_no_mention(slack: Slack) -> None:
    await slack.direct(f"<@{slack.bot}> hello")

    assert [(event["type"], event["channel_type"], "thread_ts" in event) for event in events(slack)] == [("message", "im", False)]


async def test_a_reply_names_its_thread(slack: Slack) -> None:
    asked = await slack.say("root")

    await slack.say("reply", by="ben", thread=asked)

    assert (events(slack)[-1]["thread_ts"], events(slack)[-1]["parent_user_id"]) == (asked["ts"], slack.user("ana"))


async def test_what_people_type_arrives_escaped(slack: Slack) -> None:
    await slack.say("a < b && c > d")

    assert events(slack)[0]["text"] == "a &lt; b &amp;&amp; c &gt; d"


async def test_names_and_links_that_people_type_become_live(slack: Slack) -> None:
    await slack.say("@ben and @platform see https://x.test/a, in #reviews @here")

    ben, platform, reviews = slack.user("ben"), slack.world.group("platform").id, slack.channel("reviews")
    assert events(slack)[0]["text"] == f"<@{ben}> and <!subteam^{platform}> see <https://x.test/a>, in <#{reviews}> <!here>"


async def test_the_rich_text_beside_a_text_is_not_escaped(slack: Slack) -> None:
    await slack.say("a < b")

    assert events(slack)[0]["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": "a < b"}]


async def test_a_file_comes_with_its_message(slack: Slack) -> None:
    await slack.mention("look", files=[("log.txt", b"boom")])

    event = events(slack, "file_share")[0]
    assert (event["files"][0]["name"], event["files"][0]["size"]) == ("log.txt", 4)


async def test_an_edit_brings_the_message_before_and_after(slack: Slack) -> None:
    said = await slack.say("one")

    await slack.edit(said, "two")

    event = events(slack, "message_changed")[0]
    before, after = event["previous_message"], event["message"]
    assert (before["text"], after["text"], after["edited"]["user"]) == ("one", "two", slack.user("ana"))


async def test_a_deletion_names_the_message(slack: Slack) -> None:
    said = await slack.say("one")

    await slack.delete(said)

    assert events(slack, "message_deleted")[0]["deleted_ts"] == said["ts"]


async def test_a_root_with_replies_that_is_deleted_becomes_a_tombstone(slack: Slack) -> None:
    root = await slack.say("one")
    await slack.say("reply", thread=root)

    await slack.delete(root)

    event = events(slack)[-1]
    assert (event["subtype"], event["message"]["subtype"], event["previous_message"]["text"]) == ("message_changed", "tombstone", "one")


async def test_another_bot_is_told_by_its_bot_id(slack: Slack) -> None:
    await slack.say("deployed", by="deploybot")

    event = events(slack, "bot_message")[0]
    assert (event["bot_id"], "user" in event) == ("B0DEPLOYBOT", False)


async def test_a_reaction_names_its_message(slack: Slack) -> None:
    said = await slack.say("one")

    await slack.react(said, "ticket", by="ben")

    event = events(slack, "reaction_added")[0]
    assert (event["reaction"], event["user"], event["item"]["ts"], event["item_user"]) == (
        "ticket", slack.user("ben"), said["ts"], slack.user("ana"),
    )  # fmt: skip


async def test_a_reaction_can_be_taken_back(slack: Slack) -> None:
    said = await slack.say("one")
    await slack.react(said, "ticket")

    await slack.unreact(said, "ticket")

    assert (kinds(slack)[-1], "reactions" in slack.message(said)) == ("reaction_removed", False)


async def test_opening_the_home_tab(slack: Slack) -> None:
    await slack.open_home(by="ben")

    assert [(event["tab"], event["user"]) for event in events(slack, "app_home_opened")] == [("home", slack.user("ben"))]


async def test_opening_the_messages_tab(slack: Slack) -> None:
    await slack.open_messages()

    assert [(event["tab"], event["channel"]) for event in events(slack, "app_home_opened")] == [("messages", slack.dm("ana"))]


async def test_what_a_person_looks_at_goes_with_their_direct_messages(slack: Slack) -> None:
    await slack.look("#reviews")

    await slack.direct("what is this?")

    entity = {"type": "slack#/types/channel_id", "value": slack.channel("reviews"), "team_id": slack.team}
    assert (kinds(slack)[0], events(slack)[1]["app_context"]["entities"]) == ("app_context_changed", [entity])


async def test_the_bot_is_invited(slack: Slack) -> None:
    await slack.invite("secret")

    event = events(slack, "member_joined_channel")[0]
    assert (event["user"], event["inviter"], event["channel"]) == (slack.bot, slack.user("ana"), slack.channel("secret"))


async def test_a_channel_gets_another_name(slack: Slack) -> None:
    await slack.rename("triage", "bugs")

    assert (events(slack, "channel_rename")[0]["channel"]["name"], slack.channel("#bugs")) == ("bugs", "C0TRIAGE")


async def test_a_channel_is_created(slack: Slack) -> None:
    key = await slack.create("ideas")

    assert events(slack, "channel_created")[0]["channel"]["id"] == key


async def test_a_user_group_changes(slack: Slack) -> None:
    await slack.regroup("@oncall", ["ana"])

    event = events(slack, "subteam_members_changed")[0]
    assert (event["added_users"], event["removed_users"]) == ([slack.user("ana")], [slack.user("ben")])


async def test_somebody_of_another_company_can_be_told_apart(slack: Slack) -> None:
    await slack.mention("hello", by="eve", channel="partners")

    envelope = slack.envelopes[0].payload
    assert envelope["is_ext_shared_channel"] is True
    assert envelope["event"]["user_team"] != envelope["team_id"]


async def test_a_channel_without_the_bot_is_silent(slack: Slack) -> None:
    await slack.mention("hello", channel="secret")

    assert events(slack) == []


async def test_who_mentions_an_absent_bot_is_told_so(slack: Slack) -> None:
    await slack.mention("hello", channel="secret")

    assert "not in this channel" in slack.ephemerals("ana")[0]["text"]


async def test_only_what_the_manifest_asks_for_is_sent() -> None:
    manifest = {"settings": {"event_subscriptions": {"bot_events": ["app_mention", "message.im"]}}}
    async with Slack(manifest=manifest) as slack:
        await slack.mention("hello")
        await slack.direct("hello")

        assert [(event["type"], event.get("channel_type")) for event in events(slack)] == [("app_mention", None), ("message", "im")]


async def test_a_guest_cannot_write_where_they_are_not(slack: Slack) -> None:
    with pytest.raises(ValueError, match="dan is not in #reviews"):
        await slack.say("hello", by="dan", channel="reviews")


async def test_nobody_edits_what_the_bot_wrote(slack: Slack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="general", text="mine")

    with pytest.raises(ValueError, match="their own messages"):
        await slack.edit(slack.messages("general")[0], "yours")


async def test_a_person_reacts_once(slack: Slack) -> None:
    said = await slack.say("one")
    await slack.react(said, "eyes")

    with pytest.raises(ValueError, match="already_reacted"):
        await slack.react(said, "eyes")


async def test_what_another_company_does_names_its_workspace(slack: Slack) -> None:
    said = await slack.say("hello", channel="partners")

    await slack.react(said, "eyes", by="eve")

    told = slack.envelopes[-1].payload
    assert (told["team_id"], told["context_team_id"], told["authorizations"][0]["team_id"]) == ("T0PARTNER", slack.team, slack.team)


async def test_another_company_has_no_direct_messages_with_the_app(slack: Slack) -> None:
    with pytest.raises(ValueError, match="eve belongs to another company"):
        await slack.direct("hello", by="eve")


async def test_another_company_has_no_commands_of_the_app(slack: Slack) -> None:
    with pytest.raises(ValueError, match="eve belongs to another company"):
        await slack.command("/ask", by="eve", channel="partners")


async def test_nobody_writes_in_an_archived_channel(slack: Slack) -> None:
    await slack.archive("random")

    with pytest.raises(ValueError, match="#random is archived"):
        await slack.say("hello", channel="random")


async def test_a_broadcast_reply_brings_its_root(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("root")

    await client.chat_postMessage(channel=root["channel"], text="done", thread_ts=root["ts"], reply_broadcast=True)

    assert events(slack, "thread_broadcast")[0]["root"]["ts"] == root["ts"]


async def test_an_app_is_told_that_it_is_told_too_much(slack: Slack) -> None:
    slack.world.rates.events.limit = 1

    for _ in range(3):
        await slack.say("hello")

    told = [envelope.payload["type"] for envelope in slack.envelopes]
    assert told[:2] == ["event_callback", "app_rate_limited"]
    assert told.count("event_callback") == 1
