"""The time that all replicas agree on: this machine's, put right by the database's."""

import time

_ahead = 0.0  # seconds that the database's clock is ahead of this machine's


def now() -> float:
    """Unix seconds."""
    return time.time() + _ahead


def midnight() -> float:
    """When today began, in UTC (Unix seconds)."""
    at = now()
    return at - at % 86400


def agree(theirs: float, sent: float, got: float) -> float:
    """Take the database's time, which it told between `sent` and `got` by this machine's clock; how far that one is ahead."""
    global _ahead
    _ahead = theirs - (sent + got) / 2
    return _ahead
