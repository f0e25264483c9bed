"""What has to be known of a session in its harness's next process: a small file in the session's folder."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ValidationError

from bot import nofollow


class Memory(BaseModel):
    """`usd` is the session's cost as the harness last told it."""

    file: ClassVar[str]
    usd: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> Self:
        try:
            return cls.model_validate_json((folder / cls.file).read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    def write(self, folder: Path) -> None:
        nofollow.write(folder / self.file, self.model_dump_json())

    def counts_from(self, total: float | None) -> None:
        """The next process begins with this total, where that is known; what the one before spent unheard is told with what is new."""
        self.usd = self.usd if total is None else min(self.usd, total)

    def spend(self, total: float) -> float:
        """What is new; a total that is smaller than the last has begun anew."""
        new = total - self.usd if total >= self.usd else total
        self.usd = total
        return new
