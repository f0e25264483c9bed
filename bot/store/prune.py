"""What is taken out of the database because it was over long ago."""

from dataclasses import dataclass

import sqlalchemy as sa

from bot.change import SETTLED
from bot.session import OVER
from bot.store.database import Database
from bot.store.journal import TIMED
from bot.store.proposals import OPEN, left
from bot.store.tables import (
    deliveries,
    events,
    feedback,
    findings,
    inbox,
    kept,
    posts,
    proposals,
    questions,
    reports,
    sessions,
    trials,
    turns,
    votes,
)

AGAIN = 2 * 86400.0  # seconds for which a delivery is known again; Slack gives up after an hour or so
GROUP = 500  # sessions in one transaction: nobody who writes beside it waits for long
OWED = sa.and_(posts.c.slot.regexp_match("^(status|owed):"), posts.c.shown != "")  # what Slack is to be told still
COMPARED = posts.c.slot.regexp_match("^(compare|finding|trial|proposal|draft):")  # people vote for days, and take as long to decide
BELONGING = (events, turns, questions, feedback, reports, inbox, posts, kept)


@dataclass(frozen=True, slots=True)
class Pruned:
    """`sessions` are the ids of those that are no more, or would be."""

    sessions: tuple[str, ...]
    deliveries: int


async def look(db: Database, before: float) -> Pruned:
    """What `prune` would take out."""
    gone = await db.read(_over(before))
    old = await db.read(sa.select(sa.func.count()).select_from(deliveries).where(_delivered(before)))
    return Pruned(tuple(row.id for row in gone), int(old[0][0]))


async def prune(db: Database, before: float) -> Pruned:
    """Take out what was over before then (Unix seconds), with all that belongs to it; never what is open."""
    gone: list[str] = []
    while group := await db.write(lambda connection: _group(connection, before)):
        gone += group
    await db.write(lambda connection: _tried(connection, before), hard=False)
    return Pruned(tuple(gone), await delivered(db, before))


def _tried(connection: sa.Connection, before: float) -> None:
    """What was tried, compared, found and decided then, with all votes. What nobody has decided is left, and goes the next time."""
    old = sa.select(trials.c.id).where(trials.c.at < before)
    connection.execute(votes.delete().where(votes.c.trial_id.in_(old)))
    connection.execute(trials.delete().where(trials.c.at < before))
    connection.execute(proposals.delete().where(proposals.c.state.in_(SETTLED), proposals.c.at < before))
    for row in connection.execute(sa.select(proposals).where(proposals.c.at < before)).all():
        connection.execute(proposals.update().where(proposals.c.id == row.id, proposals.c.data == row.data).values(**left(row)))
    open = sa.select(proposals.c.finding).where(proposals.c.state.in_(OPEN))
    connection.execute(findings.delete().where(findings.c.at < before, findings.c.id.not_in(open)))
    connection.execute(posts.delete().where(COMPARED, posts.c.at < before))


async def delivered(db: Database, before: float) -> int:
    """Forget deliveries that were dealt with, and are older; how many there were."""

    def work(connection: sa.Connection) -> int:
        threads = sa.and_(posts.c.session_id == "", posts.c.at < before, sa.not_(OWED), sa.not_(COMPARED))  # each began one once
        connection.execute(posts.delete().where(threads))
        return connection.execute(deliveries.delete().where(_delivered(before))).rowcount

    return await db.write(work, hard=False)


def _delivered(before: float) -> sa.ColumnElement[bool]:
    newest = sa.select(sa.func.max(deliveries.c.at)).where(TIMED).scalar_subquery()  # from then on is looked for what nobody heard
    return sa.and_(deliveries.c.done, deliveries.c.at < before, sa.or_(sa.not_(TIMED), deliveries.c.at < newest))


def _over(before: float) -> sa.Select[tuple[str]]:
    """The sessions that were over by then, and have nothing left to read."""
    unread = sa.select(inbox.c.id).where(inbox.c.session_id == sessions.c.id, sa.not_(inbox.c.done)).exists()
    return sa.select(sessions.c.id).where(sessions.c.state.in_(OVER), sessions.c.changed < before, sa.not_(unread))


def _group(connection: sa.Connection, before: float) -> list[str]:
    ids = [row.id for row in connection.execute(_over(before).limit(GROUP))]
    for table in BELONGING:
        connection.execute(table.delete().where(table.c.session_id.in_(ids)))
    connection.execute(sessions.delete().where(sessions.c.id.in_(ids)))
    return ids
