"""What a thousand schedules take: while none is due, and until all have begun where all are due at once."""

import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.rows import Row
from benchmarks.stage import HELPER, bot, stage
from bot import clock
from bot.agent import parse
from bot.fired import Fired
from bot.store.schedules import Schedules
from bot.store.sql import SqlStore
from bot.triggers.schedule import Scheduler, planned

MANY, AIM = 1000, 0.02  # schedules, and the part of a core that they may take
SETTLED = 5.0  # seconds after the start: runtimes are loaded by then
EACH = "  - schedule: {{cron: '{} {} * * *', timezone: Europe/Berlin, post_to: '#random', prompt: '!say {}', missed: run}}"


async def measure(quick: bool) -> list[Row]:
    """Once a day each, at as many times of the day: so one or none begins while it is looked at."""
    seconds = 20 if quick else 120
    none, many = await _cpu({"helper": HELPER}, seconds), await _cpu(_agents(), seconds)
    met = many - none < AIM
    return [
        Row(f"{MANY} schedules, CPU above that of none", f"{many - none:.2%} of a core", "", f"< {AIM:.0%} of a core", met),
        Row("… the whole process, with and without them", f"{many:.2%} / {none:.2%}"),
        Row(f"{MANY} schedules due at once, until all are kept to begin", f"{await _burst():.2f} s"),
    ]


def _agents() -> Mapping[str, str]:
    """Ten, with a hundred schedules each."""
    times = [(n * 1440 // MANY, n) for n in range(MANY)]
    lines = [EACH.format(minute % 60, minute // 60, n) for minute, n in times]
    front = "description: Counts.\nruntime: echo\ntriggers:\n"
    return {f"counter-{first}": front + "\n".join(lines[first : first + 100]) for first in range(0, MANY, 100)}


async def _cpu(agents: Mapping[str, str], seconds: float) -> float:
    """Seconds of CPU time that a process takes in each second."""
    async with stage(agents=agents) as place, bot(place) as running:
        await asyncio.sleep(SETTLED)
        before, began = running.cpu(), time.monotonic()
        await asyncio.sleep(seconds)
        return (running.cpu() - before) / (time.monotonic() - began)


async def _burst() -> float:
    """Seconds until each is moved on, and its session is kept to begin, on SQLite."""
    agents = [parse(name, f"---\n{front}\n---\n") for name, front in _agents().items()]
    begun: list[Fired] = []

    async def fire(fired: Fired) -> None:
        begun.append(fired)

    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as folder:
        store = SqlStore(f"sqlite:///{folder}/frontdesk.db")
        await store.open()
        plans = Schedules(store.db)
        day = clock.now() - 86400
        await plans.agree([replace(plan, due=day) for plan in planned(agents, day)], tidy=True)
        scheduler = Scheduler(lambda: agents, plans, fire)
        began = time.monotonic()
        await scheduler.tick()
        took = time.monotonic() - began
        await store.close_all()
    assert len(begun) == MANY
    return took
