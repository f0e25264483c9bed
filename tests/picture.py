"""The README's picture: the real bot on the playground, in a real browser. `python -m tests.picture OUT.png [--dark] [--narrow]`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from bot import app
from bot.playground import Slack
from bot.playground.page import Page
from bot.settings import Settings
from bot.slack.manifest import manifest
from bot.store.files import Agents
from tests.playground.screenshot import ARGS, CHROMIUM, opened

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


async def main(out: str, *, dark: bool, narrow: bool) -> None:
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
                await _shoot(slack, page.url, out, dark=dark, narrow=narrow)


async def _shoot(slack: Slack, url: str, out: str, *, dark: bool, narrow: bool) -> None:
    await slack.say("Morning! Deploy of *checkout 4.12* is out :rocket:", by="ben", channel="triage")
    root = await slack.mention(WORK, by="ana", channel="triage")
    await slack.until(lambda: "connections" in slack.text(slack.thread(root)[-1]) and "Bad" in slack.text(slack.thread(root)[-1]))
    await slack.mention(ASK, by="ana", channel="triage", thread=root)
    await slack.until(lambda: "Permission needed" in slack.text(slack.thread(root)[-1]))
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        shown = await opened(browser, f"{url}?as=ana&in={root['channel']}&thread={root['ts']}", dark=dark, narrow=narrow)
        await shown.screenshot(path=out)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], dark="--dark" in sys.argv, narrow="--narrow" in sys.argv))
