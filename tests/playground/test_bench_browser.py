"""An author at work, in a real browser: tries an agent, changes its file, and runs the turn again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from bot.cli.play import playing
from bot.playground.page import Page as Client
from bot.settings import Settings

from .browser.desk import browsers
from .browser.test_looks import findings
from .screenshot import CHROMIUM, opened

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]
EVIL = "<img src=x onerror=alert(1)>"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async for each in browsers():
        yield each


class Author:
    """Somebody with a folder of agents and the page that plays them, which must not complain."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder, self.browser = folder, browser
        self.client: Client
        self.complaints: list[str] = []

    def write(self, name: str, front: str, body: str = "Help.") -> None:
        (self.folder / f"{name}.md").write_text(f"---\ndescription: Helps {EVIL}\nruntime: echo\n{front}\n---\n{body}\n")

    async def open(self, query: str, **how: bool) -> Page:
        page = await opened(self.browser, self.client.url + query, **how)
        page.set_default_timeout(5000)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest_asyncio.fixture(loop_scope="module")
async def author(tmp_path: Path, browser: Browser) -> AsyncIterator[Author]:
    author = Author(tmp_path, browser)
    author.write("helper", "triggers: [{mention: ['*']}, {dm: true}, {command: /help-me}]")
    async with playing(Settings(agents_dir=tmp_path), 0) as (client, _):
        author.client = client
        yield author
        for context in browser.contexts:
            await context.close()
    assert author.complaints == []


@pytest.mark.parametrize(
    ("way", "box", "filled"),
    [
        ("mentions everywhere", "Message #general", "@frontdesk "),
        ("the command /help-me", "Message #general", "/help-me "),
        ("direct messages", "Message Frontdesk", ""),
    ],
)
async def test_try_it_opens_the_place_with_the_composer_filled(author: Author, way: str, box: str, filled: str) -> None:
    page = await author.open("?as=ana&in=C0REVIEWS&side=agents")

    await page.get_by_role("link", name=f"Try it: {way}").click()

    await expect(page.get_by_label(box)).to_be_focused()
    await expect(page.get_by_label(box)).to_have_value(filled)


async def test_the_pane_follows_the_files(author: Author) -> None:
    page = await author.open("?as=ana&in=C0GENERAL&side=agents")

    author.write("newcomer", "triggers: [{command: /fresh}]\noptions: {sloow: 1}")

    card = page.get_by_role("article", name="newcomer")
    await expect(card.get_by_text("options.sloow: unknown key; did you mean 'slow'?")).to_be_visible()
    await expect(card.get_by_text(EVIL)).to_be_visible()


async def test_a_turn_is_run_again_with_the_changed_file_beside_the_old_answer(author: Author) -> None:
    root = await author.client.slack.mention(f"!say One {EVIL}.")
    page = await author.open(f"?as=ana&in={root['channel']}&thread={root['ts']}")
    await page.get_by_role("link", name="The session behind this thread").click()
    author.write("helper", "triggers: [{mention: ['*']}]", "Be brief.")
    await expect(page.get_by_text("The agent's file has changed since.")).to_be_visible()

    await page.get_by_role("button", name="Run again").click()

    old, new = page.get_by_label("The answer in the thread"), page.get_by_label("The answer when it was run again")
    await expect(new.get_by_text(f"One {EVIL}.")).to_be_visible()
    await expect(old.get_by_text(f"One {EVIL}.")).to_be_visible()
    before, after = await old.bounding_box(), await new.bounding_box()
    assert before
    assert after
    assert before["x"] < after["x"]


async def test_on_a_phone_the_new_answer_stands_below_the_old_one(author: Author) -> None:
    root = await author.client.slack.mention("!say One.")
    page = await author.open(f"?as=ana&in={root['channel']}&thread={root['ts']}&side=glass&tab=session", narrow=True)

    await page.get_by_role("button", name="Run again").click()

    old, new = page.get_by_label("The answer in the thread"), page.get_by_label("The answer when it was run again")
    await expect(new.get_by_text("One.")).to_be_visible()
    before, after = await old.bounding_box(), await new.bounding_box()
    assert before
    assert after
    assert before["y"] + before["height"] <= after["y"]


async def test_a_run_that_takes_too_long_is_stopped_by_its_button(author: Author) -> None:
    root = await author.client.slack.mention("!say One.")
    page = await author.open(f"?as=ana&in={root['channel']}&thread={root['ts']}&side=glass&tab=session")
    author.write("helper", "triggers: [{mention: ['*']}]\noptions: {slow: 60}")
    await expect(page.get_by_text("The agent's file has changed since.")).to_be_visible()

    await page.get_by_role("button", name="Run again").click()
    await page.get_by_label("Turn 1").get_by_role("button", name="Stop").click()

    await expect(page.get_by_label("The answer when it was run again").get_by_text("It was stopped.")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_in_the_agents(author: Author, dark: bool) -> None:
    author.write("broken", "triggers: [")
    author.write("wrong", "triggers: [{shortcut: {callback: x, name: X}}]\noptions: {sloow: 1}")
    page = await author.open("?as=ana&in=C0GENERAL&side=agents", dark=dark)
    await expect(page.get_by_text("did you mean 'slow'?")).to_be_visible()
    await expect(page.get_by_text("agents/broken.md")).to_be_visible()

    assert await findings(page) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_in_the_session(author: Author, dark: bool) -> None:
    root = await author.client.slack.mention("!cost 0.1\n!say One.\n!fail It broke.")
    page = await author.open(f"?as=ana&in={root['channel']}&thread={root['ts']}&side=glass&tab=session", dark=dark)
    await page.get_by_role("button", name="Run again").click()
    await expect(page.get_by_label("The answer when it was run again").get_by_text("It broke.")).to_be_visible()
    for summary in await page.locator('[data-part="pane"] summary').all():
        await summary.click()

    assert await findings(page) == []
