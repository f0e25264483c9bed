"""What a second replica adds: events a second that are dealt with, on one PostgreSQL, and who is busy with them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress

import psutil

from benchmarks.rows import Row
from benchmarks.seen import comes
from benchmarks.stage import Bot, Stage, bot, postgres, stage
from bot.playground import Slack
from bot.playground.socket import Envelope
from tests.standins.postgres import Cluster

CHANNELS = ("general", "reviews", "triage", "random")
DONE = "select count(*) from deliveries where done"
MORE = 1.8  # times the events of one
FLIGHT = 100  # events: at most twice as many wait for their acknowledgement
SLICE, HELD = 0.02, 4  # seconds; and of so many slices a replica that is held gets one
Found = tuple[float, float, float]  # events a second; milliseconds of CPU for each event, of the replicas and of PostgreSQL


async def measure(quick: bool) -> list[Row]:
    """By turns, as they come; and with each replica held to a part of a core, so that the cores are not what limits."""
    many, rounds = (300, 1) if quick else (3000, 3)
    async with postgres() as made:
        free = [[await _run(made, count, many, held=False) for count in (1, 2)] for _ in range(rounds)]
        held = [[await _run(made, count, many // 3, held=True) for count in (1, 2)] for _ in range(rounds)]
    return [
        _row(f"events/s with 2 replicas, beside 1, each held to 1/{HELD} of a core", held, strict=True),
        _row(f"… with all of the {os.cpu_count()} cores, which the stand-in and PostgreSQL share", free, strict=False),
        Row("… CPU for each event, of 1 / 2 replicas", _middle(free, 1)),
        Row("… and of PostgreSQL under them", _middle(free, 2)),
    ]


def _row(figure: str, found: list[list[Found]], strict: bool) -> Row:
    one, two = (sorted(each[n][0] for each in found)[len(found) // 2] for n in (0, 1))
    aim = f"> {MORE:g} times" if strict else ""
    return Row(figure, f"{two:.0f} / {one:.0f} = {two / one:.2f} times", "", aim, two / one > MORE if strict else None)


def _middle(found: list[list[Found]], which: int) -> str:
    one, two = (sorted(each[n][which] for each in found)[len(found) // 2] for n in (0, 1))
    return f"{one:.2f} / {two:.2f} ms"


async def _run(made: Cluster, count: int, many: int, held: bool) -> Found:
    async with stage(url=await made.create(), ack_seconds=60) as place, AsyncExitStack() as stack:
        bots = [await stack.enter_async_context(bot(place)) for _ in range(count)]
        known = 40 * count
        await _say(place, known)  # people, channels and connections are known from now on
        await comes(place, DONE, known, 30)
        stack.enter_context(_held(bots if held else []))
        before, database = sum(each.cpu() for each in bots), _busy(made)
        began = time.monotonic()
        await _say(place, many)
        took = await comes(place, DONE, known + many, 120) - began
        used = (sum(each.cpu() for each in bots) - before, _busy(made) - database)
    return many / took, used[0] * 1000 / many, used[1] * 1000 / many


async def _say(place: Stage, many: int) -> None:
    """As fast as it is acknowledged."""
    slack, first = place.slack, len(place.slack.envelopes)
    for number in range(many):
        if number % FLIGHT == 0:
            await _acknowledged(slack, slack.envelopes[first + max(number - 2 * FLIGHT, 0) : first + max(number - FLIGHT, 0)])
        await slack.say(f"Something that people say, number {number}.", channel=CHANNELS[number % 4])


async def _acknowledged(slack: Slack, envelopes: list[Envelope]) -> None:
    await slack.until(lambda: all(each.acked_at for each in envelopes), 60)


def _busy(made: Cluster) -> float:
    """Seconds of CPU time of PostgreSQL, with those of its processes that have ended."""
    root = psutil.Process(int((made.folder / "data" / "postmaster.pid").read_text().split()[0]))
    times = [root.cpu_times()]
    for each in root.children():
        with suppress(psutil.NoSuchProcess):  # its time is the root's by now
            times.append(each.cpu_times())
    return sum(each.user + each.system for each in times) + times[0].children_user + times[0].children_system


@contextmanager
def _held(bots: list[Bot]) -> Iterator[None]:
    """Each runs for one slice of HELD, until the block is left."""
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            for turn in range(HELD):
                for number, each in enumerate(bots):
                    each.process.send_signal(signal.SIGCONT if turn == number % HELD else signal.SIGSTOP)
                over.wait(SLICE)
        for each in bots:
            each.process.resume()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
