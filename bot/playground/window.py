"""Which messages of a list somebody has before them: as many as a screen needs, however many there are."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from .feed import Watch
from .panes import Spot

SHOWN = 100  # messages of one list


@dataclass(slots=True)
class Eye:
    """One open page: `at` has the message around which each list is shown, "" for the newest; `watch` is to be woken when it moves."""

    spot: Spot
    watch: Watch
    at: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)  # by place: the last message that was read when the page came there


@dataclass(frozen=True, slots=True)
class Window:
    """The keys that are shown, and how many more there are on either side."""

    keys: Sequence[str]
    above: int
    below: int


def window(keys: Sequence[str], at: str = "") -> Window:
    """The part of sorted `keys` around `at`, or the end of them."""
    last = max(0, len(keys) - SHOWN)
    low = min(last, max(0, bisect_left(keys, at) - SHOWN // 2)) if at else last
    shown = keys[low : low + SHOWN]
    return Window(shown, low, len(keys) - low - len(shown))
