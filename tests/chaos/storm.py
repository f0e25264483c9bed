"""A storm: so many things said while so many go wrong, then calm, then the verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.playground import Slack
from tests.standins.postgres import Cluster, cluster, database

from .evidence import gather
from .fleet import LOG, Replica, fleet
from .people import People
from .troubles import Troubles
from .verdict import faults, picture

CHANNELS = [f"storm-{number}" for number in range(12)]
REST = 5.0  # seconds in which nothing may change then


@dataclass(frozen=True, slots=True)
class Storm:
    """`messages` at the least, and for so many `seconds` at the least; every `pause` seconds somebody speaks."""

    seed: int
    messages: int = 40
    seconds: float = 0.0
    pause: float = 0.25
    replicas: int = 1
    postgres: bool = False
    troubles: bool = True
    calm: float = 150.0  # seconds in which everything has to be answered once all is well


@dataclass(frozen=True, slots=True)
class Verdict:
    storm: Storm
    asked: int
    told: list[str]
    faults: list[str]
    calm: float  # seconds until everything was answered, after all was well again
    last: str  # what came last then
    refused: int
    picture: str
    evidence: str  # the file that has what stands behind the faults; empty where there is none

    def __str__(self) -> str:
        lines = [
            f"{self.storm}",
            f"asked {self.asked}, {len(self.told)} troubles, calm after {self.calm:.1f} s ({self.last}), {self.refused} calls refused",
        ]
        lines += [f"  trouble: {one}" for one in self.told] + [f"  FAULT: {one}" for one in self.faults]
        lines += [f"  evidence: {self.evidence}"] if self.evidence else []
        return "\n".join([*lines, self.picture])


@asynccontextmanager
async def _database(storm: Storm) -> AsyncIterator[tuple[Cluster | None, str]]:
    if not storm.postgres:
        yield None, ""
        return
    with cluster(options=("max_connections=200",)) as made:
        async with database(made) as url:
            yield made, url


async def rage(storm: Storm, kind: type[People] = People) -> Verdict:
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(Slack(rates=1.0))
        for name in CHANNELS:
            slack.add_channel(name)
        made, url = await stack.enter_async_context(_database(storm))
        replicas = await stack.enter_async_context(fleet(slack, url, storm.replicas))
        people = kind(slack, storm.seed, CHANNELS)
        troubles = Troubles(slack, replicas, made, storm.seed)
        bad = asyncio.create_task(_trouble(troubles)) if storm.troubles else None
        await _talk(people, storm)
        if bad:
            bad.cancel()
            await asyncio.gather(bad, return_exceptions=True)
        if made and made.down:
            made.start()
            await made.ready()
        await troubles.end()
        calm, last = await _calm(people, replicas, storm.calm)
        wrong = faults(people)
        evidence = gather(people, wrong, replicas[0], LOG.with_name(f"frontdesk-chaos-{storm.seed}.txt")) if wrong else ""
        await people.leave()
        refused = sum(each["refused"] for each in slack.budgets().values())
        seen = picture(slack, people, "\n".join(wrong))
        return Verdict(storm, len(people.asks), troubles.told, wrong, calm, last, refused, seen, evidence)


async def _talk(people: People, storm: Storm) -> None:
    began = time.monotonic()
    while len(people.asks) < storm.messages or time.monotonic() - began < storm.seconds:
        await people.speak()
        await asyncio.sleep(people.dice.expovariate(1 / storm.pause))


async def _trouble(troubles: Troubles) -> None:
    while True:
        await asyncio.sleep(troubles.dice.uniform(0.2, 2))
        await troubles.cause()


async def _calm(people: People, replicas: Sequence[Replica], most: float) -> tuple[float, str]:
    """Wait until nothing is missing or left, and stays so; the seconds it took, and what for. Who dies of what was begun is started."""
    began, last = (well := time.monotonic()), ""
    while (now := time.monotonic()) - began < most and now - well < REST:
        await asyncio.gather(*(replica.start() for replica in replicas if not replica.alive))
        if waits := [ask.token for ask in people.asks if not ask.done] + faults(people):
            well, last = time.monotonic(), waits[0]
        await asyncio.sleep(0.5)
    return well - began, last
