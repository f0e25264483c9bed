"""The composer: completion, drafts, files, and texts that are too long."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from ..screenshot import CHROMIUM
from .desk import Desk, messages, thread

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]

PASTE = """(box) => { const data = new DataTransfer(); data.items.add(new File(["x"], "<b>.png", { type: "image/png" }));
  box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }"""
DROP = """() => { const data = new DataTransfer(); data.items.add(new File(["dropped"], "notes.txt", { type: "text/plain" }));
  document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })); }"""


def offers(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Completions").get_by_role("option")


@pytest.mark.parametrize(
    ("typed", "offered", "becomes"),
    [
        ("@fro", "@Frontdesk", "@Frontdesk "), ("ask @plat", "@platform", "ask @platform "), ("see #ran", "#random", "see #random "),
        ("/de", "/desk", "/desk "), ("so :rock", ":rocket:", "so :rocket: "),
    ],
)  # fmt: skip
async def test_words_are_completed(desk: Desk, typed: str, offered: str, becomes: str) -> None:
    page = await desk.open()
    box = page.get_by_label("Message #general")

    await box.type(typed)
    await expect(offers(page).and_(page.get_by_role("option", selected=True))).to_contain_text(offered)
    await page.keyboard.press("Tab")

    await expect(box).to_have_value(becomes)
    await expect(offers(page)).to_have_count(0)


async def test_a_command_tells_how_it_is_used(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_label("Message #general").type("/")

    await expect(offers(page)).to_contain_text("[what you need] — Asks the desk")


async def test_an_emoji_is_found_for_the_text_and_for_a_reaction(desk: Desk) -> None:
    await desk.slack.say("look at this", by="ben")
    page = await desk.open()

    await page.locator(".composer").get_by_label("Emoji").click()
    await page.keyboard.type("tada")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Message #general")).to_have_value(":tada: ")
    await messages(page).get_by_text("look at this").hover()
    await page.get_by_label("Find another reaction").click()
    await page.keyboard.type("avoc")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("button", name="avocado, 1")).to_be_visible()


async def test_pasted_and_dropped_files_can_be_taken_away_again(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_label("Message #general").evaluate(PASTE)
    await page.evaluate(DROP)
    await expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)
    await page.get_by_role("button", name="Take away <b>.png").click()
    await page.get_by_role("button", name="Send").click()

    await desk.slack.until(lambda: desk.slack.messages("general"))
    assert [each["name"] for each in desk.slack.messages("general")[0]["files"]] == ["notes.txt"]
    await expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(0)


async def test_a_text_that_is_too_long_becomes_a_file(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_label("Message #general").fill("x" * 40_001)
    await expect(page.get_by_text("This has 40,001 characters; Slack takes 40,000 in one message.")).to_be_visible()
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await page.get_by_role("button", name="Make it a file").click()
    await page.get_by_role("button", name="Send").click()

    await desk.slack.until(lambda: desk.slack.messages("general"))
    assert len(next(iter(desk.slack.world.files.values())).content) == 40_001


async def test_a_draft_outlives_a_reload_and_is_its_authors(desk: Desk) -> None:
    page = await desk.open()
    await page.get_by_label("Message #general").fill("half a sen")

    await page.reload()
    await expect(page.get_by_label("Message #general")).to_have_value("half a sen")
    await page.get_by_label("You are").select_option("ben")

    await expect(page.get_by_label("Message #general")).to_have_value("")


async def test_the_arrow_up_edits_the_last_own_words(desk: Desk) -> None:
    await desk.slack.say("tee")
    page = await desk.open()

    await page.get_by_label("Message #general").press("ArrowUp")
    await page.get_by_label("Edit the message").fill("tea")
    await page.keyboard.press("Enter")

    await expect(messages(page).locator(".text").get_by_text("tea", exact=True)).to_be_visible()


async def test_a_session_is_renamed(desk: Desk) -> None:
    asked = await desk.slack.direct("hello")
    await desk.web.agents_sessions_setStatus(channel_id=asked["channel"], thread_ts=asked["ts"], status="active", title="Old")
    page = await desk.open("?as=ana&in=sessions")

    await page.get_by_text("Rename").click()
    await page.get_by_label("New title").fill("<i>New</i>")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="<i>New</i>").click()

    await expect(thread(page).get_by_text("hello")).to_be_visible()
    assert desk.slack.titles[asked["channel"], asked["ts"]] == "<i>New</i>"
