"""What the stand-in saw of a thread: when it began, what was called for it, and its last word."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.playground import Slack
from bot.playground.web import Call

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
    ts, ours = str(root["ts"]), set()
    found = []
    for call in slack.calls:
        here = call.args.get("thread_ts") == ts or (call.method == "chat.update" and call.args.get("ts") in ours)
        if here and call.response.get("ok"):
            found.append(call)
            if call.method == "chat.postMessage":
                ours.add(str(call.response.get("ts")))
    return found


def final(slack: Slack, root: Json, words: str) -> float | None:
    """When these words were first shown with no more to come, so without the button to stop (monotonic seconds)."""
    for call in calls(slack, root):
        told = json.dumps([call.args.get("text"), call.args.get("blocks")])
        if call.method in CHAT and words in told and not STOP.search(told):
            return call.at
    return None


def refused(slack: Slack) -> int:
    """How many calls were refused because of Slack's limits."""
    return sum(call.status == 429 for call in slack.calls)


def ends(database: Path) -> dict[str, float]:
    """When each thread's runtime ended (monotonic seconds), by the ts of its root."""
    query = "select thread, max(ended) from turns join sessions on sessions.id = turns.session_id where ended > 0 group by thread"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    ahead = time.time() - time.monotonic()
    return {thread.rpartition(":")[2]: ended - ahead for thread, ended in rows}
