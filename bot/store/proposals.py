"""Proposals: other texts of agents' files, for as long as somebody writes or decides, and what came of each."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.change import Proposal
from bot.store import rows
from bot.store.database import Database
from bot.store.tables import proposals

PROPOSAL: TypeAdapter[Proposal] = TypeAdapter(Proposal)
OPEN = ("writing", "shown", "approved")
LEFT = "Nobody has decided it for too long; it can be proposed anew."


class Proposals:
    """Implements the port of that name."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def begin(self, proposal: Proposal) -> Proposal:
        same = sa.and_(proposals.c.finding == proposal.finding.id, proposals.c.state.in_(OPEN))

        def work(connection: sa.Connection) -> Proposal:
            if row := connection.execute(sa.select(proposals).where(same)).first():
                return _proposal(row)
            connection.execute(proposals.insert().values(**_row(proposal)))
            return proposal

        return await self.db.write(work)

    async def proposal(self, id: str) -> Proposal | None:
        found = await self.db.read(sa.select(proposals).where(proposals.c.id == id))
        return _proposal(found[0]) if found else None

    async def move(self, before: Proposal, after: Proposal) -> bool:
        mine = sa.and_(proposals.c.id == before.id, proposals.c.data == _row(before)["data"])
        values = _row(after)
        return await self.db.write(lambda connection: connection.execute(proposals.update().where(mine).values(**values)).rowcount == 1)

    async def written(self) -> list[Proposal]:
        found = await self.db.read(sa.select(proposals).where(proposals.c.state == "writing").order_by(proposals.c.at))
        return [_proposal(row) for row in found]


def _row(proposal: Proposal) -> dict[str, Any]:
    row = {"id": proposal.id, "agent": proposal.agent, "finding": proposal.finding.id, "state": proposal.state, "at": proposal.at}
    return row | {"data": rows.dump(PROPOSAL, proposal)}


def left(row: sa.Row[Any]) -> dict[str, Any]:
    """The row of one that nobody has decided for too long."""
    return _row(replace(_proposal(row), state="failed", outcome=LEFT))


def _proposal(row: sa.Row[Any]) -> Proposal:
    return PROPOSAL.validate_json(row.data)
