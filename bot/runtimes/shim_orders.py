"""What a shim is told to do: a turn as orders that may be sent again and again."""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.errors import Unavailable
from bot.message import Answer, Message
from bot.ports import Turn
from bot.runtimes.shim_line import ShimOptions
from bot.spoken import LARGEST, Json, line


@dataclass(frozen=True, slots=True)
class Orders:
    """`name` is that by which the shim knows the turn, whichever process asks for it; `session` the conversation's there."""

    turn: Turn
    options: ShimOptions
    session: str
    name: str
    token: str = field(repr=False)

    def resumed(self, native: str) -> str:
        """All that is needed to go on with the conversation."""
        return json.dumps({"session": self.session, "resume": native})

    async def run(self, after: int, *, known: bool) -> bytes:
        turn, harness = self.turn, self.options.harness
        answer = {"answer": _given(turn.answer), "again": turn.again} if turn.answer else {}
        files = [] if known else await asyncio.to_thread(self._files)
        tools = {"tools": {"url": turn.tools.url, "token": turn.tools.token}} if turn.tools else {}
        return self._order(
            "run", after=after, known=known, agent=turn.agent.name.partition("@")[0], runtime=harness.runtime, model=turn.agent.model,
            options=harness.options, environment=harness.environment, number=turn.number, prompt=turn.prompt,
            instructions=turn.instructions, resume=_native(turn.resume, self.session), files=files,
            person=(turn.person.id, turn.person.name), **answer, **tools,
        )  # fmt: skip

    def say(self, message: Message) -> bytes:
        answer = {"answer": _given(message.answer)} if message.answer else {}
        return self._order("say", id=message.id, text=message.text, **answer)

    def stop(self) -> bytes:
        return self._order("stop")

    def beside(self, left: Sequence[str]) -> "Orders":
        """The same, after what an earlier turn had to leave unsaid."""
        return replace(self, turn=replace(self.turn, prompt="\n\n".join([*left, self.turn.prompt])))

    @property
    def next(self) -> str:
        """The name of the turn in which is said what came too late for this one."""
        return f"{self.name}+"

    def then(self, late: Sequence[str], resume: str) -> "Orders":
        return replace(self, turn=replace(self.turn, prompt="\n\n".join(late), resume=resume, answer=None, files=()), name=self.next)

    def _order(self, op: str, **more: Any) -> bytes:
        """It begins with the token: whoever has another is not heard further."""
        return line({"token": self.token, "op": op, "turn": self.name, **more}).encode()

    def _files(self) -> list[Json]:
        """Raises Unavailable where one is too large."""
        large = [path.name for path in self.turn.files if path.stat().st_size > LARGEST]
        if large:
            raise Unavailable(f"{', '.join(large)} is too large to be brought into a container (more than {LARGEST >> 20} MiB).")
        return [{"path": str(path), "data": base64.b64encode(path.read_bytes()).decode()} for path in self.turn.files]


def orders(turn: Turn, options: ShimOptions, session: str) -> Orders:
    """Raises Unavailable where there is no token."""
    if not (token := turn.environment.get(options.token, "").strip()):
        raise Unavailable(
            f"{turn.agent.file}: options.token needs {options.token}: name it under `environment:`, and set it where frontdesk runs "
            "to what the container has as SHIM_TOKEN."
        )
    name = f"{turn.session_id}/{turn.number}" + (f"/{turn.answer.question}" if turn.answer else "")
    return Orders(turn, options, session, name, token)


def _given(answer: Answer) -> Json:
    return {"question": answer.question, "parts": {part: list(words) for part, words in answer.parts.items()}, "note": answer.note}


def _native(resume: str, session: str) -> str:
    """What the harness itself goes on with; nothing, where the conversation was another runtime's."""
    try:
        kept = json.loads(resume or "{}")
    except ValueError:
        return ""
    return str(kept.get("resume") or "") if isinstance(kept, dict) and kept.get("session") == session else ""
