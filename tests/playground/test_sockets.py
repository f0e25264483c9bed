"""Contract: Socket Mode, from the ticket to the last redelivery."""

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.playground import Slack

from .conftest import Connect, Json, Listen, events, open_url


def hearing(app: AsyncApp, kind: str = "app_mention") -> list[Json]:
    """The bodies that a listener of the app gets."""
    heard: list[Json] = []

    async def listener(body: Json) -> None:
        heard.append(body)

    app.event(kind)(listener)
    return heard


async def test_a_bolt_app_hears_a_mention(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    heard = hearing(app)
    await connect(app)

    said = await slack.mention("hello")

    await slack.until(lambda: heard)
    assert heard[0]["event"]["ts"] == said["ts"]


async def test_a_socket_says_hello(listen: Listen) -> None:
    ear = await listen()

    assert (ear.frames[0]["type"], ear.frames[0]["num_connections"]) == ("hello", 1)


async def test_an_acknowledged_event_comes_once(slack: Slack, listen: Listen) -> None:
    ear = await listen()

    await slack.say("hello")

    await slack.until(lambda: slack.envelopes[0].state == "acked")
    assert len(ear.envelopes) == len(slack.envelopes[0].sent_at) == 1


async def test_a_first_delivery_is_attempt_0(slack: Slack, listen: Listen) -> None:
    ear = await listen()

    await slack.say("hello")

    await slack.until(lambda: ear.envelopes)
    assert (ear.envelopes[0]["retry_attempt"], ear.envelopes[0]["retry_reason"]) == (0, "")


async def test_an_event_that_is_not_acknowledged_comes_three_times(slack: Slack, listen: Listen) -> None:
    ear = await listen(acks=False)

    await slack.say("hello")

    await slack.until(lambda: slack.envelopes[0].state == "lost")
    assert [(each["retry_attempt"], each["retry_reason"]) for each in ear.envelopes] == [(0, ""), (1, "timeout"), (2, "timeout")]


async def test_a_redelivery_is_the_same_event(slack: Slack, listen: Listen) -> None:
    ear = await listen(acks=False)

    await slack.say("hello")

    await slack.until(lambda: len(ear.envelopes) > 1)
    assert ear.envelopes[0]["payload"] == ear.envelopes[1]["payload"]


async def test_each_event_goes_to_one_socket(slack: Slack, listen: Listen) -> None:
    ears = [await listen(), await listen()]

    for index in range(10):
        await slack.say(str(index))

    await slack.until(lambda: all(envelope.state == "acked" for envelope in slack.envelopes))
    assert sorted(len(ear.envelopes) for ear in ears) == [5, 5]


async def test_what_happens_while_no_socket_is_open_is_told_to_nobody(slack: Slack, listen: Listen) -> None:
    await slack.say("hello")

    ear = await listen()
    await slack.say("again")

    await slack.until(lambda: slack.envelopes[1].state == "acked")
    assert slack.envelopes[0].state == "lost"
    assert [envelope["payload"]["event"]["text"] for envelope in ear.envelopes] == ["again"]


async def test_the_eleventh_socket_is_too_many(slack: Slack, listen: Listen) -> None:
    for _ in range(10):
        await listen()

    ear = await listen()

    assert ear.frames[0]["reason"] == "too_many_websockets"


async def test_a_ticket_opens_one_socket(slack: Slack, http: ClientSession) -> None:
    url = await open_url(slack, http)
    first = await http.ws_connect(url)

    with pytest.raises(WSServerHandshakeError):
        await http.ws_connect(url)

    await first.close()


async def test_a_ping_is_answered(slack: Slack, listen: Listen) -> None:
    ear = await listen()

    await ear.ws.ping()

    await slack.until(lambda: ear.pongs == 1)


async def test_a_half_open_socket_neither_pongs_nor_delivers(slack: Slack, listen: Listen) -> None:
    ear = await listen()

    slack.half_open()
    await ear.ws.ping()
    await slack.say("hello")

    await slack.until(lambda: slack.envelopes[0].state == "lost")
    assert (ear.pongs, ear.envelopes, len(slack.envelopes[0].sent_at)) == (0, [], 3)


async def test_an_app_finds_its_way_back_from_a_half_open_socket(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    heard = hearing(app)
    await connect(app)
    await slack.mention("first")
    await slack.until(lambda: heard)
    asked = len(slack.made("apps.connections.open"))

    slack.half_open()

    await slack.until(lambda: len(slack.made("apps.connections.open")) > asked and slack.sockets == 1, seconds=10)
    await slack.mention("second")
    await slack.until(lambda: len(heard) > 1)


async def test_an_app_comes_back_after_a_cut(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    await connect(app)

    slack.drop_sockets()
    await slack.until(lambda: slack.sockets == 0)

    await slack.until(lambda: slack.sockets == 1)


async def test_an_app_comes_back_when_it_is_told_to_refresh(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    await connect(app)

    slack.disconnect()

    await slack.until(lambda: len(slack.made("apps.connections.open")) == 2 and slack.sockets == 1)


async def test_a_leaving_socket_gets_nothing_more(slack: Slack, listen: Listen) -> None:
    leaving = await listen()
    slack.disconnect("warning")
    staying = await listen()

    await slack.say("hello")

    await slack.until(lambda: slack.envelopes[0].state == "acked")
    assert (len(leaving.envelopes), len(staying.envelopes)) == (0, 1)


async def test_a_refused_socket_is_tried_again(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    slack.refuse_sockets(2)

    await connect(app)

    assert slack.sockets == 1


async def test_nothing_works_while_slack_is_down(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    await connect(app)

    slack.go_down(60)

    with pytest.raises(SlackApiError) as caught:
        await app.client.chat_postMessage(channel="general", text="hi")
    assert caught.value.response.status_code == 503
    await slack.until(lambda: slack.sockets == 0)


async def test_what_was_said_in_an_outage_is_only_in_the_history(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    heard = hearing(app)
    await connect(app)

    slack.go_down(0.1)
    await slack.mention("hello")
    await slack.until(lambda: slack.sockets == 0)
    await slack.until(lambda: slack.sockets == 1, seconds=10)
    after = await slack.mention("again")

    await slack.until(lambda: heard, seconds=10)
    assert heard[0]["event"]["ts"] == after["ts"]


async def test_everything_can_come_twice(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    heard = hearing(app)
    await connect(app)
    slack.duplicate()

    await slack.mention("hello")

    await slack.until(lambda: len(heard) == 2)
    assert heard[0]["event_id"] == heard[1]["event_id"]


async def test_everything_can_come_late(slack: Slack, listen: Listen) -> None:
    ear = await listen()
    slack.delay(0.05)

    await slack.say("hello")
    at_once = list(ear.envelopes)

    await slack.until(lambda: ear.envelopes)
    assert at_once == []


async def test_what_is_late_and_comes_twice_is_late_twice(slack: Slack, listen: Listen) -> None:
    ear = await listen()
    slack.delay(0.05)
    slack.duplicate()

    said = await slack.say("hello")

    await slack.until(lambda: len(ear.envelopes) == 2)
    assert all(sent - slack.envelopes[-1].at >= 0.05 for sent in slack.envelopes[-1].sent_at)
    assert [each["payload"]["event"]["ts"] for each in ear.envelopes] == [said["ts"]] * 2


async def test_thousands_of_events_are_delivered_in_seconds(slack: Slack, listen: Listen) -> None:
    await listen()

    for index in range(2000):
        await slack.say(str(index))

    await slack.until(lambda: slack.envelopes[-1].state == "acked" and slack.envelopes[0].state == "acked", seconds=10)
    assert len(events(slack)) == 2000


def test_slack_waits_before_it_sends_again() -> None:
    assert Slack().world.hub.retries == (0.0, 60.0, 300.0)
