"""What was tried, and what people and judges think of it."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.past import Tried, Vote
from bot.store import rows
from bot.store.database import Database, insert
from bot.store.tables import trials, votes

TRIED: TypeAdapter[Tried] = TypeAdapter(Tried)
VOTE: TypeAdapter[Vote] = TypeAdapter(Vote)


class SqlTrials:
    """Implements the port Trials."""

    db: Database

    async def keep_trial(self, tried: Tried) -> None:
        row = {"agent": tried.agent, "old_version": tried.old_version, "new_version": tried.new_version, "at": tried.at}
        row |= {"usd": tried.usd, "data": rows.dump(TRIED, tried)}

        def work(connection: sa.Connection) -> None:
            made = insert(connection, trials).values(id=tried.id, **row)
            connection.execute(made.on_conflict_do_update(index_elements=["id"], set_=row))
            for vote in tried.votes:
                _prefer(connection, tried.id, vote)

        await self.db.write(work)

    async def trial(self, id: str) -> Tried | None:
        found = await self._voted(sa.select(trials).where(trials.c.id == id))
        return found[0] if found else None

    async def trials(self, agent: str = "", limit: int = 100) -> list[Tried]:
        query = sa.select(trials).order_by(trials.c.at.desc()).limit(limit)
        return await self._voted(query.where(trials.c.agent == agent) if agent else query)

    async def between(self, agent: str, old: str, new: str) -> Tried | None:
        its = sa.and_(trials.c.agent == agent, trials.c.old_version == old, trials.c.new_version == new)
        found = await self._voted(sa.select(trials).where(its).order_by(trials.c.at.desc()).limit(1))
        return found[0] if found else None

    async def trying(self, agent: str, since: float) -> float:
        """What an agent's trials have cost since then (Unix seconds), in US dollars."""
        total = sa.select(sa.func.sum(trials.c.usd)).where(trials.c.agent == agent, trials.c.at >= since)
        return float((await self.db.read(total))[0][0] or 0.0)

    async def prefer(self, trial_id: str, vote: Vote) -> None:
        await self.db.write(lambda connection: _prefer(connection, trial_id, vote))

    async def _voted(self, query: sa.Select[Any]) -> list[Tried]:
        found = [TRIED.validate_json(row.data) for row in await self.db.read(query)]
        given = await self.db.read(sa.select(votes).where(votes.c.trial_id.in_([tried.id for tried in found])).order_by(votes.c.at))
        return [replace(tried, votes=tuple(VOTE.validate_json(row.data) for row in given if row.trial_id == tried.id)) for tried in found]


def _prefer(connection: sa.Connection, trial_id: str, vote: Vote) -> None:
    key = {"trial_id": trial_id, "run": vote.run, "voter": vote.by}
    value = {"at": vote.at, "data": rows.dump(VOTE, vote)}
    made = insert(connection, votes).values(**key, **value)
    connection.execute(made.on_conflict_do_update(index_elements=list(key), set_=value))
