"""Contract: files, up and down."""

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import Json, events
from .test_calls import refused


async def fetched(http: ClientSession, url: str, token: str) -> tuple[int, str, bytes]:
    async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status, response.content_type, await response.read()


async def shared(slack: Slack) -> Json:
    said = await slack.say("look", files=[("log.txt", b"boom")])
    file: Json = said["files"][0]
    return file


async def test_the_app_uploads_a_file_into_a_thread(slack: Slack, client: AsyncWebClient) -> None:
    asked = await slack.mention("hello")

    await client.files_upload_v2(channel=asked["channel"], thread_ts=asked["ts"], content="# long", filename="a.md", initial_comment="here")

    shown = slack.thread(asked)[1]
    assert (shown["text"], shown["files"][0]["name"], shown["files"][0]["size"]) == ("here", "a.md", 6)


async def test_a_name_without_an_ending_is_a_text(slack: Slack) -> None:
    said = await slack.say("look", files=["../etc/passwd", "a.b/c", "LOG.TXT"])

    assert [file["pretty_type"] for file in said["files"]] == ["TEXT", "TEXT", "TXT"]


async def test_an_upload_is_told_as_a_file_share(slack: Slack, client: AsyncWebClient) -> None:
    await client.files_upload_v2(channel=slack.channel("general"), content="x", filename="a.md")

    assert events(slack, "file_share")[0]["bot_id"] == "B0FRONTDESK"


async def test_what_was_not_uploaded_cannot_be_completed(slack: Slack, client: AsyncWebClient) -> None:
    started = await client.files_getUploadURLExternal(filename="a.md", length=3)

    assert await refused(client.files_completeUploadExternal(files=[{"id": started["file_id"]}])) == "file_not_found"


async def test_the_bot_reads_what_a_person_uploaded(slack: Slack, http: ClientSession) -> None:
    file = await shared(slack)

    assert await fetched(http, file["url_private"], slack.bot_token) == (200, "text/plain", b"boom")


async def test_a_wrong_token_gets_the_login_page(slack: Slack, http: ClientSession) -> None:
    file = await shared(slack)

    status, kind, content = await fetched(http, file["url_private"], "xoxb-wrong")

    assert (status, kind, b"boom" in content) == (200, "text/html", False)


async def test_what_is_known_of_a_file(slack: Slack, client: AsyncWebClient) -> None:
    file = await shared(slack)

    answer = await client.files_info(file=file["id"])

    assert (answer["file"]["mimetype"], answer["file"]["channels"]) == ("text/plain", [slack.channel("general")])


async def test_a_file_that_is_none(client: AsyncWebClient) -> None:
    assert await refused(client.files_info(file="F404")) == "file_not_found"


async def test_a_file_goes_to_100_channels_at_most(slack: Slack, client: AsyncWebClient) -> None:
    uploaded = await client.files_upload_v2(content="boom", filename="log.txt")
    args = {"files": [{"id": uploaded["files"][0]["id"]}], "channels": ",".join(["C1"] * 101)}

    assert await refused(client.api_call("files.completeUploadExternal", json=args)) == "channels_limit_exceeded"


async def test_a_file_is_as_long_as_was_said(client: AsyncWebClient, http: ClientSession) -> None:
    started = await client.files_getUploadURLExternal(filename="a.md", length=3)

    async with http.post(started["upload_url"], data=b"abcdef") as response:
        assert response.status == 404
    assert await refused(client.files_completeUploadExternal(files=[{"id": started["file_id"]}])) == "file_not_found"


async def test_a_file_cannot_be_shared_where_nobody_writes_any_more(slack: Slack, client: AsyncWebClient) -> None:
    await slack.archive("general")

    call = client.files_upload_v2(channel=slack.channel("general"), content="x", filename="a.md")

    assert await refused(call) == "posting_to_channel_denied"
