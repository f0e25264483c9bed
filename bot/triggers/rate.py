"""How many calls a minute."""

import math
import time


class Rate:
    """After a quiet minute all of them may come at once."""

    def __init__(self) -> None:
        self._left, self._at = math.inf, time.monotonic()

    def take(self, per_minute: int) -> int:
        """The seconds until there is room; 0 where there was."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * per_minute / 60, per_minute)
        self._at = now
        if self._left < 1:
            return math.ceil((1 - self._left) * 60 / per_minute)
        self._left -= 1
        return 0
