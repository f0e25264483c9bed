"""What there is to be seen: a morning in #triage, a full channel, and a browser to see them in."""

import time
from typing import Any

from playwright.async_api import Browser, Page
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Slack

Json = dict[str, Any]
ARGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync",
    "--disable-component-update",
)  # fmt: skip
CHROMIUM = "/usr/bin/chromium"
MANIFEST: Json = {
    "features": {
        "shortcuts": [
            {"name": "Ask Frontdesk about this", "type": "message", "callback_id": "ask"},
            {"name": "New request", "type": "global", "callback_id": "new"},
        ],
        "slash_commands": [{"command": "/desk", "description": "Asks the desk", "usage_hint": "[what you need]"}],
    }
}
ANSWER = """**2.1 %** of sessions failed: the connection pool.

| Service | Errors | p95 | Since |
|---|--:|--:|---|
| `checkout` | 412 | 2.8 s | 09:41 |
| `payments` | 37 | 0.9 s | 09:43 |

`pool_size` went from 40 to **4** in [#2291](https://example.com/pull/2291).
"""


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def task(key: str, title: str, status: str) -> Json:
    return {"type": "task_card", "task_id": key, "title": title, "status": status}


def progress() -> list[Json]:
    tasks = [
        task("t1", "Read the errors of this morning", "complete"),
        task("t2", "Compare with the deployments of today", "complete"),
        task("t3", "Write the change that puts it right", "in_progress"),
        task("t4", "Open a pull request", "pending"),
    ]
    return [{"type": "plan", "title": "Why does checkout fail?", "tasks": tasks}]


def question() -> list[Json]:
    buttons = [
        {"type": "button", "text": plain("Open pull request"), "style": "primary", "action_id": "yes", "value": "yes"},
        {"type": "button", "text": plain("Show the change"), "action_id": "show", "value": "show"},
        {"type": "button", "text": plain("Stop"), "style": "danger", "action_id": "no", "value": "no"},
    ]
    words = {"type": "mrkdwn", "text": "*May I open a pull request in `shop/checkout`?*\nIt changes one line: `pool_size: 4` → `40`."}
    who = {"type": "mrkdwn", "text": "Only <@U0ANA> or <!subteam^S0PLATFORM> can answer."}
    return [{"type": "section", "text": words}, {"type": "actions", "elements": buttons}, {"type": "context", "elements": [who]}]


def feedback() -> Json:
    sides = {"positive_button": {"text": plain("Good"), "value": "good"}, "negative_button": {"text": plain("Bad"), "value": "bad"}}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "feedback", **sides}]}


async def talked(slack: Slack) -> Json:
    """A morning in #triage. Returns the message whose thread is worth a look."""
    client = AsyncWebClient(slack.bot_token, base_url=slack.url)
    await slack.say("Morning! Deploy of *checkout 4.12* is out :rocket:", by="ben", channel="triage")
    asked = await slack.mention("checkout fails since 9:40, can you find out why?", channel="triage", files=["errors.csv"])
    await slack.react(asked, "eyes", by="ben")
    at = {"channel": asked["channel"], "thread_ts": asked["ts"]}
    await client.chat_postMessage(**at, text="Working", blocks=progress())
    await client.chat_postMessage(**at, text="Answer", blocks=[{"type": "markdown", "text": ANSWER}, feedback()])
    await client.chat_postMessage(**at, text="May I?", blocks=question())
    later = await slack.mention("who is on call this week?", by="carla", channel="triage")
    answer = "*Ben* is on call till Monday 09:00, then <@U0CARLA>.\n> Source: the on-call calendar"
    await client.chat_postMessage(channel=later["channel"], text=answer)
    await slack.say("thanks! :pray:", by="carla", channel="triage")
    await slack.say("lunch?", by="ben", channel="random")
    await client.agents_sessions_setStatus(channel_id=asked["channel"], thread_ts=asked["ts"], status="processing", title="Checkout fails")
    return asked


def crowd(slack: Slack, count: int, channel: str = "general") -> list[str]:
    """A channel with very many messages, one a minute till now. Returns their ts."""
    place, people = slack.world.channel(channel), [slack.user(name) for name in ("ben", "carla", "ana")]
    start = int(time.time()) - 60 * (count + 1)
    for number in range(count):
        ts = f"{start + 60 * number}.000000"
        place.messages[ts] = {"type": "message", "user": people[number // 3 % 3], "text": f"message *{number}* :eyes: of many", "ts": ts}
        place.roots.append(ts)
    return list(place.messages)


async def opened(browser: Browser, url: str, *, dark: bool = False, narrow: bool = False) -> Page:
    size: Any = {"width": 400, "height": 800} if narrow else {"width": 1280, "height": 800}
    page = await browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
    await page.goto(url)
    await page.wait_for_selector("body[data-ready]")
    return page
