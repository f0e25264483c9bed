"""What people say while an agent works, until it was given it: kept, so that nothing is lost where the turn fails or our process ends."""

import asyncio
import json

from bot.message import Message
from bot.ports import Turn
from bot.runtimes import coding

KEY = "unsaid"


class Unsaid:
    """`words` are what waits, by the messages' ids."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.words: dict[str, str] = {}
        self._taken: list[str] = []
        self._asked: set[str] = set()  # what this very turn heard in a process that ended: it is asked that again

    async def load(self) -> None:
        """What earlier turns and processes have left."""
        lines = [json.loads(line) for line in await self.turn.keep.load(KEY)]
        given = {id for line in lines for id in line.get("given", ())}
        left = [line for line in lines if "heard" in line and line["heard"] not in given]
        self.words = {line["heard"]: line["words"] for line in left}
        self._asked = {line["heard"] for line in left if line["turn"] == self.turn.number}

    async def heard(self, message: Message) -> None:
        self.words[message.id] = words = coding.said(self.turn, message)
        line = json.dumps({"heard": message.id, "words": words, "turn": self.turn.number})
        await asyncio.shield(self.turn.keep.append(KEY, [line]))  # also where the turn ends at this very moment

    def take(self, *, asked: bool = False) -> list[str]:
        """What is to be said now; `asked` that it goes with what the turn is asked."""
        self._taken = list(self.words)
        return [words for id, words in self.words.items() if not (asked and id in self._asked)]

    async def given(self, *ids: str) -> None:
        """These have been said; without any, what was taken."""
        given, self._taken = ids or self._taken, self._taken if ids else []
        if given:
            await self.turn.keep.append(KEY, [json.dumps({"given": given})])
        self.words = {id: words for id, words in self.words.items() if id not in given}
