"""What was said elsewhere goes only where everybody who reads could have read it before."""

import pytest

from bot.app import Frontdesk
from bot.fired import Fired
from bot.playground import Slack
from tests.standins.wait import until


def thread(slack: Slack, place: str) -> str:
    return f"slack:T1:{slack.channel(place)}:1.0"


async def closed(slack: Slack, desk: Frontdesk, place: str, here: str = "") -> list[bool]:
    """Whether Slack says that it is closed; nothing where it is not."""
    said = await desk.surface.beside.closed([thread(slack, place), ""], thread(slack, here) if here else "")
    return [*said.values()]


@pytest.mark.parametrize(
    ("place", "here", "shut"),
    [
        pytest.param("general", "random", [], id="everybody reads it"),
        pytest.param("secret", "random", [True], id="not everybody reads it"),
        pytest.param("secret", "secret", [], id="it is said there"),
        pytest.param("general", "partners", [True], id="another company reads along"),
        pytest.param("partners", "partners", [], id="another company was there"),
        pytest.param("partners", "general", [], id="all of ours read it"),
        pytest.param("secret", "", [True], id="not all of ours read it"),
    ],
)
async def test_whoever_reads_it_has_to_be_able_to_read_what_is_told(
    slack: Slack, desk: Frontdesk, place: str, here: str, shut: list[bool]
) -> None:
    await slack.invite("secret", "frontdesk")

    assert await closed(slack, desk, place, here) == shut


async def test_in_direct_messages_what_all_of_ours_read_is_told(slack: Slack, desk: Frontdesk) -> None:
    said = await desk.surface.beside.closed([thread(slack, "general"), thread(slack, "secret")], f"slack:T1:{slack.dm('ana')}:1.0")

    assert [*said] == [thread(slack, "secret")]


async def test_a_company_that_is_invited_reads_along_soon(slack: Slack, desk: Frontdesk) -> None:
    slack.world.add_channel("soon", ("ana",), is_pending_ext_shared=True)

    assert await closed(slack, desk, "general", "soon") == [True]


@pytest.mark.parametrize(("place", "here"), [("later", "general"), ("general", "later")])
async def test_what_slack_does_not_say_is_closed_until_it_does(slack: Slack, desk: Frontdesk, place: str, here: str) -> None:
    slack.add_channel("later")
    slack.fail("conversations.info", error="internal_error")

    assert await closed(slack, desk, place, here) == [False]
    assert await closed(slack, desk, place, here) == []


async def test_slack_is_asked_once_for_each_channel(slack: Slack, desk: Frontdesk) -> None:
    slack.add_channel("later")

    for _ in range(3):
        await closed(slack, desk, "later", "general")

    assert len(slack.made("conversations.info")) == 1


async def private(desk: Frontdesk, many: int = 1) -> list[bool]:
    """Of each conversation that there is."""

    async def begun() -> bool:
        return len(await desk.store.sessions()) == many

    await until(begun)
    return [session.private for session in await desk.store.sessions()]


async def test_what_is_said_in_direct_messages_only_its_person_reads(slack: Slack, desk: Frontdesk) -> None:
    await slack.direct("!say Hello.", by="ana")

    assert await private(desk) == [True]


async def test_what_is_said_in_a_channel_others_read(slack: Slack, desk: Frontdesk) -> None:
    await slack.mention("!say Hello.", by="ana")

    assert await private(desk) == [False]


async def test_what_is_compared_in_direct_messages_only_its_person_reads(slack: Slack, desk: Frontdesk) -> None:
    await slack.direct("compare helper reviewer: !say Hello.", by="ana")

    assert await private(desk, 2) == [True, True]


async def test_what_a_schedule_writes_to_somebody_only_they_read(slack: Slack, desk: Frontdesk) -> None:
    await desk.door.fire(Fired("schedule:helper:1:now", "helper", slack.user("ana"), "It is nine.", "!say Good morning.", 1.0))

    assert await private(desk) == [True]
