"""People talk with the bot, as they do in Slack."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from ..screenshot import CHROMIUM, feedback, plain
from .desk import Desk, Json, messages, thread

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]


async def test_the_bot_is_asked_by_keyboard_and_answers_in_the_thread(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_label("Message #general").focus()
    await page.keyboard.type("@fro")
    await page.keyboard.press("Enter")
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="1 reply").click()

    await expect(thread(page).get_by_text("I am on it")).to_be_visible()
    assert desk.slack.messages("general")[0]["text"] == f"<@{desk.slack.bot}> one\ntwo"


async def test_a_draft_stays_while_others_talk_and_the_bot_edits(desk: Desk) -> None:
    posted = await desk.web.chat_postMessage(channel="general", text="thinking")
    page = await desk.open()
    await page.get_by_label("Message #general").type("half a sen")

    await desk.slack.say("hello", by="ben")
    await desk.web.chat_update(channel=posted["channel"], ts=posted["ts"], text="thought")

    await expect(messages(page).get_by_text("thought")).to_be_visible()
    await expect(page.get_by_label("Message #general")).to_have_value("half a sen")
    await expect(page.get_by_label("Message #general")).to_be_focused()
    await page.get_by_role("link", name="random").click()
    await page.get_by_role("link", name="general").click()
    await expect(page.get_by_label("Message #general")).to_have_value("half a sen")


async def test_own_words_are_edited_reacted_to_and_deleted(desk: Desk) -> None:
    said = await desk.slack.say("tea @ben")
    page = await desk.open()
    tools = page.get_by_label("More actions")

    await page.get_by_role("article").hover()
    await page.get_by_label("React with eyes").click()
    await expect(page.get_by_role("button", name="eyes, 1")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("article").hover()
    await tools.click()
    await page.get_by_role("button", name="Edit").click()
    await expect(page.get_by_label("Edit the message")).to_have_value("tea @ben")
    await page.get_by_label("Edit the message").fill("coffee @ben")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("(edited)")).to_be_visible()
    assert desk.slack.message(said)["text"] == "coffee <@U0BEN>"
    await page.get_by_role("article").hover()
    await tools.click()
    await page.get_by_role("button", name="Delete").click()
    await page.locator("#confirm").get_by_role("button", name="Delete").click()

    await expect(page.get_by_role("article")).to_have_count(0)


async def test_the_app_is_written_to_by_a_suggested_prompt(desk: Desk) -> None:
    prompts = [{"title": "Start", "message": "begin now"}]
    await desk.web.assistant_threads_setSuggestedPrompts(channel_id=desk.slack.dm("ana"), prompts=prompts)
    home = {"type": "home", "blocks": [{"type": "header", "text": plain("Sessions")}]}
    await desk.web.views_publish(user_id=desk.slack.user("ana"), view=home)
    page = await desk.open()

    await page.get_by_role("link", name="Frontdesk").click()
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    await page.get_by_role("link", name="Messages", exact=True).click()
    await page.get_by_role("button", name="Start").click()

    await expect(thread(page).get_by_text("begin now")).to_be_visible()
    opened = {each["event_id"]: each["event"] for each in desk.heard if each.get("event", {}).get("type") == "app_home_opened"}
    assert [each["tab"] for each in opened.values()] == ["messages", "home", "messages"]


async def test_an_answer_grows_while_it_is_read(desk: Desk) -> None:
    asked = await desk.slack.say("tell me")
    page = await desk.open(f"?as=ana&in={asked['channel']}&thread={asked['ts']}")
    who: Json = {"recipient_team_id": desk.slack.team, "recipient_user_id": desk.slack.user("ana")}

    stream = await desk.web.chat_startStream(channel=asked["channel"], thread_ts=asked["ts"], markdown_text="It **be", **who)
    await expect(thread(page).get_by_text("It **be")).to_be_visible()
    await desk.web.chat_appendStream(channel=asked["channel"], ts=stream["ts"], markdown_text="gins**")
    await expect(thread(page).locator("strong", has_text="begins")).to_be_visible()
    await desk.web.chat_stopStream(channel=asked["channel"], ts=stream["ts"], blocks=[feedback()])

    await expect(thread(page).get_by_role("button", name="Good")).to_be_visible()


async def test_slacks_own_stop_button_ends_the_work(desk: Desk) -> None:
    asked = await desk.slack.say("think hard")
    at = {"channel_id": asked["channel"], "thread_ts": asked["ts"]}
    page = await desk.open(f"?as=ana&in={asked['channel']}&thread={asked['ts']}")
    await desk.web.agents_sessions_setStatus(**at, status="processing")

    await page.get_by_role("button", name="Stop").click()

    await desk.slack.until(lambda: any(each.get("event", {}).get("type") == "agent_session_stopped" for each in desk.heard))
    await desk.web.agents_sessions_setStatus(**at, status="active")
    await expect(page.get_by_role("button", name="Stop")).to_have_count(0)


async def test_a_file_goes_up_and_comes_down(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_label("Attach files").set_input_files({"name": "<b>.txt", "mimeType": "text/plain", "buffer": b"content"})
    await page.get_by_role("button", name="Send").click()
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="<b>.txt").click()

    came = await coming.value
    assert (came.suggested_filename, await came.failure()) == ("_b_.txt", None)
    assert next(iter(desk.slack.world.files.values())).content == b"content"


async def test_a_command_is_completed_and_refused_commands_say_why(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_label("Message #general").type("/de")
    await page.keyboard.press("Tab")
    await page.keyboard.type("hand over")
    await page.keyboard.press("Enter")
    await desk.slack.until(lambda: desk.heard)
    await page.get_by_label("Message #general").fill("/nothing")
    await page.keyboard.press("Enter")

    await expect(messages(page).get_by_text('/nothing failed with the error "operation_timeout"')).to_be_visible()
    assert (desk.heard[0]["command"], desk.heard[0]["text"]) == ("/desk", "hand over")


async def test_two_people_look_at_once(desk: Desk) -> None:
    ana, ben = await desk.open(), await desk.open("?as=ben&in=C0GENERAL")

    await ana.get_by_label("Message #general").fill("hello all")
    await ana.keyboard.press("Enter")
    await expect(messages(ben).get_by_text("hello all")).to_be_visible()
    await desk.web.chat_postEphemeral(channel=desk.slack.channel("general"), user=desk.slack.user("ben"), text="psst")
    await expect(messages(ben).get_by_text("Only visible to you")).to_be_visible()
    await ana.get_by_label("You are").select_option("ben")

    await expect(messages(ana).get_by_text("psst")).to_be_visible()


async def test_a_page_is_told_that_its_playground_has_begun_anew(desk: Desk) -> None:
    page = await desk.open()
    desk.client.token = "another"

    await page.locator(".sidebar").get_by_text("random").click()

    await expect(page.get_by_text("The playground has begun anew, at another address: its terminal shows which.")).to_be_visible()
    desk.complaints.clear()  # of the browser itself, about the address that is gone
