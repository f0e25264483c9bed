"""What repeats, and what people made of it: each changed by one at a time, among all replicas."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.found import Card, Hit, name
from bot.journal import Delivery
from bot.store import rows
from bot.store.database import Database, insert
from bot.store.journal import receive
from bot.store.tables import feedback, findings, inbox, sessions, turns

CARD: TypeAdapter[Card] = TypeAdapter(Card)
MOST = 200  # turns that are looked up at once


class Findings:
    """Implements the port Cards."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def cards(self, limit: int = 50) -> list[Card]:
        return [_card(row) for row in await self.db.read(sa.select(findings).order_by(findings.c.at.desc()).limit(limit))]

    async def card(self, id: str) -> Card | None:
        found = await self.db.read(sa.select(findings).where(findings.c.id == id))
        return _card(found[0]) if found else None

    async def change(
        self, ids: Collection[str], work: Callable[[Mapping[str, Card]], Sequence[Card]], delivery: Delivery | None = None
    ) -> list[Card]:
        mine = sa.select(findings).where(findings.c.id.in_(ids)).order_by(findings.c.id).with_for_update()

        def write(connection: sa.Connection) -> list[Card]:
            for id in sorted(ids):  # so that there is a row to hold, also for what two find at the same moment
                connection.execute(insert(connection, findings).values(id=id, at=0.0, data="").on_conflict_do_nothing())
            cards = list(work({row.id: _card(row) for row in connection.execute(mine) if row.data}))
            for card in cards:
                values = {"at": card.at, "data": rows.dump(CARD, card)}
                connection.execute(findings.update().where(findings.c.id == card.id).values(**values))
            connection.execute(findings.delete().where(findings.c.id.in_(ids), findings.c.data == ""))
            if delivery:
                receive(connection, delivery)
            return cards

        return await self.db.write(write, alone=True)

    async def hits(self, names: Collection[str]) -> dict[str, Hit]:
        """Whoever asked in a turn was hit, and whoever thought badly of its answer."""
        asked = {each: each.rpartition("-") for each in sorted(names)[:MOST]}
        wanted = [sa.and_(turns.c.session_id.startswith(id, autoescape=True), turns.c.number == int(number))
                  for id, _, number in asked.values() if id and number.isdecimal() and len(number) < 7]  # fmt: skip
        found = await self.db.read(
            sa.select(turns.c.session_id, turns.c.number, turns.c.agent, turns.c.usd, sessions.c.data, sessions.c.muted)
            .join(sessions, sessions.c.id == turns.c.session_id)
            .where(sa.or_(sa.false(), *wanted))
        )
        return {name(row.session_id, row.number): await self._hit(row) for row in found}

    async def _hit(self, row: sa.Row[Any]) -> Hit:
        session, here = rows.session(row), (row.session_id, row.number)
        said = sa.select(inbox.c.data).where(sa.tuple_(inbox.c.session_id, inbox.c.turn) == here)
        rated = sa.select(feedback.c.data).where(sa.tuple_(feedback.c.session_id, feedback.c.turn) == here)
        letters = [rows.MESSAGE.validate_json(each.data) for each in await self.db.read(said)]
        opinions = [rows.FEEDBACK.validate_json(each.data) for each in await self.db.read(rated)]
        people = {letter.author.id for letter in letters if letter.author.kind != "bot"} or {session.asker.id}
        people |= {opinion.person for opinion in opinions if opinion.rating == "bad"}
        thread = "" if session.private else session.thread
        return Hit(*here, row.agent, tuple(sorted(people - {""})), row.usd, thread)


def _card(row: sa.Row[Any]) -> Card:
    return CARD.validate_json(row.data)
