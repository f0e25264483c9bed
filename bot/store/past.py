"""Turns that are over: what was asked, the answer, how it ended, what it cost, and what people thought of it."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from bot.event import Event, Finished, Question, Text, Usage
from bot.message import Message
from bot.past import Past
from bot.ports import Feedback
from bot.session import Session
from bot.store import rows
from bot.store.database import Database
from bot.store.tables import THUMB, events, feedback, inbox, questions, sessions, turns

TELLING = (Text.__name__, Question.__name__, Usage.__name__, Finished.__name__)
SAID_BY_US = ("stop", "answer")  # what came while it ran, and is not what was asked
OVER = sa.select(turns).where(turns.c.ended > 0).order_by(turns.c.began.desc(), turns.c.session_id, turns.c.number.desc())
Turn = tuple[str, int]


class SqlPast:
    """Implements the port Memory."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def past(self, agent: str = "", since: float = 0.0, until: float = math.inf, limit: int = 1000) -> list[Past]:
        return await self._told(_over(agent, since, until, limit))

    async def turns(self, keys: Collection[Turn]) -> list[Past]:
        return await self._told(OVER.where(sa.tuple_(turns.c.session_id, turns.c.number).in_(keys)))

    async def _told(self, over: sa.Select[Any]) -> list[Past]:
        """These turns with all that was said in them."""
        found, chosen = await self.db.read(over), over.subquery()
        known = await self.db.read(
            sa.select(sessions.c.id, sessions.c.data, sessions.c.muted).where(sessions.c.id.in_(sa.select(chosen.c.session_id)))
        )
        talks = {row.id: rows.session(row) for row in known}
        asked = _gathered(await self.db.read(_of(chosen, inbox).order_by(inbox.c.at, inbox.c.id)))
        told = _gathered(await self.db.read(_of(chosen, events).where(events.c.type.in_(TELLING)).order_by(events.c.sequence)))
        rated = _gathered(await self.db.read(_of(chosen, feedback).where(THUMB).order_by(feedback.c.at)))
        return [
            _past(
                row, talks[row.session_id],
                [rows.MESSAGE.validate_json(letter.data) for letter in asked[row.session_id, row.number]],
                [rows.told(event) for event in told[row.session_id, row.number]],
                [rows.FEEDBACK.validate_json(one.data) for one in rated[row.session_id, row.number]],
            )
            for row in found
            if row.session_id in talks  # else it was pruned at this moment
        ]  # fmt: skip

    async def figures(self, agent: str = "", since: float = 0.0, limit: int = 20_000) -> list[Past]:
        over = _over(agent, since, math.inf, limit)
        found, chosen = await self.db.read(over), over.subquery()
        rated = _gathered(await self.db.read(_of(chosen, feedback).where(THUMB)))
        waited = _gathered(await self.db.read(_of(chosen, questions)))
        return [_bare(row, rated[row.session_id, row.number], bool(waited[row.session_id, row.number])) for row in found]


def _over(agent: str, since: float, until: float, limit: int) -> sa.Select[Any]:
    over = OVER.where(turns.c.began >= since, turns.c.began < until).limit(limit)
    return over.where(turns.c.agent == agent) if agent else over


def _of(chosen: sa.Subquery, table: sa.Table) -> sa.Select[Any]:
    """What a table has of these turns."""
    mine = sa.and_(table.c.session_id == chosen.c.session_id, table.c.turn == chosen.c.number)
    return sa.select(table).join(chosen, mine)


def _gathered(found: Iterable[sa.Row[Any]]) -> dict[Turn, list[sa.Row[Any]]]:
    by: dict[Turn, list[sa.Row[Any]]] = defaultdict(list)
    for row in found:
        by[row.session_id, row.turn].append(row)
    return by


def _past(row: sa.Row[Any], session: Session, letters: Sequence[Message], told: Sequence[Event], rated: Sequence[Feedback]) -> Past:
    asked = [letter for letter in letters if letter.door not in SAID_BY_US] or list(letters)
    last = asked[-1] if asked else None
    text = "\n\n".join(letter.text for letter in asked if letter.text.strip())
    reasons = [reason for one in rated for reason in (*one.reasons, one.text) if reason]
    return Past(
        session.id, row.number, row.agent, row.version, row.runtime, session.thread, last.author.id if last else session.asker.id,
        text, _answer(session, row.number, told), row.state, next((event.reason for event in told if isinstance(event, Finished)), ""),
        row.usd - _afterwards(told), row.ended - row.began, row.began,
        sum(one.rating == "good" for one in rated), sum(one.rating == "bad" for one in rated), tuple(dict.fromkeys(reasons)),
        row.model, session.channel, last.door if last else "", session.private,
        any(isinstance(event, Question) for event in told), tuple(file.name for letter in asked for file in letter.files),
    )  # fmt: skip


def _afterwards(told: Sequence[Event]) -> float:
    """What it cost to ask, when the turn was over, what would have helped (report)."""
    over = max((place for place, event in enumerate(told) if isinstance(event, Finished)), default=len(told))
    return sum(event.usd for event in told[over:] if isinstance(event, Usage))


def _answer(session: Session, number: int, told: Sequence[Event]) -> str:
    """The newest turn's stands in its session; that of an older one is put together again."""
    if number == session.number:
        return session.answer
    before = Session(session.id, session.agent, session.thread, session.asker)
    return before.fold([event for event in told if isinstance(event, Text)], 0.0).answer


def _bare(row: sa.Row[Any], rated: Sequence[sa.Row[Any]], waited: bool) -> Past:
    """Without words, whoever said them."""
    bad = sum(rows.FEEDBACK.validate_json(one.data).rating == "bad" for one in rated)
    return Past(
        row.session_id, row.number, row.agent, row.version, row.runtime, "", "", "", "", row.state, "", row.usd, row.ended - row.began,
        row.began, len(rated) - bad, bad, model=row.model, waited=waited,
    )  # fmt: skip
