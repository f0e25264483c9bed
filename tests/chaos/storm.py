"""A storm: so many things said while so many go wrong, then calm, then the verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.playground import Slack
from tests.standins.postgres import Cluster, cluster, database

from .fleet import Replica, fleet
from .people import People
from .troubles import Troubles
from .verdict import faults, picture

CHANNELS = [f"storm-{number}" for number in range(12)]
CALM = 150.0  # seconds in which everything has to be answered once all is well
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


@dataclass(frozen=True, slots=True)
class Verdict:
    storm: Storm
    asked: int
    told: list[str]
    faults: list[str]
    calm: float  # seconds until everything was answered, after all was well again
    refused: int
    picture: str

    def __str__(self) -> str:
        lines = [
            f"{self.storm}",
            f"asked {self.asked}, {len(self.told)} troubles, calm after {self.calm:.1f} s, {self.refused} calls refused",
        ]
        lines += [f"  trouble: {one}" for one in self.told] + [f"  FAULT: {one}" for one in self.faults]
        return "\n".join([*lines, self.picture])


@asynccontextmanager
async def _database(storm: Storm) -> AsyncIterator[tuple[Cluster | None, str]]:
    if not storm.postgres:
        yield None, ""
        return
    with cluster(options=("max_connections=200",)) as made:
        async with database(made) as url:
            yield made, url


async def rage(storm: Storm) -> Verdict:
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(Slack(rates=1.0))
        for name in CHANNELS:
            slack.add_channel(name)
        made, url = await stack.enter_async_context(_database(storm))
        replicas = await stack.enter_async_context(fleet(slack, url, storm.replicas))
        people = People(slack, storm.seed, CHANNELS)
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
        calm = await _calm(people, replicas)
        wrong = faults(people)
        await people.leave()
        refused = sum(each["refused"] for each in slack.budgets().values())
        return Verdict(storm, len(people.asks), troubles.told, wrong, calm, refused, picture(slack, people, "\n".join(wrong)))


async def _talk(people: People, storm: Storm) -> None:
    began = time.monotonic()
    while len(people.asks) < storm.messages or time.monotonic() - began < storm.seconds:
        await people.speak()
        await asyncio.sleep(people.dice.expovariate(1 / storm.pause))


async def _trouble(troubles: Troubles) -> None:
    while True:
        await asyncio.sleep(troubles.dice.uniform(0.2, 2))
        await troubles.cause()


async def _calm(people: People, replicas: Sequence[Replica]) -> float:
    """Wait until nothing is missing and nothing is left, and stays so; seconds that it took. Who dies of what was begun is started."""
    began = well = time.monotonic()
    while (now := time.monotonic()) - began < CALM and now - well < REST:
        await asyncio.gather(*(replica.start() for replica in replicas if not replica.alive))
        if not all(ask.done for ask in people.asks) or faults(people):
            well = time.monotonic()
        await asyncio.sleep(0.5)
    return well - began
