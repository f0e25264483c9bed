"""Contract: buttons and menus, with a real Bolt app behind them."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import Connect, Json

PLAIN = "plain_text"


def words(text: str) -> Json:
    return {"type": PLAIN, "text": text}


def option(text: str) -> Json:
    return {"text": words(text), "value": text.lower()}


def button(text: str, action: str, **more: Any) -> Json:
    return {"type": "button", "text": words(text), "action_id": action, **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "block_id": "row", "elements": list(elements)}]


MENUS = actions(
    {"type": "static_select", "action_id": "menu", "options": [option("Red"), option("Blue")]},
    {"type": "multi_static_select", "action_id": "many", "options": [option("One"), option("Two")]},
    {"type": "radio_buttons", "action_id": "radio", "options": [option("Yes"), option("No")]},
    {"type": "checkboxes", "action_id": "boxes", "options": [option("Fast"), option("Cheap")]},
    {"type": "overflow", "action_id": "more", "options": [option("Mute"), option("Hide")]},
    {"type": "users_select", "action_id": "who"},
    {"type": "datepicker", "action_id": "day"},
)


@pytest.fixture
async def pressed(app: AsyncApp, connect: Connect) -> list[Json]:
    """The payloads of all that is pressed."""
    found: list[Json] = []

    async def listener(ack: Any, body: Json) -> None:
        found.append(body)
        await ack()

    for kind in ("menu", "many", "radio", "boxes", "more", "who", "day", "stop", "go", "rate"):
        app.action(kind)(listener)
    await connect(app)
    return found


async def posted(slack: Slack, client: AsyncWebClient, blocks: list[Json], channel: str = "general") -> Json:
    await client.chat_postMessage(channel=channel, text="fallback", blocks=blocks)
    return slack.messages(channel)[-1]


async def test_a_button_is_pressed_by_its_text(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop", value="7")))

    await slack.press(message, "Stop", by="ben")

    action, body = pressed[0]["actions"][0], pressed[0]
    assert (action["action_id"], action["value"], body["user"]["id"], body["container"]["message_ts"]) == (
        "stop", "7", slack.user("ben"), message["ts"],
    )  # fmt: skip


async def test_buttons_of_one_action_are_told_apart_by_their_value(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    blocks = [*actions(button("A", "go", value="a")), {**actions(button("B", "go", value="b"))[0], "block_id": "two"}]
    message = await posted(slack, client, blocks)

    await slack.press(message, "go", value="b")

    assert pressed[0]["actions"][0]["block_id"] == "two"


@pytest.mark.parametrize(
    ("what", "key", "chosen"),
    [("Blue", "selected_option", "blue"), ("No", "selected_option", "no"), ("Mute", "selected_option", "mute")],
)
async def test_an_option_is_chosen_by_its_text(
    slack: Slack, client: AsyncWebClient, pressed: list[Json], what: str, key: str, chosen: str
) -> None:
    message = await posted(slack, client, MENUS)

    await slack.press(message, what)

    assert pressed[0]["actions"][0][key]["value"] == chosen


async def test_boxes_are_ticked_one_after_the_other(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    message = await posted(slack, client, MENUS)

    await slack.press(message, "Fast")
    await slack.press(message, "Cheap")
    await slack.press(message, "Fast")

    ticked = [[each["value"] for each in body["actions"][0]["selected_options"]] for body in pressed]
    assert ticked == [["fast"], ["fast", "cheap"], ["cheap"]]


async def test_many_options_are_chosen_at_once(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    message = await posted(slack, client, MENUS)

    await slack.press(message, "many", value=["One", "two"])

    assert [each["value"] for each in pressed[0]["actions"][0]["selected_options"]] == ["one", "two"]


async def test_a_person_is_chosen_by_name(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    message = await posted(slack, client, MENUS)

    await slack.press(message, "who", value="carla")

    assert pressed[0]["actions"][0]["selected_user"] == slack.user("carla")


async def test_what_was_chosen_before_comes_in_the_state(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    message = await posted(slack, client, MENUS)
    await slack.press(message, "Blue")

    await slack.press(message, "day", value="2026-11-20")

    state = pressed[1]["state"]["values"]["row"]
    assert (state["menu"]["selected_option"]["value"], state["day"]["selected_date"]) == ("blue", "2026-11-20")


async def test_feedback_is_given(slack: Slack, client: AsyncWebClient, pressed: list[Json]) -> None:
    good, bad = ({"text": words(text), "value": text.lower()} for text in ("Good", "Bad"))
    rate = {"type": "feedback_buttons", "action_id": "rate", "positive_button": good, "negative_button": bad}
    message = await posted(slack, client, [{"type": "context_actions", "elements": [rate]}])

    await slack.press(message, "bad")

    assert [pressed[0]["actions"][0][key] for key in ("type", "value")] == ["feedback_buttons", "bad"]


async def test_a_button_of_an_old_version_cannot_be_pressed(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop")))
    await client.chat_update(channel=message["channel"], ts=message["ts"], text="done", blocks=[])

    with pytest.raises(ValueError, match="not on the newest version"):
        await slack.press(message, "Stop")


async def test_a_button_that_is_not_there_cannot_be_pressed(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop")))

    with pytest.raises(ValueError, match="there is Stop"):
        await slack.press(message, "Start")


async def test_who_is_not_in_the_channel_presses_nothing(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop")), channel="reviews")

    with pytest.raises(ValueError, match="dan is not in #reviews"):
        await slack.press(message, "Stop", by="dan")


async def test_a_button_that_nobody_acknowledges_tells_the_person(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop")))

    await slack.press(message, "Stop")

    assert slack.ephemerals("ana")[0]["system"] is True


async def test_a_press_is_answered_over_its_response_url(
    slack: Slack, client: AsyncWebClient, http: ClientSession, pressed: list[Json]
) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop")))
    await slack.press(message, "Stop")

    await http.post(pressed[0]["response_url"], json={"replace_original": True, "text": "stopped"})

    assert slack.text(slack.message(message)) == "stopped"


async def test_a_response_url_works_five_times(slack: Slack, client: AsyncWebClient, http: ClientSession, pressed: list[Json]) -> None:
    message = await posted(slack, client, actions(button("Stop", "stop")))
    await slack.press(message, "Stop")

    answers = [await http.post(pressed[0]["response_url"], json={"text": "hi"}) for _ in range(6)]

    assert [answer.status for answer in answers] == [200] * 5 + [404]


async def test_a_response_url_works_for_half_an_hour(
    slack: Slack, client: AsyncWebClient, http: ClientSession, pressed: list[Json]
) -> None:
    await slack.press(await posted(slack, client, actions(button("Go", "go"))), "Go")
    for hook in slack.world.hooks.values():
        hook.expires -= 1800

    answer = await http.post(pressed[0]["response_url"], json={"text": "hi"})

    assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")


async def test_an_ephemeral_message_is_taken_back_over_its_response_url(
    slack: Slack, client: AsyncWebClient, http: ClientSession, pressed: list[Json]
) -> None:
    channel, ben = slack.channel("general"), slack.user("ben")
    await client.chat_postEphemeral(channel=channel, user=ben, text="?", blocks=actions(button("Go", "go")))
    await slack.press(slack.ephemerals("ben")[0], "Go")

    await http.post(pressed[0]["response_url"], json={"delete_original": True})

    assert (pressed[0]["container"]["is_ephemeral"], slack.ephemerals("ben")) == (True, [])
