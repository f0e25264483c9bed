"""A draft: an agent that somebody has thought up, before there is a file of it."""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import yaml

from bot import policy
from bot.agent import Agent
from bot.message import Person

ROOM = 1970  # characters: Slack lets a button carry 2,000, with what else it has to say


@dataclass(frozen=True, slots=True)
class Draft:
    """`like` is the agent whose runtime, tools and limits it gets; `place` a channel's id; `run` who may ask it, as in `allow`.

    `by` thought it up, `approver` is to allow it: ids of people. `id` is its own.
    """

    id: str
    name: str
    about: str
    words: str
    like: str
    place: str
    run: str
    by: str
    approver: str

    def text(self, like: Agent) -> str:
        """The file as it would be written."""
        given = like.model_dump(
            mode="json", include={"runtime", "model", "options", "environment", "workspace", "tools"}, exclude_defaults=True
        )
        allow = {"run": [self.run], "answer": ["asker"], "approve": [*like.allow.approve], "stop": ["asker", "members"]}
        front: dict[str, Any] = {"description": self.about, **given}
        front |= {"triggers": [{"mention": [self.place]}]} if self.place else {}
        front |= {"allow": allow, "budget": like.budget.model_dump(exclude_none=True)}
        head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
        return f"---\n{head}---\n{self.words.strip()}\n"

    def packed(self) -> str:
        """Itself, for a button. Longer than ROOM where it says too much."""
        return urlsafe_b64encode(zlib.compress(json.dumps([*asdict(self).values()], ensure_ascii=False).encode(), 9)).decode()


def unpacked(text: str) -> Draft:
    return Draft(*json.loads(zlib.decompress(urlsafe_b64decode(text))))


def may(like: Agent, person: Person) -> bool:
    """Whether this person may allow an agent like that: an admin, or who may approve what that one does."""
    return person.kind == "admin" or policy.may(like, person, "approve")


class Shelf(Protocol):
    """Where agents' files are."""

    async def wrong(self, name: str, text: str) -> list[str]:
        """What keeps this text from being an agent's file here, each in a sentence."""
        ...

    async def put(self, name: str, text: str) -> None:
        """Write the file, never over one that is there. Raises ConfigError, with what to do."""
        ...
