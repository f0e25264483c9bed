"""Contract: modals and the App Home."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.choice import Invalid

from .conftest import Connect, Json
from .test_calls import refused
from .test_clicks import actions, button, option, words

FIELD = {"type": "input", "block_id": "why", "label": words("Reason"), "element": {"type": "plain_text_input", "action_id": "text"}}
KIND = {
    "type": "input", "block_id": "kind", "optional": True, "label": words("Kind"),
    "element": {"type": "static_select", "action_id": "pick", "options": [option("Bug"), option("Idea")]},
}  # fmt: skip


def modal(*blocks: Json, title: str = "Ask", **more: Any) -> Json:
    parts = {"title": words(title), "submit": words("Send"), "blocks": list(blocks or (FIELD, KIND))}
    return {"type": "modal", "callback_id": "form", **parts, **more}


HOME = {"type": "home", "blocks": actions(button("Go", "go"))}


async def opened(slack: Slack, client: AsyncWebClient, view: Json | None = None) -> Json:
    await client.views_open(trigger_id=slack.world.trigger(slack.user("ana")), view=view or modal())
    return slack.modals("ana")[-1]


@pytest.fixture
async def sent(app: AsyncApp, connect: Connect) -> list[Json]:
    """The submissions; each is acknowledged with what stands in `private_metadata` of its view: nothing, or a response_action."""
    found: list[Json] = []

    async def listener(ack: Any, body: Json) -> None:
        found.append(body)
        await ack(**ANSWERS[body["view"]["private_metadata"]])

    async def closed(ack: Any, body: Json) -> None:
        found.append(body)
        await ack()

    app.view("form")(listener)
    app.view_closed("form")(closed)
    app.action("go")(closed)
    await connect(app)
    return found


ANSWERS: dict[str, Json] = {
    "": {},
    "errors": {"response_action": "errors", "errors": {"why": "too short"}},
    "update": {"response_action": "update", "view": modal(title="Thanks")},
    "push": {"response_action": "push", "view": modal(title="More")},
    "clear": {"response_action": "clear"},
    "broken": {"response_action": "update", "view": modal(title="x" * 25)},
}


async def test_a_modal_opens_before_the_person_who_triggered_it(slack: Slack, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=slack.world.trigger(slack.user("ben")), view=modal())

    assert ([view["title"]["text"] for view in slack.modals("ben")], slack.modals("ana")) == (["Ask"], [])


async def test_a_trigger_works_once(slack: Slack, client: AsyncWebClient) -> None:
    trigger = slack.world.trigger(slack.user("ana"))
    await client.views_open(trigger_id=trigger, view=modal())

    assert await refused(client.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"


async def test_a_trigger_is_good_for_three_seconds(slack: Slack, client: AsyncWebClient) -> None:
    trigger = slack.world.trigger(slack.user("ana"))
    slack.world.triggers[trigger].expires -= 3.0

    assert await refused(client.views_open(trigger_id=trigger, view=modal())) == "expired_trigger_id"


async def test_a_modal_is_updated(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client)

    await client.views_update(view_id=view["id"], view=modal(title="New"), hash=view["hash"])

    assert slack.modals("ana")[0]["title"]["text"] == "New"


async def test_an_update_of_an_older_modal_is_a_conflict(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client)
    await client.views_update(view_id=view["id"], view=modal(title="New"))

    assert await refused(client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])) == "hash_conflict"


async def test_an_update_keeps_what_was_typed(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client)
    await slack.fill(view, {"Reason": "because"})

    await client.views_update(view_id=view["id"], view=modal(title="New"))

    assert slack.modals("ana")[0]["state"]["values"]["why"]["text"]["value"] == "because"


async def test_three_modals_are_the_most(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client)
    for _ in range(2):
        await client.views_push(trigger_id=slack.world.trigger(slack.user("ana"), view["id"]), view=modal())

    trigger = slack.world.trigger(slack.user("ana"), view["id"])

    assert await refused(client.views_push(trigger_id=trigger, view=modal())) == "push_limit_reached"


@pytest.mark.parametrize(
    "view",
    [
        modal(title="x" * 25),
        modal(private_metadata="x" * 3001),
        modal(*({"type": "divider"} for _ in range(101))),
        modal({"type": "markdown", "text": "hi"}),
        {key: value for key, value in modal().items() if key != "submit"},
        {**modal(), "type": "home"},
    ],
)
async def test_a_modal_that_breaks_the_rules(slack: Slack, client: AsyncWebClient, view: Json) -> None:
    trigger = slack.world.trigger(slack.user("ana"))

    assert await refused(client.views_open(trigger_id=trigger, view=view)) == "invalid_arguments"


async def test_a_form_is_sent_by_its_labels(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    view = await opened(slack, client)

    await slack.submit(view, {"Reason": "because", "kind": "Idea"})

    values = sent[0]["view"]["state"]["values"]
    assert (values["why"]["text"]["value"], values["kind"]["pick"]["selected_option"]["value"]) == ("because", "idea")


async def test_a_form_that_was_taken_goes_away(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    view = await opened(slack, client)

    answer = await slack.submit(view, {"why": "because"})

    assert (answer, slack.modals("ana")) == ({}, [])


async def test_a_form_without_what_it_needs_is_not_sent(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    view = await opened(slack, client)

    with pytest.raises(Invalid) as caught:
        await slack.submit(view, {"kind": "Bug"})

    assert (list(caught.value.errors), sent) == (["why"], [])


async def test_the_apps_errors_leave_the_form_open(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    view = await opened(slack, client, modal(private_metadata="errors"))

    answer = await slack.submit(view, {"why": "x"})

    assert (answer["errors"], len(slack.modals("ana"))) == ({"why": "too short"}, 1)


@pytest.mark.parametrize(("what", "titles"), [("update", ["Thanks"]), ("push", ["Ask", "More"]), ("clear", [])])
async def test_an_acknowledgement_changes_the_stack(
    slack: Slack, client: AsyncWebClient, sent: list[Json], what: str, titles: list[str]
) -> None:
    view = await opened(slack, client, modal(private_metadata=what))

    await slack.submit(view, {"why": "x"})

    assert [each["title"]["text"] for each in slack.modals("ana")] == titles


async def test_an_acknowledgement_with_a_broken_view_is_told_as_an_error(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    view = await opened(slack, client, modal(private_metadata="broken"))

    answer = await slack.submit(view, {"why": "x"})

    assert answer["error"] == "invalid_arguments"


async def test_a_form_that_nobody_takes_stays_open(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client)

    answer = await slack.submit(view, {"why": "x"})

    assert (answer["error"], len(slack.modals("ana")), slack.ephemerals("ana")[0]["system"]) == ("operation_timeout", 1, True)


async def test_the_app_hears_of_a_closed_modal(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    view = await opened(slack, client, modal(notify_on_close=True))

    await slack.close(view)

    assert [(body["type"], body["is_cleared"]) for body in sent] == [("view_closed", False)]


async def test_a_closed_modal_is_gone(slack: Slack, client: AsyncWebClient) -> None:
    view = await opened(slack, client)
    await slack.close(view)

    assert await refused(client.views_update(view_id=view["id"], view=modal())) == "not_found"


async def test_a_home_is_published_for_one_person(slack: Slack, client: AsyncWebClient) -> None:
    await client.views_publish(user_id=slack.user("ben"), view=HOME)

    assert (slack.text(slack.home("ben") or {}), slack.home("ana")) == ("Go", None)


async def test_a_home_that_changed_meanwhile_is_a_conflict(slack: Slack, client: AsyncWebClient) -> None:
    first = await client.views_publish(user_id=slack.user("ben"), view=HOME)
    await client.views_publish(user_id=slack.user("ben"), view=HOME)

    assert await refused(client.views_publish(user_id=slack.user("ben"), view=HOME, hash=first["view"]["hash"])) == "hash_conflict"


async def test_a_button_of_the_home_is_pressed(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    await client.views_publish(user_id=slack.user("ben"), view=HOME)

    await slack.press(slack.home("ben") or {}, "Go")

    assert (sent[0]["container"]["type"], sent[0]["view"]["type"], sent[0]["user"]["id"]) == ("view", "home", slack.user("ben"))


async def test_the_app_suggests_options(slack: Slack, app: AsyncApp, client: AsyncWebClient, connect: Connect) -> None:
    async def suggested(ack: Any, body: Json) -> None:
        await ack(options=[option(body["value"] + "-1"), option(body["value"] + "-2")])

    app.options("repo")(suggested)
    await connect(app)
    search = {"type": "external_select", "action_id": "repo"}
    view = await opened(slack, client, modal({"type": "input", "block_id": "r", "label": words("Repo"), "element": search}))

    options = await slack.suggest(view, "repo", "api")

    assert [each["value"] for each in options] == ["api-1", "api-2"]


async def test_an_external_id_is_used_once(slack: Slack, client: AsyncWebClient) -> None:
    await opened(slack, client, modal(external_id="one"))

    again = client.views_open(trigger_id=slack.world.trigger(slack.user("ana")), view=modal(external_id="one"))
    assert await refused(again) == "duplicate_external_id"


async def test_in_a_view_the_team_is_the_persons(slack: Slack, client: AsyncWebClient, sent: list[Json]) -> None:
    await client.views_open(trigger_id=slack.world.trigger(slack.user("eve")), view=modal())

    await slack.submit(slack.modals("eve")[-1], {"Reason": "why not"})

    assert (sent[0]["team"]["id"], sent[0]["view"]["app_installed_team_id"]) == ("T0PARTNER", slack.team)
