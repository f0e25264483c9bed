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
    many = 5 if quick else 15
    async with stage(rates=1.0) as place, bot(place):
        first, *signs = await ask(place, many, 0.5, SCRIPT)
        rows = _signs(place, first, signs)
    async with stage(rates=1.0) as place, bot(place):
        _, *answers = await ask(place, 4 if quick else 10, 0.4, SCRIPT)
        return [*rows, *_answers(place, answers)]


async def ask(place: Stage, many: int, rate: float, script: str) -> list[Json]:
    """Mention the bot once, and then so often, in one channel after the other, and wait for all answers. The first stands apart."""
    slack, roots = place.slack, list[Json]()
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
    return [warm, *roots]


def _signs(place: Stage, first: Json, roots: list[Json]) -> list[Row]:
    signs = [soon(place, root, *STATUS, "chat.postMessage") for root in roots]
    said = [soon(place, root, "chat.postMessage") for root in roots]
    aim = f"p95 < {SOON * 1000:g} ms"
    return [
        Row("first sign of any kind, p50 / p95", millis(signs, 50, 95), "", aim, share(signs, 95) < SOON),
        Row("first message, p50 / p95", millis(said, 50, 95), "", aim, share(said, 95) < SOON),
        Row("first message, of the first mention after a start", millis([soon(place, first, "chat.postMessage")], 50)),
        Row("calls refused at 30 mentions a minute", str(refused(place.slack))),
    ]


def soon(place: Stage, root: Json, *methods: str) -> float:
    """How long after a mention was delivered the first call of these methods came for it."""
    return min(call.at for call in calls(place.slack, root) if call.method in methods) - delivered(place.slack)[str(root["ts"])]


def _answers(place: Stage, roots: list[Json]) -> list[Row]:
    slack, asked = place.slack, delivered(place.slack)
    shown = [(final(slack, root, f"the last word of {n}") or 0) - asked[str(root["ts"])] - SLOW * LINES for n, root in enumerate(roots)]
    made = sorted(len(calls(slack, root)) for root in roots)
    figure = f"short answer, above the {SLOW * LINES:g} s of its script, p50 / p95"
    return [
        Row(figure, millis(shown, 50, 95), "", f"p95 < {OVERHEAD * 1000:g} ms", share(shown, 95) < OVERHEAD),
        Row("Web API calls for a short answer", f"{share(made, 50):g} (most {made[-1]})"),
    ]
