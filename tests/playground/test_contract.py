"""Contract: each envelope has at least the keys and types of the one that Slack sends."""

from collections.abc import Awaitable, Callable

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

from . import shapes
from .conftest import Json, Listen
from .shapes import SOME, UUID, Shape, wrong
from .test_clicks import actions, button, option, words

Story = Callable[[Slack, AsyncWebClient], Awaitable[object]]
RED = button("Go", "go", value="1", style="primary")
MENU = {"type": "static_select", "action_id": "menu", "options": [option("Red")], "placeholder": words("Which?")}
SEARCH = {"type": "external_select", "action_id": "search", "placeholder": words("Which?")}
SIDES = {f"{side}_button": {"text": words(side), "value": value} for side, value in (("positive", "good"), ("negative", "bad"))}
RATING = {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "rate", **SIDES}]}
FIELD = {"type": "input", "block_id": "field", "label": words("Words"), "element": {"type": "plain_text_input", "action_id": "said"}}
FORM: Json = {"type": "modal", "title": words("Ask"), "submit": words("Send"), "close": words("Cancel"), "notify_on_close": True}


# ---- what happens ----


async def said(slack: Slack, client: AsyncWebClient) -> None:
    await slack.say("hello")


async def directed(slack: Slack, client: AsyncWebClient) -> None:
    await slack.direct("hello")


async def replied(slack: Slack, client: AsyncWebClient) -> None:
    await slack.say("yes", by="ben", thread=await slack.say("hello"))


async def mentioned(slack: Slack, client: AsyncWebClient) -> None:
    await slack.mention("hello")


async def met(slack: Slack, client: AsyncWebClient) -> None:
    await slack.say("hello", by="eve", channel="partners")


async def shared(slack: Slack, client: AsyncWebClient) -> None:
    await slack.say("look", files=["log.txt"])


async def broadcast(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.say("hello")
    await client.chat_postMessage(channel=root["channel"], text="done", thread_ts=root["ts"], reply_broadcast=True)


async def deployed(slack: Slack, client: AsyncWebClient) -> None:
    await slack.say("deployed", by="deploybot")


async def answered(slack: Slack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="general", text="hello")


async def edited(slack: Slack, client: AsyncWebClient) -> None:
    await slack.edit(await slack.say("one"), "two")


async def deleted(slack: Slack, client: AsyncWebClient) -> None:
    await slack.delete(await slack.say("one"))


async def reacted(slack: Slack, client: AsyncWebClient) -> None:
    await slack.react(await slack.say("one"), "eyes", by="ben")


async def unreacted(slack: Slack, client: AsyncWebClient) -> None:
    message = await slack.say("one")
    await slack.react(message, "eyes")
    await slack.unreact(message, "eyes")


async def invited(slack: Slack, client: AsyncWebClient) -> None:
    await slack.invite("random", "deploybot")


async def kicked(slack: Slack, client: AsyncWebClient) -> None:
    await slack.kick("random")


async def created(slack: Slack, client: AsyncWebClient) -> None:
    await slack.create("new")


async def renamed(slack: Slack, client: AsyncWebClient) -> None:
    await slack.rename("random", "anything")


async def archived(slack: Slack, client: AsyncWebClient) -> None:
    await slack.archive("random")


async def entered(slack: Slack, client: AsyncWebClient) -> None:
    await slack.open_messages()


async def looked(slack: Slack, client: AsyncWebClient) -> None:
    await slack.look("general")


async def asked_beside(slack: Slack, client: AsyncWebClient) -> None:
    await slack.look("general")
    await slack.direct("what is this?")


async def streaming(slack: Slack, client: AsyncWebClient) -> Json:
    root = await slack.direct("hello")
    await client.chat_startStream(channel=root["channel"], thread_ts=root["ts"], markdown_text="I am …")
    return root


async def stopped(slack: Slack, client: AsyncWebClient) -> None:
    root = await streaming(slack, client)
    await slack.stop(root["channel"], root["ts"])


async def retitled(slack: Slack, client: AsyncWebClient) -> None:
    root = await streaming(slack, client)
    await slack.retitle(root["channel"], root["ts"], "New")


async def regrouped(slack: Slack, client: AsyncWebClient) -> None:
    await slack.regroup("platform", ["ana"])


EVENTS: dict[str, Story] = {
    "message": said, "direct": directed, "reply": replied, "app_mention": mentioned, "shared": met, "file_share": shared,
    "thread_broadcast": broadcast, "bot_message": deployed, "own": answered, "message_changed": edited, "message_deleted": deleted,
    "reaction_added": reacted, "reaction_removed": unreacted, "member_joined_channel": invited, "member_left_channel": kicked,
    "channel_created": created, "channel_rename": renamed, "channel_archive": archived, "app_home_opened": entered,
    "app_context_changed": looked, "app_context": asked_beside, "agent_session_stopped": stopped,
    "agent_session_title_changed": retitled, "subteam_updated": regrouped,
}  # fmt: skip


async def posted(slack: Slack, client: AsyncWebClient, *blocks: Json) -> Json:
    """The app's message with these blocks, in a thread."""
    root = await slack.mention("hello")
    await client.chat_postMessage(channel=root["channel"], text="fallback", thread_ts=root["ts"], blocks=blocks)
    return slack.thread(root)[-1]


async def opened(slack: Slack, client: AsyncWebClient, *blocks: Json) -> Json:
    await slack.shortcut("ask")
    trigger = slack.envelopes[-1].payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=FORM | {"blocks": list(blocks)})
    return slack.modals("ana")[-1]


