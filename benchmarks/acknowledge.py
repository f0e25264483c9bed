"""How long Slack waits for an acknowledgement, which we give only when what came is on the disk."""

import asyncio
import time
from contextlib import AsyncExitStack

from benchmarks.rows import Row, millis, share
from benchmarks.seen import acknowledged
from benchmarks.stage import BARE, OURS, Stage, bot, pace, postgres, stage

CHANNELS = ("general", "reviews", "triage", "random")
NEAR, LONGEST = 0.005, 0.05  # seconds: the middle may be so much above bare Bolt, and the slowest of a hundred so slow
Times = dict[str, list[float]]


async def measure(quick: bool) -> list[Row]:
    """The same events for all, by turns, so that whatever else this machine does befalls all."""
    seconds, rounds = (3, 1) if quick else (4, 2)
    loads = [
        ("50 messages/s", 50.0, False),
        ("200 messages/s", 200.0, False),
        ("500 messages/s", 500.0, False),
        ("5 mentions/s", 5.0, True),
    ]
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(postgres())
        urls = {"bare": "", "SQLite": "", "PostgreSQL": await made.create()}
        places = {name: await stack.enter_async_context(stage(url=url)) for name, url in urls.items()}
        for name, place in places.items():
            await stack.enter_async_context(bot(place, BARE if name == "bare" else OURS))
            await load(place, 20, 1, mention=False)  # people, channels and connections are known from now on
            await load(place, 2, 2, mention=True)
        times: dict[str, Times] = {what: {name: [] for name in places} for what, *_ in loads}
        for _ in range(rounds):
            for what, rate, mention in loads:
                for name, place in places.items():
                    times[what][name] += await load(place, rate, seconds, mention)
    kinds = ("SQLite", "PostgreSQL")
    return [_row(f"{what}, {kind}", times[what][kind], times[what]["bare"], strict=rate == 50) for what, rate, _ in loads for kind in kinds]


def _row(name: str, ours: list[float], bare: list[float], strict: bool) -> Row:
    met = share(ours, 50) - share(bare, 50) <= NEAR and (not strict or share(ours, 99) < LONGEST)
    aim = f"p50 within {NEAR * 1000:g} ms" + (f", p99 < {LONGEST * 1000:g} ms" if strict else "")
    times = " / ".join(f"{share(ours, percent) / share(bare, percent):.1f}" for percent in (50, 99))
    told = f"{millis(ours, 50, 99)} ({times} times)"
    return Row(f"acknowledgement, {name}, p50 / p99", told, millis(bare, 50, 99), aim, met)


async def load(place: Stage, rate: float, seconds: float, mention: bool) -> list[float]:
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
