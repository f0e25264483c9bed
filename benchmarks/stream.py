"""Twenty sessions that stream into one workspace within Slack's limits: how late is the last word?"""

import asyncio
import time
from typing import Any

from benchmarks.rows import Row, millis, share
from benchmarks.seen import ends, final, refused
from benchmarks.stage import Stage, bot, pace, stage

Json = dict[str, Any]
CHANNELS = ("general", "reviews", "triage", "random")
MANY, SLOW, LATE = 20, 0.3, 2.0


async def measure(quick: bool) -> list[Row]:
    async with stage(rates=1.0) as place, bot(place) as ours:
        roots = await _begin(place, quick)
        before, began = ours.cpu(), time.monotonic()
        await place.slack.until(lambda: all(shown for shown in _shown(place, roots)), 120)
        used = (ours.cpu() - before) / (time.monotonic() - began)
        await asyncio.sleep(3)
        ended = ends(place.database)
        late = [(shown or 0) - ended[str(root["ts"])] for root, shown in zip(roots, _shown(place, roots), strict=True)]
        missed = refused(place.slack)
    return [
        Row(f"last word, {MANY} sessions streaming, p50 / p99", millis(late, 50, 99), "", f"p99 < {LATE:g} s", share(late, 99) < LATE),
        Row("calls refused meanwhile (429)", str(missed), "", "none", not missed),
        Row("CPU meanwhile", f"{used:.0%} of a core"),
    ]


def _shown(place: Stage, roots: list[Json]) -> list[float | None]:
    return [final(place.slack, root, f"the last word of {number}.") for number, root in enumerate(roots)]


async def _begin(place: Stage, quick: bool) -> list[Json]:
    """Start all, in one channel after the other, one every second; each goes on for 25 to 40 seconds (quick: 6 to 12)."""
    roots: list[Json] = []
    began = time.monotonic()
    for number in range(MANY):
        await pace(began, number, 3.0 if quick else 1.0)
        lines = (20 if quick else 84) + number * 7 % MANY * (1 if quick else 2)
        roots.append(await place.slack.mention(_script(number, lines), channel=CHANNELS[number % 4]))
    return roots


def _script(number: int, lines: int) -> str:
    body = [f"!say Line {n} of what this agent has to tell.\n" if n % 3 else f"!step Do what comes as number {n}" for n in range(lines)]
    return "\n".join([f"!slow {SLOW}", *(line.strip() for line in body), f"!say the last word of {number}."])
