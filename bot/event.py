"""What a runtime may say while it works: a closed union, onto which every runtime's own events are mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

StepStatus = Literal["working", "completed", "failed", "denied"]
StepKind = Literal["read", "edit", "execute", "search", "fetch", "think", "agent", "other"]
QuestionKind = Literal["question", "permission", "form", "auth"]
Outcome = Literal["answered", "declined", "expired", "canceled", "lost"]
ImprovementKind = Literal["missing", "unclear", "slow", "denied", "other"]
End = Literal["completed", "input_required", "failed", "canceled", "rejected"]
MOST = 1 << 53  # tokens, or dollars


@dataclass(frozen=True, slots=True)
class Started:
    """The runtime has the work. `resume` is all that it needs to find it again, in another process too. `runtime` is its name."""

    resume: str
    native_id: str = ""
    model: str = ""
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer; `final` replaces all that was said before it since the turn's last Question."""

    text: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the agent's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call; sent again with the same `call_id` when it changes. `parent` is the call of the sub-agent it belongs to."""

    call_id: str
    title: str
    kind: StepKind = "other"
    status: StepStatus = "working"
    detail: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the plan."""

    text: str
    status: Literal["pending", "in_progress", "done"] = "pending"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the agent means to do: always the whole list."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a form. Without options, or with `free_text`, a person may type; `secret` is never shown again."""

    id: str
    text: str
    options: tuple[Option, ...] = ()
    header: str = ""
    multi: bool = False
    free_text: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """The agent needs a person. `detail` is exactly what would be done (a command, a file, arguments) if it is a permission.

    `id` is unique within the session. A permission has one part whose options are ALLOW, ALLOW_SESSION and DENY or some of them;
    where there are several ways to do it once, instead of ALLOW each of them, as `ALLOW: its name`.
    `expires_at` in Unix seconds; 0 never.
    """

    id: str
    kind: QuestionKind
    parts: tuple[Part, ...]
    detail: str = ""
    expires_at: float = 0.0


ALLOW, ALLOW_SESSION, DENY = "Allow once", "Allow for this session", "Deny"
APPROVE = "Approve"  # what lasts, as a schedule


def permission(id: str, text: str, detail: str, *, session: str = "", expires_at: float = 0.0) -> Question:
    """A permission to do exactly `detail`; `session` says what would be allowed for the rest of the session, if anything."""
    lasting = (Option(ALLOW_SESSION, session),) if session else ()
    return Question(id, "permission", (Part("decision", text, (Option(ALLOW), *lasting, Option(DENY))),), detail, expires_at)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question is closed: by a person, by time, or because nobody waits for it any more."""

    id: str
    outcome: Outcome
    by: str = ""
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that the agent made: a `path` on this machine, or a `url`."""

    name: str
    media_type: str = "application/octet-stream"
    path: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the work has cost since the last such event. Tokens; `usd` in US dollars, 0 where nobody knows."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    usd: float = 0.0
    source: Literal["gateway", "runtime"] = "runtime"

    def __post_init__(self) -> None:
        """A figure that is none (NaN, infinite, less than nothing) is nothing: neither it nor what it is added to could be kept."""
        for name in ("input_tokens", "output_tokens", "cached_tokens", "usd"):
            if not 0 <= getattr(self, name) < MOST:
                object.__setattr__(self, name, 0)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know that is not part of the answer."""

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Improvement:
    """What the agent says would have made its work easier: for those who look after it, not for the thread."""

    kind: ImprovementKind
    text: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """The turn waits for room, which the desk says: how many are before it, and about how many seconds that takes; 0 if nobody can tell."""

    ahead: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every turn. `reason` is for the person, in words."""

    state: End
    reason: str = ""
    error: str = ""


Event = Started | Text | Thought | Step | Plan | Question | Answered | Artifact | Usage | Notice | Improvement | Queued | Finished
"""Everything that a runtime may say."""


def merge(events: Sequence[Event]) -> list[Event]:
    """The same, with pieces of text that follow one another put together."""
    merged: list[Event] = []
    for event in events:
        match merged[-1] if merged else None, event:
            case Text(before, final), Text(text, False):
                merged[-1] = Text(before + text, final)
            case Thought(before), Thought(text):
                merged[-1] = Thought(before + text)
            case _:
                merged.append(event)
    return merged
