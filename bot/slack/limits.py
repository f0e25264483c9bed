"""How often Slack may be called: what it allows of each method, and what that means for the next call."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

MINUTE = 60.0
MARGIN = 4.0  # seconds: a call that was long on its way, as in a crowd, counts in Slack's minute later than in ours
UPDATE, POST, SESSION, TEXT = "chat.update", "chat.postMessage", "agents.sessions.setStatus", "assistant.threads.setStatus"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
HISTORY, REPLIES = "conversations.history", "conversations.replies"
paid: ContextVar[tuple[str, ...]] = ContextVar("paid", default=())
"""The methods whose turn the caller has waited for already, each for one call."""

Taken = tuple[float, ...]
"""What was taken, as moments in seconds; of which kind, a limit knows for itself."""


class Limit(Protocol):
    @property
    def most(self) -> float:
        """How many calls it lets through in any minute."""
        ...

    @property
    def gap(self) -> float:
        """Seconds between two calls where all of them are used."""
        ...

    def wait(self, taken: Taken, now: float, before: int = 0) -> float:
        """Seconds until another call can be made, and `before` more; 0 for now."""
        ...

    def take(self, taken: Taken, now: float) -> Taken: ...

    def pause(self, taken: Taken, now: float, seconds: float) -> Taken:
        """As if so much were taken that there is nothing for so many seconds."""
        ...

    def room(self, taken: Taken, now: float) -> float:
        """How many calls can be made at once; below 1 where even the next has to wait."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """Implements Limit: `burst` calls at once, and `minute` more in every minute, evenly (GCRA).

    What is taken is the one moment at which all that was taken will be made up for. Slack counts both together in a minute of its own.
    """

    minute: float
    burst: int

    @property
    def most(self) -> float:
        return self.minute + self.burst

    @property
    def gap(self) -> float:
        return MINUTE / self.minute

    def wait(self, taken: Taken, now: float, before: int = 0) -> float:
        return max((before + 1 - self.room(taken, now)) * self.gap, 0.0)

    def take(self, taken: Taken, now: float) -> Taken:
        return (max((now, *taken)) + self.gap,)

    def pause(self, taken: Taken, now: float, seconds: float) -> Taken:
        return (max((now + seconds + (self.burst - 1) * self.gap, *taken)),)

    def room(self, taken: Taken, now: float) -> float:
        return self.burst - (max((now, *taken)) - now) / self.gap


@dataclass(frozen=True, slots=True)
class Window:
    """Implements Limit: `many` calls in any minute, be it all at once. What is taken are the moments of the last minute's."""

    many: int

    @property
    def most(self) -> float:
        return self.many

    @property
    def gap(self) -> float:
        return (MINUTE + MARGIN) / self.many

    def wait(self, taken: Taken, now: float, before: int = 0) -> float:
        lately = self._lately(taken, now)
        over = len(lately) + before - self.many
        if over < 0:
            return 0.0
        rounds, place = divmod(over, self.many)
        oldest = lately[place] if place < len(lately) else now
        return oldest + (rounds + 1) * (MINUTE + MARGIN) - now

    def take(self, taken: Taken, now: float) -> Taken:
        return (*self._lately(taken, now), now)

    def pause(self, taken: Taken, now: float, seconds: float) -> Taken:
        return tuple(sorted((*taken, *[now + seconds - MINUTE - MARGIN] * self.many)))[-self.many :]

    def room(self, taken: Taken, now: float) -> float:
        return self.many - len(self._lately(taken, now))

    def _lately(self, taken: Taken, now: float) -> Taken:
        return tuple(at for at in taken if at > now - MINUTE - MARGIN)


# https://docs.slack.dev/apis/web-api/rate-limits: 20, 50 and 100 calls a minute in tiers 2 to 4. We stay a little under.
TIER_2, TIER_3, TIER_4 = Rate(11, 8), Rate(33, 16), Rate(58, 40)
CHANNEL = Rate(60, 9)  # posts in one channel: one a second, "short bursts tolerated"
LIMITS: Mapping[str, Limit] = {
    UPDATE: (EDITS := Rate(46, 3)),  # used to the full all the time, so there is little for bursts
    POST: Window(296),  # answers come in bursts, and many bursts one after the other
    SESSION: Rate(29, 20),
    TEXT: Window(590),  # "hundreds"; what uses them spreads them
    "auth.test": Rate(100, 490),
    "users.info": Rate(28, 70),  # a crowd comes at once, and is known from then on; so are its channels
    "conversations.info": Rate(13, 36),
    **dict.fromkeys((START, STOP, "conversations.list", "usergroups.list", "usergroups.users.list", "reactions.remove"), TIER_2),
    **dict.fromkeys(("apps.connections.open", "chat.delete", "conversations.open", "users.conversations", "reactions.add"), TIER_3),
    **dict.fromkeys((HISTORY, REPLIES), Window(46)),  # after a time without a socket all is read at once
    **dict.fromkeys(("chat.postEphemeral", APPEND, "views.open", "views.publish"), TIER_4),
    **dict.fromkeys(("files.getUploadURLExternal", "files.completeUploadExternal"), TIER_4),
    **dict.fromkeys(("assistant.threads.setTitle", "assistant.threads.setSuggestedPrompts"), TIER_4),
}


def limit(key: str) -> Limit:
    """What is not known is thought to be rare."""
    return CHANNEL if ":" in key else LIMITS.get(key, TIER_2)


def keys(method: str, channel: str = "") -> list[str]:
    """The budgets that a call needs."""
    return [method, f"{POST}:{channel}"] if method == POST else [method]
