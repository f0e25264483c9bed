"""What one session has said by Responses or Chat Completions, and what still waits: kept by us, found by any replica."""

import json
from dataclasses import dataclass, field
from typing import Any

from bot.ports import Turn

Json = dict[str, Any]
KEY = "responses"


@dataclass
class Memory:
    """`answer` is the last that was completed, `mine` the one that this very turn had begun; `over` what came of it.

    `calls` wait for a person, and `given` is what people have said to some of them. `said` is the whole conversation,
    where the platform keeps none; `cut` what was said since the last answer that was completed.
    """

    turn: Turn
    answer: str = ""
    mine: str = ""
    over: Json | None = None
    calls: list[Json] = field(default_factory=list)
    given: Json = field(default_factory=dict)
    said: list[Json] = field(default_factory=list)
    cut: list[Json] = field(default_factory=list)
    known: bool = False

    @property
    def name(self) -> str:
        return f"{self.turn.number}" + (f"/{self.turn.answer.question}" if self.turn.answer else "")

    async def load(self) -> "Memory":
        for line in await self.turn.keep.load(KEY):
            self._heard(json.loads(line))
        return self

    def _heard(self, line: Json) -> None:
        self.known = True
        mine = line.get("turn") == self.name
        match line:
            case {"begun": str(id)}:
                self.mine = id if mine else self.mine
            case {"given": dict(given)}:
                self.given |= given
            case {"over": str(id)}:
                self.answer, self.calls, self.given, self.cut = id, line.get("calls") or [], {}, []
                self.said += line.get("said") or []
                self.over = line if mine else self.over
            case {"cut": list(said)}:
                self.cut += said

    async def begun(self, id: str) -> None:
        self.mine = id
        await self._keep(begun=id)

    async def answered(self, given: Json) -> None:
        self.given |= given
        await self._keep(given=given)

    async def ended(self, id: str, text: str, calls: list[Json], said: list[Json]) -> None:
        """What was said goes into the next turn's memory whole, or not at all."""
        await self._keep(over=id, text=text, calls=calls, said=said)

    async def broke(self, said: list[Json]) -> None:
        """It came to no end: the next turn says again what the platform may not have kept."""
        await self._keep(cut=said)

    async def _keep(self, **line: Any) -> None:
        await self.turn.keep.append(KEY, [json.dumps({"turn": self.name, **line})])
