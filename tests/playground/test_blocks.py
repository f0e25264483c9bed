"""Contract: what Slack refuses of Block Kit, and what it adds."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from .conftest import Json
from .test_calls import refused
from .test_clicks import actions, button, option, words


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def menu(count: int) -> Json:
    return {"type": "static_select", "action_id": "m", "options": [option(str(index)) for index in range(count)]}


GOOD: list[list[Json]] = [
    [section("x" * 3000)],
    [{"type": "header", "text": words("x" * 150)}],
    [{"type": "divider"}] * 50,
    actions(*(button("x" * 75, f"a{index}", value="v" * 2000) for index in range(25))),
    actions(menu(100)),
    [{"type": "markdown", "text": "x" * 12_000}],
    [{"type": "context", "elements": [words("x")] * 10}],
    [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 20] * 100}],
    [{"type": "task_card", "task_id": "1", "title": "Read", "status": "in_progress"}],
    [{"type": "plan", "title": "Plan", "tasks": [{"type": "task_card", "task_id": "1", "title": "Read"}]}],
    [{"type": "alert", "text": words("careful"), "level": "warning"}],
    [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}],
]
BAD: list[tuple[Any, str]] = [
    ([section("x" * 3001)], "/blocks/0/text/text"),
    ([section("")], "/blocks/0/text/text"),
    ([{"type": "section"}], "/blocks/0"),
    ([{"type": "header", "text": words("x" * 151)}], "/blocks/0/text/text"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text/type"),
    ([{"type": "divider"}] * 51, "/blocks"),
    ([{"type": "divider", "block_id": "a"}] * 2, "/blocks"),
    ([{"type": "fancy"}], "/blocks/0/type"),
    (actions(*(button("x", f"a{index}") for index in range(26))), "/blocks/0/elements"),
    (actions(button("x" * 76, "a")), "/blocks/0/elements/0/text/text"),
    (actions(button("x", "a", value="v" * 2001)), "/blocks/0/elements/0/value"),
    (actions(button("x", "a" * 256)), "/blocks/0/elements/0/action_id"),
    (actions(button("x", "a"), button("y", "a")), "/blocks/0"),
    (actions(menu(101)), "/blocks/0/elements/0/options"),
    (actions({**menu(6), "type": "overflow"}), "/blocks/0/elements/0/options"),
    ([{"type": "context", "elements": [words("x")] * 11}], "/blocks/0/elements"),
    ([{"type": "context_actions", "elements": [button("x", "a")]}], "/blocks/0/elements/0/type"),
    ([{"type": "image", "image_url": "https://x.test/a.png"}], "/blocks/0/alt_text"),
    ([{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 21]}], "/blocks/0/rows"),
    ([{"type": "table", "rows": [[]]}] * 2, "/blocks"),
    ([{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * 101}], "/blocks/0/rows"),
    ([{"type": "data_table", "caption": "Figures", "rows": [[]]}], "/blocks/0/rows"),
    ([{"type": "data_table", "rows": [[], []]}], "/blocks/0/caption"),
    ([{"type": "data_table", "caption": "Figures", "rows": [[], []], "page_size": 101}], "/blocks/0/page_size"),
    (actions({"type": "plain_text_input", "action_id": "a"}), "/blocks/0/elements/0/type"),
    ([{"type": "section", "text": words("x"), "accessory": {"type": "plain_text_input"}}], "/blocks/0/accessory/type"),
    ([{"type": "input", "label": words("x"), "element": button("x", "a")}], "/blocks/0/element/type"),
    ([{"type": "input", "label": words("x"), "element": {"type": "file_input", "action_id": "a"}}], "/blocks/0/element/type"),
]


@pytest.mark.parametrize("blocks", GOOD, ids=lambda blocks: str(blocks[0]["type"]))
async def test_what_just_fits_is_taken(client: AsyncWebClient, blocks: list[Json]) -> None:
    answer = await client.chat_postMessage(channel="general", text="x", blocks=blocks)

    assert len(answer["message"]["blocks"]) == len(blocks)


@pytest.mark.parametrize(("blocks", "where"), BAD)
async def test_what_breaks_a_rule_is_named(client: AsyncWebClient, blocks: list[Json], where: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="general", text="x", blocks=blocks)

    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    assert any(message.endswith(f"[json-pointer:{where}]") for message in answer["response_metadata"]["messages"])


async def test_markdown_has_12000_characters_in_all_of_a_message(client: AsyncWebClient) -> None:
    blocks = [{"type": "markdown", "text": "x" * 6001}] * 2

    assert await refused(client.chat_postMessage(channel="general", text="x", blocks=blocks)) == "msg_blocks_too_long"


async def test_markdown_and_all_beside_it_have_13200(client: AsyncWebClient) -> None:
    blocks = [{"type": "markdown", "text": "x" * 11_000}, section("y" * 2500)]

    assert await refused(client.chat_postMessage(channel="general", text="x", blocks=blocks)) == "msg_blocks_too_long"


async def test_markdown_counts_wherever_it_stands(client: AsyncWebClient) -> None:
    inside = {"type": "container", "title": words("x"), "child_blocks": [{"type": "markdown", "text": "x" * 6001}]}
    blocks = [inside, {"type": "markdown", "text": "x" * 6000}]

    assert await refused(client.chat_postMessage(channel="general", text="x", blocks=blocks)) == "msg_blocks_too_long"


async def test_what_has_no_id_gets_one(slack: Slack, client: AsyncWebClient) -> None:
    blocks = [{"type": "actions", "elements": [{"type": "button", "text": words("Go")}]}]

    await client.chat_postMessage(channel="general", text="x", blocks=blocks)

    block = slack.messages("general")[0]["blocks"][0]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


async def test_people_read_the_blocks_not_the_fallback(slack: Slack, client: AsyncWebClient) -> None:
    blocks = [section("*Hello*"), *actions(button("Stop", "stop")), {"type": "markdown", "text": "**bold**"}]

    await client.chat_postMessage(channel="general", text="fallback", blocks=blocks)

    assert slack.text(slack.messages("general")[0]) == "*Hello*\nStop\n**bold**"


async def test_blocks_that_are_no_json(client: AsyncWebClient) -> None:
    assert await refused(client.api_call("chat.postMessage", data={"channel": "general", "blocks": "[{"})) == "invalid_blocks_format"


async def test_what_was_left_out_is_written_out(slack: Slack, client: AsyncWebClient) -> None:
    text = {"type": "mrkdwn", "text": "*Hello*"}

    await client.chat_postMessage(
        channel="general", text="x", blocks=[{"type": "section", "text": text}, {"type": "header", "text": words("x")}]
    )

    said, header = slack.messages("general")[0]["blocks"]
    assert (said["text"], header["text"]["emoji"]) == (text | {"verbatim": False}, True)


# ---- blocks.validate ----


async def validated(slack: Slack, http: ClientSession, **args: Any) -> Json:
    """The answer of blocks.validate, which needs no token."""
    async with http.post(slack.url + "blocks.validate", json=args) as response:
        return dict(await response.json())


@pytest.mark.parametrize(
    "args",
    [
        {"blocks": [{"type": "divider"}]},
        {"message": {"blocks": [{"type": "divider"}]}},
        {"view": {"type": "modal", "title": words("x"), "blocks": []}},
        {"view": {"type": "home", "blocks": [{"type": "divider"}]}},
        {"blocks": '[{"type": "divider"}]'},
    ],
)
async def test_what_is_right_is_valid(slack: Slack, http: ClientSession, args: Json) -> None:
    assert await validated(slack, http, **args) == {"ok": True}


@pytest.mark.parametrize(
    ("args", "error", "pointer"),
    [
        ({"blocks": [{"type": "fancy"}]}, "invalid_blocks", "/0/type"),
        ({"message": {"blocks": [{"type": "fancy"}]}}, "invalid_message", "/blocks/0/type"),
        ({"view": {"type": "modal", "title": words("x" * 25), "blocks": []}}, "invalid_view", "/title/text"),
    ],
)
async def test_what_is_wrong_is_pointed_at(slack: Slack, http: ClientSession, args: Json, error: str, pointer: str) -> None:
    answer = await validated(slack, http, **args)

    assert (answer["ok"], answer["error"], answer["errors"][0]["code"], answer["errors"][0]["pointer"]) == (
        False, error, "failed_constraint", pointer,
    )  # fmt: skip


async def test_a_field_that_is_missing_is_named(slack: Slack, http: ClientSession) -> None:
    answer = await validated(slack, http, blocks=[{"type": "header"}])

    assert [(each["field"], each["pointer"]) for each in answer["errors"]] == [("text", "/0/text")]


@pytest.mark.parametrize(
    "args", [{}, {"blocks": [], "view": {}}, {"blocks": [{"type": "divider"}], "message": {"blocks": []}}, {"view": "[]"}]
)
async def test_one_of_three_is_validated(slack: Slack, http: ClientSession, args: Json) -> None:
    assert (await validated(slack, http, **args))["error"] == "invalid_arguments"
