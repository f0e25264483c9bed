"""HTTP for A2A's SDK, which refuses a whole answer for what nobody needs of it: a time without its zone, half of an emoji."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from bot.runtimes.httpx_wire import Body, Reply, Wire

ODD = re.compile(r'"timestamp"|\\u[dD][89a-fA-F]')


class Lenient(Reply):
    """An answer of which the SDK can read all that it could be read for."""

    def json(self, **given: Any) -> Any:
        return json.loads(mended(self.content.decode()), **given)

    async def aiter_lines(self) -> AsyncIterator[str]:
        async with aclosing(super().aiter_lines()) as lines:  # type: ignore[type-var]
            async for line in lines:
                field, colon, data = line.partition(":")
                yield f"{field}:{mended(data)}" if colon and field == "data" else line


class LenientWire(Wire):
    """The transport under the SDK."""

    def reply(self, body: Body) -> Reply:
        return Lenient(body)


def mended(text: str) -> str:
    """The same JSON without the times of statuses, and with a sign in place of what is half a letter; as it is where it is none."""
    if not ODD.search(text):
        return text
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return text
    timeless(told)
    return json.dumps(told, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def timeless(told: Any) -> None:
    """Take out when a status was; 0.3 wants any time of ISO 8601 there, and the SDK one with its zone."""
    if not isinstance(told, dict):
        return
    if isinstance(status := told.get("status"), dict):
        status.pop("timestamp", None)
    for key in ("result", "task", "statusUpdate"):
        timeless(told.get(key))
