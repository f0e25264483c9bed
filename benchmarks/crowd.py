"""A crowd within Slack's limits: a hundred who ask at once, and two hundred or a thousand who are written to at the same time."""

import itertools
import time
from typing import Any

from benchmarks.rows import Row, share
from benchmarks.seen import CHAT, STATUS, delivered, ends, finals, refused, shown, threads
from benchmarks.stage import Stage, bot, pace, stage
from bot.playground.web import Call
from bot.slack.writer import OPEN

Json = dict[str, Any]
WORK, SIGN, LATE, USED, FAIR = 10.0, 0.5, 2.0, 0.9, 2.0
EDITS, POSTS, TEXTS = 50, 300, 600  # that Slack takes in a minute; of the last, "hundreds", the stand-in's number
LAST = "the last word of {}."
SIGNS = (*STATUS, *CHAT)


async def measure(quick: bool) -> list[Row]:
    if quick:
        return [*await _at_once(20, 5, 2.0), *await _together(50, 20.0)]
    return [*await _at_once(100, 10, WORK), *await _at_once(100, 1, WORK), *await _together(200, 60.0), *await _together(1000, 120.0)]


async def _at_once(many: int, channels: int, work: float) -> list[Row]:
    async with stage(rates=1.0) as place, bot(place) as ours:
        await _channels(place, channels)
        scripts = [f"!slow {work}\n!say {LAST.format(number)}" for number in range(many)]
        roots = [await place.slack.mention(script, channel=f"crowd-{n % channels}") for n, script in enumerate(scripts)]
        await shown(place.slack, roots, LAST, 150)
        asked, now, said = delivered(place.slack), time.monotonic(), threads(place.slack)
        total = [(at or now) - asked[str(root["ts"])] for root, at in zip(roots, finals(place.slack, roots, LAST), strict=True)]
        signs = [min(_signs(said, root), default=now) - asked[str(root["ts"])] for root in roots]
        memory, missed = ours.memory()[0], refused(place.slack)
    what = f"{many} mentions at once of {work:g} s, in {channels} channel{'s' if channels > 1 else ''}"
    aim = f"p99 < {work + 2:g} s" if channels > 1 else ""  # in one channel Slack takes one message a second, whoever sends it
    slowest = share(total, 99)
    return [
        Row(f"{what}: answered after, p50 / p99", _seconds(total), "", aim, slowest < work + 2 if aim else None),
        Row("… first sign, p50 / p99", _seconds(signs), "", f"p99 < {SIGN:g} s", share(signs, 99) < SIGN),
        Row("… calls refused (429)", str(missed), "", "none", not missed),
        Row("… memory", f"{memory:.0f} MiB", "", "< 130 MiB", memory < 130),
    ]


async def _together(many: int, seconds: float) -> list[Row]:
    lines, places = int(seconds * 2), max(20, many // 10)
    async with stage(rates=1.0) as place, bot(place):
        await _channels(place, places)
        body = "\n".join(f"!say Line {n} of what it has to tell." for n in range(lines))  # an answer that fits into one message
        roots, began = list[Json](), time.monotonic()
        for number in range(many):
            await pace(began, number, 20)
            script = f"!slow 0.5\n{body}\n!say {LAST.format(number)}"
            roots.append(await place.slack.mention(script, channel=f"crowd-{number % places}"))
        await shown(place.slack, roots, LAST, seconds * 4 + 60)
        ended, now, missed = ends(place.database), time.monotonic(), refused(place.slack)
        last, said, asked = finals(place.slack, roots, LAST), threads(place.slack), delivered(place.slack)
        late = [(at or now) - ended.get(str(root["ts"]), now) for root, at in zip(roots, last, strict=True)]
        edits = [call.at for call in place.slack.calls if call.method == "chat.update" and call.status == 200]
        unseen = [_unseen(_signs(said, root), asked[str(root["ts"])], at or now) for root, at in zip(roots, last, strict=True)]
    soonest, last_of_all = share(waits := _soonest(sorted(ended.values())), 99), max(waits)
    ideal = max(min(many, OPEN) * 60 / EDITS, (many - OPEN) * 60 / TEXTS, 20.0, last_of_all)
    lateness = max(LATE, FAIR * soonest)
    minute = max((sum(0 <= at - first < 60 for at in edits) for first in edits), default=0)
    used = minute / EDITS * 60 / min(max(edits[-1] - edits[0], 1), 60) if edits else 0.0
    longest = max(unseen) / ideal
    return [
        Row(f"{many} sessions that write for {seconds:g} s: edits used of Slack's", f"{used:.0%}", "", f"> {USED:.0%}", used > USED),
        Row("… calls refused (429)", str(missed), "", "none", not missed),
        Row(
            f"… last word late, p50 / p99 (Slack itself: {soonest:.0f} s)",
            _seconds(late),
            "",
            f"p99 < {lateness:.0f} s",
            share(late, 99) < lateness,
        ),
        Row(f"… longest without news, beside the ideal of {ideal:.0f} s", f"{longest:.1f} times", "", f"< {FAIR:g} times", longest < FAIR),
    ]


async def _channels(place: Stage, many: int) -> None:
    for number in range(many):
        place.slack.add_channel(f"crowd-{number}")


def _signs(said: dict[str, list[Call]], root: Json) -> list[float]:
    return [call.at for call in said.get(str(root["ts"]), ()) if call.method in SIGNS]


def _unseen(signs: list[float], asked: float, end: float) -> float:
    """The longest time in which nothing new was to be seen of a session."""
    seen = sorted([asked, *(at for at in signs if at <= end), end])
    return max(after - before for before, after in itertools.pairwise(seen))


def _soonest(ended: list[float]) -> list[float]:
    """How late the last words have to be where each is a new message, of which Slack takes so many in a minute."""
    shown = list[float]()
    for number, end in enumerate(ended):
        shown.append(max(end, shown[number - POSTS] + 60) if number >= POSTS else end)
    return [at - end for at, end in zip(shown, ended, strict=True)]


def _seconds(values: list[float]) -> str:
    return " / ".join(f"{share(values, percent):.2f}" for percent in (50, 99)) + " s"
