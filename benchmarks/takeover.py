"""How long nobody works on what a killed process had: until another replica has it, or the same one is there again."""

import time
from contextlib import AsyncExitStack
from typing import Any

from benchmarks.rows import Row, share
from benchmarks.seen import answers, comes, shown
from benchmarks.stage import Bot, Stage, bot, postgres, stage

Json = dict[str, Any]
Found = tuple[float, int]  # seconds, and how many were not answered exactly once
OTHER, AGAIN = 15.0, 3.0  # seconds until another replica goes on; and the same process, from its new start on
LAST = "the last word of {}."
SHORT = f"!say {LAST}"
LONG = f"!slow 3\n!step Look\n!step Think\n!step Look again\n{SHORT}"
BEGUN = "select count(*) from sessions where epoch > 0"
GOES_ON = "select count(*) from sessions where epoch > 1 or state = 'completed'"
CHANNELS = 5


async def measure(quick: bool) -> list[Row]:
    many, rounds = (5, 1) if quick else (10, 5)
    async with postgres() as made:
        taken = [await _taken(await made.create(), many) for _ in range(rounds)]
    again = [await _again(many) for _ in range(rounds)]
    what = f"{many} sessions at work and {many} mentions"
    return [
        *_rows(f"kill -9, PostgreSQL: until another replica has {what}", taken, OTHER),
        *_rows(f"kill -9, SQLite: from the new start until {what} go on", again, AGAIN),
    ]


def _rows(figure: str, found: list[Found], aim: float) -> list[Row]:
    times, wrong = [seconds for seconds, _ in found], sum(wrong for _, wrong in found)
    told = f"{share(times, 50):.1f} / {max(times):.1f} s"
    return [
        Row(f"{figure}, p50 / longest", told, "", f"< {aim:g} s", max(times) < aim),
        Row("… not answered exactly once", str(wrong), "", "none", not wrong),
    ]


async def _taken(url: str, many: int) -> Found:
    async with stage(url=url) as place, AsyncExitStack() as stack:
        first = await stack.enter_async_context(bot(place))
        roots = await _begin(place, many)
        await stack.enter_async_context(bot(place))
        roots += await _kill(place, first, many)
        return await _gone_on(place, time.monotonic(), roots)


async def _again(many: int) -> Found:
    async with stage() as place:
        async with bot(place) as first:
            roots = [*await _begin(place, many), *await _kill(place, first, many)]
        start = time.monotonic()
        async with bot(place):
            return await _gone_on(place, start, roots)


async def _begin(place: Stage, many: int) -> list[Json]:
    """So many sessions, each at work."""
    for number in range(CHANNELS):
        place.slack.add_channel(f"room-{number}")
    roots = [await place.slack.mention(LONG.format(number), channel=f"room-{number % CHANNELS}") for number in range(many)]
    await comes(place, BEGUN, many, 10)
    return roots


async def _kill(place: Stage, first: Bot, many: int) -> list[Json]:
    """As many mentions more; and as soon as all are acknowledged, and some of them hardly more than that, the process is killed."""
    before = len(place.slack.envelopes)
    roots = [await place.slack.mention(SHORT.format(many + n), channel=f"room-{n % CHANNELS}") for n in range(many)]
    await place.slack.until(lambda: all(each.acked_at for each in place.slack.envelopes[before:]), 10)
    first.process.kill()
    return roots


async def _gone_on(place: Stage, start: float, roots: list[Json]) -> Found:
    """Seconds until somebody else than the one who was killed works on each, or it is over."""
    took = await comes(place, GOES_ON, len(roots), 60) - start
    await shown(place.slack, roots, LAST, 90)
    return took, sum(answers(place.slack, root, LAST.format(n)) != 1 for n, root in enumerate(roots))
