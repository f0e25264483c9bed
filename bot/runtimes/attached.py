"""Files that people attached, for platforms that take them along with the words."""

import asyncio
import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.event import Notice

LARGEST = 8_000_000  # bytes of one
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture or a PDF, whose `data` is base64; or a text, which is itself."""

    name: str
    kind: Literal["picture", "pdf", "text"]
    media_type: str
    data: str

    @property
    def url(self) -> str:
        data = base64.b64encode(self.data.encode()).decode() if self.kind == "text" else self.data
        return f"data:{self.media_type};base64,{data}"


async def read(files: Sequence[Path], *, taken: bool = True) -> tuple[list[Attached], list[Notice]]:
    """Those that can go along, and what is told of the others: all of them, where none is taken."""
    found = [await asyncio.to_thread(_read, path) if taken else None for path in files]
    left = [path.name for path, one in zip(files, found, strict=True) if one is None]
    takes = "pictures, PDFs and texts, of at most 8 MB each" if taken else "only words"
    words = f"cannot be sent to this agent: it takes {takes}."
    return [one for one in found if one], [Notice(f"{', '.join(left)} {words}", "warning")] if left else []


def _read(path: Path) -> Attached | None:
    media_type = mimetypes.guess_type(path.name)[0] or "text/plain"
    if path.stat().st_size > LARGEST:
        return None
    data = path.read_bytes()
    if media_type in PICTURES:
        return Attached(path.name, "picture", media_type, base64.b64encode(data).decode())
    if media_type == "application/pdf":
        return Attached(path.name, "pdf", media_type, base64.b64encode(data).decode())
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return Attached(path.name, "text", "text/plain", text) if "\0" not in text and not media_type.startswith(("audio/", "video/")) else None
