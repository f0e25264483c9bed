"""Everything that can be asked of the desk, whoever asks: Slack, a schedule, a webhook, the shell."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

from bot import clock, policy, words
from bot.agent import Agent, gone
from bot.errors import ConfigError
from bot.event import Answered, Question
from bot.inbox import shown
from bot.message import Answer, Message, Person
from bot.ports import Asked, Engine, Feedback, Store, Surface
from bot.route import misnamed, named, route
from bot.session import Session

ADDRESSED = ("mention", "direct", "command", "shortcut", "cli")


class Desk:
    """What each method returns is for the person who asked, and for nobody else; empty where there is nothing to say.

    Raises Denied where this person may not; ConfigError where an agent's file is gone.
    """

    def __init__(self, agents: Callable[[], Sequence[Agent]], store: Store, surface: Surface, engine: Engine) -> None:
        self._agents, self.store, self.surface, self.engine = agents, store, surface, engine
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self._expired: set[str] = set()  # the sessions of questions that were closed, until somebody runs them

    @property
    def agents(self) -> Sequence[Agent]:
        return self._agents()

    def agent(self, name: str) -> Agent:
        """Raises ConfigError for an agent whose file is gone."""
        for agent in self.agents:
            if agent.name == name:
                return agent
        raise ConfigError(
            f"The agent {name!r} is no longer here: agents/{name}.md is gone. Call another by its name, or mention me in a new thread."
        )

    async def hear(self, message: Message) -> str:
        """Begin a session, or go on with the one in this thread."""
        if words.aside(message.text):
            return ""
        async with self._alone(message.thread or message.id):
            session = await self.store.session_in(message.thread) if message.thread else None
            if session is None:
                return await self._begin(message)
            return await self._continue(session, message)

    async def _continue(self, session: Session, message: Message) -> str:
        other, text = named(message.text, self.agents)
        if (other and other.name != session.agent) or message.door == "shortcut":
            return await self._begin(message, first=False)
        message = replace(message, text=text)
        if (word := words.command(message.text)) == "stop":
            return await self.stop(session, message.author, f"stop:{message.id}")
        agent, addressed = self.agent(session.agent), message.door in ADDRESSED
        if message.author.kind == "bot" and message.author.id not in agent.allow.bots:
            return ""
        if word:
            return await self._obey(word, session, message)
        if session.muted and message.door in ("message", "direct"):
            return ""
        if addressed and not message.text.strip() and not message.files:
            return words.usage(self.agents_for(message.author), agent)
        if await self._replied(session, agent, message):
            return ""
        if not policy.may(agent, message.author, "run", session.asker.id):
            if addressed and message.door != "direct":
                policy.check(agent, message.author, "run", session.asker.id)
            return ""
        await self._put(session.id, message)
        return words.waits(session.open[0]) if session.open and session.ended else ""

    async def _begin(self, message: Message, first: bool = True) -> str:
        """Begin a session; `first` says that there is none in its thread."""
        other, text = named(message.text, self.agents)
        picked = next((agent for agent in self.agents if agent.name == message.agent), None) or other
        agent = picked or route(message, self.agents)
        if message.door in ADDRESSED and not picked and (said := self._instead(message, agent)):
            return said
        if agent is None:
            return "" if message.door in ("message", "reaction") else self._nobody(message)
        if message.author.kind == "bot" and message.author.id not in agent.allow.bots:
            return ""
        if message.door == "message" and not policy.may(agent, message.author, "run"):
            return ""
        policy.check(agent, message.author, "run")
        return await self._start(replace(message, text=text) if other else message, agent, first)

    async def _start(self, message: Message, agent: Agent, first: bool) -> str:
        private = message.private or agent.reply == "private"
        if not message.thread or (private and message.door != "direct"):
            thread, channel = await self.surface.open(replace(message, private=private), agent)
            message = replace(message, thread=thread, channel=channel, source=message.thread)
        elif not first and (old := await self.store.session_of(message.thread, agent.name)) and not words.command(message.text):
            return await self._put(old.id, message)
        asked = (agent.name, message.thread, message.author, message.channel, message.channel_name)
        session = Session(uuid4().hex, *asked, private=private)
        await self.store.start(session, message)
        return await self._submit(message)

    async def _put(self, session_id: str, message: Message) -> str:
        await self.store.put(session_id, message)
        return await self._submit(message)

    async def _submit(self, message: Message) -> str:
        """Let the message's session be run, also where it was kept before: whoever kept it may have come no further."""
        if found := await self.store.asked_by(message.id):
            await self.engine.submit(found[0].id)
        return ""

    def _instead(self, message: Message, agent: Agent | None) -> str:
        """What to say rather than begin a session."""
        word = words.command(message.text)
        if word == "help" or (not message.text.strip() and not message.files and message.door != "shortcut"):
            return words.usage(self.agents_for(message.author), agent)
        if word:
            return f"I have no conversation here: `{word}` works inside a thread of mine. Say `help` to see what I can do."
        if near := misnamed(message.text, self.agents):
            return f"There is no agent of that name. Did you mean `{near}: …`?"
        return ""

    def _nobody(self, message: Message) -> str:
        what = {"command": f"the command {message.name}", "shortcut": f"the shortcut {message.name!r}"}.get(message.door, "this place")
        there = ", ".join(f"`{agent.name}`" for agent in self.agents_for(message.author))
        return f"No agent answers {what}. " + (f"Pick one by its name: {there}." if there else "There is no agent that you may ask.")

    def agents_for(self, person: Person) -> list[Agent]:
        """The agents that a person may ask."""
        return [agent for agent in self.agents if policy.may(agent, person, "run")]

    async def _obey(self, word: str, session: Session, message: Message) -> str:
        agent = self.agent(session.agent)
        if word == "help":
            return words.usage(self.agents_for(message.author), agent)
        if word == "status":
            waiting = [one for one in await self.store.unread(session.id) if not one.turn]
            return words.status(session, len(waiting))
        policy.check(agent, message.author, "run", session.asker.id)
        if word == "new":
            if not session.over:
                await self.stop(session, message.author, f"stop:{message.id}")
            fresh = Session(
                uuid4().hex, agent.name, session.thread, message.author, session.channel, session.channel_name,
                private=session.private, state="completed", asked=message.at, ended=message.at,
            )  # fmt: skip
            await self.store.start(fresh)
            return f"Forgotten. What you say next in this thread begins a new conversation with {agent.name}."
        await self.store.mute(session.id, word == "mute")
        return (
            "I am quiet here now, and answer only when I am mentioned, until somebody says `unmute`."
            if word == "mute"
            else "I listen again."
        )

    async def stop(self, session: Session, by: Person, id: str, why: str = "") -> str:
        """Stop what runs, waits or has just been asked in a session. `id` makes it safe to repeat."""
        agent = next((agent for agent in self.agents if agent.name == session.agent), gone(session.agent))
        policy.check(agent, by, "stop", _asker(session, by))
        waiting = await self.store.unread(session.id)
        if session.ended and session.over and not waiting:
            return "Nothing runs here any more."
        reason = f"Stopped by {by.name or by.id}{why}."
        at = max((one.message.at for one in waiting), default=clock.now()) + 1e-6  # after all that it means, by any clock
        letter = Message(id, session.thread, session.channel, by, reason, "stop", at, name=why)
        return await self._put(session.id, letter)

    async def halt(self, thread: str, by: Person, id: str) -> str:
        """Stop the session that goes on in a thread."""
        session = await self.store.session_in(thread)
        return await self.stop(session, by, id) if session else "Nothing of mine runs here."

    async def withdraw(self, message_id: str, by: Person, id: str, *, deleted: bool) -> str:
        """Take back one message: what waits is dropped; what runs because of it is stopped."""
        found = await self.store.asked_by(message_id)
        if found is None:
            return ""
        session, one = found
        if not one.turn and not one.done and session.number and not session.over and session.source != message_id:
            if not deleted:
                policy.check(self.agent(session.agent), by, "stop", _asker(session, by))
            await self.store.drop([message_id])
            await self.surface.mark(one.message, "taken")
            return ""
        if one.done or (session.number and session.source != message_id):
            return ""
        return await self.stop(session, by, id, ", who deleted the message" if deleted else "")

    async def _replied(self, session: Session, agent: Agent, message: Message) -> bool:
        """Whether a typed reply was the answer to a question that waits."""
        for question in session.open:
            parts = words.typed(question, message.text)
            deed: policy.Deed = "approve" if question.kind == "permission" else "answer"
            if words.picked(question, message.text):
                policy.check(agent, message.author, deed, _asker(session, message.author))
            if parts and policy.may(agent, message.author, deed, _asker(session, message.author)):
                return not await self.answer(session.id, question.id, parts, message.author, message.id)
        return False

    async def answer(
        self, session_id: str, question_id: str, parts: Mapping[str, tuple[str, ...]], by: Person, id: str, note: str = ""
    ) -> str:  # fmt: skip
        """Answer a question. The first answer wins."""
        session, asked = await self.store.load(session_id), await self.store.asked(session_id, question_id)
        if asked is None:
            return "That question is no longer known. Say in the thread what you want, and the agent goes on."
        question, now = asked.question, clock.now()
        await self.allowed(session_id, question, by)
        if asked.answered is None and question.expires_at and question.expires_at <= now:
            await self.expire(now)
            return "That question has expired. Say in the thread what you want, and the agent goes on."
        answer = Answer(question_id, parts, note)
        answered = Answered(question_id, "answered", by.name or by.id, shown(question, answer))
        text = ", ".join(word for chosen in parts.values() for word in chosen)
        letter = Message(id, session.thread, session.channel, by, text, "answer", now, answer=answer)
        if not await self.store.close(session_id, answered, letter) and not await self.store.heard(id):
            done = (await self.store.asked(session_id, question_id) or asked).answered
            return (
                f"That was already answered by {done.by}." if done and done.by else "That question is closed: nobody waits for it any more."
            )
        await self.engine.submit(session_id)
        await self.surface.settle(session, question, answered)
        return ""

    async def allowed(self, session_id: str, question: Question, by: Person) -> None:
        """Raises Denied, unless this person may answer."""
        session = await self.store.load(session_id)
        deed: policy.Deed = "approve" if question.kind == "permission" else "answer"
        policy.check(self.agent(session.agent), by, deed, _asker(session, by))

    async def expire(self, now: float) -> None:
        """Close the questions whose time is over, and let whoever waits for them go on."""
        async with self._alone(""):  # by the clock, and by whoever answers too late
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

    async def retry(self, session_id: str, turn: int, by: Person, id: str) -> str:
        """Ask once more what a turn was asked."""
        session = await self.store.load(session_id)
        policy.check(self.agent(session.agent), by, "run", session.asker.id)
        if session.number != turn or not session.over:
            return "The conversation has gone on since. Say in the thread what you want."
        found = await self.store.asked_by(session.source)
        if found is None or found[1].message.answer:
            return "What was asked is no longer known. Say it again in the thread."
        again = replace(found[1].message, id=f"retry:{session_id}:{turn}", author=by, door="retry", at=clock.now())
        return await self._put(session_id, again)

    async def rate(self, feedback: Feedback) -> Feedback:
        """Keep what a person thought of an answer; saying it again changes it."""
        return await self.store.rate(feedback)

    async def overview(self, person: Person) -> tuple[list[Session], list[Agent]]:
        """A person's own sessions, newest first, and the agents that they may ask."""
        return await self.store.sessions(10, person.id), self.agents_for(person)

    async def recover(self) -> None:
        """Go on with whatever the last process left."""
        for session_id in await self.store.unfinished():
            await self.engine.submit(session_id)

    @asynccontextmanager
    async def _alone(self, thread: str) -> AsyncIterator[None]:
        """One thing at a time for each thread, in the order in which it came."""
        lock, users = self._locks.get(thread, (asyncio.Lock(), 0))
        self._locks[thread] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[thread]
            self._locks[thread] = (lock, users - 1)
            if users == 1:
                del self._locks[thread]


def _asker(session: Session, by: Person) -> str:
    """Who counts as the person who asked: whoever began the session, and whoever asked for the turn."""
    return by.id if session.by and session.by.id == by.id else session.asker.id
