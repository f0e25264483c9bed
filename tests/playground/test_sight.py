"""Contract: waiting, watching, and what the record holds."""

import asyncio

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.feed import Feed

from .conftest import Json


async def test_waiting_gives_the_value_of_the_condition(slack: Slack) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(slack.until(lambda: slack.messages("general")[0]["text"]))
        await slack.say("hello")

    assert waiting.result() == "hello"


async def test_waiting_ends_with_a_picture(slack: Slack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="general", text="something else")

    with pytest.raises(TimeoutError, match=r"something else[\s\S]*chat.postMessage -> 200 ok"):
        await slack.until(lambda: False, seconds=0.05)


async def test_a_change_wakes_who_waits() -> None:
    feed, looks = Feed(again=60.0), 0

    def condition() -> bool:
        nonlocal looks
        looks += 1
        asyncio.get_running_loop().call_soon(feed.tell, "change")
        return looks == 3

    await feed.until(condition, 5.0, lambda: "")

    assert looks == 3


async def test_a_condition_may_look_at_other_things_too(slack: Slack) -> None:
    other: list[int] = []
    asyncio.get_running_loop().call_later(0.01, other.append, 7)

    assert await slack.until(lambda: other[0]) == 7


async def test_changes_are_told_in_order(slack: Slack, client: AsyncWebClient) -> None:
    changes = slack.changes()

    posted = await client.chat_postMessage(channel="general", text="hi")
    await client.reactions_add(channel=posted["channel"], timestamp=posted["ts"], name="eyes")

    kinds = [(await anext(changes))["kind"] for _ in range(6)]
    assert kinds == ["message", "envelope", "call", "reaction", "envelope", "call"]


async def test_a_slow_watcher_loses_the_oldest(slack: Slack) -> None:
    changes = slack.changes(size=2)  # of each message, and of what nobody was told of it

    await slack.say("one")
    await slack.say("two")

    assert (await anext(changes))["message"]["text"] == "two"


async def test_a_closed_watch_ends(slack: Slack) -> None:
    changes = slack.changes()
    changes.close()

    assert [change async for change in changes] == []


async def test_a_watch_ends_with_the_workspace() -> None:
    async with Slack() as slack:
        changes = slack.changes()

    assert [change async for change in changes] == []


async def test_what_was_looked_at_does_not_change(slack: Slack) -> None:
    said = await slack.say("one")
    before: list[Json] = slack.thread(said)

    await slack.edit(said, "two")

    assert before[0]["text"] == "one"


async def test_a_workspace_can_come_back_on_its_port(client: AsyncWebClient) -> None:
    async with Slack() as first:
        port = int(first.url.split(":")[2].split("/")[0])

    async with Slack(port) as second:
        assert second.url == first.url


@pytest.mark.parametrize(("replies", "texts"), [(True, ["two", "reply"]), (False, ["one", "two"])])
async def test_the_newest_messages_of_a_channel(slack: Slack, replies: bool, texts: list[str]) -> None:
    root = await slack.say("one")
    await slack.say("two")
    await slack.say("reply", thread=root)

    found = slack.messages("general", replies, newest=2)

    assert [each["text"] for each in found] == texts


async def test_a_reply_that_was_sent_to_the_channel_too_is_among_its_messages(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("one")
    for text, shown in (("two", True), ("three", False)):
        await client.chat_postMessage(channel=root["channel"], thread_ts=root["ts"], text=text, reply_broadcast=shown)

    assert [each["text"] for each in slack.messages("general", replies=False)] == ["one", "two"]
