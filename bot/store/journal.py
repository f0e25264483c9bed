"""What came in and what went out: deliveries and posts."""

import time
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Delivery, Post
from bot.store import rows
from bot.store.database import Database
from bot.store.tables import deliveries, posts


class SqlJournal:
    """Implements the port Journal."""

    db: Database

    async def receive(self, delivery: Delivery) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            row = {"key": delivery.key, "kind": delivery.kind, "at": delivery.at, "done": False, "body": delivery.body}
            return (await connection.execute(insert(deliveries).values(**row).on_conflict_do_nothing())).rowcount == 1

        return await self.db.write(work)

    async def done(self, key: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(deliveries.update().where(deliveries.c.key == key).values(done=True, body=""))

        await self.db.write(work)

    async def waiting(self) -> list[Delivery]:
        query = sa.select(deliveries).where(sa.not_(deliveries.c.done)).order_by(deliveries.c.at)
        async with self.db.read() as connection:
            return [rows.delivery(row) for row in await connection.execute(query)]

    async def reserve(self, slot: str, session_id: str, thread: str) -> Post:
        async def work(connection: AsyncConnection) -> Post:
            row = {"slot": slot, "session_id": session_id, "thread": thread, "id": uuid4().hex, "ts": "", "shown": "", "at": time.time()}
            await connection.execute(insert(posts).values(**row).on_conflict_do_nothing())
            return rows.post((await connection.execute(sa.select(posts).where(posts.c.slot == slot))).one())

        return await self.db.write(work)

    async def sent(self, slot: str, ts: str, shown: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(posts.update().where(posts.c.slot == slot).values(ts=ts, shown=shown))

        await self.db.write(work)

    async def posts(self, session_id: str) -> list[Post]:
        async with self.db.read() as connection:
            return [
                rows.post(row)
                for row in await connection.execute(sa.select(posts).where(posts.c.session_id == session_id).order_by(posts.c.at))
            ]

    async def post_at(self, channel: str, ts: str) -> Post | None:
        here = sa.and_(posts.c.ts == ts, posts.c.thread.contains(f":{channel}:"))
        async with self.db.read() as connection:
            row = (await connection.execute(sa.select(posts).where(here))).first()
        return rows.post(row) if row else None
