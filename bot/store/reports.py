"""What agents said would have helped them."""

from typing import cast

import sqlalchemy as sa

from bot.event import Improvement
from bot.past import Report
from bot.store import rows
from bot.store.database import Database
from bot.store.tables import reports, turns

KIND = Improvement.__name__


class SqlReports:
    """A part of the port Store."""

    db: Database

    async def reports(self, agent: str = "", since: float = 0.0, session_id: str = "", limit: int = 10_000) -> list[Report]:
        its = sa.and_(turns.c.session_id == reports.c.session_id, turns.c.number == reports.c.turn)
        query = sa.select(reports, turns.c.agent, turns.c.version).join(turns, its).where(reports.c.at >= since)
        query = query.where(turns.c.agent == agent) if agent else query
        query = query.where(reports.c.session_id == session_id) if session_id else query
        return [_report(row) for row in await self.db.read(query.order_by(reports.c.at.desc(), reports.c.sequence.desc()).limit(limit))]


def keep(session_id: str, sequence: int, turn: int, at: float, told: Improvement) -> sa.Insert:
    return reports.insert().values(session_id=session_id, sequence=sequence, turn=turn, at=at, data=rows.dump(rows.EVENTS[KIND], told))


def _report(row: sa.Row[tuple[object, ...]]) -> Report:
    told = cast(Improvement, rows.EVENTS[KIND].validate_json(row.data))
    return Report(row.agent, row.version, row.session_id, row.turn, told.kind, told.text, told.evidence, row.at)
