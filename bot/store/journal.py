"""What came in and what went out: deliveries and posts."""

from collections import Counter
from collections.abc import Collection, Mapping
from uuid import uuid4

import sqlalchemy as sa

from bot import clock
from bot.journal import Delivery, Post
from bot.session import OVER
from bot.store import rows
from bot.store.database import Database, either, insert, named
from bot.store.replicas import DEAD
from bot.store.tables import deliveries, marks, posts, replicas, sessions

OWED, LOOKED = "owed:", "looked"  # from when on Slack's history has to be looked through, by whoever; and until when it was
ECHO = "echo"  # when a message of ours last came back, to any replica
LEADS = "leads:"  # whose name stands behind it looks for all
TIMED = deliveries.c.lane != deliveries.c.key  # what was said in a thread: its time is Slack's, that of a command is ours

# What is asked for each event stands ready: to make it anew takes eight times as long as to have it done.
_waits = sa.select(deliveries.c.key).where(deliveries.c.lane == named("lane"), sa.not_(deliveries.c.done))
_next = _waits.order_by(deliveries.c.at, deliveries.c.key).limit(1).scalar_subquery()
_free = sa.and_(deliveries.c.key == _next, deliveries.c.owner == "")
_begun = sa.or_(deliveries.c.done, deliveries.c.owner != "")  # who has it may have looked at the thread already
NEWER = sa.select(deliveries.c.key).where(deliveries.c.lane == named("lane"), deliveries.c.at > named("at"), _begun).limit(1)
RECEIVE = either(deliveries, lambda new: new.on_conflict_do_nothing().returning(deliveries.c.key))
CLAIM = deliveries.update().where(_free).values(owner=named("owner")).returning(*deliveries.c)
DONE = deliveries.update().where(deliveries.c.key == named("key")).values(done=True, body="")


def receive(connection: sa.Connection, delivery: Delivery) -> bool:
    row = {"key": delivery.key, "kind": delivery.kind, "at": delivery.at, "done": False, "body": delivery.body}
    row |= {"lane": delivery.lane or delivery.key, "owner": ""}
    same = row | {"key": delivery.same, "lane": delivery.same, "done": True, "body": ""}
    return (not delivery.same or _received(connection, same)) and _received(connection, row)


def _received(connection: sa.Connection, row: Mapping[str, object]) -> bool:
    return connection.execute(RECEIVE[connection.dialect.name], row).first() is not None


