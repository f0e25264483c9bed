"""What App Home takes to be read: for a person, and for whoever runs the bot, where much has been asked this month."""

import tempfile
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from benchmarks.rows import Row, millis
from bot import clock
from bot.agent import Agent, parse
from bot.event import Event, Finished, Option, Part, Question, Started, Text, Usage
from bot.glance import Condition, Glances
from bot.message import Message, Person
from bot.ports import Feedback
from bot.session import Session
from bot.slack.views import home
from bot.store import rows
from bot.store.glances import SqlSight
from bot.store.sql import SqlStore
from bot.store.tables import feedback, questions, sessions, turns

PEOPLE, AGENTS, TIMES = 200, 20, 50
WAITS = Question("q1", "question", (Part("which", "Which?", (Option("Red"), Option("Blue"))),))
AIM = 0.1  # seconds for whoever opens it: then it stands there before anybody looks


async def measure(quick: bool) -> list[Row]:
    many = 2_000 if quick else 20_000
    agents = [parse(f"agent-{n}", "---\ndescription: Helps.\nruntime: echo\n---\n") for n in range(AGENTS)]
    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as folder:
        store = SqlStore(f"sqlite:///{folder}/frontdesk.db")
        await store.open()
        await store.db.write(lambda connection: _fill(connection, many, agents))
        glances = Glances(lambda: agents, SqlSight(store.db), _well)
        mine = await _look(glances, "member")
        all_, moved = await _look(glances, "admin"), await _moved(glances)
        await store.close_all()
    what = f"{many:,} sessions of {PEOPLE} people this month"
    return [
        Row(f"App Home of a person, {what}, p50 / p99", millis(mine, 50, 99), "", f"p99 < {AIM * 1000:.0f} ms", max(mine) < AIM),
        Row("… of whoever runs the bot, p50 / p99", millis(all_, 50, 99)),
        Row("… a look at what has changed for those who look, p50 / p99", millis(moved, 50, 99)),
    ]


async def _well() -> Condition:
    return {}, [], 1


async def _look(glances: Glances, kind: Any) -> list[float]:
    took = []
    for n in range(TIMES):
        began = time.perf_counter()
        home.render(await glances.look(Person(f"U{n}", f"Person {n}", kind)), "https://example.slack.com/")
        took.append(time.perf_counter() - began)
    return took


async def _moved(glances: Glances) -> list[float]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await glances.sight.moved(clock.now() - 10)
        took.append(time.perf_counter() - began)
    return took


def _fill(connection: sa.Connection, many: int, agents: list[Agent]) -> None:
    now = clock.now()
    made = [_session(n, agents[n % AGENTS].name, now) for n in range(many)]
    connection.execute(sessions.insert(), [_row(session, now - 60 * n) for n, session in enumerate(made)])
    connection.execute(turns.insert(), [_turn(session, number, now - 60 * n) for n, session in enumerate(made) for number in (1, 2, 3)])
    connection.execute(questions.insert(), list(_asked(made)))
    connection.execute(feedback.insert(), [_rated(session, now - 60 * n) for n, session in enumerate(made) if not n % 4])


def _session(n: int, agent: str, now: float) -> Session:
    by = Person(f"U{n % PEOPLE}", f"Person {n % PEOPLE}")
    first = Session(f"{n:032x}", agent, f"slack:T1:C1:{n}.0", by, "C1")
    said = Message(f"m{n}", first.thread, "C1", by, f"What of number {n}?", at=now)
    events: list[Event] = [Started("r1"), Text("word " * 400), Usage(usd=0.01), WAITS if not n % 100 else Finished("completed")]
    return first.begin([said]).fold(events, now)


def _row(session: Session, at: float) -> dict[str, Any]:
    row = {"id": session.id, "thread": session.thread, "agent": session.agent, "asker": session.asker.id, "state": session.state}
    return row | {"current": True, "muted": False, "epoch": 1, "sequence": 4, "changed": at, "data": rows.dump(rows.SESSION, session)}


def _turn(session: Session, number: int, at: float) -> dict[str, Any]:
    row = {"session_id": session.id, "number": number, "agent": session.agent, "runtime": "echo", "model": "", "version": "v1"}
    figures = {"input_tokens": 1000, "output_tokens": 100, "cached_tokens": 0, "usd": 0.01}
    return row | figures | {"state": session.state, "began": at, "ended": at}


def _asked(made: list[Session]) -> Iterator[dict[str, Any]]:
    for session in made:
        if session.open:
            data = rows.dump(rows.QUESTION, WAITS)
            yield {"session_id": session.id, "id": "q1", "turn": 1, "outcome": "", "expires_at": 0.0, "data": data, "answered": ""}


def _rated(session: Session, at: float) -> dict[str, Any]:
    given = Feedback(session.id, 1, session.asker.id, "good", agent=session.agent, at=at)
    row = {"session_id": session.id, "turn": 1, "person": given.person, "agent": session.agent, "at": at}
    return row | {"data": rows.dump(rows.FEEDBACK, given)}
