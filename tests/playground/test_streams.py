"""Contract: chat.startStream, appendStream and stopStream."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import Json, events
from .test_calls import refused


def text(words: str) -> list[Json]:
    return [{"type": "markdown_text", "text": words}]


def task(status: str, title: str = "Read") -> list[Json]:
    return [{"type": "task_update", "id": "1", "title": title, "status": status}]


def cards(count: int) -> list[Json]:
    return [{"type": "task_update", "id": str(number), "title": "Read", "status": "complete"} for number in range(count)]


@pytest.fixture
async def asked(slack: Slack) -> Json:
    return await slack.mention("hello")


@pytest.fixture
def to(slack: Slack, asked: Json) -> Json:
    """What starting a stream in the asker's thread needs."""
    return {
        "channel": asked["channel"], "thread_ts": asked["ts"],
        "recipient_team_id": slack.team, "recipient_user_id": slack.user("ana"),
    }  # fmt: skip


async def live(client: AsyncWebClient, to: Json, **more: Any) -> Json:
    answer = await client.chat_startStream(**to, **more)
    return {"channel": answer["channel"], "ts": answer["ts"]}


async def test_a_stream_grows(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("Hel"))

    await client.chat_appendStream(**stream, chunks=text("lo"))

    assert slack.thread(asked)[1]["text"] == "Hello"


async def test_the_sdks_own_helper_streams(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await client.chat_stream(**to)
    await stream.append(markdown_text="Hello ")

    await stream.stop(markdown_text="world")

    assert slack.text(slack.thread(asked)[1]) == "Hello world"


async def test_a_task_changes_its_status(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=task("in_progress"))

    await client.chat_appendStream(**stream, chunks=task("complete"))

    cards = [block for block in slack.thread(asked)[1]["blocks"] if block["type"] == "task_card"]
    assert [card["status"] for card in cards] == ["complete"]


async def test_tasks_can_be_one_plan(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    await live(client, to, chunks=[{"type": "plan_update", "title": "Working"}, *task("pending")], task_display_mode="plan")

    block = slack.thread(asked)[1]["blocks"][0]
    assert (block["title"], [card["title"] for card in block["tasks"]]) == ("Working", ["Read"])


async def test_a_stopped_stream_has_its_last_blocks(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("Hello"))

    await client.chat_stopStream(**stream, blocks=[{"type": "divider"}])

    assert [block["type"] for block in slack.thread(asked)[1]["blocks"]] == ["markdown", "divider"]


async def test_a_stream_occupies_the_session_till_it_stops(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("Hello"))
    before = slack.status(asked)["session"]

    await client.chat_stopStream(**stream)

    assert (before, slack.status(asked)["session"]) == ("processing", "active")


async def test_the_app_hears_the_echo_of_a_stopped_stream(slack: Slack, client: AsyncWebClient, to: Json) -> None:
    stream = await live(client, to, chunks=text("Hello"))

    await client.chat_stopStream(**stream)

    assert [event["message"]["ts"] for event in events(slack, "message_changed")] == [stream["ts"]]


@pytest.mark.parametrize("name", ["recipient_team_id", "recipient_user_id"])
async def test_a_stream_in_a_channel_needs_a_recipient(client: AsyncWebClient, to: Json, name: str) -> None:
    to.pop(name)

    assert await refused(client.chat_startStream(**to, chunks=text("x"))) == f"missing_{name}"


async def test_a_stream_in_direct_messages_needs_none(slack: Slack, client: AsyncWebClient) -> None:
    asked = await slack.direct("hello")

    await client.chat_startStream(channel=asked["channel"], thread_ts=asked["ts"], chunks=text("hi"))

    assert slack.text(slack.thread(asked)[1]) == "hi"


async def test_a_stream_keeps_its_mode(client: AsyncWebClient, to: Json) -> None:
    stream = await live(client, to, chunks=text("x"))

    assert await refused(client.chat_appendStream(**stream, markdown_text="y")) == "streaming_mode_mismatch"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({}, "markdown_text_or_chunks_required"),
        ({"markdown_text": "x", "chunks": text("y")}, "cannot_provide_both_markdown_text_and_chunks"),
        ({"chunks": [{"type": "song"}]}, "invalid_chunks"),
        ({"chunks": task("finished")}, "invalid_chunks"),
        ({"chunks": task("complete", "x" * 257)}, "invalid_chunks"),
        ({"chunks": text("x" * 12_001)}, "msg_too_long"),
        ({"chunks": text("x" * 11_998)}, "msg_blocks_too_long"),
        ({"chunks": cards(50)}, "msg_blocks_too_many"),
    ],
)
async def test_what_cannot_be_appended(client: AsyncWebClient, to: Json, more: Json, error: str) -> None:
    stream = await live(client, to, chunks=text("abc"))

    assert await refused(client.api_call("chat.appendStream", json=stream | more)) == error


