"""What has to be known of an ACP session in its agent's next process: a small file in the session's folder."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from bot import nofollow
from bot.event import Usage


class Memory(BaseModel):
    """`usd` is the session's cost as last told; `instructions` are those that the agent was given."""

    session: str = ""
    usd: float = 0.0
    instructions: str = ""

    @classmethod
    def read(cls, folder: Path) -> "Memory":
        try:
            return cls.model_validate_json((folder / "acp.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    def write(self, folder: Path) -> None:
        nofollow.write(folder / "acp.json", self.model_dump_json())

    def of(self, session: str) -> None:
        """Forget what belongs to another session than this."""
        if session != self.session:
            self.session, self.usd, self.instructions = session, 0.0, ""

    def spend(self, total: float) -> float:
        """What has been spent since the last total; a total that is smaller than the last has begun anew."""
        new = total - self.usd if total >= self.usd else total
        self.usd = total
        return new


def since(now: Usage, before: Usage) -> Usage:
    """The tokens between two counts of the same process."""
    return Usage(
        max(0, now.input_tokens - before.input_tokens), max(0, now.output_tokens - before.output_tokens),
        max(0, now.cached_tokens - before.cached_tokens),
    )  # fmt: skip
