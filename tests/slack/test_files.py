"""Files that people attach: whole in the session's folder, or not there at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.message import Attachment
from bot.playground import Slack
from bot.slack import parse
from bot.slack.calls import Client
from bot.slack.files import fetch, upload
from tests.slack.conftest import asked

LIMIT = 100_000


async def attached(slack: Slack, name: str, content: bytes) -> Attachment:
    """A file that came with a message."""
    message = await slack.direct("Look at this", files=[(name, content)])
    return parse.files(message)[0]


def inside(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("name", ["notes.txt", "議事録" * 60])
async def test_a_file_is_brought_whole_whatever_it_is_called(slack: Slack, client: Client, tmp_path: Path, name: str) -> None:
    path = await fetch(client, await attached(slack, name, b"all of it"), tmp_path, LIMIT)

    assert (path.parent, path.read_bytes()) == (tmp_path, b"all of it")


async def test_a_file_of_which_only_the_id_is_told_is_looked_up(slack: Slack, client: Client, tmp_path: Path) -> None:
    """So Slack does in channels that companies share."""
    message = await slack.direct("Look at this", files=[("notes.txt", b"all of it")])
    [told] = parse.files({"files": [{"id": message["files"][0]["id"], "mode": "file_access", "file_access": "check_file_info"}]})

    path = await fetch(client, told, tmp_path, LIMIT)

    assert (path.name, path.read_bytes()) == ("notes.txt", b"all of it")


async def test_a_file_that_cannot_be_looked_up_is_told(client: Client, tmp_path: Path) -> None:
    [told] = parse.files({"files": [{"id": "F0GONE", "mode": "file_access", "file_access": "check_file_info"}]})

    with pytest.raises(BotError) as caught:
        await fetch(client, told, tmp_path, LIMIT)

    assert str(caught.value) == "A file could not be fetched from Slack (file_not_found), so the agent was not given it."


async def test_a_file_that_turns_out_to_be_too_large_leaves_no_piece_behind(slack: Slack, client: Client, tmp_path: Path) -> None:
    big = replace(await attached(slack, "big.bin", b"x" * 3 * LIMIT), size=0)

    with pytest.raises(BotError, match="is larger than"):
        await fetch(client, big, tmp_path, LIMIT)

    assert inside(tmp_path) == []


async def test_a_file_for_which_there_is_no_room_is_told_with_what_to_do(slack: Slack, client: Client, tmp_path: Path) -> None:
    with pytest.raises(BotError) as told:
        await fetch(client, await attached(slack, "notes.txt", b"all of it"), tmp_path / "gone", LIMIT)

    assert str(told.value) == (
        "notes.txt could not be kept (No such file or directory), so the agent was not given it. "
        "Whoever runs Frontdesk has to see to it that SESSIONS_DIR has room and can be written to; then upload it again."
    )


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("trouble", [{"status": 503}, {"retry_after": 1}])
async def test_a_file_is_brought_all_the_same_where_slack_is_in_trouble(
    slack: Slack, client: Client, method: str, trouble: dict[str, int]
) -> None:
    root, session = await asked(slack)
    slack.fail(method, **trouble)

    await upload(client, session.channel, str(root["ts"]), "made.txt", b"all of it", never)

    assert [file["name"] for message in slack.thread(root)[1:] for file in message["files"]] == ["made.txt"]


async def test_a_file_of_which_nobody_heard_that_it_was_brought_is_brought_once(slack: Slack, client: Client) -> None:
    root, session = await asked(slack)
    slack.fail("files.completeUploadExternal", after=True)

    async def there() -> bool:
        return len(slack.thread(root)) > 1

    await upload(client, session.channel, str(root["ts"]), "made.txt", b"all of it", there)

    assert len(slack.thread(root)) == 2


async def test_a_file_of_which_nobody_knows_whether_it_stands_there_is_not_brought_twice(slack: Slack, client: Client) -> None:
    root, session = await asked(slack)
    slack.fail("files.completeUploadExternal", after=True)
    looks = iter([BotError("Slack does not say"), True])

    async def there() -> bool:
        match next(looks):
            case BotError() as error:
                raise error
            case found:
                return bool(found)

    await upload(client, session.channel, str(root["ts"]), "made.txt", b"all of it", there)

    assert len(slack.thread(root)) == 2


async def never() -> bool:
    return False
