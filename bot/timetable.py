"""What people may do with schedules: look at them, pause them, let them go on or begin now, and take away what they asked for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from pydantic import ValidationError

from bot import clock, policy
from bot.agent import Agent, gone
from bot.errors import ConfigError
from bot.event import Question
from bot.fired import Fired
from bot.message import Person
from bot.plan import PROPOSAL, Plan, Plans, begun, when
from bot.trigger import Schedule

VERBS = ("pause", "resume", "run", "remove")
BEGIN = ("resume", "run")  # which take the right to ask the agent as well


async def nowhere(place: str) -> bool:
    return False


class Timetable:
    """What each method returns is for whoever asked. Raises StoreFailed.

    `fire` begins a session, safely; `public` says whether everybody may read a place.
    """

    def __init__(
        self,
        agents: Callable[[], Sequence[Agent]],
        plans: Plans,
        fire: Callable[[Fired], Awaitable[None]],
        public: Callable[[str], Awaitable[bool]] = nowhere,
    ) -> None:
        self.agents, self.plans, self.fire, self.public = agents, plans, fire, public

    async def listed(self, by: Person) -> list[Plan]:
        """Those of the agents that this person may ask, as far as they may know of them."""
        there = {agent.name for agent in self.agents() if policy.may(agent, by, "run")}
        return await self._known([plan for plan in await self._all() if plan.agent in there], by)

    async def asked(self, verb: str, name: str, by: Person, id: str) -> str:
        """What a person wants to be done; `id` makes it safe to repeat. Raises ConfigError where there is no such schedule, Denied."""
        plan = self.find(name, await self._known([plan for plan in await self._all() if self._concerns(plan, by)], by))
        agent = self._agent(plan.agent)
        if verb in BEGIN:
            policy.check(agent, by, "run", plan.asked)
        if verb == "remove" and plan.asked not in ("", by.id):
            policy.check(_proposing(agent), by, "approve", plan.asked, f"remove {plan.name}, which somebody else planned")
        elif not policy.may(agent, by, "approve", plan.asked):
            policy.check(agent, by, "stop", plan.asked, f"{verb} {plan.name}")
        return await self.do(verb, plan, by.name or by.id, id)

    async def _all(self) -> list[Plan]:
        """As the files are now: another replica may have others still."""
        files = {agent.name: agent.schedules for agent in self.agents()}
        plans = [(plan, files.get(plan.agent, {}).get(plan.name)) for plan in await self.plans.all()]
        return [replace(plan, schedule=said or plan.schedule) for plan, said in plans if plan.asked or said]

    def _agent(self, name: str) -> Agent:
        return next((agent for agent in self.agents() if agent.name == name), gone(name))

    async def _known(self, plans: Sequence[Plan], by: Person) -> list[Plan]:
        """Without what somebody else wants where not everybody can read, unless this person is one who decides about it."""
        places = {plan.schedule.post_to for plan in plans if not self._theirs(plan, by)}
        private = {place for place in places if not await self.public(place)}
        return [plan for plan in plans if plan.schedule.post_to not in private or self._theirs(plan, by)]

    def _theirs(self, plan: Plan, by: Person) -> bool:
        decides = by.kind == "admin" or policy.may(_proposing(self._agent(plan.agent)), by, "approve", plan.asked)
        return plan.asked in ("", by.id) or decides

    def _concerns(self, plan: Plan, by: Person) -> bool:
        """Whether this person may do anything with such a plan."""
        agent = self._agent(plan.agent)
        return plan.asked == by.id or any(policy.may(agent, by, right, plan.asked) for right in ("run", "approve", "stop"))

    def plannable(self, by: Person) -> list[Agent]:
        """The agents that this person may let begin by themselves."""
        agents = [agent for agent in self.agents() if policy.may(agent, by, "run")]
        return [agent for agent in agents if policy.may(_proposing(agent), by, "approve", by.id)]

    async def plan(self, name: str, given: Mapping[str, str], by: Person, id: str) -> str:
        """Let an agent begin by itself. Whoever may approve it where the agent proposes it itself may do so. Raises Denied, ConfigError."""
        agent = self._agent(name)
        policy.check(agent, by, "run")
        policy.check(_proposing(agent), by, "approve", by.id, f"let {name} begin by itself")
        try:
            schedule = Schedule.model_validate({**given})
        except ValidationError as error:
            raise ConfigError("; ".join(wrong["msg"].removeprefix("Value error, ") for wrong in error.errors())) from error
        due = next(schedule.ticks(clock.now())).timestamp()
        plan = Plan(f"{name}:p{sha256(id.encode()).hexdigest()[:6]}", name, schedule, due, asked=by.id)
        await self.plans.keep(plan)
        return f"It is called {plan.name}, and begins next {when(schedule, due)}. `remove schedule {plan.name}` takes it away."

    async def failed(self, fired: Fired, why: str) -> None:
        """Note that a time could not begin, for whoever looks at the schedules."""
        if fired.door == "schedule":
            await self.plans.change(":".join(fired.key.split(":")[1:3]), trouble=why)

    def find(self, name: str, plans: Sequence[Plan]) -> Plan:
        """Of these by its name, or by its agent's where that has no other. Raises ConfigError."""
        found = [plan for plan in plans if plan.name == name] or [plan for plan in plans if plan.agent == name]
        if len(found) == 1:
            return found[0]
        names = ", ".join(f"`{plan.name}`" for plan in (found or plans)[:10])
        wrong = f"{name} has several schedules" if found else f"There is no schedule {name!r}"
        raise ConfigError(f"{wrong}: say which, of {names}." if names else f"{wrong}, nor any other.")

    async def do(self, verb: str, plan: Plan, by: str, id: str) -> str:
        now = clock.now()
        match verb:
            case "pause":
                if plan.paused:
                    return f"{plan.name} is paused already, by {plan.paused}."
                await self.plans.change(plan.name, paused=by)
                return f"{plan.name} is paused. `resume schedule {plan.name}` lets it go on."
            case "resume":
                due = next(plan.schedule.ticks(now)).timestamp()
                if plan.paused:
                    await self.plans.change(plan.name, paused="", due=due)
                return f"{plan.name} goes on: next {when(plan.schedule, due)}."
            case "run":
                await self.plans.change(plan.name, last=now, trouble="")
                await self.fire(begun(plan, f"run:{id}", now))
                return f"{plan.name} begins, in a thread under a message of its own."
            case "remove":
                if not plan.asked:
                    return f"{plan.name} stands in agents/{plan.agent}.md, so it is removed there. `pause schedule {plan.name}` pauses it."
                await self.plans.remove(plan.name)
                return f"{plan.name} is removed."
            case _:
                return f"With a schedule I can do this: {', '.join(VERBS)}."


def _proposing(agent: Agent) -> Agent:
    """The agent as it is for a schedule that it proposes itself."""
    return policy.trusted(agent, Question(PROPOSAL, "permission", ()))
