"""Who and what there is: names become ids, and what Slack does not tell of one harms no other."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.errors import BotError
from bot.playground import Slack
from bot.slack import backfill
from bot.slack.calls import Client
from bot.slack.directory import Directory
from tests.slack.conftest import talk

NAMES = ("#reviews", "@oncall", "@platform")


@pytest.fixture
def directory(client: Client) -> Directory:
    return Directory(client)


async def test_a_group_whose_people_are_not_told_harms_no_other_name(slack: Slack, directory: Directory) -> None:
    slack.fail("usergroups.users.list", error="no_such_subteam")  # the first that is asked for: @oncall

    with pytest.raises(BotError, match="no_such_subteam"):
        await directory.resolve(NAMES)

    ben = await directory.person(slack.world.person("ben").id)
    assert directory.ids.keys() == {*NAMES}
    assert ben.groups == {directory.ids["@platform"]}


async def test_nobody_loses_a_right_because_slack_did_not_tell(slack: Slack, directory: Directory) -> None:
    await directory.resolve(NAMES)
    slack.fail("usergroups.users.list", times=2)

    with pytest.raises(BotError):
        await directory.resolve(NAMES)

    ben = await directory.person(slack.world.person("ben").id)
    assert ben.groups == {directory.ids["@oncall"], directory.ids["@platform"]}


@pytest.mark.parametrize("error", ["missing_scope", "token_revoked", "never_heard_of"])
async def test_nobody_is_a_stranger_because_we_may_not_ask_who_they_are(slack: Slack, directory: Directory, error: str) -> None:
    slack.fail("users.info", error=error)

    with pytest.raises(SlackApiError, match=error):
        await directory.person(slack.world.person("ben").id)


async def test_whom_slack_does_not_know_is_a_stranger(slack: Slack, directory: Directory) -> None:
    assert (await directory.person("U0NOBODY1")).kind == "external"


async def test_of_a_very_long_thread_the_first_and_the_newest_are_read(slack: Slack, client: Client) -> None:
    root = await slack.say("Look at this")
    await talk(slack, root, 1400)

    said = await backfill.replies(client, root["channel"], root["ts"])

    assert [slack.text(message) for message in (said[0], said[1], said[-1])] == ["Look at this", "reply 400", "reply 1399"]


async def test_whose_name_slack_does_not_tell_just_now_is_quoted_by_id(slack: Slack, directory: Directory) -> None:
    slack.fail("users.info", status=500)

    quote = await backfill.quote({"user": "U0BEN", "ts": "1.0", "text": "The build is red."}, directory)

    assert (quote.author, quote.text) == ("U0BEN", "The build is red.")
