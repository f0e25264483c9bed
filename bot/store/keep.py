"""What runtimes keep of their sessions, for whichever replica has the next turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store.database import Database
from bot.store.tables import kept


@dataclass(frozen=True, slots=True)
class SqlKeep:
    """Implements the port Keep. What is appended at once is one row."""

    db: Database
    session_id: str

    async def load(self, key: str) -> list[str]:
        query = sa.select(kept.c.data).where(*self._mine(key)).order_by(kept.c.number)
        return [line for row in await self.db.read(query) for line in row.data.split("\n")]

    async def append(self, key: str, lines: Sequence[str]) -> None:
        """`lines` hold no line breaks."""
        text = "\n".join(lines).replace("\0", "")  # PostgreSQL takes none

        def work(connection: sa.Connection) -> None:
            last = connection.scalar(sa.select(sa.func.max(kept.c.number)).where(*self._mine(key))) or 0
            connection.execute(kept.insert().values(session_id=self.session_id, key=key, number=last + 1, data=text))

        if lines:
            await self.db.write(work, hard=False)

    def _mine(self, key: str) -> tuple[sa.ColumnElement[bool], ...]:
        return kept.c.session_id == self.session_id, kept.c.key == key
