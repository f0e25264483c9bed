"""Contract: what people fill in, field by field, and what Slack's client would not send."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.choice import Invalid

from .conftest import Connect, Json
from .test_clicks import actions, button, option, words
from .test_modals import modal, opened


def field(kind: str, **more: Any) -> Json:
    return {"type": "input", "block_id": "b", "label": words("Field"), "element": {"type": kind, "action_id": "a", **more}}


def value(slack: Slack) -> Any:
    """What the field of the open modal holds, without its type."""
    held = dict(slack.modals("ana")[-1]["state"]["values"]["b"]["a"])
    held.pop("type")
    return held


@pytest.mark.parametrize(
    ("kind", "given", "held"),
    [
        ("plain_text_input", "hello", {"value": "hello"}),
        ("plain_text_input", "", {"value": None}),
        ("number_input", 7, {"value": "7"}),
        ("datepicker", "2026-11-20", {"selected_date": "2026-11-20"}),
        ("timepicker", "9:30".zfill(5), {"selected_time": "09:30"}),
        ("datetimepicker", "2026-11-20 09:30", {"selected_date_time": 1795163400}),
        ("datetimepicker", 1795163400, {"selected_date_time": 1795163400}),
        ("users_select", "ben", {"selected_user": "U0BEN"}),
        ("multi_users_select", ["ben", "carla"], {"selected_users": ["U0BEN", "U0CARLA"]}),
        ("channels_select", "general", {"selected_channel": "C0GENERAL"}),
    ],
)
async def test_a_field_holds_what_was_filled_in(slack: Slack, client: AsyncWebClient, kind: str, given: Any, held: Json) -> None:
    more = {"is_decimal_allowed": False} if kind == "number_input" else {}
    view = await opened(slack, client, modal(field(kind, **more)))

    await slack.fill(view, {"Field": given})

    assert value(slack) == held


@pytest.mark.parametrize(
    ("kind", "more", "given", "words"),
    [
        ("datepicker", {}, "tomorrow", "'tomorrow' is not a date, such as 2026-11-20"),
        ("timepicker", {}, "noon", "'noon' is not a time, such as 09:30"),
        ("datetimepicker", {}, "soon", "'soon' is not a date and time, such as 2026-11-20 09:30"),
        ("multi_users_select", {"max_selected_items": 1}, ["ana", "ben"], "'a' takes 1 at most, not 2"),
        ("file_input", {"filetypes": ["pdf", "csv"]}, "log.txt", "'a' takes files of the types pdf, csv, not 'log.txt'"),
        ("file_input", {"max_files": 1}, ["a.txt", "b.txt"], "'a' takes 1 at most, not 2"),
        ("users_select", {}, "nobody", "there is nobody called 'nobody'"),
    ],
)
async def test_what_slacks_client_does_not_take(
    slack: Slack, client: AsyncWebClient, kind: str, more: Json, given: Any, words: str
) -> None:
    view = await opened(slack, client, modal(field(kind, **more)))

    with pytest.raises(ValueError, match=words):
        await slack.fill(view, {"Field": given})


@pytest.mark.parametrize(
    ("kind", "more", "given", "words"),
    [
        ("email_text_input", {}, "ana", "Please enter a valid email address."),
        ("url_text_input", {}, "example", "Please enter a valid URL."),
        ("number_input", {"is_decimal_allowed": False}, "1.5", "Please enter a whole number."),
        ("number_input", {"is_decimal_allowed": True}, "many", "Please enter a number."),
        ("number_input", {"is_decimal_allowed": False, "min_value": "2"}, "1", "Please enter 2 or more."),
        ("number_input", {"is_decimal_allowed": False, "max_value": "2"}, "3", "Please enter 2 or less."),
    ],
)
async def test_a_form_with_a_wrong_value_is_not_sent(
    slack: Slack, client: AsyncWebClient, kind: str, more: Json, given: str, words: str
) -> None:
    view = await opened(slack, client, modal(field(kind, **more)))

    with pytest.raises(Invalid) as wrong:
        await slack.submit(view, {"Field": given})

    assert wrong.value.errors == {"b": words}


async def test_files_are_uploaded_by_a_form(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client, modal(field("file_input")))

    await slack.fill(view, {"Field": [("log.txt", b"boom"), "notes.txt"]})

    assert [(each["name"], each["size"], each["user"]) for each in value(slack)["files"]] == [
        ("log.txt", 4, slack.user("ana")),
        ("notes.txt", 20, slack.user("ana")),
    ]


async def test_the_app_reads_a_file_of_a_form(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client, modal(field("file_input")))
    await slack.fill(view, {"Field": [("log.txt", b"boom")]})

    answer = await client.files_info(file=value(slack)["files"][0]["id"])

    assert answer["file"]["size"] == 4


# ---- options that the app gives ----


@pytest.fixture
async def asked(app: AsyncApp, connect: Connect) -> list[str]:
    """What the app was asked for options of; "nothing" has none, and what has no answer here gets none in time."""
    found: list[str] = []

    async def suggested(ack: Any, body: Json) -> None:
        found.append(body["value"])
        if body["value"] == "groups":
            await ack(option_groups=[{"label": words("Ours"), "options": [option("One"), option("Two")]}])
        elif body["value"] == "wrong":
            await ack(options=[{"text": words("x" * 76), "value": "x"}])
        elif body["value"] != "silence":
            await ack(options=[option(body["value"] + "-1"), option(body["value"] + "-2")])

    app.options("a")(suggested)
    app.action("a")(suggested)
    await connect(app)
    return found


async def test_what_the_app_suggests_can_be_chosen(slack: Slack, client: AsyncWebClient, asked: list[str]) -> None:
    view = await opened(slack, client, modal(field("external_select")))

    await slack.suggest(view, "a", "shop")
    await slack.fill(view, {"Field": "shop-2"})

    assert value(slack) == {"selected_option": {"text": words("shop-2"), "value": "shop-2"}}


async def test_what_the_app_did_not_suggest_cannot_be_chosen(slack: Slack, client: AsyncWebClient, asked: list[str]) -> None:
    view = await opened(slack, client, modal(field("external_select")))
    await slack.suggest(view, "a", "shop")

    with pytest.raises(ValueError, match="'a' has no option 'bank'; it has shop-1, shop-2"):
        await slack.fill(view, {"Field": "bank"})


async def test_of_many_some_come_from_one_search_and_some_from_another(slack: Slack, client: AsyncWebClient, asked: list[str]) -> None:
    first = {"text": words("Desk"), "value": "desk"}
    view = await opened(slack, client, modal(field("multi_external_select", initial_options=[first])))
    await slack.suggest(view, "a", "shop")
    await slack.suggest(view, "a", "bank")

    await slack.fill(view, {"Field": ["desk", "shop-1", "bank-2"]})

    assert [each["value"] for each in value(slack)["selected_options"]] == ["desk", "shop-1", "bank-2"]


async def test_suggestions_may_come_in_groups(slack: Slack, client: AsyncWebClient, asked: list[str]) -> None:
    view = await opened(slack, client, modal(field("multi_external_select")))

    options = await slack.suggest(view, "a", "groups")

    assert [each["value"] for each in options] == ["one", "two"]


@pytest.mark.parametrize(("more", "typed", "times"), [({}, "sh", 0), ({}, "shop", 1), ({"min_query_length": 0}, "", 1)])
async def test_the_app_is_asked_from_the_third_letter_on(
    slack: Slack, client: AsyncWebClient, asked: list[str], more: Json, typed: str, times: int
) -> None:
    view = await opened(slack, client, modal(field("external_select", **more)))

    await slack.suggest(view, "a", typed)

    assert len(asked) == times


@pytest.mark.parametrize(("typed", "error"), [("silence", "operation_timeout"), ("wrong", "invalid_options")])
async def test_a_menu_that_gets_no_options_says_so(slack: Slack, client: AsyncWebClient, asked: list[str], typed: str, error: str) -> None:
    view = await opened(slack, client, modal(field("external_select")))

    options = await slack.suggest(view, "a", typed)

    assert (options, slack.ephemerals("ana")[-1]["text"]) == ([], f'The menu failed with the error "{error}"')


async def test_options_of_its_own_are_not_asked_for(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client, modal(field("static_select", options=[option("Red")])))

    with pytest.raises(ValueError, match="'a' has options of its own"):
        await slack.suggest(view, "a", "red")


async def test_a_block_is_named_where_two_have_the_same_action(slack: Slack, client: AsyncWebClient, asked: list[str]) -> None:
    blocks = [{**actions(button(name, "a", value=name))[0], "block_id": name} for name in ("left", "right")]
    await client.chat_postMessage(channel="general", text="x", blocks=blocks)

    envelope = await slack.press(slack.messages("general")[-1], "a", block="right")

    assert envelope.payload["actions"][0]["value"] == "right"
