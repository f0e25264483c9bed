"""The whole bot in the browser: who may approve, and what people think of an answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.app import Frontdesk
from bot.cli.play import playing
from bot.playground.page import Page as Client
from bot.settings import Settings

from ..screenshot import CHROMIUM, opened
from .desk import Json, thread

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium"),
]
AGENT = """---
description: Keeps the release green.
runtime: echo
triggers: [{mention: ['*']}]
allow: {approve: ['@platform']}
---
"""


class House:
    """Play with one agent, and whoever looks at it."""

    def __init__(self, client: Client, desk: Frontdesk, browser: Browser) -> None:
        self.client, self.desk, self.browser = client, desk, browser

    async def asked(self, text: str) -> Json:
        return await self.client.slack.mention(text)

    async def look(self, root: Json, by: str) -> Page:
        """The thread in a window of this person's own."""
        page = await opened(self.browser, f"{self.client.url}?as={by}&in={root['channel']}&thread={root['ts']}")
        page.set_default_timeout(5000)
        return page


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, browser: Browser) -> AsyncIterator[House]:
    (tmp_path / "release.md").write_text(AGENT)
    async with playing(Settings(agents_dir=tmp_path), 0) as (client, desk):
        yield House(client, desk, browser)
        for context in browser.contexts:
            await context.close()


async def test_whoever_asked_is_told_who_may_and_another_person_approves(house: House) -> None:
    root = await house.asked("!approve git push\n!say Pushed.")
    ana, ben = await house.look(root, "ana"), await house.look(root, "ben")

    await ana.get_by_role("button", name="Allow once").click()
    refusal = thread(ana).get_by_role("article", name="only visible to you")
    await expect(refusal.get_by_text("You may not approve what release wants to do.")).to_be_visible()
    await expect(refusal.get_by_text("@platform")).to_be_visible()
    await ben.get_by_role("button", name="Allow once").click()

    await expect(thread(ana).get_by_text("Pushed.", exact=True)).to_be_visible()
    await expect(thread(ana).get_by_text("✓ ben answered: Allow once")).to_be_visible()
    await expect(thread(ben).get_by_text("You may not")).to_have_count(0)


async def test_thumbs_down_and_its_reasons_arrive_in_the_store(house: House) -> None:
    root = await house.asked("!say The moon is made of cheese.")
    page = await house.look(root, "ben")

    await page.get_by_role("button", name="Bad").click()
    form = page.get_by_role("dialog", name="What was wrong?")
    await form.get_by_label("It is wrong").check()
    await form.get_by_label("What would have helped?").fill("A look at the moon")
    await form.get_by_role("button", name="Send").click()
    await expect(thread(page).get_by_text("It was kept with the conversation")).to_be_visible()

    kept = await house.desk.store.feedback()
    assert [(each.person, each.rating, each.reasons, each.text) for each in kept] == [("U0BEN", "bad", ("wrong",), "A look at the moon")]
