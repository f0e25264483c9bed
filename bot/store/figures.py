"""What whoever runs the bot asks of the database."""

import sqlalchemy as sa

from bot import clock
from bot.store.database import Database, insert
from bot.store.migrations import HEAD
from bot.store.replicas import alive
from bot.store.tables import marks, questions

REACHED = "reached"  # when the database was last found to take what is written
VERSION: sa.Select[tuple[str]] = sa.select(sa.literal_column("version_num")).select_from(sa.table("alembic_version"))


async def reach(db: Database) -> str:
    """Why nothing can be kept, in words; empty where it can. Raises StoreFailed with the same."""

    def work(connection: sa.Connection) -> int:
        row = insert(connection, marks).values(key=REACHED, at=clock.now())
        return connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"at": clock.now()})).rowcount

    await db.write(work, hard=False)
    return ""


async def schema(db: Database) -> str:
    """Whether it is older than this version needs; a newer one is that of an upgrade under way."""
    found = await db.read(VERSION)
    version = str(found[0][0]) if found else "none"
    return f"the database has schema {version}, and this frontdesk needs {HEAD}" if not found or version < HEAD else ""


async def counted(db: Database) -> tuple[int, int]:
    """How many questions wait for a person, and how many processes serve this database."""
    found = await db.read(sa.select(sa.func.count()).select_from(questions).where(questions.c.outcome == ""))
    return int(found[0][0]), await alive(db)
