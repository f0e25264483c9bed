"""What stands behind a fault: all that is known of its threads, written down before it is gone."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.playground.things import Json
from bot.store.database import parse
from bot.store.tables import deliveries, events, inbox, marks, posts, questions, replicas, sessions, turns

from .fleet import Replica
from .people import People

SHORT = 600  # characters of what Slack was told, or told
JOBS = sa.table("procrastinate_jobs", sa.column("lock"))


def gather(people: People, wrong: Sequence[str], replica: Replica, path: Path) -> str:
    """Write what the database, the stand-in and the replicas' log have of the threads that are named in what is `wrong`; where."""
    asks = [ask for ask in people.asks if any(ask.token in one or (ask.root["ts"] or ask.token) in one for one in wrong)]
    roots = {root["ts"]: root for ask in asks for root in people.roots(ask)}
    log = Path(replica.log.name).read_text(errors="replace").splitlines()
    engine = sa.create_engine(parse(replica.environment["DATABASE_URL"]))
    with engine.connect() as connection, path.open("w") as file:
        print(f"monotonic {time.monotonic():.3f} is {time.time():.3f}", *wrong, *asks, sep="\n", file=file)
        print(*_rows(connection, sa.select(replicas)), *_rows(connection, sa.select(marks)), sep="\n", file=file)
        for root in roots.values():
            sessions_here = list(connection.scalars(sa.select(sessions.c.id).where(sessions.c.thread.endswith(_place(root)))))
            print(f"\n===== {_place(root)}", *_kept(connection, root, sessions_here), *_passed(people, root), sep="\n", file=file)
            print(*(line for line in log if any(id in line for id in sessions_here)), sep="\n", file=file)
    engine.dispose()
    return str(path)


def _kept(connection: sa.Connection, root: Json, ids: Sequence[str]) -> Iterator[str]:
    """The rows of one thread."""
    yield from _rows(connection, sa.select(sessions).where(sessions.c.id.in_(ids)))
    for table in (inbox, turns, questions, events):
        yield from _rows(connection, sa.select(table).where(table.c.session_id.in_(ids)))
    if connection.dialect.name == "postgresql":
        yield from _rows(connection, sa.select(sa.text("*")).select_from(JOBS).where(JOBS.c.lock.in_(ids)))
    yield from _rows(connection, sa.select(posts).where(posts.c.thread.endswith(_place(root)) | posts.c.session_id.in_(ids)))
    ours = deliveries.c.lane.endswith(_place(root)) | deliveries.c.key.contains(root["ts"]) | deliveries.c.body.contains(root["ts"])
    yield from _rows(connection, sa.select(deliveries).where(ours).order_by(deliveries.c.at))


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[str]:
    yield f"-- {query.get_final_froms()[0]}"
    yield from (str(dict(row)) for row in connection.execute(query).mappings())


def _passed(people: People, root: Json) -> Iterator[str]:
    """What was delivered of one thread, and what was called for it; times in monotonic seconds."""
    said = [message["ts"] for message in people.slack.thread(root)]
    yield "-- envelopes"
    for one in people.slack.envelopes:
        if any(ts in str(one.payload) for ts in said):
            what = one.payload.get("event") or {"type": one.payload.get("type") or one.type}
            how = f"{one.state}, {one.attempts} attempts, sent {one.sent_at} over {one.links}, acked {one.acked_at}"
            yield f"{one.at:.3f} {how}: {str(what)[:SHORT]}"
    yield "-- calls"
    for call in people.slack.calls:
        if any(ts in str(call.args) for ts in said):
            yield f"{call.at:.3f} {call.method} {str(call.args)[:SHORT]} -> {call.status} {str(call.response)[:SHORT]}"


def _place(root: Json) -> str:
    return f"{root['channel']}:{root['ts']}"
