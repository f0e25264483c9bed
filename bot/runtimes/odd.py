"""What a platform tells that we do not know: kept, and said once; it never ends a turn."""

import json
from typing import Any

from bot.event import Notice
from bot.ports import Turn
from bot.runtimes.claude_words import short

KEY = "unknown"
LONGEST = 4000  # characters of one that are kept


class Odd:
    """Those of one turn."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self._names: set[str] = set()

    async def heard(self, name: str, event: Any) -> list[Notice]:
        """What a person is told: each name once."""
        if name in self._names:
            return []
        self._names.add(name)
        await self.turn.keep.append(KEY, [short(json.dumps(event, default=str), LONGEST)])
        return [Notice(f"The platform told of something that Frontdesk does not know ({short(name, 80)}). It is kept, and harms nothing.")]
