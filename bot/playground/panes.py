"""Who looks, and at what; and what can stand beside the messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

Pieces = dict[str, str]


@dataclass(frozen=True, slots=True)
class Spot:
    """Who looks, and at what: `place` is a channel's id, home, messages or sessions; `thread` a root's ts; `at` a message's.

    `side` is a pane's name, and `tab` one of its tabs.
    """

    user: str = ""
    place: str = ""
    thread: str = ""
    side: str = ""
    at: str = ""
    tab: str = ""

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Self:
        names = ("as", "in", "thread", "side", "at", "tab")
        return cls(*(query.get(name, "") for name in names))

    def names(self) -> tuple[str, ...]:
        return (self.user, self.place, self.thread, self.side)


@dataclass(frozen=True, slots=True)
class Pane:
    """What `?side=NAME` shows: `draw` gives keyed pieces of escaped HTML; `static` are its own .css and .js of static/.

    A button `data-do="deed"` or a form `data-do-form="deed"` in it is sent to Deeds with its data or fields as JSON.
    """

    title: str
    sign: str
    draw: Callable[[Spot], Pieces]
    static: tuple[str, ...] = ()