class SqlJournal:
    """Implements the port Journal."""

    db: Database
    replica: str  # the name of this process among those that share the database

    async def receive(self, delivery: Delivery) -> bool:
        return await self.db.write(lambda connection: receive(connection, delivery))

    async def claim(self, lane: str) -> Delivery | None:
        # A transaction of its own, after the one that put something there or took something away: so one of the two sees the other's.
        def work(connection: sa.Connection) -> Delivery | None:
            row = connection.execute(CLAIM, {"its_lane": lane, "its_owner": self.replica}).first()
            return rows.delivery(row) if row else None

        return await self.db.write(work, hard=False)

    async def overtaken(self, lane: str, at: float) -> bool:
        return bool(await self.db.read(NEWER, {"its_lane": lane, "its_at": at}))

    async def done(self, key: str) -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(DONE, {"its_key": key})

        await self.db.write(work, hard=False)  # after a power cut it is dealt with again, and what it said is known by its id

    async def adopt(self, busy: Collection[str] = ()) -> list[str]:
        """The lanes in which something waits for nobody, freed of owners that are no more, or never learnt that they own it."""
        ours = sa.and_(sa.not_(deliveries.c.done), deliveries.c.owner == self.replica)
        held = set(busy)
        alive = sa.select(replicas.c.id).where(replicas.c.seen > clock.now() - DEAD)
        lost = sa.and_(sa.not_(deliveries.c.done), deliveries.c.owner != "", deliveries.c.owner.not_in(alive))
        waiting = sa.select(deliveries.c.lane).where(sa.not_(deliveries.c.done), deliveries.c.owner == "").distinct()

        def work(connection: sa.Connection) -> list[str]:
            connection.execute(deliveries.update().where(lost).values(owner=""))
            had = connection.execute(sa.select(deliveries.c.key, deliveries.c.lane).where(ours))
            left = [row.key for row in had if row.lane not in held]
            connection.execute(deliveries.update().where(ours, deliveries.c.key.in_(left)).values(owner=""))
            return list(connection.scalars(waiting))

        return await self.db.write(work, hard=False)

    async def latest(self) -> float:
        newest = sa.select(sa.func.max(deliveries.c.at)).where(TIMED).scalar_subquery()
        owed = sa.select(sa.func.min(marks.c.at)).where(marks.c.key.startswith(OWED)).scalar_subquery()
        looked = sa.select(marks.c.at).where(marks.c.key == LOOKED).scalar_subquery()
        [row] = await self.db.read(sa.select(owed.label("owed"), looked.label("looked"), newest.label("newest")))
        return float(row.owed or max(row.looked or 0.0, row.newest or 0.0))

    async def owe(self, since: float) -> str:
        debt = f"{OWED}{uuid4().hex}"
        await self.db.write(lambda connection: connection.execute(marks.insert().values(key=debt, at=since)).rowcount)
        return debt

    async def debts(self) -> dict[str, float]:
        found = await self.db.read(sa.select(marks).where(marks.c.key.startswith(OWED)))
        return {row.key: row.at for row in found}

    async def echo(self, at: float = 0.0) -> float:
        if not at:
            found = await self.db.read(sa.select(marks.c.at).where(marks.c.key == ECHO))
            return float(found[0].at) if found else 0.0

        def work(connection: sa.Connection) -> float:
            row = insert(connection, marks).values(key=ECHO, at=at)
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"at": at}))
            return at

        return await self.db.write(work, hard=False)

    async def lead(self, seconds: float) -> bool:
        mine, now = f"{LEADS}{self.replica}", clock.now()
        alive = sa.select(sa.literal(LEADS).concat(replicas.c.id)).where(replicas.c.seen > now - DEAD)
        other = sa.and_(marks.c.key.startswith(LEADS), marks.c.key != mine, marks.c.key.in_(alive), marks.c.at > now)

        def work(connection: sa.Connection) -> bool:
            if seconds and connection.scalar(sa.select(marks.c.key).where(other)):
                return False
            connection.execute(marks.delete().where(marks.c.key.startswith(LEADS), sa.not_(other)))
            if seconds:
                connection.execute(marks.insert().values(key=mine, at=now + seconds))
            return bool(seconds)

        return await self.db.write(work, hard=False)

    async def settled(self, debts: Collection[str], until: float) -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(marks.delete().where(marks.c.key.in_(debts)))
            row = insert(connection, marks).values(key=LOOKED, at=until)
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"at": until}))

        await self.db.write(work, hard=False)

    async def ours(self, delivery_ids: Collection[str]) -> set[str]:
        return {row.id for row in await self.db.read(sa.select(posts.c.id).where(posts.c.id.in_(delivery_ids)))}

    async def replies(self, threads: Collection[str]) -> Mapping[str, int]:
        lanes = {":".join(thread.rsplit(":", 2)[-2:]): thread for thread in threads}
        root = sa.literal("message:").concat(deliveries.c.lane)
        heard = sa.and_(deliveries.c.lane.in_(lanes), deliveries.c.key.startswith("message:"), deliveries.c.key != root)
        counted = sa.select(deliveries.c.lane, sa.func.count().label("many")).where(heard).group_by(deliveries.c.lane)
        found = Counter({lanes[row.lane]: row.many for row in await self.db.read(counted)})
        own = sa.select(posts.c.thread, posts.c.ts).distinct().where(posts.c.thread.in_(threads), posts.c.ts != "")
        return found + Counter(row.thread for row in await self.db.read(own) if not row.thread.endswith(f":{row.ts}"))

    async def busy(self, threads: Collection[str]) -> set[str]:
        live = sa.and_(sessions.c.thread.in_(threads), sessions.c.state.not_in(OVER))
        return {row.thread for row in await self.db.read(sa.select(sessions.c.thread).where(live))}

    async def reserve(self, slot: str, session_id: str, thread: str) -> Post:
        def work(connection: sa.Connection) -> Post:
            row = {"slot": slot, "session_id": session_id, "thread": thread, "id": uuid4().hex, "ts": "", "shown": "", "at": clock.now()}
            connection.execute(insert(connection, posts).values(**row).on_conflict_do_nothing())
            return rows.post(connection.execute(sa.select(posts).where(posts.c.slot == slot)).one())

        return await self.db.write(work)

    async def sent(self, slot: str, ts: str, shown: str) -> str:
        same = sa.or_(posts.c.ts.in_(["", ts]), sa.literal(ts == ""))

        def work(connection: sa.Connection) -> str:
            connection.execute(posts.update().where(posts.c.slot == slot, same).values(ts=ts, shown=shown))
            return str(connection.scalar(sa.select(posts.c.ts).where(posts.c.slot == slot)) or "")

        return await self.db.write(work)

    async def holds(self, session_id: str, epoch: int) -> bool:
        """Whether the session is still ours; always, where nobody else can have it."""
        if not self.db.shared:
            return True
        return bool(await self.db.read(sa.select(sessions.c.id).where(sessions.c.id == session_id, sessions.c.epoch == epoch)))

    async def hold(self, post: Post, epoch: int) -> bool:
        if not self.db.shared:
            return True  # nobody else shows anything
        row = {"session_id": post.session_id, "thread": post.thread, "id": uuid4().hex, "ts": "", "shown": post.shown, "at": clock.now()}
        mine = sa.select(sessions.c.id).where(sessions.c.id == post.session_id, sessions.c.epoch == epoch).with_for_update()

        def work(connection: sa.Connection) -> bool:
            if connection.scalar(mine) is None:
                return False
            new = insert(connection, posts).values(slot=post.slot, **row)
            connection.execute(new.on_conflict_do_update(index_elements=["slot"], set_={"shown": post.shown}))
            return True

        return await self.db.write(work)

    async def posts(self, session_id: str) -> list[Post]:
        query = sa.select(posts).where(posts.c.session_id == session_id).order_by(posts.c.at)
        return [rows.post(row) for row in await self.db.read(query)]

    async def post_at(self, channel: str, ts: str) -> Post | None:
        here = sa.and_(posts.c.ts == ts, posts.c.thread.contains(f":{channel}:"))
        found = await self.db.read(sa.select(posts).where(here).limit(1))
        return rows.post(found[0]) if found else None
