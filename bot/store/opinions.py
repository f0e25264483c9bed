"""What came of it: what people thought of the answers, and what those cost."""

from dataclasses import replace

import sqlalchemy as sa

from bot.errors import Forgotten
from bot.event import Usage
from bot.ports import Feedback
from bot.store import rows
from bot.store.database import Database, insert
from bot.store.tables import feedback, sessions, turns


class SqlOpinions:
    """A part of the port Store."""

    db: Database

    async def rate(self, given: Feedback) -> Feedback:
        def work(connection: sa.Connection) -> Feedback:
            mine = sa.and_(turns.c.session_id == given.session_id, turns.c.number == given.turn)
            row = connection.execute(sa.select(turns).where(mine)).first()
            if row is None and connection.scalar(sa.select(sessions.c.id).filter_by(id=given.session_id)) is None:
                raise Forgotten
            known = {key: getattr(row, key) for key in ("agent", "runtime", "model", "version")} if row else {}
            kept = Feedback(given.session_id, given.turn, given.person, given.rating, given.reasons, given.text, **known, at=given.at)
            key = {"session_id": kept.session_id, "turn": kept.turn, "person": kept.person}
            kept = _explained(kept, connection.scalar(sa.select(feedback.c.data).filter_by(**key)))
            value = {"agent": kept.agent, "at": kept.at, "data": rows.dump(rows.FEEDBACK, kept)}
            row_of = insert(connection, feedback).values(**key, **value)
            connection.execute(row_of.on_conflict_do_update(index_elements=list(key), set_=value))
            return kept

        return await self.db.write(work)

    async def unrate(self, session_id: str, turn: int, person: str) -> None:
        mine = sa.and_(feedback.c.session_id == session_id, feedback.c.turn == turn, feedback.c.person == person)
        await self.db.write(lambda connection: connection.execute(feedback.delete().where(mine)).rowcount)

    async def feedback(self, agent: str = "", limit: int = 100) -> list[Feedback]:
        query = sa.select(feedback).order_by(feedback.c.at.desc()).limit(limit)
        query = query.where(feedback.c.agent == agent) if agent else query
        return [rows.FEEDBACK.validate_json(row.data) for row in await self.db.read(query)]

    async def votes(self, session_id: str) -> int:
        given = await self.db.read(sa.select(feedback.c.data).where(feedback.c.session_id == session_id))
        read = [rows.FEEDBACK.validate_json(row.data) for row in given]
        return sum(one.rating == "good" and "compared" in one.reasons for one in read)

    async def spent(self, agent: str, since: float) -> Usage:
        figures = (turns.c.input_tokens, turns.c.output_tokens, turns.c.cached_tokens, turns.c.usd)
        query = sa.select(*(sa.func.coalesce(sa.func.sum(figure), 0) for figure in figures))
        return Usage(*(await self.db.read(query.where(turns.c.agent == agent, turns.c.began >= since)))[0])


def _explained(given: Feedback, before: str | None) -> Feedback:
    """The same opinion once more takes back no reason for it."""
    old = rows.FEEDBACK.validate_json(before) if before else given
    same = old.rating == given.rating and not (given.reasons or given.text)
    return replace(given, reasons=old.reasons, text=old.text) if same else given