async def pressed(slack: Slack, client: AsyncWebClient) -> None:
    await slack.press(await posted(slack, client, *actions(RED)), "Go")


async def pressed_alone(slack: Slack, client: AsyncWebClient) -> None:
    root = await slack.mention("hello")
    ids = {"channel": root["channel"], "thread_ts": root["ts"], "user": slack.user("ana")}
    await client.chat_postEphemeral(**ids, text="?", blocks=actions(RED))
    await slack.press(slack.ephemerals("ana")[-1], "Go")


async def chosen(slack: Slack, client: AsyncWebClient) -> None:
    await slack.press(await posted(slack, client, *actions(MENU)), "Red")


async def rated(slack: Slack, client: AsyncWebClient) -> None:
    await slack.press(await posted(slack, client, RATING), "rate", value="bad")


async def pressed_in_modal(slack: Slack, client: AsyncWebClient) -> None:
    await slack.press(await opened(slack, client, FIELD, *actions(RED)), "Go")


async def pressed_at_home(slack: Slack, client: AsyncWebClient) -> None:
    await client.views_publish(user_id=slack.user("ana"), view={"type": "home", "blocks": actions(RED)})
    await slack.press(slack.home("ana") or {}, "Go")


async def submitted(slack: Slack, client: AsyncWebClient) -> None:
    await slack.submit(await opened(slack, client, FIELD), {"Words": "Hello"})


async def closed(slack: Slack, client: AsyncWebClient) -> None:
    await slack.close(await opened(slack, client, FIELD))


async def shortcut(slack: Slack, client: AsyncWebClient) -> None:
    await slack.shortcut("ask")


async def shortcut_on_message(slack: Slack, client: AsyncWebClient) -> None:
    await slack.shortcut("ask", await slack.say("broken"))


async def searched(slack: Slack, client: AsyncWebClient) -> None:
    field = {"type": "input", "block_id": "b", "label": words("Repository"), "element": SEARCH}
    await slack.suggest(await opened(slack, client, field), "search", "front")


async def searched_in_message(slack: Slack, client: AsyncWebClient) -> None:
    await slack.suggest(await posted(slack, client, *actions(SEARCH)), "search", "front")


