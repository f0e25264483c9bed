"""What goes wrong: each trouble begins, lasts a while, and is over."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from bot.playground import Slack
from tests.standins.postgres import Cluster

from .fleet import Replica

METHODS = ("chat.postMessage", "chat.update", "users.info", "agents.sessions.setStatus", "conversations.replies", "auth.test", "*")
POINTS = [f"{what}:{when}" for what in ("write", "call") for when in ("before", "after")]


class Troubles:
    """`cause` lets one thing go wrong, by the dice of `seed`, and returns when it is over; `told` says what there was."""

    def __init__(self, slack: Slack, replicas: Sequence[Replica], cluster: Cluster | None, seed: int) -> None:
        self.slack, self.replicas, self.cluster = slack, replicas, cluster
        self.dice = random.Random(seed)
        self.told: list[str] = []
        kinds: list[tuple[int, Callable[[], Awaitable[str]]]] = [
            (4, self.kill), (3, self.doom), (2, self.freeze), (1, self.upgrade), (2, self.cut), (1, self.half_open), (1, self.refresh),
            (2, self.twice), (2, self.late), (3, self.refuse), (1, self.down), (1 if cluster else 0, self.database),
        ]  # fmt: skip
        self._kinds, self._weights = [kind for _, kind in kinds], [weight for weight, _ in kinds]

    async def cause(self) -> None:
        self.told.append(await self.dice.choices(self._kinds, self._weights)[0]())

    def _one(self) -> Replica:
        return self.dice.choice(self.replicas)

    async def kill(self) -> str:
        replica = self._one()
        await replica.kill()
        await asyncio.sleep(pause := self.dice.uniform(0, 2))
        await replica.start()
        return f"killed {replica.number}, {pause:.1f} s"

    async def doom(self) -> str:
        """It dies at a named point, soon after its next start."""
        replica, point = self._one(), f"{self.dice.choice(POINTS)}:{self.dice.randint(1, 40)}"
        replica.points.append(point)
        await replica.kill()
        await replica.start()
        await asyncio.sleep(self.dice.uniform(1, 4))
        if not replica.alive:
            await replica.start()
        return f"{replica.number} was to die at {point}"

    async def freeze(self) -> str:
        replica = self._one()
        replica.freeze()
        await asyncio.sleep(pause := self.dice.choice((0.5, 3, 12)))
        replica.thaw()
        return f"froze {replica.number} for {pause} s"

    async def upgrade(self) -> str:
        replica = self._one()
        await replica.leave()
        await replica.start()
        return f"{replica.number} left in good order, and came back"

    async def cut(self) -> str:
        return f"cut {self.slack.drop_sockets()} sockets"

    async def half_open(self) -> str:
        return f"half-opened {self.slack.half_open()} sockets"

    async def refresh(self) -> str:
        return f"told {self.slack.disconnect()} sockets to connect anew"

    async def twice(self) -> str:
        self.slack.duplicate(True)
        await asyncio.sleep(pause := self.dice.uniform(1, 4))
        self.slack.duplicate(False)
        return f"delivered everything twice for {pause:.1f} s"

    async def late(self) -> str:
        """What is delivered during this comes after what is delivered behind it."""
        self.slack.delay(self.dice.uniform(0.2, 2.5))
        await asyncio.sleep(self.dice.uniform(0.5, 2))
        self.slack.delay(0)
        return "delivered late, and out of order"

    async def refuse(self) -> str:
        method, times = self.dice.choice(METHODS), self.dice.randint(1, 4)
        how = self.dice.choice(({"retry_after": 1}, {"retry_after": 3}, {"status": 500}, {"status": 503}, {"status": 0}))
        after = self.dice.random() < 0.5 and "retry_after" not in how
        self.slack.fail(method, times=times, after=after, **how)  # type: ignore[arg-type]
        await asyncio.sleep(self.dice.uniform(0.5, 2))
        return f"refused {method} {times} times with {how}{' after the work was done' if after else ''}"

    async def down(self) -> str:
        pause = self.dice.choice((1, 5))
        self.slack.go_down(pause)
        await asyncio.sleep(pause)
        return f"Slack was down for {pause} s"

    async def database(self) -> str:
        assert self.cluster
        self.cluster.kill()
        await asyncio.sleep(pause := self.dice.uniform(0, 3))
        self.cluster.start()
        await self.cluster.ready()
        return f"the database was away for {pause:.1f} s"

    async def end(self) -> None:
        """All is well again; whoever died comes back."""
        self.slack.forgive()
        self.slack.delay(0)
        self.slack.duplicate(False)
        self.slack.go_down(0)
        for replica in self.replicas:
            replica.thaw()
            replica.points.clear()
            if not replica.alive:
                await replica.start()
