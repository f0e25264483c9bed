"""What went well and what went wrong in turns, fact by fact, for whoever looks for what repeats."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import sqlalchemy as sa
from pydantic_core import from_json

from bot.event import DENY, Answered, Event, Finished, Question, Step
from bot.past import Fact, same
from bot.store import rows
from bot.store.database import Database
from bot.store.tables import THUMB, events, feedback, inbox, reports, sessions, turns

TURN = (turns.c.session_id, turns.c.number, turns.c.agent, turns.c.usd, turns.c.state)
TABLES = (feedback, reports, events, inbox)
ITS = {table: sa.and_(turns.c.session_id == table.c.session_id, turns.c.number == table.c.turn) for table in TABLES}
TELLING = sa.or_(
    events.c.type.in_([Question.__name__, Answered.__name__]),
    sa.and_(events.c.type == Finished.__name__, turns.c.state.in_(["failed", "rejected", "canceled"])),
    sa.and_(events.c.type == Step.__name__, events.c.data.contains('"status":"denied"')),
)
KINDS: Mapping[str, Literal["failed", "stopped"]] = {"failed": "failed", "rejected": "failed", "canceled": "stopped"}
FIRST = turns.c.number == 1
PEOPLE = ("mention", "message", "command", "shortcut")  # the doors by which they begin one, where others are
Talk = tuple[str, str, str, bool]
GROUP = 500  # sessions that are read at once


class SqlHappened:
    """Implements the port Happened."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def facts(self, since: float) -> list[Fact]:
        told = [*await self._opinions(since), *await self._reports(since), *await self._trouble(since), *await self._wishes(since)]
        talks = await self._talks(sorted({fact.session_id for fact in told}))
        placed = [_placed(fact, talks[fact.session_id]) for fact in told]
        return [fact for fact in placed if fact.kind != "again" or fact.thread]  # its words are all there is of that

    async def ran(self, agent: str, session_id: str) -> float:
        mine = sa.and_(inbox.c.id.startswith(f"schedule:{agent}:", autoescape=True), turns.c.state == "completed")
        query = sa.select(sa.func.max(turns.c.began)).select_from(inbox).join(turns, ITS[inbox])
        return float((await self.db.read(query.where(mine, turns.c.session_id != session_id)))[0][0] or 0.0)

    async def _opinions(self, since: float) -> list[Fact]:
        found = await self.db.read(sa.select(feedback.c.data, *TURN).join(turns, ITS[feedback]).where(feedback.c.at > since, THUMB))
        facts = []
        for row in found:
            one = from_json(row.data)
            chosen = ", ".join(one.get("reasons", ()))
            text = ": ".join(filter(None, (chosen, one.get("text"))))
            told = {"usd": row.usd, "at": one["at"], "chosen": chosen}
            facts.append(Fact(one["rating"], row.agent, row.session_id, row.number, one["person"], text, **told))
        return facts

    async def _reports(self, since: float) -> list[Fact]:
        found = await self.db.read(sa.select(reports.c.data, reports.c.at, *TURN).join(turns, ITS[reports]).where(reports.c.at > since))
        facts = []
        for row in found:
            told = from_json(row.data)
            text = ": ".join(filter(None, (told.get("kind"), told.get("text"), told.get("evidence"))))
            kind = told.get("kind") or ""
            facts.append(Fact("report", row.agent, row.session_id, row.number, "", text, usd=row.usd, at=row.at, chosen=kind))
        return facts

    async def _trouble(self, since: float) -> list[Fact]:
        query = sa.select(events.c.type, events.c.data, events.c.at, *TURN).join(turns, ITS[events])
        found = await self.db.read(query.where(turns.c.ended > since, TELLING).order_by(events.c.session_id, events.c.sequence))
        asked: dict[tuple[str, str], Question] = {}
        facts: dict[Fact, None] = {}
        for row in found:
            event = rows.told(row)
            if isinstance(event, Question):
                asked[row.session_id, event.id] = event
            facts |= dict.fromkeys(_facts(row, event, asked))
        return list(facts)

    async def _wishes(self, since: float) -> list[Fact]:
        """What people have begun more than one conversation with."""
        found = await self.db.read(sa.select(inbox.c.data, inbox.c.at, *TURN).join(turns, ITS[inbox]).where(inbox.c.at > since, FIRST))
        read = [(row, from_json(row.data)) for row in found]
        said = [(row, message, (row.agent, same(message["text"]))) for row, message in read if message.get("door", "mention") in PEOPLE]
        often = Counter(key for _, _, key in said)
        return [
            Fact("again", row.agent, row.session_id, row.number, message["author"]["id"], message["text"], usd=row.usd, at=row.at)
            for row, message, key in said if often[key] > 1
        ]  # fmt: skip

    async def _talks(self, ids: Sequence[str]) -> dict[str, Talk]:
        """Of each session the thread, who asked, its title, and whether only they saw it; the whole would take ten times as long."""
        talks: dict[str, Talk] = {}
        for start in range(0, len(ids), GROUP):
            some = sa.select(sessions.c.id, sessions.c.thread, sessions.c.asker, sessions.c.data)
            for row in await self.db.read(some.where(sessions.c.id.in_(ids[start : start + GROUP]))):
                told = from_json(row.data)
                talks[row.id] = row.thread, row.asker, told.get("title", ""), bool(told.get("private"))
        return talks


def _facts(row: sa.Row[Any], event: Event, asked: dict[tuple[str, str], Question]) -> Iterable[Fact]:
    """What one event says of how a turn went. The same step is told again when it changes, and counts once."""
    fact = Fact("asked", row.agent, row.session_id, row.number, "", usd=row.usd)
    match event:
        case Question(kind="permission"):
            pass
        case Question(parts=parts):
            yield replace(fact, text=" ".join(part.text for part in parts), at=row.at)
        case Answered(id, answers=(word, *_)) if word == DENY and (question := asked.get((row.session_id, id))):
            yield replace(fact, kind="denied", text=question.detail or question.parts[0].text, at=row.at)
        case Step(title=title):
            yield replace(fact, kind="denied", text=title)
        case Finished(state, reason) if state in KINDS:
            yield replace(fact, kind=KINDS[state], text=reason if state != "canceled" else "", at=row.at)
        case _:
            pass


def _placed(fact: Fact, talk: Talk) -> Fact:
    """With whom it hit, where and in what."""
    thread, asker, title, private = talk
    placed = replace(fact, person=fact.person or asker, about=title, thread=thread)
    return placed.veiled if private else placed
