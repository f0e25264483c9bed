"""The switches that make Slack misbehave: what each does, what should be seen then, and whether it is on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .faults import CUT, Fault
from .methods import METHODS
from .things import Json

if TYPE_CHECKING:
    from .slack import Slack

LONGEST, MOST = 600, 1000
Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Field:
    """What can be chosen for a switch: one of `options`, or without them a number from `least` to `most`."""

    name: str
    label: str
    start: str = ""
    options: Options = ()
    least: float = 1
    most: float = MOST

    def read(self, text: object) -> Any:
        """What was given, as it is meant. Raises ValueError with words for the person."""
        if self.options:
            if text not in [value for value, _ in self.options]:
                raise ValueError(f"{self.label}: there is no {text!r} to choose.")
            return text
        try:
            number = float(str(text))
        except ValueError:
            number = float("nan")
        if not self.least <= number <= self.most:
            raise ValueError(f"{self.label} must be a number from {self.least:g} to {self.most:g}.")
        return int(number) if number == int(number) else number


@dataclass(frozen=True, slots=True)
class Switch:
    """`does` and `seen` are a sentence each; `now` says how it is on, "" when it is off; `off` where there is something to undo."""

    title: str
    does: str
    seen: str
    verbs: Options  # the buttons: what is given as `verb`, and the words on it
    do: Callable[[Json], object]
    fields: tuple[Field, ...] = ()
    now: Callable[[], str] = lambda: ""
    off: Callable[[], object] = lambda: None


def given(switch: Switch, body: Json) -> Json:
    """What was filled in for a switch. Raises ValueError."""
    verb = Field("verb", switch.title, options=switch.verbs)
    return {each.name: each.read(body.get(each.name)) for each in (*switch.fields, verb)}


def switches(slack: "Slack") -> dict[str, Switch]:
    """All of them, by name, in the order of the page."""
    return {**_sockets(slack), **_deliveries(slack), **_answers(slack), **_rest(slack)}


def _sockets(slack: "Slack") -> dict[str, Switch]:
    hub = slack.world.hub
    reasons = tuple((each, each) for each in ("refresh_requested", "warning", "link_disabled"))

    def halves() -> str:
        dead = sum(link.dead for link in hub.links)
        return f"{dead} of {len(hub.links)} half open" if dead else ""

    def revive() -> None:
        for link in hub.links:
            link.dead = False

    return {
        "drop": Switch(
            "Drop the sockets", "Cuts each connection without a goodbye.",
            "The app connects again within seconds, and answers what was said meanwhile.",
            (("do", "Drop"),), lambda _: slack.drop_sockets(),
        ),
        "disconnect": Switch(
            "Ask to disconnect", "Sends a disconnect frame; after it a socket gets nothing more.",
            "The app opens another socket, whatever the reason, and nothing is lost.",
            (("do", "Send"),), lambda it: slack.disconnect(it["reason"]), (Field("reason", "Reason", "refresh_requested", reasons),),
        ),
        "half": Switch(
            "Half-open sockets", "The sockets stay open, but nothing comes, goes or is ponged any more.",
            "The app sees that its pings stay unanswered, connects again, and answers within about a minute what was said meanwhile.",
            (("do", "Half-open"),), lambda _: slack.half_open(), now=halves, off=revive,
        ),
        "refuse": Switch(
            "Refuse connections", "The next attempts to open a socket get HTTP 503.",
            "Drop the sockets too: the app keeps trying, and answers within about a minute what was said meanwhile.",
            (("do", "Refuse"),), lambda it: slack.refuse_sockets(it["times"]), (Field("times", "Attempts", "3"),),
            lambda: f"next {hub.refusals} refused" if hub.refusals else "", lambda: slack.refuse_sockets(0),
        ),
    }  # fmt: skip


def _deliveries(slack: "Slack") -> dict[str, Switch]:
    hub = slack.world.hub
    return {
        "delay": Switch(
            "Deliver late", "Everything is delivered late; the time for the acknowledgement runs from the beginning.",
            "Above 3 s people see that a click failed, and events come again, which must not be answered twice.",
            (("do", "Delay"),), lambda it: slack.delay(it["seconds"]), (Field("seconds", "Seconds", "2", least=0.1, most=60),),
            lambda: f"{hub.delay:g} s late" if hub.delay else "", lambda: slack.delay(0),
        ),
        "twice": Switch(
            "Deliver twice", "Everything is delivered twice.", "Each question is answered once, and each click counts once.",
            (("do", "Twice"),), lambda _: slack.duplicate(True), (),
            lambda: "everything comes twice" if hub.duplicate else "", lambda: slack.duplicate(False),
        ),
    }  # fmt: skip


def _answers(slack: "Slack") -> dict[str, Switch]:
    names = sorted([*METHODS, "response_url"])
    method = Field("method", "Method", "*", (("*", "any method"), *((each, each) for each in names)))
    times = Field("times", "Times", "3")
    errors = (("500", "500 internal_error"), ("502", "502 bad gateway"), ("503", "503 service_unavailable"))
    whens = (("before", "before the work is done"), ("after", "after the work is done"))
    limited, broken, cut = (lambda status: status == 429), (lambda status: status >= 500), (lambda status: status == CUT)

    def plans(which: Callable[[int], bool]) -> dict[str, Any]:
        return {"now": lambda: planned(slack, which), "off": lambda: forgive(slack, which)}

    return {
        "limit": Switch(
            "Rate limit", "The next calls get HTTP 429 with this Retry-After.",
            "The app waits so long before it calls that method again, and what it had to say comes later, in order.",
            (("do", "Limit"),), lambda it: slack.fail(it["method"], retry_after=it["wait"], times=it["times"]),
            (method, Field("wait", "Retry-After (s)", "5", least=0, most=LONGEST), times), **plans(limited),
        ),
        "break": Switch(
            "Server errors", "The next calls get this HTTP status, and nothing is done.",
            "The app tries again, and people see the message in the end, once.",
            (("do", "Break"),), lambda it: slack.fail(it["method"], status=int(it["status"]), times=it["times"]),
            (method, Field("status", "Status", "500", errors), times), **plans(broken),
        ),
        "cut": Switch(
            "Cut the connection", "The next calls get no answer at all; after the work is done, the app cannot know that it was.",
            "A message that was sent is found again rather than sent twice.",
            (("do", "Cut"),), lambda it: slack.fail(it["method"], status=CUT, after=it["when"] == "after", times=it["times"]),
            (method, Field("when", "When", "after", whens), times), **plans(cut),
        ),
    }  # fmt: skip


def _rest(slack: "Slack") -> dict[str, Switch]:
    world, had = slack.world, frozenset(slack.world.scopes)
    scopes = tuple((each, each) for each in sorted(had))

    def turned(it: Json) -> None:
        (slack.revoke if it["verb"] == "revoke" else slack.grant)(it["scope"])

    def granted() -> None:
        for scope in sorted(had - world.scopes):
            slack.grant(scope)

    def left() -> str:
        seconds = slack.faults.down_until - time.monotonic()
        return f"down for {seconds:.0f} s more" if seconds > 0 else ""

    return {
        "expire": Switch(
            "Expire streams", "All live streams die of old age now.", "The app goes on in a new message, and no word is lost.",
            (("do", "Expire"),), lambda _: slack.expire_streams(),
        ),
        "scope": Switch(
            "Scopes", "Takes a scope from the bot's token, or gives it back.",
            "Calls that need it get missing_scope, and the app says which scope an admin has to add.",
            (("revoke", "Revoke"), ("grant", "Grant")), turned, (Field("scope", "Scope", scopes[0][0] if scopes else "", scopes),),
            lambda: ", ".join(sorted(had - world.scopes)) and f"without {', '.join(sorted(had - world.scopes))}", granted,
        ),
        "down": Switch(
            "Go down", "Every request gets 503 for so long, and the sockets are cut now.",
            "The app comes back by itself, says what it had to say, and answers within about a minute what was said meanwhile.",
            (("do", "Go down"),), lambda it: slack.go_down(it["seconds"]), (Field("seconds", "Seconds", "60", most=LONGEST),),
            left, lambda: slack.go_down(0),
        ),
    }  # fmt: skip


def planned(slack: "Slack", which: Callable[[int], bool]) -> str:
    """What is still planned to fail, of those whose status is meant."""
    plans = [(name, fault) for name, faults in slack.faults.planned.items() for fault in faults if which(fault.status)]
    return ", ".join(f"next {fault.left} of {'any method' if name == '*' else name}: {_words(fault)}" for name, fault in plans)


def _words(fault: Fault) -> str:
    if fault.status == CUT:
        return f"cut {'after' if fault.after else 'before'} the work"
    wait = fault.headers.get("Retry-After")
    return f"HTTP {fault.status}" + (f", Retry-After {wait}" if wait else "")


def forgive(slack: "Slack", which: Callable[[int], bool]) -> None:
    """Take those planned faults away whose status is meant."""
    rest = {name: [fault for fault in faults if not which(fault.status)] for name, faults in slack.faults.planned.items()}
    if any(rest.values()):
        slack.faults.planned = rest
    else:
        slack.forgive()
