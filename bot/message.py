"""What is said to the desk: by whom, in which thread, by which door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["member", "admin", "guest", "external", "bot"]
Door = Literal["mention", "direct", "message", "command", "shortcut", "reaction", "answer", "stop", "retry", "schedule", "webhook", "cli"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can speak to the desk. `groups` holds the ids of the user groups that agents' files name."""

    id: str
    name: str = ""
    kind: Kind = "member"
    groups: frozenset[str] = frozenset()

    @property
    def inside(self) -> bool:
        """Whether they belong to this workspace, and are neither a guest nor a bot."""
        return self.kind in ("member", "admin")


NOBODY = Person("")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. `size` in bytes; `url` is where the surface can fetch it."""

    name: str
    media_type: str = "application/octet-stream"
    size: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Something said in the thread that is not for the agent to obey. `at` in Unix seconds."""

    author: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered: for each part of the question, by its id, the labels chosen or the words typed."""

    question: str
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said. `id` is the sender's own, so that a redelivery is known for one; `at` in Unix seconds.

    `thread` is opaque: only the surface that made it can take it apart. `name` is that of the command, shortcut or
    reaction it came by. `private` asks for an answer that only the author sees; `source` is then the thread that it is about.
    `late` says that nobody listened when it was said.
    """

    id: str
    thread: str
    channel: str
    author: Person
    text: str
    door: Door = "mention"
    at: float = 0.0
    name: str = ""
    agent: str = ""
    root: bool = True
    private: bool = False
    channel_name: str = ""
    source: str = ""
    files: tuple[Attachment, ...] = ()
    answer: Answer | None = None
    late: bool = False
