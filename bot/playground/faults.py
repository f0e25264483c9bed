"""What can go wrong at Slack's side, on purpose: calls that fail, sockets that break, scopes that go."""

import time
from dataclasses import dataclass, field

from .refusal import Refusal
from .things import Json
from .world import World

CUT = 0  # the status of an answer that never comes: the connection is cut


@dataclass(slots=True)
class Fault:
    """The next `left` calls of a method fail; `after` the work was done, or before it."""

    status: int
    body: Json
    headers: dict[str, str]
    left: int
    after: bool


@dataclass(slots=True)
class Faults:
    """The faults that are planned, by method; "*" is any method."""

    planned: dict[str, list[Fault]] = field(default_factory=dict)
    down_until: float = 0.0  # monotonic

    def down(self) -> bool:
        return time.monotonic() < self.down_until

    def take(self, method: str) -> Fault | None:
        for name in (method, "*"):
            queue = self.planned.get(name)
            if queue:
                queue[0].left -= 1
                return queue[0] if queue[0].left > 0 else queue.pop(0)
        return None


class Trouble:
    """The faults that a test or a person at the page can cause; part of Slack."""

    world: World
    faults: Faults

    def fail(
        self, method: str, *, status: int | None = None, error: str | None = None, retry_after: int | None = None,
        times: int = 1, after: bool = False,
    ) -> None:  # fmt: skip
        """The next `times` calls of `method` ("*": any) fail.

        With `error`: HTTP 200 and that error. With `retry_after` (seconds): HTTP 429. With neither: HTTP 500.
        `status` overrides the HTTP status; 0 cuts the connection. `after=True` does the work first: the ambiguous send.
        """
        status = status if status is not None else 429 if retry_after is not None else 200 if error else 500
        word = error or {429: "ratelimited", 503: "service_unavailable"}.get(status, "internal_error")
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        if int(times) > 0:
            self.faults.planned.setdefault(method, []).append(Fault(int(status), Refusal(word).body(), headers, int(times), after))

    def forgive(self) -> None:
        """Take all planned faults away."""
        self.faults.planned.clear()

    def drop_sockets(self) -> int:
        """Cut the TCP connection of each socket. Returns how many there were."""
        return self.world.hub.abort()

    def disconnect(self, reason: str = "refresh_requested") -> int:
        """Send a disconnect frame (warning, refresh_requested, link_disabled …) over each socket. Returns how many there were."""
        return self.world.hub.tell_all(reason)

    def half_open(self) -> int:
        """Each open socket stays, but nothing is delivered, heard or ponged any more. Returns how many there were."""
        for link in self.world.hub.links:
            link.dead = True
        return len(self.world.hub.links)

    def refuse_sockets(self, n: int) -> None:
        """The next `n` attempts to open a socket get HTTP 503."""
        self.world.hub.refusals = int(n)

    def delay(self, seconds: float) -> None:
        """Deliver everything this late; the time for the acknowledgement runs from the beginning."""
        self.world.hub.delay = float(seconds)

    def duplicate(self, on: bool = True) -> None:
        """Deliver everything twice."""
        self.world.hub.duplicate = on

    def go_down(self, seconds: float) -> None:
        """For so long every HTTP request gets 503; the sockets are cut now. 0 ends it."""
        self.faults.down_until = self.world.hub.down_until = time.monotonic() + seconds
        if seconds:
            self.world.hub.abort()

    def expire_streams(self) -> None:
        """All live streams die of old age now."""
        for stream in self.world.streams.values():
            stream.expires = 0.0

    def revoke(self, scope: str) -> None:
        self.world.scopes.discard(scope)

    def grant(self, scope: str) -> None:
        self.world.scopes.add(scope)
