"""Behind the glass in a real browser: what an engineer looks at, and how they break Slack."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from slack_sdk.errors import SlackApiError

from ..screenshot import CHROMIUM
from ..test_page import EVIL
from .desk import Desk
from .test_looks import findings

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]


async def glass(desk: Desk, tab: str = "", **how: bool) -> Page:
    return await desk.open(f"?as=ana&in=C0GENERAL&side=glass&tab={tab}", **how)


async def test_rows_come_as_they_happen_and_open_by_keyboard(desk: Desk) -> None:
    page = await glass(desk)

    await desk.web.chat_postMessage(channel="general", text=EVIL)
    row = page.locator("[data-row=call]", has_text="chat.postMessage")
    await row.locator("summary").focus()
    await page.keyboard.press("Enter")

    await expect(row.locator("pre").first).to_contain_text("<script>alert(1)</script>")


async def test_rows_are_found_by_words_kind_and_error(desk: Desk) -> None:
    page = await glass(desk)
    await desk.web.chat_postMessage(channel="general", text="needle")
    with pytest.raises(SlackApiError):
        await desk.web.chat_update(channel=desk.slack.channel("general"), ts="1.1", text="haystack")
    rows = page.locator("[data-row]:visible")

    await page.get_by_label("Find in names and payloads").fill("NEEDLE")
    await page.get_by_label("Kind").select_option("Calls only")
    await expect(rows).to_have_count(1)
    await page.get_by_label("Find in names and payloads").fill("")
    await page.get_by_label("Only errors").check()

    await expect(rows).to_have_text(re.compile("message_not_found"))
    await desk.web.chat_postMessage(channel="general", text="another")
    await expect(page.locator("[data-shown]")).to_have_text(re.compile(r"^1 of \d+$"))


async def test_rows_are_held_still_until_one_goes_on(desk: Desk) -> None:
    page = await glass(desk)
    await page.get_by_role("button", name="Pause").click()

    await desk.web.chat_postMessage(channel="general", text="meanwhile")
    await expect(page.get_by_label("Messages", exact=True).get_by_text("meanwhile")).to_be_visible()
    await expect(page.locator("[data-row=call]", has_text="chat.postMessage")).to_have_count(0)
    await page.get_by_role("button", name="Go on").click()

    await expect(page.locator("[data-row=call]", has_text="chat.postMessage")).to_have_count(1)


async def test_another_tab_is_not_held(desk: Desk) -> None:
    page = await glass(desk)
    await page.get_by_role("button", name="Pause").click()

    await page.get_by_role("link", name="Limits").click()

    await expect(page.locator("meter").first).to_be_visible()


async def test_a_huge_payload_is_shown_whole_when_asked_for(desk: Desk) -> None:
    await desk.web.chat_postMessage(channel="general", text="x" * 3900 + "THE END")
    page = await glass(desk)
    row = page.locator("[data-row=call]", has_text="chat.postMessage")
    await row.locator("summary").click()
    await expect(row.locator("pre").first).not_to_contain_text("THE END")

    await row.get_by_role("button", name=re.compile("Show all")).first.click()

    await expect(row.locator("pre").first).to_contain_text("THE END")


async def test_the_bars_move(desk: Desk) -> None:
    page = await glass(desk, "limits")
    await desk.web.users_list()
    await expect(page.get_by_role("meter", name="users.list")).to_have_attribute("value", "1")

    await desk.web.users_list()

    await expect(page.get_by_role("meter", name="users.list")).to_have_attribute("value", "2")


async def test_slack_is_made_to_misbehave_by_click_and_well_again(desk: Desk) -> None:
    page = await glass(desk, "misbehave")
    form = page.get_by_role("form", name="Rate limit")
    await form.get_by_label("Method").select_option("chat.postMessage")
    await form.get_by_label("Retry-After (s)").fill("9")
    await form.get_by_label("Times").fill("5")

    await form.get_by_role("button", name="Limit").click()

    await expect(form.get_by_text("next 5 of chat.postMessage: HTTP 429, Retry-After 9")).to_be_visible()
    with pytest.raises(SlackApiError) as limited:
        await desk.web.chat_postMessage(channel="general", text="no")
    assert limited.value.response.headers["Retry-After"] == "9"
    await expect(form.get_by_text("next 4 of")).to_be_visible()
    await expect(form.get_by_label("Method")).to_have_value("chat.postMessage")
    await page.get_by_role("button", name="All well again").click()
    await expect(page.get_by_text("All is well.")).to_be_visible()
    await desk.web.chat_postMessage(channel="general", text="yes")


async def test_one_switch_is_undone_alone(desk: Desk) -> None:
    page = await glass(desk, "misbehave")
    await page.get_by_role("form", name="Deliver twice").get_by_role("button", name="Twice").click()
    await page.get_by_role("form", name="Scopes").get_by_role("button", name="Revoke").click()

    await page.get_by_role("form", name="Deliver twice").get_by_role("button", name="Undo").click()

    await expect(page.get_by_text("On now: Scopes.")).to_be_visible()
    assert not desk.slack.world.hub.duplicate


async def test_the_sockets_are_dropped_and_counted(desk: Desk) -> None:
    page = await glass(desk, "misbehave")

    await page.get_by_role("form", name="Drop the sockets").get_by_role("button", name="Drop").click()

    await expect(page.get_by_text("0 sockets open")).to_be_visible()


async def test_what_cannot_be_switched_is_said(desk: Desk) -> None:
    page = await glass(desk, "misbehave")
    form = page.get_by_role("form", name="Deliver late")
    await form.evaluate("form => { form.noValidate = true; }")
    await form.get_by_label("Seconds").fill("999")

    await form.get_by_role("button", name="Delay").click()

    await expect(page.get_by_role("alert")).to_have_text("Seconds must be a number from 0.1 to 60.")


async def test_what_was_just_done_is_copied_as_a_test(desk: Desk) -> None:
    page = await glass(desk, "test")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = page.get_by_label("Message #general")
    await box.fill("@Frontdesk hello\nthere")
    await page.keyboard.press("Enter")
    await expect(page.locator(".source")).to_contain_text('"I am on it" in said(slack, root)[-1]')

    await page.get_by_role("button", name="Copy as test").click()

    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert 'await slack.mention("hello\\nthere")' in copied
    compile(copied, "copied.py", "exec")


async def test_the_pane_is_usable_on_a_phone(desk: Desk) -> None:
    page = await glass(desk, "misbehave", narrow=True)

    await page.get_by_role("form", name="Go down").get_by_role("button", name="Go down").click()

    await expect(page.get_by_text(re.compile(r"down for \d+ s more"))).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for tab in ("Calls", "Limits", "Copy as test"):
        await page.get_by_role("link", name=tab, exact=True).click()
        await expect(page.get_by_role("link", name=tab, exact=True)).to_have_attribute("aria-current", "page")
        assert await page.locator('[data-part="pane"]').evaluate("pane => pane.scrollWidth <= pane.clientWidth")


@pytest.mark.parametrize(("tab", "dark"), [("calls", False), ("calls", True), ("limits", True), ("misbehave", False), ("test", False)])
async def test_axe_finds_nothing_serious_in_any_tab(desk: Desk, tab: str, dark: bool) -> None:
    desk.slack.duplicate()
    await desk.slack.mention("hello")
    with pytest.raises(SlackApiError):
        await desk.web.chat_update(channel=desk.slack.channel("general"), ts="1.1", text="no")
    page = await glass(desk, tab, dark=dark)
    for row in await page.locator("[data-row] summary").all():
        await row.click()

    assert await findings(page) == []
