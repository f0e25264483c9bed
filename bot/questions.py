"""The agents' questions: who may answer, what is an answer, and that each has one."""

import asyncio
from collections.abc import Callable, Mapping

from bot import clock, policy, words
from bot.agent import Agent
from bot.event import DENY, Answered, Question
from bot.inbox import shown
from bot.message import Answer, Message, Person
from bot.ports import Asked, Engine, Store, Surface
from bot.session import Session


class Questions:
    """What its methods return is for the person who answered; empty where there is nothing to say. `agent` raises ConfigError."""

    def __init__(self, agent: Callable[[str], Agent], store: Store, surface: Surface, engine: Engine) -> None:
        self.agent, self.store, self.surface, self.engine = agent, store, surface, engine
        self._alone = asyncio.Lock()
        self._expired: set[str] = set()  # the sessions of questions that were closed, until somebody runs them

    async def typed(self, session: Session, agent: Agent, message: Message) -> bool:
        """Whether something that was said was the answer to a question that waits. Raises Denied."""
        for question in session.open:
            meant = policy.trusted(agent, question)
            parts, asked = words.typed(question, message.text), asker(session, message.author)
            deed = _deed(question, parts or {}, asked in ("", message.author.id))
            if words.picked(question, message.text):
                policy.check(meant, message.author, deed, asked)
            if parts and policy.may(meant, message.author, deed, asked):
                return not await self.answer(session.id, question.id, parts, message.author, message.id)
        return False

    async def answer(
        self, session_id: str, question_id: str, parts: Mapping[str, tuple[str, ...]], by: Person, id: str, note: str = ""
    ) -> str:  # fmt: skip
        """Answer a question. The first answer wins. Raises Denied."""
        session, asked = await self.store.load(session_id), await self.store.asked(session_id, question_id)
        if asked is None:
            return "That question is no longer known. Say in the thread what you want, and the agent goes on."
        question, now = asked.question, clock.now()
        await self.allowed(session_id, question, by, parts)
        if asked.answered is None and question.expires_at and question.expires_at <= now:
            await self.expire(now)
            return "That question has expired. Say in the thread what you want, and the agent goes on."
        answer = Answer(question_id, parts, note)
        answered = Answered(question_id, "answered", by.name or by.id, shown(question, answer))
        letter = Message(id, session.thread, session.channel, by, ", ".join(answered.answers), "answer", now, answer=answer)
        if not await self.store.close(session_id, answered, letter) and not await self.store.heard(id):
            done = (await self.store.asked(session_id, question_id) or asked).answered
            return (
                f"That was already answered by {done.by}." if done and done.by else "That question is closed: nobody waits for it any more."
            )
        await self.engine.submit(session_id)
        await self.surface.settle(session, question, answered)
        return ""

    async def allowed(self, session_id: str, question: Question, by: Person, parts: Mapping[str, tuple[str, ...]]) -> None:
        """Raises Denied, unless this person may give this answer."""
        session = await self.store.load(session_id)
        asked = asker(session, by)
        agent = policy.trusted(self.agent(session.agent), question)
        policy.check(agent, by, _deed(question, parts, asked in ("", by.id)), asked)

    async def expire(self, now: float) -> None:
        """Close the questions whose time is over, and let whoever waits for them go on."""
        async with self._alone:  # by the clock, and by whoever answers too late
            for asked in await self.store.overdue(now):
                self._expired.add(asked.session_id)  # what was closed is not overdue again, also where we never learnt that it was
                await self._expire(asked, now)
            for session_id in [*self._expired]:
                await self.engine.submit(session_id)
                self._expired.discard(session_id)

    async def _expire(self, asked: Asked, now: float) -> None:
        session, question = await self.store.load(asked.session_id), asked.question
        answered = Answered(question.id, "expired")
        letter = Message(
            f"expired:{session.id}:{question.id}", session.thread, session.channel, session.asker, "", "answer", now,
            answer=Answer(question.id),
        )  # fmt: skip
        if await self.store.close(session.id, answered, None if session.ended else letter):
            await self.surface.settle(session, question, answered)


def _deed(question: Question, parts: Mapping[str, tuple[str, ...]], asked: bool) -> policy.Deed:
    """What is needed to say this; whoever asked may always say no, and where nobody asked, whoever may ask."""
    if question.kind != "permission":
        return "answer"
    return "run" if asked and set(parts.values()) == {(DENY,)} else "approve"


def asker(session: Session, by: Person) -> str:
    """Who counts as the person who asked: whoever began the session, and whoever asked for the turn."""
    return by.id if session.by and session.by.id == by.id else session.asker.id
