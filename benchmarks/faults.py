"""Slack fails just when the answer is to be shown; and a connection is reset just when somebody speaks."""

import asyncio
import time
from typing import Any

from benchmarks.rows import Row, share
from benchmarks.seen import CHAT, answers, comes, shown
from benchmarks.stage import bot, stage

Json = dict[str, Any]
LAST = "the last word of {}."
CHANNELS = ("general", "reviews", "triage", "random")
PLACES = 10  # channels of a crowd
EARLY, OUT = 0.5, 2.0  # seconds: Slack begins to fail so long before the first turn ends, and does until so long after the last has
ENDED = "select count(*) from turns where ended > 0"
REST = 5.0  # seconds after all is answered in which a second answer would come
PAUSE = 2.0  # seconds between two resets
FEW = 5  # resets of one bot: each looks through all channels, and Slack does not let an app do that often
RESET = 3.0  # seconds until who spoke on a connection that was reset is answered
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"retry_after": 1},
    "500": {"status": 500},
    "cut connection": {"status": 0},
    "lost reply": {"status": 0, "after": True},
}


async def measure(quick: bool) -> list[Row]:
    many, work = (10, 3.0) if quick else (100, 10.0)
    rows = [row for name, how in FAULTS.items() for row in await _last_words(many, work, name, how)]
    times = [each for _ in range(1 if quick else 4) for each in await _resets()]
    slowest, figure = max(times), f"spoken while the connection is reset ({len(times)} times): answered after, p50 / longest"
    return [*rows, Row(figure, f"{share(times, 50):.2f} / {slowest:.2f} s", "", f"< {RESET:g} s", slowest < RESET)]


async def _last_words(many: int, work: float, name: str, how: dict[str, Any]) -> list[Row]:
    """As many at once, and when they end every post and every edit fails for a while."""
    async with stage(rates=1.0) as place, bot(place):
        for number in range(PLACES):
            place.slack.add_channel(f"fault-{number}")
        began = time.monotonic()
        roots = [await place.slack.mention(f"!slow {work:g}\n!say {LAST.format(n)}", channel=f"fault-{n % PLACES}") for n in range(many)]
        await asyncio.sleep(began + work - EARLY - time.monotonic())
        before, looking = len(place.slack.calls), asyncio.create_task(shown(place.slack, roots, LAST, 400))
        for method in CHAT:
            place.slack.fail(method, times=10_000, **how)
        await comes(place, ENDED, many, 60)
        await asyncio.sleep(OUT)
        place.slack.forgive()
        met = sum(call.method in CHAT and not call.response.get("ok") for call in place.slack.calls[before:])
        times = [at - began for at in await looking]
        await asyncio.sleep(REST)
        wrong = sum(answers(place.slack, root, LAST.format(n)) != 1 for n, root in enumerate(roots))
    figure = f"{many} mentions of {work:g} s; while they end: {name} ({met} times); not answered exactly once"
    return [
        Row(figure, str(wrong), "", "none", not wrong),
        Row("… answered after, p50 / p99", f"{share(times, 50):.1f} / {share(times, 99):.1f} s"),
    ]


async def _resets() -> list[float]:
    """Each time the connection is reset, and somebody speaks before there is another: for 3 s Slack will not deliver that again."""
    times = list[float]()
    async with stage(rates=1.0) as place, bot(place):
        for number in range(FEW + 1):
            if number:  # the first shows that all is well
                place.slack.drop_sockets()
            said = time.monotonic()
            root = await place.slack.mention(f"!say {LAST.format(0)}", channel=CHANNELS[number % len(CHANNELS)])
            times += [at - said for at in await shown(place.slack, [root], LAST, 60)]
            await place.slack.until(lambda: place.slack.sockets == 1, 30)
            await asyncio.sleep(PAUSE + number % 10 / 5)  # it is noticed at the next ping: at no fixed moment after the last one
    return times[1:]
