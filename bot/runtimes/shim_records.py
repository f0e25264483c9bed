"""The records of a shim, read and found to be ours."""

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.errors import RuntimeFailed
from bot.event import Artifact, Event, Notice
from bot.runtimes.feed import Raw, Stalled, Unread, events
from bot.runtimes.shim_line import Carrier, Chunks, Cut
from bot.spoken import Json


@dataclass(frozen=True, slots=True)
class Record:
    """`n` is its number in the conversation."""

    n: int
    said: Json

    @property
    def last(self) -> bool:
        return (self.said.get("event") or {}).get("type") == "Finished"


async def records(chunks: Chunks, carrier: Carrier, silence: float) -> AsyncGenerator[Record, None]:
    """Raises Cut where the connection broke or fell silent, RuntimeFailed where somebody else answers."""
    try:
        async with aclosing(events(chunks, "sse", silence)) as raws:
            async for raw in raws:
                yield _record(raw, carrier)
    except Stalled as error:
        raise Cut(f"{carrier.place} was silent for {error} seconds.") from error
    except Unread as error:
        raise RuntimeFailed(f"{carrier.place} {error}: is there a shim of ours in that container?") from error


def _record(raw: Raw, carrier: Carrier) -> Record:
    said = raw.data
    if not isinstance(said, dict) or not isinstance(said.get("n"), int):
        raise RuntimeFailed(f"{carrier.place} answers with something that is not Frontdesk's: is there a shim of ours in that container?")
    if said.get("session") != carrier.session:
        raise RuntimeFailed(f"{carrier.place} answered for another session; nothing of that is shown. Ask again.")
    event = said.get("event")
    return Record(said["n"], {**said, "event": event if isinstance(event, dict) else None})


async def artifact(event: Event, data: Any, folder: Path) -> Event:
    """A file that came with its event stands in the session's folder from now on. One that did not come is none of this machine's."""
    if not isinstance(event, Artifact) or not event.path:
        return event
    if not isinstance(data, str):
        return Notice(f"{event.name} did not come with what was told of it.", "warning")
    path = folder / "out" / (Path(event.path).name or "file")
    try:
        await asyncio.to_thread(_write, path, base64.b64decode(data, validate=True))
    except (OSError, binascii.Error) as error:
        return Notice(f"{event.name} could not be brought here: {error}", "warning")
    return replace(event, path=str(path))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
