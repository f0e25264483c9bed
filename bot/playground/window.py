"""Which messages of a list somebody has before them: as many as a screen needs, however many there are."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from .feed import Watch
from .panes import Spot
from .things import Channel

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


class Order:
    """The messages that a channel itself shows, by ts, in order: kept from look to look, so that a look costs only what is new."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[list[str], int, str]] = {}

    def of(self, place: Channel) -> list[str]:
        keys, seen, last = self._kept.get(place.id, ([], 0, ""))
        fresh = len(place.messages) - seen
        newest = [*islice(reversed(place.messages), fresh + 1 if seen else fresh)] if fresh >= 0 else []
        if seen and (not newest or newest[-1] != last):  # something was deleted
            keys, newest = [], [*reversed(place.messages)]
        elif seen:
            newest.pop()
        keys += [ts for ts in reversed(newest) if _above(place.messages[ts])]
        self._kept[place.id] = (keys, len(place.messages), next(reversed(place.messages), ""))
        return keys


def _above(message: dict[str, object]) -> bool:
    """Whether a message is in the channel itself, not only in a thread."""
    return message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
