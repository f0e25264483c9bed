"""The record of what people did in the playground, with names instead of ids, so that it can be done again."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from inspect import BoundArguments, Signature, iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any

from .named import named_deed
from .names import Names
from .sights import Shown, Sights
from .things import Json

if TYPE_CHECKING:
    from .slack import Slack

# What people do, by the names of Slack's methods; and what is switched on behind the glass.
PEOPLE = (
    "say", "mention", "direct", "edit", "delete", "react", "unreact", "command", "shortcut", "press", "fill", "submit", "close", "suggest",
    "stop", "retitle", "open_home", "open_messages", "look", "join", "invite", "kick", "create", "rename", "archive",
    "regroup",
)  # fmt: skip
FURNITURE = ("add_person", "add_channel", "add_group")
FAULTS = (
    "fail", "forgive", "drop_sockets", "disconnect", "half_open", "refuse_sockets", "delay", "duplicate", "go_down", "expire_streams",
    "revoke", "grant",
)  # fmt: skip
RESET = "reset"
INSIDE: ContextVar[frozenset["Tape"]] = ContextVar("inside", default=frozenset())  # the tapes on which a deed is being done


@dataclass(frozen=True, slots=True)
class Row:
    """One deed: `deed` is the name of Slack's method, and `args` its other arguments by name, those left out that are as by default.

    `at` is in seconds since the tape began. `by` is a person's name; "" where nobody is meant, as with faults. In `args` a
    channel is "general" or "@ana" (her direct messages); `message`, `thread` and `view` are names as in `Names`: "m3", "m3.2",
    "modal:ana"; `files` are [name, content as bytes]. `made` is the name of the message that came of it. `before` is what had
    come into sight since the row before: the places that had changed ("m3" is the thread of m3, "modal:ana", "ana!"), each as
    it stood; None where there was nothing any more.
    """

    at: float
    deed: str
    by: str
    args: Json
    made: str = ""
    before: dict[str, Shown | None] = field(default_factory=dict)


class Tape:
    """`Tape(slack)` keeps what is done from now on in `rows`; who asks for it does not matter: the page, HTTP, or a test.

    `heard` is called with each row before the deed is done, `refused` when Slack would not let anybody do it: then it is no row.
    """

    def __init__(self, slack: "Slack") -> None:
        self.slack = slack
        self.names = Names(slack)
        self.sight = Sights(self.names)
        self.rows: list[Row] = []
        self.began = time.monotonic()
        self.heard: Callable[[Row], None] = _ignored
        self.refused: Callable[[Row], None] = _ignored
        self._before: dict[str, Shown] = {}
        self._scopes = set(slack.scopes)
        for deed in (*PEOPLE, *FURNITURE, *FAULTS):
            setattr(slack, deed, self._taped(deed, getattr(slack, deed)))

    def _taped(self, deed: str, method: Callable[..., Any]) -> Callable[..., Any]:
        how = signature(method)

        @wraps(method)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            given = _bound(how, args, kwargs)
            with self._kept(deed, given) as keep:
                return keep(await method(*given.args, **given.kwargs))

        @wraps(method)
        def called(*args: Any, **kwargs: Any) -> Any:
            given = _bound(how, args, kwargs)
            with self._kept(deed, given) as keep:
                return keep(method(*given.args, **given.kwargs))

        return awaited if iscoroutinefunction(method) else called

    def _begin(self, deed: str, given: BoundArguments) -> Row | None:
        """The row of a deed, which is about to be done; None for one that names what is not there, as Slack will say."""
        try:
            deed, by, named = named_deed(self.names, deed, given)
        except (ValueError, LookupError):
            return None
        now = self.sight.now()
        made = f"m{len(self.names.made) + 1}" if deed in ("say", "mention", "direct") else ""
        row = Row(time.monotonic() - self.began, deed, by, named, made, news(self._before, now))
        self._before = now
        self.rows.append(row)
        self.heard(row)
        return row

    def reset(self) -> None:
        """Take away what people and the app did, and all faults; people and channels stay, and what the app knows. Names begin anew."""
        self.heard(Row(time.monotonic() - self.began, RESET, "", {}))
        with self._inside():
            mend(self.slack, self._scopes)
        forget(self.slack)
        self.rows, self._before = [], {}
        self.names.clear()

    @contextmanager
    def _kept(self, deed: str, given: BoundArguments) -> Iterator[Callable[[Any], Any]]:
        """Around a deed: what it does by further deeds is no row of its own, and neither is one that is refused."""
        row = None if self in INSIDE.get() else self._begin(deed, given)

        def keep(result: Any) -> Any:
            if row is not None and row.made:
                self.names.keep(row.made, result)
            return result

        try:
            with self._inside():
                yield keep
        except (ValueError, LookupError, TypeError, AttributeError):
            if row in self.rows:
                self.rows.remove(row)
                self.refused(row)
            raise

    @contextmanager
    def _inside(self) -> Iterator[None]:
        before = INSIDE.set(INSIDE.get() | {self})
        try:
            yield
        finally:
            INSIDE.reset(before)


def mend(slack: "Slack", scopes: Iterable[str]) -> None:
    """End all faults that last, and give the scopes back."""
    for scope in scopes:
        slack.grant(scope)
    slack.forgive()
    slack.delay(0)
    slack.duplicate(False)
    slack.refuse_sockets(0)
    slack.go_down(0)


def forget(slack: "Slack") -> None:
    """Empty the workspace of all that was said and opened in it."""
    world = slack.world
    for place in world.channels.values():
        for said in (place.messages, place.roots, place.threads):
            said.clear()
    opened = (world.modals, world.inputs, world.offers, world.streams, world.slots, world.triggers, world.hooks)
    for kept in (*opened, world.ephemerals, world.files, world.prompts, world.contexts):
        kept.clear()
    world.views = {view.id: view for view in world.homes.values()}
    slack.calls.clear()
    world.hub.forget()
    world.feed.tell("reset")


def _bound(how: Signature, args: Sequence[Any], kwargs: Json) -> BoundArguments:
    """The arguments by name; what can be read only once is a list from here on."""
    given = how.bind(*args, **kwargs)
    given.apply_defaults()
    for name, value in given.arguments.items():
        given.arguments[name] = list(value) if isinstance(value, Iterator) else value
    return given


def _ignored(row: Row) -> None:
    """Nobody listens."""


def news(before: Mapping[str, Shown], now: Mapping[str, Shown]) -> dict[str, Shown | None]:
    """The places that differ, as they are now; None for those that are gone."""
    changed: dict[str, Shown | None] = {place: shown for place, shown in now.items() if before.get(place) != shown}
    return changed | dict.fromkeys(place for place in before if place not in now)
