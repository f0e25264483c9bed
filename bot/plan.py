"""A plan: a schedule as it is kept, and what comes of it when its time has come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Protocol

from bot.fired import Fired
from bot.journal import Delivery
from bot.trigger import Schedule

LATE = 300.0  # seconds after which a time counts as missed: a restart takes less
MANY = 1000  # missed times are counted no further
PROPOSAL = "ask-schedule-"  # with which the ids of questions begin that propose one


@dataclass(frozen=True, slots=True)
class Plan:
    """Names are helper:1, helper:2 … as they stand in an agent's file, and helper:p… for what somebody `asked` for (a person's id).

    `due` is the next time (Unix seconds; 0 while nobody has approved it), `last` when it last began (0 for never). `paused` is the name
    of whoever paused it; `trouble` says why the last one could not begin.
    """

    name: str
    agent: str
    schedule: Schedule
    due: float = 0.0
    last: float = 0.0
    paused: str = ""
    asked: str = ""
    trouble: str = ""


class Plans(Protocol):
    """All plans: the store's side. Raises StoreFailed."""

    async def all(self) -> list[Plan]:
        """By name, without those that nobody has approved."""
        ...

    async def agree(self, plans: Sequence[Plan], *, tidy: bool) -> None:
        """What the files say: new plans are kept, those with other times are due anew; with `tidy` no others of files are planned."""
        ...

    async def keep(self, plan: Plan) -> None:
        """A new one; it stays as it is where there is one of its name."""
        ...

    async def change(
        self, name: str, *, paused: str | None = None, due: float | None = None, last: float | None = None, trouble: str | None = None
    ) -> None: ...
    async def get(self, name: str) -> Plan | None:
        """Also one that nobody has approved."""
        ...

    async def remove(self, name: str) -> None: ...
    async def due(self, now: float) -> tuple[list[Plan], float]:
        """Those whose time has come, and when the next one's comes; paused ones have none."""
        ...

    async def move(self, plan: Plan, due: float, last: float, delivery: Delivery | None) -> bool:
        """It is due then, last began at `last`, and came to this delivery: all at once, or nothing where another was first."""
        ...


def deal(plan: Plan, now: float) -> tuple[Fired | None, float]:
    """What comes of a plan whose time has come, and when its next time is (Unix seconds).

    The newest time begins a session, unless it is late. What becomes of those before it, and of it where it is late, says `missed`.
    """
    schedule, since = plan.schedule, plan.due - 1
    came = sum(1 for _ in islice(_ticks(schedule, since, now), MANY + 1))
    fresh = [*_ticks(schedule, max(since, now - LATE), now)][-1:]
    missed = came - len(fresh)
    told = f" {_missed(missed)}" if missed and schedule.missed != "skip" else ""
    due = next(schedule.ticks(now)).timestamp()
    first = next(schedule.ticks(since)).isoformat()
    if fresh or (missed and schedule.missed == "run"):
        return begun(plan, fresh[0].isoformat() if fresh else first, now, told), due
    words = f"⏰ `{plan.name}`:{told} To have it now, say to me: `run schedule {plan.name}`"
    return Fired(f"schedule:{plan.name}:missed:{first}", plan.agent, schedule.post_to, words, "", now) if told else None, due


def _ticks(schedule: Schedule, after: float, now: float) -> Iterator[datetime]:
    return takewhile(lambda tick: tick.timestamp() <= now, schedule.ticks(after))


def _missed(missed: int) -> str:
    many = "1 time was" if missed == 1 else f"{min(missed, MANY)} times{' and more' if missed >= MANY else ''} were"
    return f"{many} missed while I was away."


def begun(plan: Plan, occurrence: str, now: float, told: str = "") -> Fired:
    """A session of this plan. `occurrence` is what sets it apart from its others."""
    schedule = plan.schedule
    words = f"⏰ *{plan.agent}*, by its schedule `{plan.name}`: {schedule.prompt}"
    return Fired(f"schedule:{plan.name}:{occurrence}", plan.agent, schedule.post_to, words + told, schedule.prompt, now)


def when(schedule: Schedule, at: float) -> str:
    """A time (Unix seconds) as the people of a schedule say it."""
    return datetime.fromtimestamp(at, schedule.zone).strftime("%a %d %b %Y %H:%M %Z") if at else "-"
