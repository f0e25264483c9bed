"""How long Slack waits for an acknowledgement, which we give only when what came is on the disk."""

import asyncio
import time
from contextlib import AsyncExitStack

from benchmarks.rows import Row, millis, share
from benchmarks.seen import acknowledged
from benchmarks.stage import BARE, Stage, bot, pace, stage

CHANNELS = ("general", "reviews", "triage", "random")
NEAR, LONGEST = 0.005, 0.05  # seconds: the middle may be so much above bare Bolt, and the slowest of a hundred so slow
Times = dict[str, list[float]]


async def measure(quick: bool) -> list[Row]:
    """The same events for both, by turns, so that whatever else this machine does befalls both."""
    seconds, rounds = (3, 1) if quick else (4, 2)
    loads = [("50 messages/s", 50.0, False), ("200 messages/s", 200.0, False), ("5 mentions/s", 5.0, True)]
    ours: Times = {name: [] for name, *_ in loads}
    bare: Times = {name: [] for name, *_ in loads}
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(stage()) for _ in range(2)]
        await stack.enter_async_context(bot(here))
        await stack.enter_async_context(bot(there, BARE))
        for place in (here, there):
            await _load(place, 20, 1, mention=False)  # people, channels and connections are known from now on
            await _load(place, 2, 2, mention=True)
        for _ in range(rounds):
            for name, rate, mention in loads:
                bare[name] += await _load(there, rate, seconds, mention)
                ours[name] += await _load(here, rate, seconds, mention)
    return [_row(name, ours[name], bare[name], strict=rate == 50) for name, rate, _ in loads]


def _row(name: str, ours: list[float], bare: list[float], strict: bool) -> Row:
    met = share(ours, 50) - share(bare, 50) <= NEAR and (not strict or share(ours, 99) < LONGEST)
    aim = f"p50 within {NEAR * 1000:g} ms" + (f", p99 < {LONGEST * 1000:g} ms" if strict else "")
    return Row(f"acknowledgement, {name}, p50 / p99", millis(ours, 50, 99), millis(bare, 50, 99), aim, met)


async def _load(place: Stage, rate: float, seconds: float, mention: bool) -> list[float]:
    """How long each acknowledgement took, of so many events a second."""
    slack, first, began = place.slack, len(place.slack.envelopes), time.monotonic()
    for number in range(int(rate * seconds)):
        await pace(began, number, rate)
        say = slack.mention if mention else slack.say
        await say(f"Something that people say, number {number}.", channel=CHANNELS[number % 4])
    try:
        await slack.until(lambda: all(each.acked_at for each in slack.envelopes[first:]), 15)
    except TimeoutError:
        pass  # what was not acknowledged counts as it stands
    times = acknowledged(slack, first)
    await asyncio.sleep(0.5)  # what came of it is not to be the next one's load
    return times
