"""Slack's limits as rows: what all replicas together have called, by the database's clock; or what a process did that is no more."""

import json
from collections.abc import Callable

import sqlalchemy as sa

from bot import clock
from bot.store.database import Database, insert
from bot.store.replicas import NOW
from bot.store.tables import budgets

Taken = tuple[float, ...]
Step = Callable[[Taken, float], Taken | None]


class Budgets:
    def __init__(self, db: Database) -> None:
        self.db = db

    async def row(self, key: str, step: Step) -> tuple[Taken, float]:
        """Put what `step` makes of it (None: nothing) in place of what was taken of a key; what is there then, and the moment (s)."""
        return await self.db.write(lambda connection: swap(connection, key, step), hard=False, alone=True)


def swap(connection: sa.Connection, key: str, step: Step) -> tuple[Taken, float]:
    locked = sa.select(budgets.c.taken).where(budgets.c.key == key).with_for_update()
    found = connection.scalar(locked)
    if found is None:
        connection.execute(insert(connection, budgets).values(key=key, tat=0.0).on_conflict_do_nothing())
        found = connection.execute(locked).scalar_one()
    taken, now = tuple(json.loads(found)), _now(connection)  # when we have the row
    if (after := step(taken, now)) is None:
        return taken, now
    connection.execute(budgets.update().where(budgets.c.key == key).values(taken=json.dumps(after)))
    return after, now


def _now(connection: sa.Connection) -> float:
    return float(connection.execute(sa.select(NOW)).scalar_one()) if connection.dialect.name == "postgresql" else clock.now()
