"""What a platform told that nobody knows: kept for whoever looks into it, and said once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.event import Notice

FILE = "unknown-events.jsonl"
MOST = 1_000_000  # bytes of one event


def kept(folder: Path, name: str, raw: Any, mask: Callable[[str], str] = str) -> list[Notice]:
    """The notice, if this was not met before in the session of this folder."""
    file, name = folder / FILE, mask(name)[:100]
    met = {json.loads(line)["name"] for line in file.read_text("utf-8").splitlines()} if file.is_file() else set()
    if name in met:
        return []
    written = mask(json.dumps({"name": name, "raw": raw}, ensure_ascii=False, default=str))
    with file.open("a", encoding="utf-8") as lines:
        lines.write((written if len(written) < MOST else json.dumps({"name": name})) + "\n")
    return [Notice(f"The agent told of something that frontdesk does not know ({name}); it was kept in {FILE}.")]
