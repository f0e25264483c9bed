"""Slack's limits as rows: what all replicas together may still call, by the database's clock."""

import sqlalchemy as sa

from bot.store.database import Database, insert
from bot.store.tables import budgets

WINDOW = 60.0
CLOCK = {
    "postgresql": sa.extract("epoch", sa.func.clock_timestamp()),  # not now(), which stands still while a row is waited for
    "sqlite": (sa.func.julianday("now") - 2440587.5) * 86400.0,
}


class Budgets:
    """`tat` is the moment at which all that was taken of a key is made up for (GCRA)."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def take(self, key: str, per_minute: float, burst: int, keep: int = 0) -> tuple[float, float]:
        """Take one call, and leave `keep`: the seconds to wait (0 when taken), and how many seconds what was taken is ahead."""
        return await self.db.write(lambda connection: take(connection, key, per_minute, burst, keep), hard=False)


def take(connection: sa.Connection, key: str, per_minute: float, burst: int, keep: int = 0) -> tuple[float, float]:
    gap = WINDOW / per_minute
    if keep >= burst:
        return gap, 0.0
    room = (burst - 1 - keep) * gap
    now = sa.cast(CLOCK[connection.dialect.name], sa.Float(53))
    later = sa.case((budgets.c.tat > now, budgets.c.tat), else_=now) + gap
    taken = budgets.update().where(budgets.c.key == key, budgets.c.tat <= now + room).values(tat=later).returning(budgets.c.tat - now)
    ahead = connection.execute(taken).scalar()
    if ahead is None:
        first = insert(connection, budgets).values(key=key, tat=now + gap).on_conflict_do_nothing()
        ahead = connection.execute(first.returning(budgets.c.tat - now)).scalar()
    if ahead is not None:
        return 0.0, float(ahead)
    ahead = float(connection.execute(sa.select(budgets.c.tat - now).where(budgets.c.key == key)).scalar_one())
    return max(ahead - room, 0.001), ahead
