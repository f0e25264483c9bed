"""The same asked of two: each has a session and a thread of its own, and people vote."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Literal
from uuid import uuid4

from bot.agent import Agent
from bot.message import Message, Person
from bot.ports import Feedback, Store, Surface
from bot.session import Session

ON = "@"  # between an agent's name and the runtime that it is tried on: helper@codex
Submit = Callable[[str], Awaitable[None]]


def tried_on(name: str, agents: Sequence[Agent]) -> Agent | None:
    """The agent of this name; for `helper@codex` the same agent on that runtime."""
    base, _, runtime = name.partition(ON)
    agent = next((agent for agent in agents if agent.name == base), None)
    if agent is None or not runtime:
        return agent
    return agent.on(runtime).model_copy(update={"name": name})


class Comparison:
    """`submit` lets a session be run."""

    def __init__(self, store: Store, surface: Surface, submit: Submit) -> None:
        self.store, self.surface, self.submit = store, surface, submit

    async def begin(self, message: Message, agents: Sequence[Agent], prompt: str) -> None:
        """Ask each of them, each in a thread of its own, and show under the message where that is. Raises BotError."""
        thread = message.thread
        if not thread:
            thread, _ = await self.surface.open(replace(message, text=prompt), agents[0])
        sessions = []
        for n, agent in enumerate(agents):
            asked = replace(message, id=f"compare:{n}:{message.id}", text=prompt, door="command", thread="")
            place, channel = await self.surface.open(asked, agent)
            direct = self.surface.direct(place)
            session = Session(uuid4().hex, agent.name, place, message.author, channel, message.channel_name, private=direct)
            if not await self.store.start(session, replace(asked, thread=place, channel=channel)):
                found = await self.store.asked_by(asked.id)  # somebody before us came no further
                session = found[0] if found else session
            sessions.append(session)
            await self.submit(session.id)
        await self.surface.compare(message.id, thread, sessions, [0] * len(sessions))

    async def vote(self, id: str, thread: str, session_ids: Sequence[str], choice: int, by: Person, at: float) -> str:
        """Prefer one of them; another vote of the same person takes the place of the first."""
        sessions = [await self.store.load(session_id) for session_id in session_ids]
        for n, session in enumerate(sessions):
            other = sessions[1 - n].agent
            words = f"better than {other}" if n == choice else f"not as good as {other}"
            rating: Literal["good", "bad"] = "good" if n == choice else "bad"
            await self.store.rate(Feedback(session.id, 1, by.id, rating, ("compared",), words, at=at))
        await self.surface.compare(id, thread, sessions, [await self.store.votes(session.id) for session in sessions])
        return "Thank you, it is noted."
