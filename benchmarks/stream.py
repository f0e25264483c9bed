"""Twenty sessions that stream into one workspace within Slack's limits: how late is the last word?"""

import time
from contextlib import suppress
from typing import Any

from benchmarks.rows import Row, millis, share
from benchmarks.seen import STATUS, calls, ends, final, refused
from benchmarks.stage import Stage, bot, pace, stage

Json = dict[str, Any]
CHANNELS = ("general", "reviews", "triage", "random")
MANY, SLOW, LATE, REST = 20, 0.3, 2.0, 40.0


async def measure(quick: bool) -> list[Row]:
    """Long ones, whose answers are new messages; and short ones all at once, whose answers are edits, of which there are few."""
    long = [] if quick else await _together(84, 2, 1.5, f"{MANY} sessions of 25 to 37 s")
    return [*long, *await _together(20, 1, 3.0, f"{MANY} sessions of 6 to 12 s")]


async def _together(lines: int, more: int, rate: float, what: str) -> list[Row]:
    async with stage(rates=1.0) as place, bot(place) as ours:
        before, began = ours.cpu(), time.monotonic()
        roots = await _begin(place, lines, more, rate)
        with suppress(TimeoutError):  # what was not shown by then counts as it stands
            await place.slack.until(lambda: all(_shown(place, roots)), 120)
        used = (ours.cpu() - before) / (time.monotonic() - began)
        with suppress(TimeoutError):
            await place.slack.until(lambda: all(_rests(place, roots)), REST)
        ended, now = ends(place.database), time.monotonic()
        late = _after(roots, _shown(place, roots), ended, now)
        rest = _after(roots, _rests(place, roots), ended, now)
        missed = refused(place.slack)
    return [
        Row(f"last word late, {what}, p50 / p99", millis(late, 50, 99), "", f"p99 < {LATE:g} s", share(late, 99) < LATE),
        Row("… until the status says that nobody works, p50 / p99", millis(rest, 50, 99)),
        Row("… calls refused (429)", str(missed), "", "none", not missed),
        Row("… CPU", f"{used:.0%} of a core"),
    ]


def _after(roots: list[Json], moments: list[float | None], ended: dict[str, float], now: float) -> list[float]:
    """How long after its end something happened to each session."""
    return [(moment or now) - ended.get(str(root["ts"]), now) for root, moment in zip(roots, moments, strict=True)]


def _rests(place: Stage, roots: list[Json]) -> list[float | None]:
    """When each thread's status was taken away."""
    found: list[float | None] = []
    for root in roots:
        last = [call for call in calls(place.slack, root) if call.method in STATUS][-1:]
        over = [call.at for call in last if call.args.get("status") in ("active", "")]
        found.append(over[0] if over else None)
    return found


def _shown(place: Stage, roots: list[Json]) -> list[float | None]:
    return [final(place.slack, root, f"the last word of {number}.") for number, root in enumerate(roots)]


async def _begin(place: Stage, lines: int, more: int, rate: float) -> list[Json]:
    """Start them at this rate, in one channel after the other; no two are of one length."""
    roots: list[Json] = []
    began = time.monotonic()
    for number in range(MANY):
        await pace(began, number, rate)
        script = _script(number, lines + number * 7 % MANY * more)
        roots.append(await place.slack.mention(script, channel=CHANNELS[number % 4]))
    return roots


def _script(number: int, lines: int) -> str:
    body = [f"!say Line {n} of what this agent has to tell.\n" if n % 3 else f"!step Do what comes as number {n}" for n in range(lines)]
    return "\n".join([f"!slow {SLOW}", *(line.strip() for line in body), f"!say the last word of {number}."])
