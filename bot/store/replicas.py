"""The processes that share a database: who of them is alive, and what time it is for all."""

import time

import sqlalchemy as sa

from bot import clock
from bot.store.database import Database, insert
from bot.store.tables import replicas

BEAT, DEAD = 2.0, 10.0  # seconds between two signs of life; and without one, until a replica is taken for dead
NOW = sa.func.extract("epoch", sa.func.clock_timestamp())


async def beat(db: Database, replica: str, agents: str, *, first: bool) -> int:
    """Give a sign of life, and set the clock; how many other replicas have other agents than these (a hash of their files).

    A `first` one on a file is alone: whoever had it before is no more.
    """
    if db.shared:
        sent = time.time()
        told = (await db.read(sa.select(NOW)))[0][0]
        clock.agree(float(told), sent, time.time())

    def work(connection: sa.Connection) -> int:
        now = clock.now()
        if first and not db.shared:
            connection.execute(replicas.delete())
        row = {"seen": now, "agents": agents}
        connection.execute(insert(connection, replicas).values(id=replica, **row).on_conflict_do_update(index_elements=["id"], set_=row))
        connection.execute(replicas.delete().where(replicas.c.seen < now - 100 * DEAD))
        other = sa.and_(replicas.c.seen > now - DEAD, replicas.c.agents != agents)
        return int(connection.scalar(sa.select(sa.func.count()).select_from(replicas).where(other)) or 0)

    return await db.write(work, hard=False)


async def leave(db: Database, replica: str) -> None:
    """No more signs of life are to be waited for."""
    await db.write(lambda connection: connection.execute(replicas.delete().where(replicas.c.id == replica)).rowcount, hard=False)


async def alive(db: Database) -> int:
    """How many there are."""
    found = await db.read(sa.select(sa.func.count()).select_from(replicas).where(replicas.c.seen > clock.now() - DEAD))
    return int(found[0][0])
