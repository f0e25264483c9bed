"""How it looks and behaves: for screen readers, by keyboard, narrow, light and dark; and that nothing hostile runs."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from ..screenshot import CHROMIUM, plain, question, talked
from ..test_page import EVIL, KIT
from .desk import Desk, messages, thread

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]

TOLD = """() => { window.told = []; const said = document.querySelector("#said");
  new MutationObserver(() => told.push(said.textContent)).observe(said, { childList: true }); }"""


async def test_hostile_words_do_nothing_anywhere(desk: Desk) -> None:
    desk.slack.add_person(EVIL)
    desk.slack.add_channel(EVIL, ("ana", EVIL, "frontdesk"))
    said = await desk.slack.say(EVIL, by=EVIL, channel=EVIL, files=[(EVIL, b"x")])
    blocks = [block for block, _ in KIT if block["type"] in ("markdown", "section", "context", "actions", "input")]
    blocks = [each for each in blocks if each.get("element", {}).get("type") != "file_input"]
    await desk.web.chat_postMessage(channel=said["channel"], text=EVIL, username=EVIL)
    await desk.web.chat_postMessage(channel=said["channel"], text="?", blocks=[*blocks, {"type": "markdown", "text": EVIL}])
    page = await desk.open(f"?as=ana&in={said['channel']}&thread={said['ts']}")

    await page.get_by_label("Reply in the thread").fill(EVIL)
    await page.keyboard.press("Enter")

    await expect(thread(page).get_by_role("article")).to_have_count(2)
    assert await page.evaluate("document.querySelectorAll('img, iframe, script:not([src]), [onerror], [href^=javascript]').length") == 0


async def test_it_is_usable_on_a_narrow_screen(desk: Desk) -> None:
    asked = await talked(desk.slack)
    page = await desk.open(f"?as=ana&in={asked['channel']}", narrow=True)

    await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("link", name="random").click()
    await expect(page.get_by_role("heading", name="#random")).to_be_visible()
    await page.go_back()
    await page.get_by_role("link", name="replies").click()
    await expect(page.get_by_role("button", name="Open pull request")).to_be_visible()

    assert await page.evaluate("document.documentElement.scrollWidth") <= 400
    await page.get_by_role("link", name="Back").click()
    await expect(page.get_by_label("Message #triage")).to_be_visible()


async def test_light_and_dark_follow_the_system(desk: Desk) -> None:
    light, dark = await desk.open(), await desk.open(dark=True)

    colours = [await page.evaluate("getComputedStyle(document.body).backgroundColor") for page in (light, dark)]

    assert colours == ["rgb(255, 255, 255)", "rgb(27, 29, 33)"]


async def test_the_switch_outlives_a_reload(desk: Desk) -> None:
    page = await desk.open()

    await page.get_by_role("button", name="Light or dark").click()
    await page.reload()

    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(27, 29, 33)"


# ---- without a mouse ----


async def test_another_place_is_reached_by_its_name(desk: Desk) -> None:
    page = await desk.open()

    await page.keyboard.press("Control+k")
    await page.keyboard.type("ran")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="#random")).to_be_visible()


async def test_messages_are_walked_through_by_arrows_and_escape_closes_the_thread(desk: Desk) -> None:
    first = await desk.slack.say("one")
    await desk.slack.say("two")
    page = await desk.open()

    await messages(page).focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("article").last).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"thread={first['ts']}"))
    await page.get_by_label("Reply in the thread").focus()
    await page.keyboard.press("Escape")

    await expect(page.get_by_label("Reply in the thread")).to_have_count(0)
    await expect(page.get_by_label("Message #general")).to_be_focused()


async def test_one_goes_on_writing_where_one_has_gone(desk: Desk) -> None:
    page = await desk.open()
    await desk.slack.say("hello", by="ben")

    await page.keyboard.press("Control+k")
    await page.keyboard.type("random")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Message #random")).to_be_focused()
    await page.get_by_role("link", name="general").click()
    await expect(page.get_by_label("Message #general")).to_be_focused()
    await messages(page).get_by_text("hello").hover()
    await page.get_by_label("Reply in thread").click()

    await expect(page.get_by_role("combobox", name="Reply in the thread")).to_be_focused()


async def test_whoever_presses_what_then_goes_keeps_a_place(desk: Desk) -> None:
    asked = await desk.slack.mention("go")
    at = {"channel_id": asked["channel"], "thread_ts": asked["ts"]}
    await desk.web.chat_postMessage(channel=asked["channel"], thread_ts=asked["ts"], text="May I?", blocks=question())
    await desk.web.agents_sessions_setStatus(**at, status="processing")
    page = await desk.open(f"?as=ana&in=C0GENERAL&thread={asked['ts']}")

    await page.get_by_role("button", name="Open pull request").press("Enter")
    await expect(thread(page).get_by_role("article").filter(has_text="Ana said yes")).to_be_focused()
    await page.get_by_role("button", name="Stop").press("Enter")
    await desk.web.agents_sessions_setStatus(**at, status="active")

    await expect(page.get_by_role("combobox", name="Reply in the thread")).to_be_focused()


async def test_a_modal_is_filled_in_by_keyboard_and_gives_the_focus_back(desk: Desk) -> None:
    said = await desk.slack.say("look at this")
    page = await desk.open()
    await page.get_by_label("Message #general").focus()
    await desk.slack.shortcut("ask", said)

    await expect(page.get_by_label("Why?")).to_be_focused()
    await page.keyboard.type("because of this")
    await page.keyboard.press("Control+Enter")

    await desk.slack.until(lambda: desk.heard)
    await expect(page.get_by_label("Message #general")).to_be_focused()


async def test_a_modal_keeps_the_focus(desk: Desk) -> None:
    said = await desk.slack.say("look at this")
    page = await desk.open()
    await desk.slack.shortcut("ask", said)
    await page.get_by_label("Why?").wait_for()

    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")


@pytest.mark.parametrize("narrow", [False, True])
async def test_where_the_playground_has_stopped_that_hides_nothing(desk: Desk, narrow: bool) -> None:
    page = await desk.open("?as=ana&in=messages", narrow=narrow)
    tab = page.get_by_role("link", name="Home", exact=True)

    await page.locator("#offline").evaluate("banner => { banner.hidden = false; banner.textContent = 'It has stopped. '.repeat(5); }")

    banner, below = await page.locator("#offline").bounding_box(), await tab.bounding_box()
    assert banner
    assert below
    assert banner["y"] + banner["height"] <= below["y"]
    await expect(page.get_by_role("button", name="Send")).to_be_in_viewport()


async def test_an_answer_is_told_when_it_comes_and_when_it_is_whole(desk: Desk) -> None:
    asked = await desk.slack.mention("look")
    page = await desk.open(f"?as=ana&in=C0GENERAL&thread={asked['ts']}")
    await page.evaluate(TOLD)
    at = {"channel_id": asked["channel"], "thread_ts": asked["ts"]}
    await desk.web.agents_sessions_setStatus(**at, status="processing")
    posted = await desk.web.chat_postMessage(channel=asked["channel"], thread_ts=asked["ts"], text="thinking")
    await expect(page.locator("#said")).to_have_text("Frontdesk: thinking")

    for text in ("half", "whole"):
        await desk.web.chat_update(channel=posted["channel"], ts=posted["ts"], text=text)
        await expect(thread(page).get_by_text(text)).to_be_visible()
    await desk.web.agents_sessions_setStatus(**at, status="active")

    await expect(page.locator("#said")).to_have_text("Frontdesk: whole")
    assert (await page.evaluate("told"))[-2:] == ["Frontdesk: thinking", "Frontdesk: whole"]


# ---- axe ----


async def findings(page: Page) -> list[str]:
    """What axe finds that is serious or critical."""
    found = await Axe().run(page)
    wrong = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['html'][:200]}" for each in wrong for node in each["nodes"]]


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_in_channel_and_thread(desk: Desk, dark: bool) -> None:
    asked = await talked(desk.slack)
    await desk.web.chat_postEphemeral(channel=asked["channel"], user=desk.slack.user("ana"), text="psst")
    page = await desk.open(f"?as=ana&in={asked['channel']}&thread={asked['ts']}", dark=dark)

    assert await findings(page) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_in_any_block(desk: Desk, dark: bool) -> None:
    place = desk.slack.world.channel("general")
    for number, (block, _) in enumerate(KIT):
        ts = f"17000000{number:02}.000000"
        place.messages[ts] = {"type": "message", "bot_id": desk.slack.world.bot.bot_id, "user": desk.slack.bot, "ts": ts, "blocks": [
            {"block_id": f"b{number}", **block}
        ]}  # fmt: skip
        place.roots.append(ts)
    page = await desk.open(dark=dark)

    assert await findings(page) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_behind_the_glass(desk: Desk, dark: bool) -> None:
    await talked(desk.slack)
    page = await desk.open("?as=ana&in=C0GENERAL&side=glass", dark=dark)

    assert await findings(page) == []


@pytest.mark.parametrize("place", ["home", "messages", "sessions"])
async def test_axe_finds_nothing_serious_in_the_app(desk: Desk, place: str) -> None:
    asked = await desk.slack.direct("hello")
    await desk.web.agents_sessions_setStatus(channel_id=asked["channel"], thread_ts=asked["ts"], status="processing", title="A session")
    home = {"type": "home", "blocks": [{"type": "header", "text": plain("Sessions")}]}
    await desk.web.views_publish(user_id=desk.slack.user("ana"), view=home)
    page = await desk.open(f"?as=ana&in={place}")

    assert await findings(page) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_in_modal_picker_menu_and_switch(desk: Desk, dark: bool) -> None:
    said = await desk.slack.say("look at this")
    page = await desk.open(dark=dark)
    found = {}
    await page.keyboard.press("Control+k")
    found["switch"] = await findings(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("article").hover()
    await page.get_by_label("More actions").click()
    found["menu"] = await findings(page)
    await page.keyboard.press("Escape")
    await page.locator(".composer").get_by_label("Emoji").click()
    found["picker"] = await findings(page)
    await page.keyboard.press("Escape")
    await desk.slack.shortcut("ask", said)
    await page.get_by_role("button", name="Go").click()
    await page.get_by_text("Please complete this required field.").wait_for()
    found["modal"] = await findings(page)

    assert found == {"switch": [], "menu": [], "picker": [], "modal": []}


async def test_axe_finds_nothing_serious_on_a_phone(desk: Desk) -> None:
    asked = await talked(desk.slack)
    page = await desk.open(f"?as=ana&in={asked['channel']}", narrow=True)
    await page.get_by_role("button", name="Channels").click()

    assert await findings(page) == []
