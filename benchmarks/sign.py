"""How soon people see that somebody works, and how soon they have a short answer."""

import asyncio
import time
from typing import Any

from benchmarks.rows import Row, millis, share
from benchmarks.seen import STATUS, calls, delivered, final, refused
from benchmarks.stage import Stage, bot, pace, stage

Json = dict[str, Any]
CHANNELS = ("general", "reviews", "triage", "random")
SOON, OVERHEAD = 0.3, 0.4  # seconds
SLOW, LINES = 0.3, 3
SCRIPT = f"!slow {SLOW}\n!step Look\n!step Think\n!say the last word of {{}}"


async def measure(quick: bool) -> list[Row]:
    many = 5 if quick else 25
    async with stage(rates=1.0) as place, bot(place):
        signs = await _ask(place, many, 0.5, SCRIPT)
        rows = _signs(place, signs)
    async with stage(rates=1.0) as place, bot(place):
        answers = await _ask(place, 4 if quick else 12, 0.4, SCRIPT)
        return [*rows, *_answers(place, answers)]


async def _ask(place: Stage, many: int, rate: float, script: str) -> list[Json]:
    """Mention the bot so often, in one channel after the other, and wait for all answers."""
    slack, roots, began = place.slack, list[Json](), time.monotonic()
    warm = await slack.mention("hello", channel="general")
    await slack.until(lambda: final(slack, warm, "hello") is not None, 20)
    await asyncio.sleep(1)
    began = time.monotonic()
    for number in range(many):
        await pace(began, number, rate)
        roots.append(await slack.mention(script.format(number), channel=CHANNELS[number % 4]))
    words = [f"the last word of {number}" for number in range(many)]
    await slack.until(lambda: all(final(slack, root, told) for root, told in zip(roots, words, strict=True)), 90)
    await asyncio.sleep(2)
    return roots


def _signs(place: Stage, roots: list[Json]) -> list[Row]:
    slack, asked = place.slack, delivered(place.slack)
    every = {str(root["ts"]): calls(slack, root) for root in roots}
    both = (*STATUS, "chat.postMessage")
    first = [min(call.at for call in found if call.method in both) - asked[ts] for ts, found in every.items()]
    said = [min(call.at for call in found if call.method == "chat.postMessage") - asked[ts] for ts, found in every.items()]
    aim = f"p95 < {SOON * 1000:g} ms"
    return [
        Row("first sign of any kind, p50 / p95", millis(first, 50, 95), "", aim, share(first, 95) < SOON),
        Row("first message, p50 / p95", millis(said, 50, 95), "", aim, share(said, 95) < SOON),
        Row("calls refused at 30 mentions a minute", str(refused(slack))),
    ]


def _answers(place: Stage, roots: list[Json]) -> list[Row]:
    slack, asked = place.slack, delivered(place.slack)
    shown = [(final(slack, root, f"the last word of {n}") or 0) - asked[str(root["ts"])] - SLOW * LINES for n, root in enumerate(roots)]
    made = sorted(len(calls(slack, root)) for root in roots)
    figure = f"short answer, above the {SLOW * LINES:g} s of its script, p50 / p95"
    return [
        Row(figure, millis(shown, 50, 95), "", f"p95 < {OVERHEAD * 1000:g} ms", share(shown, 95) < OVERHEAD),
        Row("Web API calls for a short answer", f"{share(made, 50):g} (most {made[-1]})"),
    ]
