"""What the stand-in saw of a thread: when it began, what was called for it, and its last word."""

import asyncio
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.stage import Stage
from bot.playground import Slack
from bot.playground.web import Call
from bot.store.database import parse

Json = dict[str, Any]
STATUS = ("agents.sessions.setStatus", "assistant.threads.setStatus")
CHAT = ("chat.postMessage", "chat.update")
STOP = re.compile(r"action_id\W+stop\W")


def delivered(slack: Slack) -> dict[str, float]:
    """When each message was first sent to the bot (monotonic seconds), by its ts."""
    found: dict[str, float] = {}
    for envelope in slack.envelopes:
        event = envelope.payload.get("event") or {}
        if envelope.sent_at and event.get("type") in ("message", "app_mention") and "ts" in event:
            found.setdefault(str(event["ts"]), envelope.sent_at[0])
    return found


def acknowledged(slack: Slack, first: int = 0) -> list[float]:
    """How long each acknowledgement took, from this envelope on; one that never came counts as the time it was waited for."""
    return [(each.acked_at or time.monotonic()) - each.sent_at[0] for each in slack.envelopes[first:] if each.sent_at]


def calls(slack: Slack, root: Json) -> list[Call]:
    """The calls for one thread that went well, oldest first."""
    return threads(slack).get(str(root["ts"]), [])


def threads(slack: Slack) -> dict[str, list[Call]]:
    """The calls that went well, oldest first, by the ts of the thread that they are for."""
    found, ours = dict[str, list[Call]](), dict[str, str]()
    for call in slack.calls:
        thread = call.args.get("thread_ts") or (ours.get(str(call.args.get("ts"))) if call.method == "chat.update" else None)
        if thread and call.response.get("ok"):
            found.setdefault(str(thread), []).append(call)
            if call.method == "chat.postMessage":
                ours[str(call.response.get("ts"))] = str(thread)
    return found


def final(slack: Slack, root: Json, words: str) -> float | None:
    """When these words were first shown with no more to come, so without the button to stop (monotonic seconds)."""
    return _last(calls(slack, root), words)


def finals(slack: Slack, roots: list[Json], words: str) -> list[float | None]:
    """The same of many threads; `words` have a place for the thread's number."""
    said = threads(slack)
    return [_last(said.get(str(root["ts"]), []), words.format(number)) for number, root in enumerate(roots)]


def _last(said: list[Call], words: str) -> float | None:
    for call in said:
        told = json.dumps([call.args.get("text"), call.args.get("blocks")])
        if call.method in CHAT and words in told and not STOP.search(told):
            return call.at
    return None


def refused(slack: Slack) -> int:
    """How many calls were refused because of Slack's limits."""
    return sum(call.status == 429 for call in slack.calls)


async def comes(place: Stage, query: str, many: int, seconds: float) -> float:
    """The moment at which this query first counts so many in the bot's database, or at which the time is over (monotonic seconds)."""
    return await asyncio.to_thread(_comes, place, sa.text(query), many, time.monotonic() + seconds)


def _comes(place: Stage, query: sa.TextClause, many: int, until: float) -> float:
    engine = sa.create_engine(parse(place.environment()["DATABASE_URL"]), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        while connection.execute(query).scalar_one() < many and time.monotonic() < until:
            time.sleep(0.02)
    return time.monotonic()


async def shown(slack: Slack, roots: list[Json], words: str, seconds: float) -> list[float]:
    """When people had the last word of each thread before them (monotonic seconds); or when the time was over.

    Of a few threads to a twentieth of a second; of very many coarser, since who looks keeps the stand-in from its work.
    """
    found, began, took = dict[int, float](), time.monotonic(), 0.0
    while len(found) < len(roots) and time.monotonic() < began + seconds:
        await asyncio.sleep(max(0.05, 10 * took))
        now = time.monotonic()
        found |= {n: now for n, root in enumerate(roots) if n not in found and answers(slack, root, words.format(n))}
        took = time.monotonic() - now
    return [found.get(n, time.monotonic()) for n in range(len(roots))]


def answers(slack: Slack, root: Json, words: str) -> int:
    """How many messages of this thread say that, with no more to come."""
    place = slack.world.channel(root["channel"])
    said = [place.messages[ts] for ts in place.threads.get(root["ts"], ()) if ts != root["ts"] and ts in place.messages]
    told = [json.dumps([each.get("text"), each.get("blocks")]) for each in said if each.get("user") == slack.bot]
    return sum(words in each and not STOP.search(each) for each in told)


def ends(database: Path) -> dict[str, float]:
    """When each thread's runtime ended (monotonic seconds), by the ts of its root."""
    query = "select thread, max(ended) from turns join sessions on sessions.id = turns.session_id where ended > 0 group by thread"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    ahead = time.time() - time.monotonic()
    return {thread.rpartition(":")[2]: ended - ahead for thread, ended in rows}
