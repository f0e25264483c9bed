"""The page in a real browser: a desk with a bot on it, used as people use it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.page import Page as Client

from .screenshot import ARGS, CHROMIUM, MANIFEST, feedback, opened, plain, question, talked
from .test_page import EVIL, KIT, OPTIONS

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]
Json = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        await browser.close()


class Desk:
    """A workspace with a page, a bot on it, and browsers that must neither complain nor call elsewhere."""

    def __init__(self, browser: Browser) -> None:
        self.slack = Slack(ack_seconds=1.0)
        self.client = Client(self.slack, MANIFEST)
        self.browser = browser
        self.pages: list[Page] = []
        self.complaints: list[str] = []

    async def start(self) -> None:
        await self.slack.start()
        self.web = AsyncWebClient(self.slack.bot_token, base_url=self.slack.url)
        self.bolt = AsyncApp(client=self.web)
        self.heard: list[Json] = []
        self._listen()
        self.handler = AsyncSocketModeHandler(self.bolt, self.slack.app_token)
        await self.handler.connect_async()  # type: ignore[no-untyped-call]
        await self.slack.until(lambda: self.slack.sockets)

    def _listen(self) -> None:
        @self.bolt.event("app_mention")
        async def mentioned(event: Json, say: Any) -> None:
            await say(text="I am on it", thread_ts=event.get("thread_ts") or event["ts"])

        @self.bolt.action({"action_id": "yes"})
        async def answered(ack: Any, body: Json) -> None:
            await ack()
            message = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
            await self.web.chat_update(**message, text="done", blocks=[{"type": "section", "text": plain("Ana said yes")}])

        @self.bolt.shortcut("ask")
        async def asked(ack: Any, body: Json) -> None:
            await ack()
            await self.web.views_open(trigger_id=body["trigger_id"], view=form())

        @self.bolt.view("form")
        async def filled(ack: Any, view: Json) -> None:
            values = view["state"]["values"]
            short = len(values["why"]["t"]["value"]) < 5
            await (ack(response_action="errors", errors={"why": "Say a little <b>more</b>"}) if short else ack())
            self.heard.append(values)

        async def quiet(ack: Any, body: Json) -> None:
            await ack()
            self.heard.append(body)

        self.bolt.action(re.compile(""))(quiet)
        self.bolt.command("/desk")(quiet)
        for name in ("message", "app_home_opened", "agent_session_stopped", "reaction_added"):
            self.bolt.event(name)(quiet)

    async def open(self, query: str = "?as=ana&in=C0GENERAL", **how: bool) -> Page:
        page = await opened(self.browser, self.client.url + query, **how)
        page.set_default_timeout(5000)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._called)
        self.pages.append(page)
        return page

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "422" not in message.text:
            self.complaints.append(message.text)

    def _called(self, request: Request) -> None:
        if not request.url.startswith(self.client.url):
            self.complaints.append(request.url)

    async def stop(self) -> None:
        for page in self.pages:
            await page.close()
        await self.handler.close_async()  # type: ignore[no-untyped-call]
        await self.slack.stop_serving()


def form() -> Json:
    why = {"type": "plain_text_input", "action_id": "t", "multiline": True}
    how = {"type": "radio_buttons", "action_id": "r", "options": OPTIONS}
    many = {"type": "checkboxes", "action_id": "m", "options": OPTIONS}
    blocks = [
        {"type": "input", "block_id": "why", "label": plain("Why?"), "element": why},
        {"type": "input", "block_id": "how", "label": plain("How?"), "element": how, "optional": True},
        {"type": "input", "block_id": "many", "label": plain("Which?"), "element": many, "optional": True},
    ]
    return {"type": "modal", "callback_id": "form", "title": plain("Ask"), "submit": plain("Go"), "blocks": blocks}


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser) -> AsyncIterator[Desk]:
    desk = Desk(browser)
    await desk.start()
    yield desk
    await desk.stop()
    assert desk.complaints == []


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

    await expect(page.get_by_label("Thread", exact=True).get_by_text("I am on it")).to_be_visible()
    assert desk.slack.messages("general")[0]["text"] == f"<@{desk.slack.bot}> one\ntwo"


async def test_a_question_is_answered_by_a_button(desk: Desk) -> None:
    page = await desk.open()
    await desk.web.chat_postMessage(channel="general", text="?", blocks=question())

    await page.get_by_role("button", name="Open pull request").click()

    await expect(page.get_by_text("Ana said yes")).to_be_visible()
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


def chosen(action: Json) -> Any:
    if "selected_options" in action:
        return [each["value"] for each in action["selected_options"]]
    return action["selected_option"]["value"] if "selected_option" in action else action["value"]


async def test_a_modal_is_filled_in_put_right_and_sent(desk: Desk) -> None:
    await desk.slack.say("look at this", by="ben")
    page = await desk.open()

    await page.get_by_text("look at this").hover()
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


async def test_a_draft_stays_while_others_talk_and_the_bot_edits(desk: Desk) -> None:
    posted = await desk.web.chat_postMessage(channel="general", text="thinking")
    page = await desk.open()
    await page.get_by_label("Message #general").type("half a sen")

    await desk.slack.say("hello", by="ben")
    await desk.web.chat_update(channel=posted["channel"], ts=posted["ts"], text="thought")

    await expect(page.get_by_text("thought")).to_be_visible()
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
    await tools.click()
    await page.get_by_label("React with x").click()
    await expect(page.get_by_role("button", name="x, 1")).to_have_attribute("aria-pressed", "true")
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

    await expect(page.get_by_label("Thread", exact=True).get_by_text("begin now")).to_be_visible()
    tabs = [each["event"]["tab"] for each in desk.heard if each.get("event", {}).get("type") == "app_home_opened"]
    assert tabs == ["messages", "home", "messages"]


async def test_an_answer_grows_while_it_is_read(desk: Desk) -> None:
    asked = await desk.slack.say("tell me")
    page = await desk.open(f"?as=ana&in={asked['channel']}&thread={asked['ts']}")
    thread = page.get_by_label("Thread", exact=True)
    who: Json = {"recipient_team_id": desk.slack.team, "recipient_user_id": desk.slack.user("ana")}

    stream = await desk.web.chat_startStream(channel=asked["channel"], thread_ts=asked["ts"], markdown_text="It **be", **who)
    await expect(thread.get_by_text("It **be")).to_be_visible()
    await desk.web.chat_appendStream(channel=asked["channel"], ts=stream["ts"], markdown_text="gins**")
    await expect(thread.locator("strong", has_text="begins")).to_be_visible()
    await desk.web.chat_stopStream(channel=asked["channel"], ts=stream["ts"], blocks=[feedback()])

    await expect(thread.get_by_role("button", name="Good")).to_be_visible()


async def test_what_goes_over_the_wire_can_be_looked_at(desk: Desk) -> None:
    page = await desk.open()
    await page.get_by_role("link", name="Behind the glass").click()

    await desk.web.chat_postMessage(channel="general", text="posted")
    await page.get_by_text("chat.postMessage").click()

    await expect(page.locator(".glass [open] pre", has_text='"text": "posted"').first).to_be_visible()


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

    await expect(page.get_by_text('/nothing failed with the error "operation_timeout"')).to_be_visible()
    assert (desk.heard[0]["command"], desk.heard[0]["text"]) == ("/desk", "hand over")


async def test_two_people_look_at_once(desk: Desk) -> None:
    ana, ben = await desk.open(), await desk.open("?as=ben&in=C0GENERAL")

    await ana.get_by_label("Message #general").fill("hello all")
    await ana.keyboard.press("Enter")
    await expect(ben.get_by_text("hello all")).to_be_visible()
    await desk.web.chat_postEphemeral(channel="general", user=desk.slack.user("ben"), text="psst")
    await expect(ben.get_by_text("Only visible to you")).to_be_visible()
    await ana.get_by_label("You are").select_option("ben")

    await expect(ana.get_by_text("psst")).to_be_visible()


async def test_hostile_words_do_nothing_anywhere(desk: Desk) -> None:
    desk.slack.add_person(EVIL)
    desk.slack.add_channel(EVIL, ("ana", EVIL, "frontdesk"))
    said = await desk.slack.say(EVIL, by=EVIL, channel=EVIL, files=[(EVIL, b"x")])
    blocks = [block for block, _ in KIT if block["type"] in ("markdown", "section", "context", "actions", "input")]
    await desk.web.chat_postMessage(channel=said["channel"], text=EVIL, username=EVIL)
    await desk.web.chat_postMessage(channel=said["channel"], text="?", blocks=[*blocks, {"type": "markdown", "text": EVIL}])
    page = await desk.open(f"?as=ana&in={said['channel']}&thread={said['ts']}")

    await page.get_by_label("Reply in the thread").fill(EVIL)
    await page.keyboard.press("Enter")

    await expect(page.get_by_label("Thread", exact=True).get_by_role("article")).to_have_count(2)
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
    await page.get_by_role("link", name="Close").click()
    await expect(page.get_by_label("Message #triage")).to_be_visible()


async def test_light_and_dark_follow_the_system(desk: Desk) -> None:
    light, dark = await desk.open(), await desk.open(dark=True)

    colours = [await page.evaluate("getComputedStyle(document.body).backgroundColor") for page in (light, dark)]

    assert colours == ["rgb(255, 255, 255)", "rgb(26, 27, 31)"]
