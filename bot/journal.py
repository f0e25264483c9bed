"""What came in and what went out, kept: what a surface needs so that nothing is lost, and nothing said twice."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that came from outside, kept before it was acknowledged. `key` is the same when it comes again.

    What has the same `lane` is dealt with in the order of `at`, one at a time; without one it is dealt with alone. `same` is another key
    by which it is known when it comes again.
    """

    key: str
    kind: str
    body: str
    at: float = 0.0
    lane: str = ""
    same: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A message of ours in a thread. `id` goes with it, so that it can be found there; `ts` is empty until it is known to be sent."""

    slot: str
    session_id: str
    thread: str
    id: str
    ts: str = ""
    shown: str = ""


class Journal(Protocol):
    """What came in, and what went out: the store's side for a surface. Raises StoreFailed."""

    async def receive(self, delivery: Delivery) -> bool:
        """Keep it, durably; False if it came before."""
        ...

    async def claim(self, lane: str) -> Delivery | None:
        """What is the first in a lane is ours to deal with from now on; None where somebody has it, or nothing is there."""
        ...

    async def overtaken(self, lane: str, at: float) -> bool:
        """Whether something newer than `at` (Unix seconds) has been dealt with in a lane already, or is just then."""
        ...

    async def done(self, key: str) -> None:
        """It has been dealt with."""
        ...

    async def adopt(self, busy: Collection[str] = ()) -> list[str]:
        """The lanes in which something waits that nobody deals with. What is ours in a lane that is not `busy` waits too."""
        ...

    async def latest(self) -> float:
        """Until when all that was said came, or was looked for (Unix seconds, by Slack's clock); 0 if nobody ever listened."""
        ...

    async def owe(self, since: float) -> str:
        """Note that what was said after then (Unix seconds) has to be looked for; `latest` is no later until that is settled."""
        ...

    async def debts(self) -> Mapping[str, float]:
        """All that has to be looked for still, and from when on: also what processes owe that may be no more."""
        ...

    async def settled(self, debts: Collection[str], until: float) -> None:
        """These are paid: all was looked for that was said until then."""
        ...

    async def echo(self, at: float = 0.0) -> float:
        """Note that a message of ours came back to this replica (Unix seconds), or, without a time, when one last did to any."""
        ...

    async def lead(self, seconds: float) -> bool:
        """Be the one who looks for all, for so long, or for so much longer; False while another is. 0 gives it up."""
        ...

    async def heard(self, message_id: str) -> bool:
        """Whether a message of this id ever came into an inbox."""
        ...

    async def ours(self, delivery_ids: Collection[str]) -> set[str]:
        """Those of them that are of messages which we know to have sent."""
        ...

    async def replies(self, threads: Collection[str]) -> Mapping[str, int]:
        """How many replies we know of in each: those that we heard, and our own."""
        ...

    async def busy(self, threads: Collection[str]) -> set[str]:
        """Those of them in which a session is not over."""
        ...

    async def reserve(self, slot: str, session_id: str, thread: str) -> Post:
        """The message for this slot: the one that is known, or one that has yet to be sent."""
        ...

    async def sent(self, slot: str, ts: str, shown: str) -> str:
        """It stands in the thread, and shows what has this hash. The ts that counts: another's, where that was first."""
        ...

    async def holds(self, session_id: str, epoch: int) -> bool:
        """Whether whoever began with this epoch still has the session, so that it may show something."""
        ...

    async def hold(self, post: Post, epoch: int) -> bool:
        """Keep a post as it is given, if `holds`; which is returned."""
        ...

    async def posts(self, session_id: str) -> list[Post]:
        """All messages of a session, oldest first."""
        ...

    async def post_at(self, channel: str, ts: str) -> Post | None:
        """The message of ours that stands there."""
        ...
