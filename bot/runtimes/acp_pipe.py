"""The connection to an ACP agent: a line of JSON for each message, and everything else passed over."""

import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from typing import Any

from bot.errors import RuntimeFailed
from bot.runtimes.child import Child

Json = dict[str, Any]


class Pipe:
    """The SDK's transport. What an agent tells of a session goes to `tell` in its order, and waits where nobody reads."""

    def __init__(self, child: Child, tell: Callable[[str, Json], Awaitable[None]]) -> None:
        self.child, self.tell = child, tell
        self._lines = child.lines()

    async def send(self, message: Json) -> None:
        with nullcontext() if "method" in message else suppress(RuntimeFailed):  # nobody waits any more for what we answer
            await self.child.write(json.dumps(message) + "\n")

    async def receive(self) -> Json | None:
        with suppress(RuntimeFailed):  # the child knows why it was ended
            async for line in self._lines:
                match read(line):
                    case {"method": "session/update", "params": {"update": dict() as update, **more}}:
                        await self.tell(str(more.get("sessionId") or ""), update)
                    case dict() as message:
                        return message
        await self.child.ended()  # how is known a moment after its last word
        return None

    async def close(self) -> None:
        """Nothing of ours: the child closes its own streams."""


def read(line: bytes) -> Json | None:
    """A message, if it is one."""
    try:
        message: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match message:
        case {"jsonrpc": _, "method": str()} if isinstance(message.get("id", 0), int | str):
            return dict(message)
        case {"jsonrpc": _, "id": int() | str(), "result": _} | {"jsonrpc": _, "id": int() | str(), "error": dict()}:
            return dict(message)
    return None
