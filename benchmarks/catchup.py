"""A thousand messages that nobody heard: how soon they are let in, and answered where an agent is meant."""

import time
from typing import Any

from benchmarks.rows import Row, share
from benchmarks.seen import answers, comes, refused, shown
from benchmarks.stage import Stage, bot, stage

Json = dict[str, Any]
CHANNELS, MEANT = 10, 10  # one of so many messages mentions the bot
SOON = 0.5  # seconds until an acknowledgement counts as missing: after three in vain the stand-in gives up, and only history has it
LAST = "the last word of {}."


async def measure(quick: bool) -> list[Row]:
    many = 100 if quick else 1000
    async with stage(rates=1.0, ack_seconds=SOON) as place:
        async with bot(place):
            await _meet(place)
        said = await _unheard(place, many)
        meant = said[::MEANT]
        began = time.monotonic()
        async with bot(place) as ours:
            between = f"at between {float(said[0]['ts']) - 1e-4:f} and {float(said[-1]['ts']) + 1e-4:f}"
            let_in = await comes(place, f"select count(*) from deliveries where {between}", many, 300) - began
            times = [at - began for at in await shown(place.slack, meant, LAST, 300)]
            wrong = sum(answers(place.slack, root, LAST.format(n)) != 1 for n, root in enumerate(meant))
            missed, start = refused(place.slack), ours.start
    answered = f"{share(times, 50):.1f} / {max(times):.1f} s"
    return [
        Row(f"{many:,} messages in {CHANNELS} channels while down: from the start until connected", f"{start:.1f} s"),
        Row("… until all are let in", f"{let_in:.1f} s"),
        Row(f"… until the {len(meant)} that mean an agent are answered, p50 / last", answered),
        Row("… not answered exactly once", str(wrong), "", "none", not wrong),
        Row("… calls refused (429)", str(missed), "", "none", not missed),
    ]


async def _meet(place: Stage) -> None:
    """The bot is in these channels, and was spoken to there."""
    for number in range(CHANNELS):
        place.slack.add_channel(f"missed-{number}")
    roots = [await place.slack.mention(f"!say {LAST.format('all')}", channel=f"missed-{number}") for number in range(CHANNELS)]
    await shown(place.slack, roots, LAST.format("all"), 30)


async def _unheard(place: Stage, many: int) -> list[Json]:
    """What people say while the bot is down, until nobody delivers it any more."""
    before, said = len(place.slack.envelopes), list[Json]()
    for number in range(many):
        channel = f"missed-{number // MEANT % CHANNELS}"
        if number % MEANT:
            said.append(await place.slack.say(f"Something that people say, number {number}.", channel=channel))
        else:
            said.append(await place.slack.mention(f"!say {LAST.format(number // MEANT)}", channel=channel))
    await place.slack.until(lambda: all(each.state == "lost" for each in place.slack.envelopes[before:]), 30)
    return said
