"""Contract: slash commands and shortcuts, with a real Bolt app behind them."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.playground import Slack

from .conftest import Connect, Json


async def test_a_command_is_answered_to_the_person_alone(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    async def triage(ack: Any, command: Json) -> None:
        await ack(f"looking into {command['text']}")

    app.command("/triage")(triage)
    await connect(app)

    await slack.command("/triage", "the crash", by="ben")

    assert ([note["text"] for note in slack.ephemerals("ben")], slack.messages("general")) == (["looking into the crash"], [])


async def test_a_command_is_answered_to_all(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    async def triage(ack: Any) -> None:
        await ack(text="hi all", response_type="in_channel")

    app.command("/triage")(triage)
    await connect(app)

    await slack.command("/triage")

    assert [each["text"] for each in slack.messages("general")] == ["hi all"]


async def test_a_command_that_is_not_acknowledged_fails_with_operation_timeout(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    await connect(app)

    await slack.command("/unknown")

    assert slack.ephemerals("ana")[0]["text"] == '/unknown failed with the error "operation_timeout"'


async def test_a_command_with_no_app_connected_fails_at_once(slack: Slack) -> None:
    await slack.command("/triage")

    assert slack.ephemerals("ana")[0]["text"] == '/triage failed with the error "dispatch_failed"'


async def test_an_acknowledgement_after_three_seconds_is_too_late(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    slow = asyncio.Event()

    async def triage(ack: Any) -> None:
        await slow.wait()
        await ack("late")

    app.command("/triage")(triage)
    await connect(app)

    envelope = await slack.command("/triage")
    slow.set()

    assert (envelope.state, "late" in slack.ephemerals("ana")[0]["text"]) == ("lost", False)


async def test_a_command_in_a_thread_is_not_supported(slack: Slack) -> None:
    said = await slack.say("root")

    with pytest.raises(ValueError, match="not supported in threads"):
        await slack.command("/triage", thread=said)


async def test_a_command_whose_answer_is_none_fails_before_the_person(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    async def triage(ack: Any) -> None:
        await ack(blocks=[{"type": "song"}])

    app.command("/triage")(triage)
    await connect(app)

    envelope = await slack.command("/triage")

    assert envelope.state == "acked"
    assert [note["text"] for note in slack.ephemerals("ana")] == ['/triage failed with the error "invalid_blocks"']


async def test_a_command_that_the_manifest_does_not_have() -> None:
    async with Slack(manifest={"features": {"slash_commands": [{"command": "/ask"}]}}) as slack:
        with pytest.raises(ValueError, match="/ask"):
            await slack.command("/triage")


async def test_a_message_shortcut_brings_the_message(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    seen: list[Json] = []

    async def triage(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack()

    app.message_shortcut("triage")(triage)
    await connect(app)
    said = await slack.say("it crashed")

    await slack.shortcut("triage", said, by="ben")

    assert (seen[0]["message"]["text"], seen[0]["channel"]["id"]) == ("it crashed", said["channel"])


async def test_a_global_shortcut_brings_a_trigger(slack: Slack, app: AsyncApp, connect: Connect) -> None:
    seen: list[Json] = []

    async def ask(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack()

    app.global_shortcut("ask")(ask)
    await connect(app)

    await slack.shortcut("ask")

    assert slack.world.triggers[seen[0]["trigger_id"]].user == slack.user("ana")
