"""The store: sessions, what waits for them, what was said, and what it cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from bot import clock
from bot.agent import Agent
from bot.errors import Forgotten, Superseded
from bot.event import Answered, Event, Finished, Improvement, Question, Text, Thought, Usage
from bot.message import Message
from bot.ports import Asked, Unread
from bot.session import Session
from bot.store import reports, rows
from bot.store.database import Database, insert, named
from bot.store.journal import SqlJournal
from bot.store.keep import SqlKeep
from bot.store.opinions import SqlOpinions
from bot.store.past import SqlPast
from bot.store.reports import SqlReports
from bot.store.tables import events, inbox, questions, sessions, turns
from bot.store.trials import SqlTrials

# What is asked again and again stands ready, as in the journal.
CURRENT = sa.select(sessions).where(sessions.c.thread == named("thread"), sessions.c.current).limit(1)
KNOWN = sa.select(inbox.c.id).where(inbox.c.id == named("id"))
_mine = sa.and_(sessions.c.id == named("id"), sessions.c.epoch == named("epoch"))
HOLD = sa.select(sessions.c.id).where(_mine).with_for_update()  # locked until this is written; SQLite has one writer anyway
_now = {"data": named("data"), "state": named("state"), "sequence": sessions.c.sequence + named("count"), "changed": named("changed")}
OWN = sessions.update().where(_mine).values(**_now).returning(sessions.c.sequence)
TOLD = events.insert()


class SqlStore(SqlJournal, SqlOpinions, SqlPast, SqlReports, SqlTrials):
    """Implements the ports Store and Journal."""

    def __init__(self, url: str) -> None:
        self.db = Database(url)
        self.replica = uuid4().hex

    @property
    def shared(self) -> bool:
        """Whether other replicas work on the same database."""
        return self.db.shared

    async def open(self, *, alone: bool = True) -> None:
        await self.db.open(alone=alone)

    async def close_all(self) -> None:
        await self.db.close()

    def keep(self, session_id: str) -> SqlKeep:
        return SqlKeep(self.db, session_id)

    # sessions

    async def session_in(self, thread: str) -> Session | None:
        return await self._session(CURRENT, {"its_thread": thread})

    async def session_of(self, thread: str, agent: str) -> Session | None:
        newest = sessions.c.changed.desc()
        return await self._session(
            sa.select(sessions).where(sessions.c.thread == thread, sessions.c.agent == agent).order_by(newest).limit(1)
        )

    async def load(self, session_id: str) -> Session:
        if found := await self._session(sa.select(sessions).where(sessions.c.id == session_id)):
            return found
        raise Forgotten

    async def _session(self, query: sa.Select[Any], given: Mapping[str, object] | None = None) -> Session | None:
        found = await self.db.read(query, given)
        return rows.session(found[0]) if found else None

    async def start(self, session: Session, message: Message | None = None) -> bool:
        def work(connection: sa.Connection) -> bool:
            if message and _heard(connection, message.id):
                return False
            connection.execute(sessions.update().where(sessions.c.thread == session.thread).values(current=False))
            row: dict[str, Any] = {"id": session.id, "thread": session.thread, "agent": session.agent, "asker": session.asker.id}
            row |= {"state": session.state, "current": True, "muted": False, "epoch": 0, "sequence": 0, "changed": clock.now()}
            connection.execute(sessions.insert().values(**row, data=rows.dump(rows.SESSION, session)))
            if message:
                connection.execute(_letter(session.id, message))
            return True

        return await self._once(work, message)

    async def mute(self, session_id: str, muted: bool) -> None:
        await self._do(sessions.update().where(sessions.c.id == session_id).values(muted=muted))

    async def sessions(self, limit: int = 20, person: str = "", live: bool = False, thread: str = "") -> list[Session]:
        query = sa.select(sessions).order_by(sessions.c.changed.desc()).limit(limit)
        query = query.where(sessions.c.asker == person) if person else query
        query = query.where(sessions.c.thread == thread) if thread else query
        query = query.where(sessions.c.state.in_(["submitted", "working", "input_required"])) if live else query
        return [rows.session(row) for row in await self.db.read(query)]

    async def threads(self, after: float) -> dict[str, float]:
        query = sa.select(sessions.c.thread, sa.func.max(sessions.c.changed).label("at")).where(sessions.c.changed > after)
        return {row.thread: row.at for row in await self.db.read(query.group_by(sessions.c.thread))}

    # the inbox

    async def put(self, session_id: str, message: Message) -> bool:
        def work(connection: sa.Connection) -> bool:
            if _heard(connection, message.id):
                return False
            connection.execute(_letter(session_id, message))
            mine = sessions.c.id == session_id
            if not connection.scalar(sa.select(sessions.c.current).where(mine)):
                thread = sa.select(sessions.c.thread).where(mine).scalar_subquery()
                connection.execute(sessions.update().where(sessions.c.thread == thread).values(current=sessions.c.id == session_id))
            return True

        return await self._once(work, message)

    async def heard(self, message_id: str) -> bool:
        return bool(await self.db.read(KNOWN, {"its_id": message_id}))

    async def asked_by(self, message_id: str) -> tuple[Session, Unread] | None:
        query = sa.select(inbox.c.turn, inbox.c.done, inbox.c.data.label("letter"), sessions).join(sessions).where(inbox.c.id == message_id)
        found = await self.db.read(query)
        return (rows.session(row := found[0]), Unread(rows.MESSAGE.validate_json(row.letter), row.turn, row.done)) if found else None

    async def read_by(self, session_id: str, turn: int) -> list[Message]:
        query = sa.select(inbox.c.data).where(inbox.c.session_id == session_id, inbox.c.turn == turn).order_by(inbox.c.at, inbox.c.id)
        return [rows.MESSAGE.validate_json(row.data) for row in await self.db.read(query)]

    async def release(self, session_id: str, epoch: int, message_ids: Sequence[str]) -> None:
        if message_ids:
            await self._do(inbox.update().where(inbox.c.id.in_(message_ids)).values(turn=0), (session_id, epoch))

    async def drop(self, message_ids: Sequence[str], owner: tuple[str, int] | None = None) -> None:
        await self._do(inbox.update().where(inbox.c.id.in_(message_ids)).values(done=True), owner)

    async def finish(self, session_id: str, epoch: int, turn: int) -> None:
        read = sa.and_(inbox.c.session_id == session_id, inbox.c.turn == turn)

        def work(connection: sa.Connection) -> None:
            _hold(connection, session_id, epoch)
            connection.execute(inbox.update().where(read).values(done=True))
            for row in connection.execute(sa.select(inbox.c.id, inbox.c.data).where(read, inbox.c.data.contains('"answer":{'))).all():
                letter = replace(rows.MESSAGE.validate_json(row.data), answer=None)  # it may hold a secret, and its text does not
                connection.execute(inbox.update().where(inbox.c.id == row.id).values(data=rows.dump(rows.MESSAGE, letter)))

        await self.db.write(work)

    async def unread(self, session_id: str) -> list[Unread]:
        query = sa.select(inbox).where(inbox.c.session_id == session_id, sa.not_(inbox.c.done)).order_by(inbox.c.at, inbox.c.id)
        return [Unread(rows.MESSAGE.validate_json(row.data), row.turn) for row in await self.db.read(query)]

    async def unfinished(self) -> list[str]:
        return [row.session_id for row in await self.db.read(sa.select(inbox.c.session_id).where(sa.not_(inbox.c.done)).distinct())]

    # turns

    async def begin(self, session_id: str) -> tuple[Session, int]:
        def work(connection: sa.Connection) -> tuple[Session, int]:
            mine = sessions.c.id == session_id
            connection.execute(sessions.update().where(mine).values(epoch=sessions.c.epoch + 1))
            row = connection.execute(sa.select(sessions).where(mine)).one()
            return rows.session(row), row.epoch

        return await self.db.write(work, hard=self.shared)  # on a file, a power cut ends whoever else may own it too

    async def take(self, session_id: str, epoch: int, session: Session, agent: Agent, message_ids: Sequence[str]) -> None:
        def work(connection: sa.Connection) -> None:
            _own(connection, epoch, session)
            connection.execute(inbox.update().where(inbox.c.id.in_(message_ids)).values(turn=session.number))
            row = {"session_id": session_id, "number": session.number, "agent": agent.name, "runtime": agent.runtime, "model": agent.model}
            row |= {"version": agent.version, "state": session.state, "began": clock.now(), "ended": 0.0}
            cost = {"input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "usd": 0.0}
            connection.execute(insert(connection, turns).values(**row, **cost).on_conflict_do_nothing())

        await self.db.write(work)

    async def save(self, epoch: int, session: Session, told: Sequence[Event], at: float) -> None:
        def work(connection: sa.Connection) -> None:
            after = _own(connection, epoch, session, len(told))
            for n, event in enumerate(told):
                kind = type(event).__name__
                row = {"session_id": session.id, "sequence": after + n, "turn": session.number, "at": at, "type": kind}
                connection.execute(TOLD, row | {"data": rows.dump(rows.EVENTS[kind], event)})
                if isinstance(event, Improvement):
                    connection.execute(reports.keep(session.id, after + n, session.number, at, event))
                _note(connection, session, event)
            if any(isinstance(event, Finished | Usage) for event in told):
                connection.execute(_account(session))

        await self.db.write(work)

    async def steps(self, session_id: str, turn: int) -> list[Event]:
        mine = sa.and_(events.c.session_id == session_id, events.c.turn == turn, events.c.type.not_in([Text.__name__, Thought.__name__]))
        told = [rows.told(row) for row in await self.db.read(sa.select(events).where(mine).order_by(events.c.sequence))]
        latest = {getattr(event, "call_id", f"#{n}"): event for n, event in enumerate(told)}
        return list(latest.values())

    # questions

    async def asked(self, session_id: str, question_id: str) -> Asked | None:
        mine = sa.and_(questions.c.session_id == session_id, questions.c.id == question_id)
        found = await self.db.read(sa.select(questions).where(mine))
        return rows.asked(found[0]) if found else None

    async def close(self, session_id: str, answered: Answered, message: Message | None = None) -> bool:
        def work(connection: sa.Connection) -> bool:
            if not _close(connection, session_id, answered):
                return False
            if message:
                connection.execute(_letter(session_id, message))
            return True

        return await self.db.write(work)

    async def overdue(self, at: float) -> list[Asked]:
        late = sa.and_(questions.c.outcome == "", questions.c.expires_at > 0, questions.c.expires_at <= at)
        return [rows.asked(row) for row in await self.db.read(sa.select(questions).where(late))]

    async def _once(self, work: Callable[[sa.Connection], bool], message: Message | None) -> bool:
        """False also where another replica was first, at this very moment, to keep the same message.

        A power cut loses only the end of what was written, so what loses this has not done with its delivery, and deals with it again.
        """
        try:
            return await self.db.write(work, hard=False)
        except sa.exc.IntegrityError:
            if message and await self.heard(message.id):
                return False
            raise

    async def _do(self, statement: sa.Update, owner: tuple[str, int] | None = None) -> None:
        def work(connection: sa.Connection) -> None:
            if owner:
                _hold(connection, *owner)
            connection.execute(statement)

        await self.db.write(work)


def _heard(connection: sa.Connection, message_id: str) -> bool:
    return connection.scalar(KNOWN, {"its_id": message_id}) is not None


def _letter(session_id: str, message: Message) -> sa.Insert:
    data = rows.dump(rows.MESSAGE, message)
    return inbox.insert().values(id=message.id, session_id=session_id, at=message.at, turn=0, done=False, data=data)


def _hold(connection: sa.Connection, session_id: str, epoch: int) -> None:
    if connection.scalar(HOLD, {"its_id": session_id, "its_epoch": epoch}) is None:
        raise Superseded(session_id)


def _own(connection: sa.Connection, epoch: int, session: Session, count: int = 0) -> int:
    """Write the state, if the epoch is still ours; the number of the first of `count` events that come with it."""
    given = {"its_id": session.id, "its_epoch": epoch, "its_data": rows.dump(rows.SESSION, session), "its_state": session.state}
    sequence = connection.scalar(OWN, given | {"its_count": count, "its_changed": clock.now()})
    if sequence is None:
        raise Superseded(session.id)
    return int(sequence) - count


def _note(connection: sa.Connection, session: Session, event: Event) -> None:
    """What an event means for the other tables."""
    match event:
        case Question():
            row = {"session_id": session.id, "id": event.id, "turn": session.number, "outcome": "", "expires_at": event.expires_at}
            row |= {"data": rows.dump(rows.QUESTION, event), "answered": ""}
            connection.execute(insert(connection, questions).values(**row).on_conflict_do_nothing())
        case Answered():
            _close(connection, session.id, event)
        case Finished(state):
            if state != "input_required":
                left = sa.and_(questions.c.session_id == session.id, questions.c.outcome == "")
                connection.execute(questions.update().where(left).values(outcome="lost"))
        case _:
            pass


def _close(connection: sa.Connection, session_id: str, answered: Answered) -> bool:
    still = sa.and_(questions.c.session_id == session_id, questions.c.id == answered.id, questions.c.outcome == "")
    values = {"outcome": answered.outcome, "answered": rows.dump(rows.ANSWERED, answered)}
    return connection.execute(questions.update().where(still).values(**values)).rowcount == 1


def _account(session: Session) -> sa.Update:
    used = session.usage
    figures = {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens, "cached_tokens": used.cached_tokens, "usd": used.usd}
    mine = sa.and_(turns.c.session_id == session.id, turns.c.number == session.number)
    return turns.update().where(mine).values(state=session.state, ended=session.ended, model=session.model or turns.c.model, **figures)
