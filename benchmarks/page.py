"""The playground's page in a browser: how soon it is there, and how smooth it stays with very many messages and edits."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.rows import Row, share
from benchmarks.stage import ROOT, pace, process, stage
from bot.playground import Slack, posting
from bot.playground.page import Page as Client

CHROMIUM = "/usr/bin/chromium"
MANY = 10_000  # messages in a channel
RATE = 200  # edits a second
URL = re.compile(rb"http://127\.0\.0\.1\S+")
WATCH = """() => { window.seen = { gap: 0, tasks: [] }; let last = performance.now();
  const frame = (now) => { window.seen.gap = Math.max(window.seen.gap, now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const kept = (list) => window.seen.tasks.push(...list.getEntries().map((each) => each.duration));
  new PerformanceObserver(kept).observe({ type: "longtask" }); }"""
PAINT = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
  .observe({ type: "paint", buffered: true }))"""
NODES = "() => document.querySelectorAll('[data-part=messages] article').length"
Seen = dict[str, Any]


async def measure(quick: bool) -> list[Row]:
    if not await asyncio.to_thread(Path(CHROMIUM).exists):
        return [Row("the playground's page", "not measured: there is no chromium")]
    seconds = 2 if quick else 8
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"])
        starts = [await _start(browser) for _ in range(1 if quick else 3)]
        async with _crowded() as (slack, client):
            paints, ready = zip(*[await _paint(browser, client) for _ in range(1 if quick else 5)], strict=True)
            scrolled, nodes = await _watched(browser, client, lambda page: _scroll(page, seconds))
            edited, _ = await _watched(browser, client, lambda page: _edit(slack, seconds))
        await browser.close()
    return [
        Row("`frontdesk play` until its page can be used", f"{share(starts, 50):.2f} s", aim="< 3 s", met=share(starts, 50) < 3),
        _paint_row(f"first paint of a channel with {MANY:,} messages", paints),
        Row("… until it is live", f"{share(ready, 50):.0f} ms"),
        _smooth(f"longest task / gap between frames, scrolling up through {nodes:,} messages", scrolled),
        _smooth(f"longest task / gap between frames, {RATE} edits/s of 50 messages", edited),
    ]


def _paint_row(figure: str, paints: tuple[float, ...]) -> Row:
    return Row(figure, f"{share(paints, 50):.0f} ms", aim="< 1 s", met=share(paints, 50) < 1000)


def _smooth(figure: str, seen: Seen) -> Row:
    longest = max(seen["tasks"], default=0)
    return Row(figure, f"{f'{longest:.0f} ms' if longest else 'none over 50 ms'} / {seen['gap']:.0f} ms", aim="< 200 ms", met=longest < 200)


async def _start(browser: Browser) -> float:
    async with stage() as place:
        environment = place.environment() | {"AGENTS_DIR": str(ROOT / "agents")}
        began = time.monotonic()
        async with process(("-m", "bot", "play", "--port", "0"), environment) as child:
            assert child.stdout is not None
            while not (found := URL.search(await child.stdout.readline())):
                pass
            page = await browser.new_page()
            await page.goto(found[0].decode())
            await page.wait_for_selector("body[data-ready]")
            took = time.monotonic() - began
            await page.close()
    return took


@asynccontextmanager
async def _crowded() -> AsyncIterator[tuple[Slack, Client]]:
    slack = Slack(rates=None)
    client = Client(slack)
    place, people = slack.world.channel("general"), [slack.user(name) for name in ("ben", "carla", "ana")]
    start = int(time.time()) - 60 * MANY
    for number in range(MANY):
        ts = f"{start + 60 * number}.000000"
        text = f"message *{number}* :eyes: of very many, with `code` and <https://example.com/{number}|a link>"
        place.messages[ts] = {"type": "message", "user": people[number // 3 % 3], "text": text, "ts": ts}
        place.roots.append(ts)
    async with slack:
        yield slack, client


async def _opened(browser: Browser, client: Client) -> Page:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(f"{client.url}?as=ana&in=C0GENERAL")
    return page


async def _paint(browser: Browser, client: Client) -> tuple[float, float]:
    """Milliseconds from the address to the first paint, and until the page takes part."""
    began = time.monotonic()
    page = await _opened(browser, client)
    await page.wait_for_selector("body[data-ready]")
    ready = (time.monotonic() - began) * 1000
    paint = await page.evaluate(PAINT)
    await page.close()
    return float(paint), ready


async def _watched(browser: Browser, client: Client, doing: Callable[[Page], Awaitable[int]]) -> tuple[Seen, int]:
    page = await _opened(browser, client)
    await page.wait_for_selector("body[data-ready]")
    await page.evaluate(WATCH)
    count = await doing(page)
    seen: Seen = await page.evaluate("() => window.seen")
    if await page.evaluate(NODES) > 200:
        raise RuntimeError("the page keeps more messages than it shows")
    await page.close()
    return seen, count


async def _scroll(page: Page, seconds: float) -> int:
    """Up, as with a wheel that does not rest. Returns how many messages went by."""
    await page.mouse.move(700, 400)
    newest = await page.evaluate("() => document.querySelector('[data-part=messages] article').dataset.ts")
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await page.mouse.wheel(0, -400)
        await asyncio.sleep(0.016)
    oldest = await page.evaluate("() => document.querySelector('[data-part=messages] article').dataset.ts")
    return round((float(newest) - float(oldest)) / 60)


async def _edit(slack: Slack, seconds: float) -> int:
    """As many edits a second as a desk of streaming agents makes, in the newest 50 messages."""
    place = slack.world.channel("general")
    newest, began = list(place.messages)[-50:], time.monotonic()
    for number in range(int(RATE * seconds)):
        posting.edit(slack.world, place, newest[number % 50], {"text": f"edit *{number}* " + "and more of it, " * 20}, silent=True)
        await pace(began, number, RATE)
    return int(RATE * seconds)