async def test_a_stream_dies_of_old_age(slack: Slack, client: AsyncWebClient, to: Json) -> None:
    stream = await live(client, to, chunks=text("x"))

    slack.expire_streams()

    assert await refused(client.chat_stopStream(**stream)) == "message_not_in_streaming_state"


async def test_the_age_of_streams_can_be_set(http: ClientSession) -> None:
    async with Slack(stream_seconds=0) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url, session=http)
        asked = await slack.direct("hello")

        stream = await live(client, {"channel": asked["channel"], "thread_ts": asked["ts"]}, chunks=text("x"))

        assert await refused(client.chat_appendStream(**stream, chunks=text("y"))) == "message_not_in_streaming_state"


async def test_a_live_stream_cannot_be_updated(client: AsyncWebClient, to: Json) -> None:
    stream = await live(client, to, chunks=text("x"))

    assert await refused(client.chat_update(**stream, text="y")) == "streaming_state_conflict"


async def test_a_dead_stream_can_be_updated(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("x"))
    slack.expire_streams()

    await client.chat_update(**stream, text="y", blocks=[])

    assert slack.text(slack.thread(asked)[1]) == "y"


async def test_a_person_stops_a_stream(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("x"))

    await slack.stop(asked["channel"], asked["ts"])

    assert await refused(client.chat_appendStream(**stream, chunks=text("y"))) == "stopped_by_user"


async def test_the_app_hears_which_streams_were_stopped(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("x"))

    await slack.stop(asked["channel"], asked["ts"], by="ben")

    event = events(slack, "agent_session_stopped")[0]
    assert (event["thread_ts"], event["user"], event["streaming_message_ts"]) == (asked["ts"], slack.user("ben"), [stream["ts"]])


async def test_another_message_is_no_stream(slack: Slack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="general", text="x")

    call = client.chat_appendStream(channel=posted["channel"], ts=posted["ts"], chunks=text("y"))

    assert await refused(call) == "message_not_in_streaming_state"


async def test_a_stream_needs_somebody_who_is_there(client: AsyncWebClient, to: Json) -> None:
    assert await refused(client.chat_startStream(**to | {"recipient_user_id": "U404"})) == "user_not_found"


async def test_a_stream_needs_the_workspace_of_whoever_reads_it(client: AsyncWebClient, to: Json) -> None:
    assert await refused(client.chat_startStream(**to | {"recipient_team_id": "T0PARTNER"})) == "user_not_found"


async def test_what_a_stream_becomes_is_measured_whole(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=text("Hello"))
    last = [{"type": "markdown", "text": "x" * 11_996}]

    assert await refused(client.chat_stopStream(**stream, chunks=text(" all"), blocks=last)) == "msg_blocks_too_long"
    await client.chat_stopStream(**stream)
    assert slack.text(slack.thread(asked)[1]) == "Hello"


async def test_a_stream_has_50_blocks_and_as_many_at_its_end(slack: Slack, client: AsyncWebClient, asked: Json, to: Json) -> None:
    stream = await live(client, to, chunks=cards(50))

    await client.chat_stopStream(**stream, blocks=[{"type": "divider"}] * 50)

    assert len(slack.thread(asked)[1]["blocks"]) == 100


async def test_tasks_are_shown_in_a_known_way(client: AsyncWebClient, to: Json) -> None:
    assert await refused(client.chat_startStream(**to, task_display_mode="fancy")) == "invalid_arguments"


@pytest.mark.parametrize(("by", "words"), [("ana", "I am"), ("ben", "I")])
async def test_who_asked_sees_a_stream_grow_and_others_do_not(
    slack: Slack, client: AsyncWebClient, to: Json, by: str, words: str
) -> None:  # fmt: skip
    stream = await live(client, to, chunks=text("I"))

    await client.chat_appendStream(**stream, chunks=text(" am"))

    assert slack.text(slack.message(stream, by)) == words


async def test_all_see_what_a_stream_became(slack: Slack, client: AsyncWebClient, to: Json) -> None:
    stream = await live(client, to, chunks=text("I"))

    await client.chat_stopStream(**stream, chunks=text(" am"))

    assert slack.text(slack.message(stream, "ben")) == "I am"
