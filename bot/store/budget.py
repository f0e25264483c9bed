"""Slack's limits as rows: what all replicas together have called, by the database's clock."""

import json
from collections.abc import Callable

import sqlalchemy as sa

from bot.store.database import Database, insert
from bot.store.tables import budgets

CLOCK = {
    "postgresql": sa.extract("epoch", sa.func.clock_timestamp()),  # not now(), which stands still while a row is waited for
    "sqlite": (sa.func.julianday("now") - 2440587.5) * 86400.0,
}
Taken = tuple[float, ...]
Step = Callable[[Taken, float], Taken | None]


class Budgets:
    def __init__(self, db: Database) -> None:
        self.db = db

    async def row(self, key: str, step: Step) -> tuple[Taken, float]:
        """Put what `step` makes of it (None: nothing) in place of what was taken of a key; what is there then, and the moment (s)."""
        return await self.db.write(lambda connection: swap(connection, key, step), hard=False)


def swap(connection: sa.Connection, key: str, step: Step) -> tuple[Taken, float]:
    now = sa.cast(CLOCK[connection.dialect.name], sa.Float(53)).label("now")
    locked = sa.select(budgets.c.taken, now).where(budgets.c.key == key).with_for_update()
    found = connection.execute(locked).first()
    if found is None:
        connection.execute(insert(connection, budgets).values(key=key, tat=0.0).on_conflict_do_nothing())
        found = connection.execute(locked).one()
    taken = tuple(json.loads(found.taken))
    if (after := step(taken, found.now)) is None:
        return taken, found.now
    connection.execute(budgets.update().where(budgets.c.key == key).values(taken=json.dumps(after)))
    return after, found.now
