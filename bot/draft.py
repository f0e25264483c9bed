"""A draft: an agent that somebody has thought up, before there is a file of it."""

import json
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from bot.agent import Agent

ROOM = 1970  # characters: Slack lets a button carry 2,000, with what else it has to say

LENT = {"runtime", "model", "options", "environment", "workspace", "tools", "fallback", "reply", "improve", "budget"}
ENDS = re.compile(r"\{%[-+]?\s*endraw")
ENDED = "Leave out {% endraw %}: your words are taken as they are, and that would end them."


@dataclass(frozen=True, slots=True)
class Draft:
    """`like` is the agent whose runtime, tools and limits it gets; `place` a channel's id, `where` its name (#reviews), if that is known.

    `run` is who may ask it, as in `allow`.

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
    where: str = ""

    def text(self, like: Agent) -> str:
        """The file as it would be written."""
        given = like.model_dump(mode="json", include=LENT, exclude_defaults=True)
        allow = {"run": [self.run], "answer": ["asker"], "approve": [*like.allow.approve], "stop": ["asker", "members"]}
        front: dict[str, Any] = {"description": self.about, **given}
        front |= {"triggers": [{"mention": [self.where or self.place]}]} if self.place else {}
        front |= {"allow": allow}
        head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
        return f"---\n{head}---\n{_said(self.words.strip())}\n"

    def packed(self) -> str:
        """Itself, for a button. Longer than ROOM where it says too much."""
        return urlsafe_b64encode(zlib.compress(json.dumps([*asdict(self).values()], ensure_ascii=False).encode(), 9)).decode()


def unpacked(text: str) -> Draft:
    return Draft(*json.loads(zlib.decompress(urlsafe_b64decode(text))))


def wrong(draft: Draft) -> list[str]:
    """What is wrong with its words, in a sentence."""
    return [ENDED] if ENDS.search(draft.words) else []


def _said(words: str) -> str:
    """What people write is no template."""
    return f"{{% raw %}}{words}{{% endraw %}}" if re.search(r"\{[{%#]", words) else words
