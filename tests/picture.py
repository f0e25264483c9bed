"""A picture of each state of the page: `python -m tests.picture OUT_DIR [STATE…]`, each light, dark and narrow."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path
from typing import Any

from playwright.async_api import Browser
from playwright.async_api import Page as Tab
from slack_sdk.web.async_client import AsyncWebClient

from bot import app
from bot.playground import Slack
from bot.playground.page import Page
from bot.settings import Settings
from bot.slack.manifest import manifest
from bot.store.files import Agents
from tests.playground.browser.desk import browsers, form
from tests.playground.screenshot import crowd, feedback, opened, plain, progress, question
from tests.playground.test_page import KIT

Json = dict[str, Any]
LOOKS: dict[str, dict[str, bool]] = {"": {}, "-dark": {"dark": True}, "-narrow": {"narrow": True}}
WORK = """release: !plan Read the failing build | Find the change that broke it | Propose a fix
!step Read build 4711
!step Compare it with the last green one
!say The build fails since **checkout 4.12**:
!say
!say | Test | Before | Now |
!say |---|--:|--:|
!say | `test_refund` | 0.2 s | fails |
!say | `test_cart` | 0.1 s | 0.1 s |
!say
!say The pool has 4 connections instead of 40."""
ASK = "release: !step Write the change\n!approve git push origin fix/pool-size\n!say Pushed."
AGENT = """---
description: Keeps the release green.
runtime: echo
allow: {approve: ["@platform"]}
---
"""
ODD = {"type": "hologram", "depth": 3}


async def main(out: Path, wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for file in await asyncio.to_thread(lambda: list(Path("agents").glob("*.md"))):
            (folder / file.name).write_text(file.read_text())
        (folder / "release.md").write_text(AGENT)
        agents = Agents(folder)
        agents.load()
        slack = Slack(manifest=(described := manifest(agents.agents)))
        page = Page(slack, described)
        async with slack:
            settings = Settings(
                slack_bot_token=slack.bot_token, slack_app_token=slack.app_token, slack_api_url=slack.url, agents_dir=folder,
                database_url=f"sqlite+aiosqlite:///{made}/picture.db", sessions_dir=folder / "sessions", drain_seconds=0,
            )  # fmt: skip
            async with app.running(settings):
                root = await talked(slack)
                async for browser in browsers():
                    for name, (look, how) in product(wanted or STATES, LOOKS.items()):
                        await shoot(browser, page.url, root, slack, out / f"{name}{look}.png", STATES[name], how)


async def talked(slack: Slack) -> Json:
    """What happened before: a piece of work with a question at its end, a form, a Home, every block, and a full channel."""
    web = AsyncWebClient(slack.bot_token, base_url=slack.url)
    crowd(slack, 10_000, "random")
    await slack.say("Morning! Deploy of *checkout 4.12* is out :rocket:", by="ben", channel="triage")
    await slack.say("I am watching the errors :eyes:", by="ben", channel="triage")
    root = await slack.mention(WORK, by="ana", channel="triage", files=["errors.csv"])
    await slack.react(root, "eyes", by="ben")
    await slack.until(lambda: "connections" in slack.text(slack.thread(root)[-1]) and "Bad" in slack.text(slack.thread(root)[-1]), 20)
    await slack.mention(ASK, by="ana", channel="triage", thread=root)
    await slack.until(lambda: "Permission needed" in slack.text(slack.thread(root)[-1]), 20)
    place = slack.world.channel("reviews")
    shown = [*progress(), *question(), feedback(), *(block for block, _ in KIT), ODD]
    for number, block in enumerate(shown):
        ts = f"17000000{number:02}.000000"
        place.messages[ts] = {
            "type": "message",
            "bot_id": "B0FRONTDESK",
            "user": slack.bot,
            "ts": ts,
            "blocks": [{"block_id": f"b{number}", **block}],
        }
        place.roots.append(ts)
    await web.chat_postEphemeral(channel=slack.channel("triage"), user=slack.user("ana"), text="Only you are told this.")
    direct = await slack.direct("What is on today?")
    await slack.until(lambda: len(slack.thread(direct)) > 1, 20)
    return root


async def shoot(browser: Browser, url: str, root: Json, slack: Slack, out: Path, state: "State", how: dict[str, bool]) -> None:
    where, act = state
    tab = await opened(browser, f"{url}?as=ana&{where.format(**root)}", **how)
    await act(tab, slack)
    await tab.wait_for_timeout(400)
    await tab.screenshot(path=out)
    while slack.modals("ana"):
        await slack.close(slack.modals("ana")[-1])
    await tab.close()


async def nothing(tab: Tab, slack: Slack) -> None:
    """The page as it opens."""


async def picked(tab: Tab, slack: Slack) -> None:
    await tab.locator("main article[data-tools]").last.focus()
    await tab.locator("main .tools [data-pick]").click()
    await tab.keyboard.type("he")


async def completed(tab: Tab, slack: Slack) -> None:
    await tab.locator("main .composer textarea").type("@")


async def scrolled(tab: Tab, slack: Slack) -> None:
    await tab.locator("[data-part=messages]").evaluate("log => { log.scrollTop -= 900; }")


async def jumped(tab: Tab, slack: Slack) -> None:
    await tab.keyboard.press("Control+k")


async def asked(tab: Tab, slack: Slack) -> None:
    web = AsyncWebClient(slack.bot_token, base_url=slack.url)
    rest = [
        {"type": "input", "block_id": "when", "label": plain("When?"), "element": {"type": "datetimepicker", "action_id": "w"}},
        {"type": "input", "block_id": "file", "label": plain("Logs"), "element": {"type": "file_input", "action_id": "f"}},
    ]
    view = {**form(), "blocks": [*form()["blocks"], *rest]}
    await web.views_open(trigger_id=slack.world.trigger(slack.user("ana")), view=view)
    await tab.get_by_role("button", name="Go").click()


async def menued(tab: Tab, slack: Slack) -> None:
    await tab.locator("main article[data-tools]").last.focus()
    await tab.locator("main .tools [data-more]").click()


State = tuple[str, Callable[[Tab, Slack], Awaitable[None]]]
STATES: dict[str, State] = {
    "thread": ("in={channel}&thread={ts}", nothing),
    "channel": ("in={channel}", nothing),
    "kit": ("in=C0REVIEWS&at=1700000012.000000", nothing),
    "kit-end": ("in=C0REVIEWS", nothing),
    "full": ("in=C0RANDOM", scrolled),
    "home": ("in=home", nothing),
    "messages": ("in=messages", nothing),
    "sessions": ("in=sessions", nothing),
    "modal": ("in={channel}", asked),
    "picker": ("in={channel}", picked),
    "menu": ("in={channel}", menued),
    "completion": ("in={channel}", completed),
    "jump": ("in={channel}", jumped),
    "glass": ("in={channel}&side=glass", nothing),
}


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
