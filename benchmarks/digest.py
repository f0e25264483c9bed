"""What the digest of many opinions takes: read from the database, and made into what an agent is told."""

import gc
import json
import tempfile
import time
from typing import Any

from benchmarks.rows import Row
from bot.improve.digest import digest
from bot.past import Fact
from bot.store.happened import SqlHappened
from bot.store.sql import SqlStore
from bot.store.tables import feedback, inbox, sessions, turns

MANY, AIM = 10_000, 1.0  # opinions, and seconds
AGENTS, PEOPLE, TIMES = 20, 300, 5  # how many there are of each, and how often each agent is told the same
SAID = [
    "It asks me to paste the ticket every time",
    "Too long",
    "It is wrong about the limits of plan",
    "The link is dead",
    "Took ages for",
]
Json = dict[str, Any]
ANSWER = "An answer of the usual length, which nobody reads for this. " * 40


async def measure(quick: bool) -> list[Row]:
    """What people ask and say repeats five times; an answer stands beside each."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-benchmark-") as folder:
        store = SqlStore(f"sqlite:///{folder}/frontdesk.db")
        await store.open()
        await store.db.write(lambda connection: [connection.execute(table.insert(), rows) for table, rows in _rows()])
        gc.collect()
        gc.freeze()  # as the bot does once it is connected
        began = time.monotonic()
        facts = await SqlHappened(store.db).facts(0.0)
        read = time.monotonic()
        text = _made(facts)
        made = time.monotonic()
        await store.close_all()
    assert len(facts) == 2 * MANY  # each opinion, and what was asked
    return [
        Row(f"digest of {MANY:,} opinions", f"{made - began:.2f} s", "", f"< {AIM:g} s", made - began < AIM),
        Row("… of that, reading / making it", f"{read - began:.2f} / {made - read:.2f} s"),
        Row("… its size", f"{len(text):,} characters"),
    ]


def _made(facts: list[Fact]) -> str:
    return digest(facts, (), 0.0, MANY, lambda thread: f"https://example.slack.com/archives/{thread}")


def _rows() -> list[tuple[Any, list[Json]]]:
    """A session of one turn, in which one thing was asked, with one opinion; so many times."""
    ids = [f"{n:08x}{'0' * 24}" for n in range(MANY)]
    whose = [f"agent-{n % AGENTS}" for n in range(MANY)]
    talks, runs, asks, said = list[Json](), list[Json](), list[Json](), list[Json]()
    for n, (id, agent) in enumerate(zip(ids, whose, strict=True)):
        thread, person = f"slack:T1:C{n % 50}:{n}.0", f"U{n % PEOPLE}"
        data = {"id": id, "agent": agent, "thread": thread, "asker": {"id": person}, "title": f"What about {n}?", "answer": ANSWER}
        talks.append({"id": id, "thread": thread, "agent": agent, "asker": person, "state": "completed", "current": True, "muted": False,
                      "epoch": 1, "sequence": 1, "changed": n, "data": json.dumps(data)})  # fmt: skip
        runs.append({"session_id": id, "number": 1, "agent": agent, "runtime": "echo", "model": "", "version": "v1", "state": "completed",
                     "began": n, "ended": n + 1, "input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "usd": 0.01})  # fmt: skip
        which = n // (AGENTS * TIMES)
        words = f"{SAID[n % len(SAID)]} {chr(97 + which % 26)}{chr(97 + which // 26)}"
        opinion = {"session_id": id, "turn": 1, "person": person, "rating": "bad", "reasons": ["wrong"], "text": words, "at": n + 1}
        ask = {"id": f"m{n}", "thread": thread, "channel": "C1", "author": {"id": person}, "text": f"What about {words}?", "at": n}
        asks.append({"id": f"m{n}", "session_id": id, "at": n + 1, "turn": 1, "done": True, "data": json.dumps(ask)})
        said.append({"session_id": id, "turn": 1, "person": person, "agent": agent, "at": n + 1, "data": json.dumps(opinion)})
    return [(sessions, talks), (turns, runs), (inbox, asks), (feedback, said)]
