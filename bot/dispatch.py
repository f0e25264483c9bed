"""Everything that can be asked of the desk, whoever asks: Slack, a schedule, a webhook, the shell."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

from bot import clock, policy, words
from bot.agent import Agent, gone
from bot.compare import ON, Comparison, tried_on
from bot.errors import ConfigError
from bot.event import Event
from bot.message import Message, Person
from bot.ports import Engine, Feedback, Store, Surface
from bot.questions import Questions, asker
from bot.route import misnamed, named, route
from bot.session import Session

ADDRESSED = ("mention", "direct", "command", "shortcut", "cli")


class Desk:
    """What each method returns is for the person who asked, and for nobody else; empty where there is nothing to say.

    Raises Denied where this person may not; ConfigError where an agent's file is gone. `runtimes` are the names of those that there are.
    """

    def __init__(
        self, agents: Callable[[], Sequence[Agent]], store: Store, surface: Surface, engine: Engine, runtimes: Sequence[str] = ()
    ) -> None:
        self._agents, self.store, self.surface, self.engine = agents, store, surface, engine
        self.runtimes = runtimes
        self.comparison = Comparison(store, surface, engine.submit)
        self.questions = Questions(self.agent, store, surface, engine)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @property
    def agents(self) -> Sequence[Agent]:
        return self._agents()

    def agent(self, name: str) -> Agent:
        """Raises ConfigError for an agent whose file is gone."""
        if agent := tried_on(name, self.agents):
            return agent
        raise ConfigError(
            f"The agent {name!r} is no longer here: agents/{name}.md is gone. Call another by its name, or mention me in a new thread."
        )

    def _known(self, name: str) -> Agent:
        """The same, and one that nobody may ask for an agent whose file is gone."""
        return tried_on(name, self.agents) or gone(name)

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
        if (other and other.name != session.agent) or message.door in ("shortcut", "reaction"):
            return await self._begin(message, first=False)
        message = replace(message, text=text)
        if (word := words.command(message.text)) == "stop":
            return await self.halt(session.thread, message.author, f"stop:{message.id}")
        agent, addressed = self.agent(session.agent), message.door in ADDRESSED
        if message.author.kind == "bot" and message.author.id not in agent.allow.bots:
            return ""
        if word:
            return await self._obey(word, session, message)
        if session.muted and message.door in ("message", "direct"):
            return ""
        if addressed and not message.text.strip() and not message.files:
            return words.usage(self.agents_for(message.author), agent)
        if await self.questions.typed(session, agent, message):
            return await self._hand(session, message) if message.files else ""
        if not policy.may(agent, message.author, "run", session.asker.id):
            if addressed and message.door != "direct":
                policy.check(agent, message.author, "run", session.asker.id)
            return ""
        await self._put(session.id, message)
        return words.waits(session.open[0]) if session.open and session.ended else ""

    async def _hand(self, session: Session, message: Message) -> str:
        """The files of an answer: an answer is words, so they come behind it."""
        text = "Here are the files that came with my answer."
        return await self._put(session.id, replace(message, id=f"files:{message.id}", text=text, door="retry"))

    async def _begin(self, message: Message, first: bool = True) -> str:
        """Begin a session; `first` says that there is none in its thread."""
        names = [*(agent.name for agent in self.agents), *self.runtimes]
        if message.door in ADDRESSED and (found := words.compared(message.text, names)):
            return await self._compare(message, *found)
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

    async def _compare(self, message: Message, names: list[str], prompt: str) -> str:
        """Ask two the same: agents by their names, or runtimes by theirs, on which the agent of this place is tried."""
        here = route(message, self.agents)
        known = [*(agent.name for agent in self.agents_for(message.author)), *(self.runtimes if here else ())]
        agents = [agent for agent in self.agents if agent.name in names and agent.name not in known]
        for agent in agents:
            policy.check(agent, message.author, "run")
        if wrong := words.incomparable(names, prompt, known, self.runtimes):
            return wrong
        at = f"{here.name}{ON}" if here else ""
        found = [tried_on(name, self.agents) or tried_on(f"{at}{name}", self.agents) for name in names]
        agents = [agent for agent in found if agent]
        for agent in agents:
            policy.check(agent, message.author, "run")
        await self.comparison.begin(message, agents, prompt)
        return ""

    async def _start(self, message: Message, agent: Agent, first: bool) -> str:
        private = message.private or agent.reply == "private"
        if not message.thread or (private and message.door != "direct"):
            thread, channel = await self.surface.open(replace(message, private=private), agent)
            message = replace(message, thread=thread, channel=channel, source=message.thread)
        elif not first and (old := await self.store.session_of(message.thread, agent.name)) and not words.command(message.text):
            return await self._put(old.id, message)
        asked = (agent.name, message.thread, message.author, message.channel, message.channel_name)
        session = Session(uuid4().hex, *asked, private=private or self.surface.direct(message.thread))
        await self._submit(session.id, message, await self.store.start(session, message))
        told = private and message.door in ("mention", "command", "reaction") and message.author.kind != "bot"
        return words.APART if told else ""

    async def _put(self, session_id: str, message: Message) -> str:
        return await self._submit(session_id, message, await self.store.put(session_id, message))

    async def _submit(self, session_id: str, message: Message, new: bool) -> str:
        """Let the message's session be run, also where it was kept before: whoever kept it may have come no further."""
        if found := None if new else await self.store.asked_by(message.id):
            session_id = found[0].id
        await self.engine.submit(session_id)
        return ""

    async def fire(self, message: Message) -> None:
        """Begin a session that nobody asked for: its agent's file says so, and that is leave enough."""
        agent = self.agent(message.agent)
        asked = (agent.name, message.thread, message.author, message.channel, message.channel_name)
        session = Session(uuid4().hex, *asked, private=self.surface.direct(message.thread))
        await self._submit(session.id, message, await self.store.start(session, message))

    def _instead(self, message: Message, agent: Agent | None) -> str:
        """What to say rather than begin a session."""
        word = words.command(message.text)
        if word == "help" or (not message.text.strip() and not message.files and message.door != "shortcut"):
            return words.usage(self.agents_for(message.author), agent)
        if word:
            return f"I have no conversation here: `{word}` works inside a thread of mine. Say `help` to see what I can do."
        if near := misnamed(message.text, self.agents):
            return f"There is no agent of that name. Did you mean `@Frontdesk {near}: …`?"
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
        policy.check(agent, message.author, "run", session.asker.id)
        if word == "status":
            waiting = [one for one in await self.store.unread(session.id) if not one.turn]
            return words.status(session, len(waiting))
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
        policy.check(self._known(session.agent), by, "stop", asker(session, by))
        waiting = await self.store.unread(session.id)
        if session.ended and session.over and not waiting:
            return "Nothing runs here any more."
        reason = f"Stopped by {by.name or by.id}{why}."
        at = max((one.message.at for one in waiting), default=clock.now()) + 1e-6  # after all that it means, by any clock
        letter = Message(id, session.thread, session.channel, by, reason, "stop", at, name=why)
        return await self._put(session.id, letter)

    async def halt(self, thread: str, by: Person, id: str) -> str:
        """Stop all that goes on in a thread."""
        current = await self.store.session_in(thread)
        if current is None:
            return "Nothing of mine runs here."
        said = await self.stop(current, by, id)
        others = [session for session in await self.store.sessions(thread=thread, live=True) if session.id != current.id]
        for session in others:
            await self.stop(session, by, f"{id}:{session.id}")
        return "" if others else said

    async def withdraw(self, message_id: str, by: Person, id: str, *, deleted: bool) -> str:
        """Take back one message: what waits is dropped; what runs because of it is stopped."""
        found = await self.store.asked_by(message_id)
        if found is None:
            return ""
        session, one = found
        if not one.turn and not one.done and session.number and session.source != message_id:
            if not deleted:
                policy.check(self.agent(session.agent), by, "stop", asker(session, by))
            await self.store.drop([message_id])
            await self.surface.mark(one.message, "taken")
            return ""
        if one.done or (session.number and session.source != message_id):
            return ""
        return await self.stop(session, by, id, ", who deleted the message" if deleted else "")

    async def retry(self, session_id: str, turn: int, by: Person, id: str) -> str:
        """Ask once more what a turn was asked."""
        session = await self.store.load(session_id)
        policy.check(self.agent(session.agent), by, "run", session.asker.id)
        if session.number != turn or not session.over:
            return "The conversation has gone on since. Say in the thread what you want."
        asked = await self.store.read_by(session_id, turn)
        if not asked:
            return "What was asked is no longer known. Say it again in the thread."
        text, files = "\n\n".join(one.text for one in asked), tuple(file for one in asked for file in one.files)
        again = replace(asked[-1], id=f"retry:{session_id}:{turn}", text=text, files=files, answer=None)
        return await self._put(session_id, replace(again, author=by, door="retry", at=clock.now()))

    async def rate(self, feedback: Feedback) -> Feedback:
        """Keep what a person thought of an answer; saying it again changes it."""
        return await self.store.rate(feedback)

    async def steps(self, session_id: str, turn: int, by: Person) -> list[Event]:
        """What an agent has done in a turn."""
        session = await self.store.load(session_id)
        policy.check(self._known(session.agent), by, "run", asker(session, by))
        return await self.store.steps(session_id, turn)

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
