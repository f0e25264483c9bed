"""What Claude Code wrote down of a conversation: in the session's folder, and kept for other replicas."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claude_agent_sdk import SessionKey, SessionStoreEntry, project_key_for_directory

from bot.ports import Keep


@dataclass(frozen=True, slots=True)
class Copy:
    """Takes what the SDK mirrors, line by line; sub-agents' own transcripts are not needed to go on."""

    keep: Keep

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        if not key.get("subpath"):
            await self.keep.append(key["session_id"], [json.dumps(entry) for entry in entries])

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        return [json.loads(line) for line in await self.keep.load(key["session_id"])] or None


@dataclass(frozen=True, slots=True)
class Transcript:
    """`session` is Claude Code's; it finds the conversation again only where it worked before, in `work`."""

    kept: Path
    session: str
    work: Path

    @property
    def file(self) -> Path | None:
        found = self.kept.glob(f"projects/*/{self.session}.jsonl") if self.session else iter(())
        return next(found, None)

    async def restore(self, keep: Keep) -> bool:
        """Write it down as it is kept, where more is kept than stands here: another replica has gone on with it."""
        lines = await keep.load(self.session) if self.session else []
        return await asyncio.to_thread(self._write, lines)

    def _write(self, lines: Sequence[str]) -> bool:
        file = self.file
        if len(lines) <= (file.read_bytes().count(b"\n") if file else 0):
            return False
        file = self.kept / "projects" / project_key_for_directory(self.work) / f"{self.session}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))
        return True


def knows(transcript: Path, prompt: str) -> bool:
    """Whether the conversation holds these words of a person."""
    with transcript.open(encoding="utf-8", errors="replace") as lines:
        return any(_says(line, prompt) for line in lines if '"user"' in line)


def _says(line: str, prompt: str) -> bool:
    try:
        match json.loads(line):
            case {"type": "user", "message": {"content": str(text)}}:
                return prompt in text
            case {"type": "user", "message": {"content": list() as blocks}}:
                return any(isinstance(block, dict) and prompt in str(block.get("text", "")) for block in blocks)
            case _:
                return False
    except ValueError:
        return False  # the line that was being written when the process died
