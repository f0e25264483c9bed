"""The pictures that the documents show: `python -m tests.shots docs/pictures [NAME…]`."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser
from playwright.async_api import Page as Tab

from bot.cli.play import playing
from bot.playground import Slack
from bot.settings import Settings
from tests.picture import ASK, WORK
from tests.playground.browser.desk import browsers
from tests.playground.screenshot import opened
from tests.small import small

Json = dict[str, Any]
AGENTS = {
    "release": "description: Keeps the release green.\nruntime: echo\n"
    "triggers: [{mention: ['#triage']}, {command: /release}, {shortcut: {callback: why, name: Why did it fail}}]\n"
    "allow: {approve: ['@platform']}",
    "helper": "description: Answers wherever no other agent is meant.\nruntime: echo\ntriggers: [{mention: ['*']}, {dm: true}]",
    "reviewer": "description: Reviews a pull request and says what matters.\nruntime: echo\ntriggers: [{mention: ['#reviews']}]\n"
    "options: {slwo: 0.5}",
    "improver": "description: Finds what repeats.\nruntime: echo\ndigest: true\ntriggers: [{mention: ['#agents']}]",
}
BODY = "You help {{ person.name }} in {{ channel.name }}."
SLOW = """!plan Read the failing build | Find the change that broke it | Propose a fix
!step Read build 4712
!say So far it is green.
!slow 60
!say Done."""


async def main(out: Path, wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, front in AGENTS.items():
            write(folder, name, front, BODY)
        async with playing(Settings(agents_dir=folder), 0) as (page, _):
            root = await talked(page.slack)
            write(folder, "release", AGENTS["release"], f"{BODY} Be brief.")
            async for browser in browsers():
                shots = {name: await shoot(browser, page.url, root, page.slack, *SHOTS[name]) for name in wanted or SHOTS}
    for name, png in shots.items():
        (out / f"{name}.png").write_bytes(small(png))


def write(folder: Path, name: str, front: str, body: str) -> None:
    (folder / f"{name}.md").write_text(f"---\n{front}\n---\n{body}\n")


async def talked(slack: Slack) -> Json:
    """A morning in #triage, with a piece of work whose end is a question."""
    await slack.say("Morning! Deploy of *checkout 4.12* is out :rocket:", by="ben", channel="triage")
    root = await slack.mention(WORK.removeprefix("release: "), by="ana", channel="triage", files=["errors.csv"])
    await slack.react(root, "eyes", by="ben")
    await slack.until(lambda: "Bad" in slack.text(slack.thread(root)[-1]), 20)
    await slack.mention(ASK.removeprefix("release: "), by="ana", channel="triage", thread=root)
    await slack.until(lambda: "Permission needed" in slack.text(slack.thread(root)[-1]), 20)
    direct = await slack.direct("What is on today?")
    await slack.until(lambda: len(slack.thread(direct)) > 1, 20)
    return root


async def shoot(
    browser: Browser, url: str, root: Json, slack: Slack, where: str, act: Callable[[Tab, Slack], Awaitable[None]], narrow: bool
) -> bytes:
    tab = await opened(browser, f"{url}?as=ana&{where.format(**root)}", narrow=narrow)
    await act(tab, slack)
    await tab.mouse.move(0, 0)
    await tab.wait_for_timeout(400)
    png = await tab.screenshot()
    await tab.close()
    return png


async def nothing(tab: Tab, slack: Slack) -> None:
    """The page as it opens."""


async def refused(tab: Tab, slack: Slack) -> None:
    await tab.get_by_role("button", name="Allow once").click()
    await tab.get_by_role("log", name="Thread").get_by_text("You may not").wait_for()


async def working(tab: Tab, slack: Slack) -> None:
    root = await slack.mention(SLOW, by="ana", channel="general")
    await slack.until(lambda: "So far" in slack.text(slack.thread(root)[1]), 20)
    await tab.get_by_role("link", name="reply").click()


async def found(tab: Tab, slack: Slack) -> None:
    for by, about in (("ana", "ACME-12"), ("ben", "ACME-7"), ("carla", "ACME-31")):
        failed = await slack.mention(f"!say {about}?\n!cost 0.14\n!fail The ticket cannot be opened.", by=by, channel="general")
        await slack.until(lambda failed=failed: "cannot be opened" in slack.text(slack.thread(failed)[-1]), 20)  # type: ignore[misc]
    why = "Three people gave the number of a ticket, and it has no right to read tickets. *Sure.*"
    change = "environment: [JIRA_TOKEN]  # in agents/helper.md, with a token that may read tickets"
    root = await slack.mention(f"!find It cannot open the tickets that people name | {why} | {change}", by="ana", channel="agents")
    await slack.until(lambda: len(told := [slack.text(each) for each in slack.thread(root)]) > 2 and "Stop" not in "".join(told), 20)
    await tab.get_by_role("link", name="replies").click()


async def filled(tab: Tab, slack: Slack) -> None:
    done = await slack.mention("Which deploys wait?", by="ana", channel="general")
    await slack.until(lambda: "Good" in slack.text(slack.thread(done)[-1]), 20)
    await slack.press(slack.thread(done)[-1], "Good", "ana")
    await slack.mention("!ask From which branch shall I cut the release? | main | hotfix", by="ana", channel="general")
    await tab.get_by_text("Waiting for you").wait_for()
    await tab.get_by_text("What you thought").wait_for()


async def repeated(tab: Tab, slack: Slack) -> None:
    turn = tab.get_by_label("Turn 1")
    await turn.get_by_role("button", name="Run again").click()
    await tab.get_by_label("The answer when it was run again").get_by_text("connections").wait_for()
    await turn.evaluate("each => each.scrollIntoView()")


THREAD, PANE = "in={channel}&thread={ts}", "in={channel}&thread={ts}&side=glass&tab="
SHOTS: dict[str, tuple[str, Callable[[Tab, Slack], Awaitable[None]], bool]] = {
    "playground": (THREAD, nothing, False),
    "progress": ("in=C0GENERAL", working, False),
    "refused": (THREAD, refused, False),
    "calls": (PANE + "calls", nothing, False),
    "limits": (PANE + "limits", nothing, False),
    "misbehave": (PANE + "misbehave", nothing, False),
    "agents": ("in={channel}&side=agents", nothing, False),
    "session": (PANE + "session", repeated, False),
    "finding": ("in=C0AGENTS", found, False),
    "home": ("in=home", filled, False),
    "phone": (THREAD, nothing, True),
}


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
