"""What calls of models cost, as LiteLLM tells it, and as the harness does where LiteLLM does not."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.event import Event, Usage

HEADER = "x-litellm-response-cost"  # which a stream cannot have: it begins before anybody knows
LONGEST = 64 << 20  # bytes of a line that is looked through; the last one of a stream may hold the whole answer


class Bill:
    """One turn's. What LiteLLM tells counts; where it has told nothing of a call, the harness's sum does if it is more."""

    def __init__(self, tell: Callable[[Event], Awaitable[None]]) -> None:
        self.tell = tell
        self._gateway = self._harness = self._told = 0.0
        self._known = self._silent = False

    async def count(self, usd: float | None) -> None:
        """What a call has cost, or that nobody said so."""
        self._gateway += usd or 0.0
        self._known, self._silent = self._known or usd is not None, self._silent or usd is None
        if rest := self._rest():
            await self.tell(Usage(usd=rest, source="gateway"))

    def priced(self, usage: Usage) -> Usage:
        """What the harness tells, with as much of its cost as was not told yet."""
        self._harness += usage.usd
        return replace(usage, usd=self._rest(), source="gateway" if self._known else usage.source)

    def _rest(self) -> float:
        sure = self._known and not self._silent
        rest = max((self._gateway if sure else max(self._gateway, self._harness)) - self._told, 0.0)
        self._told += rest
        return rest


class Cost:
    """Finds in one answer what it costs: in its header, or in the figures at the end of a stream."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.usd = number(headers.get(HEADER))
        self._streams = self.usd is None and headers.get("Content-Type", "").startswith("text/event-stream")
        self._line = bytearray()

    def hear(self, piece: bytes) -> None:
        if not self._streams:
            return
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._line += end
            self._read(bytes(self._line))
            self._line.clear()
        if len(self._line) < LONGEST:
            self._line += rest

    def _read(self, line: bytes) -> None:
        if not line.startswith(b"data:") or b'"cost"' not in line:
            return
        try:
            told = json.loads(line.removeprefix(b"data:"))
        except ValueError:
            return
        usage = _within(told, "usage") or _within(_within(told, "response"), "usage")
        self.usd = next((usd for usd in (number(usage.get("cost")), self.usd) if usd is not None), None)


def _within(told: object, key: str) -> Mapping[str, Any]:
    inner = told.get(key) if isinstance(told, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def number(told: object) -> float | None:
    """US dollars; None where it says nothing that can be counted."""
    try:
        usd = float(told) if isinstance(told, str | int | float) and not isinstance(told, bool) else math.nan
    except ValueError:
        return None
    return usd if 0 <= usd < math.inf else None
