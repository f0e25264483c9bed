"""Everything that can be pressed, chosen and filled in."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from ..screenshot import CHROMIUM, feedback, plain, question
from ..test_page import OPTIONS
from .desk import Desk, Json, chosen, form, messages

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]

DOT = bytes.fromhex("47494638396101000100800000ffffff0000002c00000000010001000002024401003b")


async def test_a_question_is_answered_by_a_button(desk: Desk) -> None:
    page = await desk.open()
    await desk.web.chat_postMessage(channel="general", text="?", blocks=question())

    await page.get_by_role("button", name="Open pull request").click()

    await expect(messages(page).get_by_text("Ana said yes")).to_be_visible()
    await expect(page.get_by_role("button", name="Open pull request")).to_have_count(0)


async def test_a_dangerous_button_asks_first(desk: Desk) -> None:
    sure = {"title": plain("Sure?"), "text": plain("It is gone then."), "confirm": plain("Do it"), "deny": plain("Leave it")}
    button = {"type": "button", "text": plain("Erase"), "action_id": "erase", "confirm": sure}
    page = await desk.open()
    await desk.web.chat_postMessage(channel="general", text="?", blocks=[{"type": "actions", "elements": [button]}])

    await page.get_by_role("button", name="Erase").click()
    await page.get_by_role("button", name="Leave it").click()
    await page.get_by_role("button", name="Erase").click()
    await page.get_by_role("button", name="Do it").click()

    await desk.slack.until(lambda: desk.heard)
    assert [each["actions"][0]["action_id"] for each in desk.heard if "actions" in each] == ["erase"]


async def test_choices_in_a_message_reach_the_bot(desk: Desk) -> None:
    elements = [{"type": kind, "action_id": kind, "options": OPTIONS} for kind in ("static_select", "checkboxes", "overflow")]
    page = await desk.open()
    await desk.web.chat_postMessage(channel="general", text="?", blocks=[{"type": "actions", "elements": elements}, feedback()])

    await page.locator("[data-action=static_select]").select_option("Two")
    await page.get_by_role("checkbox", name="One").check()
    await page.get_by_label("More", exact=True).click()
    await page.get_by_role("button", name="Two").click()
    await page.get_by_role("button", name="Bad").click()

    await desk.slack.until(lambda: len(desk.heard) == 4)
    assert [chosen(each["actions"][0]) for each in desk.heard] == ["2", ["1"], "2", "bad"]


async def test_a_modal_is_filled_in_put_right_and_sent(desk: Desk) -> None:
    await desk.slack.say("look at this", by="ben")
    page = await desk.open()

    await messages(page).get_by_text("look at this").hover()
    await page.get_by_label("More actions").click()
    await page.get_by_role("button", name="Ask Frontdesk about this").click()
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_text("Please complete this required field.")).to_be_visible()
    await page.get_by_label("Why?").fill("so")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_text("Say a little <b>more</b>")).to_be_visible()
    await page.get_by_label("Why?").fill("because of that")
    await page.get_by_role("radio", name="Two").check()
    await page.get_by_role("checkbox", name="One").check()
    await page.get_by_role("button", name="Go").click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    values = desk.heard[-1]
    assert (values["why"]["t"]["value"], chosen(values["how"]["r"]), chosen(values["many"]["m"])) == ("because of that", "2", ["1"])


async def test_what_is_filled_in_stays_when_the_bot_changes_the_modal(desk: Desk) -> None:
    said = await desk.slack.say("look at this")
    page = await desk.open()
    await desk.slack.shortcut("ask", said)
    await page.get_by_label("Why?").fill("half a sen")

    view = form()
    view["blocks"].append({"type": "section", "text": plain("new below")})
    await desk.web.views_update(view_id=desk.slack.modals("ana")[0]["id"], view=view)

    await expect(page.get_by_text("new below")).to_be_visible()
    await expect(page.get_by_label("Why?")).to_have_value("half a sen")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert desk.slack.modals("ana") == []


async def test_an_external_menu_asks_the_app_while_one_types(desk: Desk) -> None:
    element = {"type": "external_select", "action_id": "repo", "placeholder": plain("Repository"), "min_query_length": 2}
    page = await desk.open()
    await desk.web.chat_postMessage(channel="general", text="?", blocks=[{"type": "actions", "block_id": "b", "elements": [element]}])

    await page.get_by_role("combobox", name="Repository").type("che")
    await page.get_by_role("option", name="che<b>ckout").wait_for()
    await page.keyboard.press("Enter")

    await desk.slack.until(lambda: desk.heard)
    assert chosen(desk.heard[0]["actions"][0]) == "che"


async def test_a_form_takes_a_moment_a_file_and_rich_text(desk: Desk) -> None:
    elements: dict[str, Json] = {
        "When?": {"type": "datetimepicker", "action_id": "a"},
        "What file?": {"type": "file_input", "action_id": "a", "max_files": 1},
        "What else?": {"type": "rich_text_input", "action_id": "a"},
    }
    blocks = [{"type": "input", "block_id": name, "label": plain(name), "element": each} for name, each in elements.items()]
    said = await desk.slack.say("look at this")
    page = await desk.open()
    await desk.slack.shortcut("ask", said)
    await page.get_by_role("dialog").wait_for()
    view = {**form(), "callback_id": "odd", "blocks": blocks}
    await desk.web.views_update(view_id=desk.slack.modals("ana")[0]["id"], view=view)

    await page.get_by_label("When?").fill("2026-11-20T10:30")
    await page.get_by_label("What file?").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"content"})
    await page.get_by_label("What else?").fill("and more")
    await page.get_by_role("button", name="Go").click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    values = desk.heard[-1]
    local = await page.evaluate("Math.floor(new Date('2026-11-20T10:30') / 1000)")
    assert (values["When?"]["a"]["selected_date_time"], values["What file?"]["a"]["files"][0]["name"]) == (local, "a.txt")


async def test_code_is_copied(desk: Desk) -> None:
    page = await desk.open()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await desk.web.chat_postMessage(channel="general", text="?", blocks=[{"type": "markdown", "text": "```py\nprint('<b>')\n```"}])

    await messages(page).locator(".code").hover()
    await page.get_by_role("button", name="Copy").click()

    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "print('<b>')"


async def test_a_picture_of_the_workspace_is_shown_and_others_are_told_of(desk: Desk) -> None:
    await desk.slack.say("see", files=[("dot.gif", DOT)])
    image = {"type": "image", "image_url": "https://example.com/cat.png", "alt_text": "a cat"}
    await desk.web.chat_postMessage(channel="general", text="?", blocks=[image])
    page = await desk.open()

    await expect(page.get_by_role("img", name="dot.gif")).to_have_js_property("naturalWidth", 1)
    await expect(page.get_by_role("link", name="a cat")).to_have_attribute("href", "https://example.com/cat.png")
