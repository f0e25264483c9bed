"""Lists of messages: very many of them, what is new, and the way to one of them."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from ..screenshot import CHROMIUM, crowd
from .desk import Desk, messages, thread

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]

UP = """() => {
  const log = document.querySelector("[role=log][aria-label=Messages]");
  log.scrollTop = 0;
  return log.textContent.includes("message 0 👀");
}"""
SEEN = """log => { const top = log.getBoundingClientRect().top; const seen = [...log.querySelectorAll("article")]
  .find(each => each.getBoundingClientRect().top >= top); return [seen.dataset.ts, Math.round(seen.getBoundingClientRect().top - top)]; }"""

DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
WHERE = """(log, ts) => Math.round(log.querySelector(`[data-ts='${ts}']`).getBoundingClientRect().top - log.getBoundingClientRect().top)"""


async def test_of_very_many_messages_the_newest_are_shown(desk: Desk) -> None:
    crowd(desk.slack, 10_000)

    page = await desk.open()

    await expect(messages(page).get_by_text("message 9999 👀")).to_be_in_viewport()
    assert await messages(page).get_by_role("article").count() < 200


async def test_older_ones_come_while_one_scrolls_up_and_nothing_jumps(desk: Desk) -> None:
    crowd(desk.slack, 1000)
    page = await desk.open()
    log = messages(page)

    first = str(await log.get_by_role("article").first.get_attribute("data-ts"))
    await log.evaluate("log => { log.scrollTop = 300; }")
    ts, offset = await log.evaluate(SEEN)
    await expect(log.get_by_role("article").first).not_to_have_attribute("data-ts", first)

    assert abs(await log.evaluate(WHERE, ts) - offset) <= 2
    assert await log.get_by_role("article").count() < 200


async def test_one_scrolls_up_to_the_very_first_and_jumps_to_the_newest(desk: Desk) -> None:
    crowd(desk.slack, 300)
    page = await desk.open()
    log = messages(page)

    await page.wait_for_function(UP)
    await desk.slack.say("the newest", by="ben")
    await page.get_by_role("button", name="Jump to newest").click()

    await expect(log.get_by_text("the newest")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="Jump to newest")).to_be_hidden()


async def test_who_has_scrolled_up_stays_there_when_something_comes(desk: Desk) -> None:
    crowd(desk.slack, 60)
    page = await desk.open()
    log = messages(page)
    await log.evaluate("log => { log.scrollTop = 400; }")
    before = await log.evaluate(SEEN)

    await desk.slack.say("news", by="ben")

    await expect(log.get_by_text("news")).to_have_count(1)
    assert await log.evaluate(SEEN) == before


async def test_what_is_unread_begins_below_a_line(desk: Desk) -> None:
    page = await desk.open("?as=ana&in=C0RANDOM")
    await page.get_by_role("link", name="general").click()
    await expect(page.get_by_label("Message #general")).to_be_focused()
    await desk.slack.say("one", by="ben", channel="random")
    await expect(page.get_by_label("1 unread")).to_be_visible()

    await page.get_by_role("link", name="random").click()

    await expect(messages(page).locator(".piece[data-new]").get_by_text("one")).to_be_visible()
    await expect(page.get_by_label("1 unread")).to_have_count(0)


async def test_what_comes_while_one_looks_on_is_not_new(desk: Desk) -> None:
    page = await desk.open()

    await desk.slack.say("one", by="ben")
    await desk.slack.say("two", by="ben")

    await expect(messages(page).get_by_text("two")).to_be_visible()
    await expect(messages(page).locator(".piece[data-new]")).to_have_count(0)


async def test_days_are_divided_and_one_author_is_named_once(desk: Desk) -> None:
    crowd(desk.slack, 1500)
    await desk.slack.say("now", by="ben")
    await desk.slack.say("and now", by="ben")
    page = await desk.open()

    log = messages(page)
    await expect(log.locator(".piece[data-day]").first).to_be_attached()
    await expect(log.locator(".piece[data-follow]").get_by_text("and now")).to_be_visible()
    assert await log.locator(".piece[data-follow] .by strong").last.is_hidden()


async def test_a_link_to_a_message_finds_it(desk: Desk) -> None:
    ts = crowd(desk.slack, 1000)[100]
    page = await desk.open(f"?as=ana&in=C0GENERAL&at={ts}")

    found = messages(page).locator(f"article[data-ts='{ts}']")

    await expect(found).to_be_in_viewport()
    await expect(found).to_be_focused()
    await expect(page.get_by_role("button", name="Jump to newest")).to_be_visible()


async def test_the_link_of_a_message_is_copied_and_becomes_slacks_own_when_it_is_said(desk: Desk) -> None:
    said = await desk.slack.say("look at this", by="ben")
    page = await desk.open()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    await messages(page).get_by_text("look at this").hover()
    await page.get_by_label("More actions").click()
    await page.get_by_role("button", name="Copy link").click()
    await expect(page.get_by_role("alert").get_by_text("The link is copied.")).to_be_visible()
    await page.get_by_label("Message #general").fill(await page.evaluate("navigator.clipboard.readText()"))
    await page.keyboard.press("Enter")
    link = messages(page).get_by_role("link", name="/archives/")
    await link.click()

    assert (await desk.web.chat_getPermalink(channel=said["channel"], message_ts=said["ts"]))["permalink"] in desk.slack.messages(
        "general"
    )[-1]["text"]
    await expect(messages(page).locator(f"article[data-ts='{said['ts']}']")).to_be_focused()


async def test_a_link_to_a_reply_opens_its_thread(desk: Desk) -> None:
    root = await desk.slack.say("root")
    reply = await desk.slack.say("the reply", thread=root)

    page = await desk.open(f"?as=ana&in={root['channel']}&thread={root['ts']}&at={reply['ts']}")

    await expect(thread(page).locator(f"article[data-ts='{reply['ts']}']")).to_be_focused()


async def test_replies_have_faces_and_a_deleted_root_keeps_its_thread(desk: Desk) -> None:
    root = await desk.slack.say("root")
    await desk.slack.say("a reply", by="ben", thread=root)
    page = await desk.open()
    await expect(messages(page).locator(".faces .face")).to_have_text("B")
    await expect(messages(page).get_by_text("Last reply just now")).to_be_visible()

    await desk.slack.delete(root)

    await expect(messages(page).get_by_text("This message was deleted.")).to_be_visible()
    await expect(messages(page).get_by_role("link", name="1 reply")).to_be_visible()


async def test_times_are_in_the_zone_of_the_browser(desk: Desk) -> None:
    place = desk.slack.world.channel("general")
    place.messages["1700000000.000000"] = {"type": "message", "user": "U0BEN", "text": "then", "ts": "1700000000.000000"}
    place.roots.append("1700000000.000000")
    context = await desk.browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    page = await context.new_page()
    await page.goto(desk.client.url + "?as=ana&in=C0GENERAL")

    await expect(messages(page).locator("time")).to_have_text("07:13")
    await context.close()


async def test_many_edits_at_once_lose_nothing(desk: Desk) -> None:
    posted = [await desk.web.chat_postMessage(channel="general", text=f"n{number}") for number in range(3)]
    page = await desk.open()
    place = desk.slack.world.channel("general")

    for number in range(300):
        ts = posted[number % 3]["ts"]
        place.messages[ts] = place.messages[ts] | {"text": f"edit {number}"}
        desk.slack.world.feed.tell("message", channel=place.id, ts=ts)

    for number in (297, 298, 299):
        await expect(messages(page).get_by_text(f"edit {number}")).to_be_visible()


async def test_whoever_writes_in_a_channel_joins_it(desk: Desk) -> None:
    desk.slack.add_channel("elsewhere", ("ben",))
    page = await desk.open(f"?as=ana&in={desk.slack.channel('elsewhere')}")
    await expect(page.get_by_text("You are not in #elsewhere yet")).to_be_visible()

    await page.get_by_label("Message #elsewhere").fill("hello")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("You are not in #elsewhere yet")).to_have_count(0)
    assert desk.slack.user("ana") in desk.slack.world.channel("elsewhere").members


async def test_the_time_of_a_message_is_a_link_to_it(desk: Desk) -> None:
    said = await desk.slack.say("look at this", by="ben")
    page = await desk.open()

    await messages(page).locator(".at").click()

    await expect(page).to_have_url(re.compile(f"at={said['ts']}"))
    await expect(messages(page).get_by_role("article")).to_be_focused()


async def test_whoever_says_something_very_long_stays_at_its_end(desk: Desk) -> None:
    page = await desk.open()
    await page.get_by_label("Message #general").fill("x" * 15_000)
    await page.keyboard.press("Enter")
    await expect(messages(page).locator("article").last).to_contain_text("x" * 15_000)

    for count in ("1 reply", "2 replies"):
        await desk.slack.say("a reply", by="ben", thread=desk.slack.messages("general")[-1])
        await expect(messages(page).get_by_role("link", name=count)).to_be_attached()
        await page.evaluate(DRAWN)

        await expect(messages(page).get_by_role("link", name=count)).to_be_in_viewport()


async def test_what_only_one_person_sees_is_no_reply(desk: Desk) -> None:
    root = await desk.slack.say("root")
    await desk.slack.say("a reply", by="ben", thread=root)
    at = {"channel": root["channel"], "thread_ts": root["ts"], "user": desk.slack.user("ana")}
    page = await desk.open(f"?as=ana&in={root['channel']}&thread={root['ts']}")

    await desk.web.chat_postEphemeral(**at, text="psst")

    await expect(thread(page).get_by_text("psst")).to_be_visible()
    await expect(thread(page).locator("[data-replies]")).to_have_attribute("data-replies", "1 reply")


async def test_where_one_edits_there_is_room_for_all_lines(desk: Desk) -> None:
    await desk.slack.say("one\ntwo\nthree\nfour")
    page = await desk.open()
    await page.get_by_label("Message #general").focus()

    await page.keyboard.press("ArrowUp")

    await expect(page.get_by_label("Edit the message")).to_have_attribute("rows", "4")
