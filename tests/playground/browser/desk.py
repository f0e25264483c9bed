"""A desk in a browser: a workspace with a page, a bot on it, and browsers that must neither complain nor call elsewhere."""

import re
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, async_playwright
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack
from bot.playground.page import Page as Client

from ..screenshot import ARGS, CHROMIUM, MANIFEST, opened, plain
from ..test_page import OPTIONS

Json = dict[str, Any]


async def browsers() -> AsyncIterator[Browser]:
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

        @self.bolt.view("odd")
        async def taken(ack: Any, view: Json) -> None:
            await ack()
            self.heard.append(view["state"]["values"])

        @self.bolt.options("repo")
        async def offered(ack: Any, payload: Json) -> None:
            word = payload["value"]
            await ack(options=[{"text": plain(f"{word}<b>ckout"), "value": word}])

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


def chosen(action: Json) -> Any:
    if "selected_options" in action:
        return [each["value"] for each in action["selected_options"]]
    return action["selected_option"]["value"] if "selected_option" in action else action["value"]


def messages(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def thread(page: Page) -> Locator:
    return page.get_by_role("log", name="Thread")
