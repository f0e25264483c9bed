"""What people have with the desk, and what its admins want to know of it: read for App Home."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bot.change import Proposal
from bot.glance import Moved, Opinion, Share, Waiting
from bot.session import Session
from bot.store import rows
from bot.store.database import Database
from bot.store.proposals import PROPOSAL
from bot.store.tables import THUMB, deliveries, feedback, inbox, posts, proposals, questions, sessions, turns

LIVE = ("submitted", "working", "input_required")
PROPOSALS = 50  # among which those are found that somebody may decide: each has the whole file
OWN = sessions.c.id.not_in(sa.select(inbox.c.session_id).where(inbox.c.id.between("proposal:", "proposal;")))
"""Not what the desk asked in a person's name, for a change of a file."""
GOOD, BAD = (feedback.c.data.contains(f'"rating":"{rating}"') for rating in ("good", "bad"))


class SqlSight:
    """Implements the port Sight."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def conversations(self, person: str, limit: int) -> list[Session]:
        order = (sa.case((sessions.c.state.in_(LIVE), 0), else_=1), sessions.c.changed.desc())
        mine = sa.and_(sessions.c.asker == person, OWN)
        first = sa.select(sessions.c.id).where(mine).order_by(*order).limit(limit)  # without what makes rows long
        return [rows.session(row) for row in await self.db.read(sa.select(sessions).where(sessions.c.id.in_(first)).order_by(*order))]

    async def waiting(self, person: str, agents: Sequence[str], limit: int) -> list[Waiting]:
        asked = sessions.c.data.contains(f'"by":{{"id":"{person}"', autoescape=True)
        mine = sa.or_(sessions.c.asker == person, asked, sessions.c.agent.in_(agents))
        found = sa.select(questions.c.data.label("question"), sessions).join(sessions)
        found = found.where(sessions.c.state == "input_required", questions.c.outcome == "", mine)
        order = (sa.case((sessions.c.asker == person, 0), else_=1), sessions.c.changed)
        read = await self.db.read(found.order_by(*order, questions.c.id).limit(limit))
        return [Waiting(rows.session(row), rows.QUESTION.validate_json(row.question)) for row in read]

    async def opinions(self, person: str, since: float, limit: int) -> list[Opinion]:
        slot = feedback.c.session_id + ":" + sa.cast(feedback.c.turn, sa.String) + ":_"  # a piece of the answer, and no file of it
        its = sa.and_(posts.c.session_id == feedback.c.session_id, posts.c.slot.like(slot), posts.c.ts != "")
        post = sa.select(posts.c.ts).where(its).order_by(posts.c.slot.desc()).limit(1).scalar_subquery()
        mine = sa.and_(feedback.c.person == person, feedback.c.at >= since, THUMB)
        found = sa.select(feedback.c.data.label("opinion"), post.label("post"), sessions).join(sessions).where(mine)
        read = await self.db.read(found.order_by(feedback.c.at.desc()).limit(limit))
        given = [(rows.FEEDBACK.validate_json(row.opinion), rows.session(row), row.post or "") for row in read]
        return [Opinion(opinion, session.thread, session.title, post) for opinion, session, post in given]

    async def used(self, person: str, since: float) -> Share:
        its = sa.and_(sessions.c.asker == person, sessions.c.changed >= since, turns.c.began >= since, OWN)
        found = await self.db.read(sa.select(*_figures()).select_from(turns.join(sessions)).where(its))
        return Share(person, *found[0])

    async def shares(self, since: float) -> list[Share]:
        spent = sa.select(turns.c.agent, *_figures()).where(turns.c.began >= since).group_by(turns.c.agent)
        thumbs = [sa.func.sum(sa.case((rating, 1), else_=0)) for rating in (GOOD, BAD)]
        rated = sa.select(feedback.c.agent, *thumbs).where(feedback.c.at >= since, THUMB).group_by(feedback.c.agent)
        used = {row.agent: tuple(row)[1:] for row in await self.db.read(spent)}
        liked = {row.agent: tuple(row)[1:] for row in await self.db.read(rated)}
        found = [Share(name, *used.get(name, (0, 0, 0.0)), *liked.get(name, ())) for name in used | liked]
        return sorted(found, key=lambda share: (-share.usd, -share.turns, share.name))

    async def stuck(self, limit: int) -> list[tuple[float, Session]]:
        oldest = sa.select(sessions).where(sessions.c.state.in_(("submitted", "input_required"))).order_by(sessions.c.changed).limit(limit)
        return [(row.changed, rows.session(row)) for row in await self.db.read(oldest)]

    async def proposals(self) -> list[Proposal]:
        shown = sa.select(proposals.c.data).where(proposals.c.state == "shown").order_by(proposals.c.at).limit(PROPOSALS)
        return [PROPOSAL.validate_json(row.data) for row in await self.db.read(shown)]

    async def held(self) -> Mapping[str, int]:
        kept = sa.select(deliveries.c.body).where(deliveries.c.kind == "held", sa.not_(deliveries.c.done))
        return Counter(json.loads(row.body)["agent"] for row in await self.db.read(kept))

    async def moved(self, after: float) -> list[Moved]:
        waits = sessions.c.state == "input_required"  # and then whoever asked last is waited for too
        whole = sa.case((waits, sessions.c.data), else_="").label("data")
        talks = sa.select(sessions.c.id, sessions.c.agent, sessions.c.asker, sessions.c.muted, whole).where(sessions.c.changed > after)
        rated = sa.select(feedback.c.person).where(feedback.c.at > after).distinct()
        found = [Moved(_people(row), row.id, row.agent, bool(row.data)) for row in await self.db.read(talks)]
        return found + [Moved(frozenset((row.person,))) for row in await self.db.read(rated)]


def _people(row: sa.Row[Any]) -> frozenset[str]:
    by = rows.session(row).by if row.data else None
    return frozenset((row.asker, *((by.id,) if by else ())))


def _figures() -> tuple[sa.ColumnElement[Any], ...]:
    failed = sa.func.coalesce(sa.func.sum(sa.case((turns.c.state == "failed", 1), else_=0)), 0)
    return sa.func.count(), failed, sa.func.coalesce(sa.func.sum(turns.c.usd), 0.0)