INTERACTIONS: dict[str, Story] = {
    "message": pressed, "ephemeral": pressed_alone, "menu": chosen, "feedback": rated, "modal": pressed_in_modal,
    "home": pressed_at_home, "submitted": submitted, "closed": closed, "shortcut": shortcut, "message_action": shortcut_on_message,
    "suggestion": searched, "message_suggestion": searched_in_message,
}  # fmt: skip


# ---- what is sent of it ----


def missing(shape: Shape, value: object) -> list[str]:
    return sorted(wrong(shape, value))


@pytest.mark.parametrize("name", EVENTS)
async def test_an_event_is_told_as_slack_tells_it(slack: Slack, client: AsyncWebClient, listen: Listen, name: str) -> None:
    ear = await listen()

    await EVENTS[name](slack, client)

    kind, subtype = (shapes.EVENTS[name].get(key) for key in ("type", "subtype"))
    told = [each.payload["event"] for each in slack.envelopes if each.type == "events_api"]
    last = next(each for each in reversed(told) if (each["type"], each.get("subtype")) == (kind, subtype))
    frame = await slack.until(lambda: next((each for each in ear.envelopes if each["payload"].get("event") == last), None))
    around = {"type": "events_api", "envelope_id": UUID, "accepts_response_payload": False, "retry_attempt": 0, "retry_reason": ""}
    assert missing(around | {"payload": shapes.WRAPPED | {"event": shapes.EVENTS[name]}}, frame) == []


@pytest.mark.parametrize("name", INTERACTIONS)
async def test_an_interaction_is_told_as_slack_tells_it(slack: Slack, client: AsyncWebClient, listen: Listen, name: str) -> None:
    ear = await listen()

    await INTERACTIONS[name](slack, client)

    accepts = name in ("submitted", "suggestion", "message_suggestion")
    around = {"type": "interactive", "envelope_id": UUID, "accepts_response_payload": accepts}
    assert missing(around | {"payload": shapes.INTERACTIONS[name]}, ear.envelopes[-1]) == []


async def test_an_ephemeral_message_itself_is_not_sent(slack: Slack, client: AsyncWebClient, listen: Listen) -> None:
    ear = await listen()

    await pressed_alone(slack, client)

    assert "message" not in ear.envelopes[-1]["payload"]


async def test_a_command_is_told_as_slack_tells_it(slack: Slack, listen: Listen) -> None:
    ear = await listen()

    await slack.command("/ask", "what time is it?")

    around = {"type": "slash_commands", "envelope_id": UUID, "accepts_response_payload": True}
    assert missing(around | {"payload": shapes.COMMAND}, ear.envelopes[-1]) == []


async def test_a_socket_is_greeted_as_by_slack(listen: Listen) -> None:
    ear = await listen()

    assert missing(shapes.HELLO, ear.frames[0]) == []


async def test_a_socket_is_told_to_go_as_by_slack(slack: Slack, listen: Listen) -> None:
    ear = await listen()

    slack.disconnect()

    await slack.until(lambda: len(ear.frames) > 1)
    assert missing(shapes.DISCONNECT, ear.frames[-1]) == []


async def test_what_comes_again_says_why(slack: Slack, listen: Listen) -> None:
    ear = await listen(acks=False)

    await slack.say("hello")

    await slack.until(lambda: len(ear.envelopes) > 1)
    again = {"envelope_id": ear.envelopes[0]["envelope_id"], "retry_attempt": 1, "retry_reason": "timeout", "payload": {"event_id": SOME}}
    assert missing(again, ear.envelopes[1]) == []


@pytest.mark.parametrize(
    ("shape", "value"),
    [({"a": str}, {}), ({"a": str}, {"a": 1}), ([int], []), ([int], [True]), (SOME, ""), (None, 0), ({"a": {"b": 1}}, {"a": None})],
)
def test_what_differs_is_found(shape: Shape, value: object) -> None:
    assert missing(shape, value)
