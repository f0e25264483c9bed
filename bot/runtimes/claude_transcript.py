"""What Claude Code wrote down of a conversation: in the session's folder, and kept for other replicas."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claude_agent_sdk import SessionKey, SessionStoreEntry, project_key_for_directory

from bot import nofollow
from bot.ports import Keep
from bot.runtimes.home import real


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
        """Write it down as it is kept, where more is kept than stands here: another replica has gone on with it. Raises Unavailable."""
        lines = await keep.load(self.session) if self.session else []
        return await asyncio.to_thread(self._write, lines)

    def _write(self, lines: Sequence[str]) -> bool:
        if len(lines) <= sum(line.endswith(b"\n") for line in (nofollow.lines(self.file) if self.file else ())):
            return False
        folder = self.kept / "projects" / project_key_for_directory(self.work)
        for made in (folder.parent, folder):
            real(made)
        nofollow.write(folder / f"{self.session}.jsonl", "".join(f"{line}\n" for line in lines))
        return True


def knows(transcript: Path, prompt: str) -> bool:
    """Whether the conversation holds these words of a person."""
    return any(_says(line, prompt) for line in nofollow.lines(transcript) if b'"user"' in line)


def _says(line: bytes, prompt: str) -> bool:
    try:
        match json.loads(line.decode(errors="replace")):
            case {"type": "user", "message": {"content": str(text)}}:
                return prompt in text
            case {"type": "user", "message": {"content": list() as blocks}}:
                return any(isinstance(block, dict) and prompt in str(block.get("text", "")) for block in blocks)
            case _:
                return False
    except ValueError:
        return False  # the line that was being written when the process died
