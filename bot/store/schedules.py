"""Plans: when what begins by itself is due, and who of all replicas begins it."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bot.journal import Delivery
from bot.plan import Plan
from bot.store.database import Database, insert
from bot.store.journal import receive
from bot.store.tables import schedules
from bot.trigger import Schedule

PLANNED = schedules.c.due > 0  # what stands in no file any more keeps its place, and who paused it, for when it comes back
Row = dict[str, Any]
ON = sa.and_(PLANNED, schedules.c.paused == "")


class Schedules:
    """Implements the port Plans."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def all(self) -> list[Plan]:
        return [_plan(row) for row in await self.db.read(sa.select(schedules).where(PLANNED).order_by(schedules.c.name))]

    async def agree(self, plans: Sequence[Plan], *, tidy: bool) -> None:
        await self.db.write(lambda connection: _agree(connection, plans, tidy))

    async def keep(self, plan: Plan) -> None:
        await self.db.write(lambda connection: _put(connection, _row(plan), new=True))

    async def change(
        self, name: str, *, paused: str | None = None, due: float | None = None, last: float | None = None, trouble: str | None = None
    ) -> None:
        given = {"paused": paused, "due": due, "last": last, "trouble": trouble}
        values = {key: value for key, value in given.items() if value is not None}
        await self._do(schedules.update().where(schedules.c.name == name).values(values))

    async def get(self, name: str) -> Plan | None:
        found = await self.db.read(sa.select(schedules).where(schedules.c.name == name))
        return _plan(found[0]) if found else None

    async def remove(self, name: str) -> None:
        await self._do(schedules.delete().where(schedules.c.name == name))

    async def _do(self, statement: sa.Update | sa.Delete) -> None:
        await self.db.write(lambda connection: connection.execute(statement).rowcount)

    async def due(self, now: float) -> tuple[list[Plan], float]:
        later = sa.select(sa.func.min(schedules.c.due)).where(ON, schedules.c.due > now)
        come = await self.db.read(sa.select(schedules).where(ON, schedules.c.due <= now))
        return [_plan(row) for row in come], float((await self.db.read(later))[0][0] or math.inf)

    async def move(self, plan: Plan, due: float, last: float, delivery: Delivery | None) -> bool:
        mine = sa.and_(ON, schedules.c.name == plan.name, schedules.c.due == plan.due)

        def work(connection: sa.Connection) -> bool:
            won = connection.execute(schedules.update().where(mine).values(due=due, last=last, trouble="")).rowcount == 1
            if won and delivery:
                receive(connection, delivery)
            return won

        return await self.db.write(work)


def _agree(connection: sa.Connection, plans: Sequence[Plan], tidy: bool) -> None:
    known = {row.name: row for row in connection.execute(sa.select(schedules).where(schedules.c.asked == ""))}
    gone = known.keys() - {plan.name for plan in plans} if tidy else set()
    connection.execute(schedules.update().where(schedules.c.name.in_(gone), PLANNED).values(due=0.0))
    rows = [_row(plan) for plan in plans]
    for row in rows:
        old = known.get(row["name"])
        if not (old and old.due and old.data == row["data"]):
            _put(connection, _carried(row, old, known.values(), rows), new=old is None)


def _carried(new: Row, old: sa.Row[Any] | None, known: Iterable[sa.Row[Any]], rows: Sequence[Row]) -> Row:
    """With all that belongs to it: a number says only where a schedule stands in its file, and others come and go before it."""
    if moved := next((row for row in known if row.due and _same(_row(_plan(row)), new)), None):
        return new | {key: getattr(moved, key) for key in ("due", "last", "paused", "trouble")}
    if old is None or (old.data != new["data"] and any(_same(_row(_plan(old)), row) for row in rows)):
        return new
    due = old.due if old.due and old.spec == new["spec"] else new["due"]
    return new | {"due": due, "last": old.last, "paused": old.paused, "trouble": old.trouble}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool((one["agent"], one["data"]) == (other["agent"], other["data"]))


def _put(connection: sa.Connection, row: Row, *, new: bool) -> None:
    """Where another replica was first with a new one, its row stays."""
    if new:
        connection.execute(insert(connection, schedules).values(row).on_conflict_do_nothing())
    else:
        connection.execute(schedules.update().where(schedules.c.name == row["name"]).values(row))


def _row(plan: Plan) -> Row:
    row = {"name": plan.name, "agent": plan.agent, "due": plan.due, "last": plan.last, "paused": plan.paused}
    row |= {"asked": plan.asked, "trouble": plan.trouble}
    return row | {"spec": f"{plan.schedule.cron} {plan.schedule.timezone}", "data": plan.schedule.model_dump_json()}


def _plan(row: sa.Row[Any]) -> Plan:
    schedule = Schedule.model_construct(**json.loads(row.data))  # it was found good once
    return Plan(row.name, row.agent, schedule, row.due, row.last, row.paused, row.asked, row.trouble)
