"""The clock's door: what agents' files say is to begin at a time begins then, once among all replicas."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot import clock
from bot.agent import Agent
from bot.errors import StoreFailed
from bot.fired import Fired, delivery
from bot.plan import Plan, Plans, deal

LOOK = 15.0  # seconds after which it is looked again, as somebody may have set a clock, or planned something, elsewhere


class Scheduler:
    """Sleeps until the next plan is due. `fire` begins what has been kept already; else whoever adopts it does.

    `alone` says whether no other replica has other agents than these.
    """

    def __init__(
        self,
        agents: Callable[[], Sequence[Agent]],
        plans: Plans,
        fire: Callable[[Fired], Awaitable[None]],
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self.agents, self.plans, self.fire, self.alone = agents, plans, fire, alone
        self._agreed: Sequence[Agent] | None = None  # whose schedules are planned
        self._tidy = False  # whether no others are, as far as files go

    async def run(self) -> None:
        while True:
            seconds = LOOK
            with contextlib.suppress(StoreFailed):
                seconds = await self.tick()
            await asyncio.sleep(seconds)

    async def tick(self) -> float:
        """Begin what is due; for how long nothing will be. Raises StoreFailed."""
        now, agents, alone = clock.now(), self.agents(), self.alone()
        if agents is not self._agreed or alone > self._tidy:
            await self.plans.agree(planned(agents, now), tidy=alone)
            self._agreed, self._tidy = agents, alone
        plans, due = await self.plans.due(now)
        there = {agent.name: agent for agent in agents}
        await asyncio.gather(*(self._begin(plan, there[plan.agent], now) for plan in plans if plan.agent in there))
        return max(0.0, min(due - clock.now(), LOOK))

    async def _begin(self, plan: Plan, agent: Agent, now: float) -> None:
        schedule = plan.schedule if plan.asked else agent.schedules.get(plan.name)
        if schedule is None:
            return  # it stands in another replica's files only
        fired, due = deal(replace(plan, schedule=schedule), now)
        last = now if fired and fired.prompt else plan.last
        if await self.plans.move(plan, due, last, delivery(fired) if fired else None) and fired:
            await self.fire(fired)


def planned(agents: Sequence[Agent], now: float) -> list[Plan]:
    """What their files say, from then on (Unix seconds)."""
    named = [(name, agent.name, schedule) for agent in agents for name, schedule in agent.schedules.items()]
    return [Plan(name, agent, schedule, next(schedule.ticks(now)).timestamp()) for name, agent, schedule in named]
