"""Contract: statuses, titles, prompts and agent sessions."""

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import Json, events
from .test_calls import refused


@pytest.fixture
async def asked(slack: Slack) -> Json:
    return await slack.direct("hello")


def thread(asked: Json) -> Json:
    return {"channel_id": asked["channel"], "thread_ts": asked["ts"]}


async def test_a_status_is_shown(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.assistant_threads_setStatus(**thread(asked), status="is reading", loading_messages=["one", "two"])

    assert (slack.status(asked)["text"], slack.status(asked)["loading"]) == ("is reading", ["one", "two"])


async def test_a_status_goes_when_the_app_answers(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.assistant_threads_setStatus(**thread(asked), status="is reading")

    await client.chat_postMessage(channel=asked["channel"], thread_ts=asked["ts"], text="done")

    assert slack.status(asked)["text"] == ""


async def test_a_status_goes_after_two_minutes(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.assistant_threads_setStatus(**thread(asked), status="is reading")

    slack.world.slot(asked["channel"], asked["ts"]).expires -= 120

    assert slack.status(asked)["text"] == ""


async def test_a_thread_gets_a_title(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.assistant_threads_setTitle(**thread(asked), title="The crash")

    assert slack.titles == {(asked["channel"], asked["ts"]): "The crash"}


async def test_prompts_are_suggested(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    prompts = [{"title": "Review", "message": "Review my pull request"}]

    await client.assistant_threads_setSuggestedPrompts(channel_id=asked["channel"], prompts=prompts)

    assert slack.prompts("ana") == prompts


async def test_prompts_for_a_thread_are_dropped_in_silence(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.assistant_threads_setSuggestedPrompts(**thread(asked), prompts=[{"title": "a", "message": "b"}])

    assert slack.prompts("ana") == []


async def test_five_prompts_are_too_many(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    prompts = [{"title": "a", "message": "b"}] * 5

    assert await refused(client.assistant_threads_setSuggestedPrompts(channel_id=asked["channel"], prompts=prompts)) == "invalid_arguments"


async def test_a_session_is_made_by_its_status(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    answer = await client.agents_sessions_setStatus(**thread(asked), status="processing", title="Crash")

    assert (answer["agent_status"], slack.status(asked)["session"], slack.status(asked)["title"]) == ("processing", "processing", "Crash")


async def test_a_session_is_renamed(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.agents_sessions_setStatus(**thread(asked), status="active")

    await client.agents_sessions_rename(**thread(asked), title="New")

    assert slack.status(asked)["title"] == "New"


async def test_a_session_that_is_none_cannot_be_renamed(client: AsyncWebClient, asked: Json) -> None:
    assert await refused(client.agents_sessions_rename(**thread(asked), title="New")) == "session_not_found"


async def test_an_app_that_is_no_agent_has_no_sessions(http: ClientSession) -> None:
    async with Slack(manifest={"oauth_config": {"scopes": {"bot": ["chat:write"]}}}) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url, session=http)
        asked = await slack.direct("hello")

        assert await refused(client.agents_sessions_setStatus(**thread(asked), status="active")) == "not_authorized"


@pytest.mark.parametrize("method", ["setStatus", "setTitle", "setSuggestedPrompts"])
async def test_an_app_that_is_no_agent_has_nothing_beside_its_threads(http: ClientSession, method: str) -> None:
    async with Slack(manifest={"oauth_config": {"scopes": {"bot": ["chat:write", "assistant:write"]}}}) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url, session=http)
        args = thread(await slack.direct("hello")) | {"status": "x", "title": "x", "prompts": [{"title": "a", "message": "b"}]}

        assert await refused(client.api_call(f"assistant.threads.{method}", json=args)) == "not_authorized"


async def test_the_stop_button_is_there_while_the_session_is_processing(slack: Slack, asked: Json) -> None:
    with pytest.raises(ValueError, match="no stop button"):
        await slack.stop(asked["channel"], asked["ts"])


async def test_a_stop_clears_nothing_by_itself(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.agents_sessions_setStatus(**thread(asked), status="processing")

    await slack.stop(asked["channel"], asked["ts"])

    assert (len(events(slack, "agent_session_stopped")), slack.status(asked)["session"]) == (1, "processing")


async def test_a_person_renames_a_session(slack: Slack, client: AsyncWebClient, asked: Json) -> None:
    await client.agents_sessions_setStatus(**thread(asked), status="active", title="Old")

    await slack.retitle(asked["channel"], asked["ts"], "New")

    event = events(slack, "agent_session_title_changed")[0]
    assert (event["previous_title"], event["title"]) == ("Old", "New")


async def test_a_status_needs_a_thread_that_is_there(slack: Slack, client: AsyncWebClient) -> None:
    call = client.assistant_threads_setStatus(channel_id=slack.channel("general"), thread_ts="1.000001", status="x")

    assert await refused(call) == "invalid_thread_ts"


async def test_the_app_is_told_at_which_message_a_person_looks(slack: Slack) -> None:
    said = await slack.say("what is this?")

    await slack.look("general", message=said)

    entity = events(slack, "app_context_changed")[0]["context"]["entities"][0]
    assert (entity["type"], entity["value"]["message_ts"]) == ("slack#/types/message_context", said["ts"])
