"""What a conversation has cost by Claude Code's own count, which its next process goes on with, whatever runtime that is begun by."""

import json
from collections.abc import Mapping
from glob import escape
from math import inf
from pathlib import Path

from bot import nofollow

MARK = b'"cost-state"'  # a line of the transcript that a process writes when it ends, and does not always get to write


def config(environment: Mapping[str, str]) -> Path:
    """Claude Code's folder, of a process that is begun with this."""
    return Path(environment.get("CLAUDE_CONFIG_DIR") or Path(environment["HOME"], ".claude"))


def counted(config: Path, session: str) -> float | None:
    """In US dollars; None where Claude Code keeps no such session there."""
    known = session and "/" not in session
    file = next(config.glob(f"projects/*/{escape(session)}.jsonl"), None) if known else None
    if file is None:
        return None
    told = [_total(line, session) for line in nofollow.lines(file) if MARK in line]
    return next((total for total in reversed(told) if total is not None), 0.0)


def _total(line: bytes, session: str) -> float | None:
    try:
        match json.loads(line):
            case {"type": "cost-state", "sessionId": of, "totalCostUSD": int() | float() as total} if of == session and 0 <= total < inf:
                return float(total)
    except ValueError:
        pass  # the line that was being written when the process died
    return None
