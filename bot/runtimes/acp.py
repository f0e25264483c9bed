"""Agents that speak ACP, the Agent Client Protocol, each in a process of its own on this machine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast

from acp import PROTOCOL_VERSION, RequestError, text_block
from acp.client import ClientSideConnection
from acp.interfaces import Client
from acp.schema import (
    AgentCapabilities,
    ClientCapabilities,
    ElicitationCapabilities,
    ElicitationFormCapabilities,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    NewSessionResponse,
    PlanCapabilities,
    PromptResponse,
    ResumeSessionResponse,
)
from anyio.streams.memory import MemoryObjectSendStream
from pydantic import ValidationError

from bot.agent import Agent
from bot.errors import RuntimeFailed, Unavailable
from bot.event import Event, Finished, Notice, Started, Usage
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import acp_setting, claude_bill, coding
from bot.runtimes import acp_words as words
from bot.runtimes.acp_memory import Memory
from bot.runtimes.acp_pipe import Json, Pipe
from bot.runtimes.acp_questions import Questions
from bot.runtimes.acp_setting import Setting
from bot.runtimes.acp_story import Story
from bot.runtimes.child import Child
from bot.runtimes.fit import Program, begins
from bot.runtimes.telling import drop, meanwhile, telling

Opened = NewSessionResponse | LoadSessionResponse | ResumeSessionResponse
GRACE = 0.5  # seconds that a stopped agent has to write down how far it came
AGAIN = (
    "You were cut off in the middle of your work on the last request, as the process that you ran in was restarted. What you did before "
    "is done: look at how things stand, do nothing twice, and go on until the request is fulfilled. The request was:"
)
LOST = "What was said before in this conversation is lost to {}, which knows only the last message."
CAN = ClientCapabilities(elicitation=ElicitationCapabilities(form=ElicitationFormCapabilities()), plan=PlanCapabilities())


class ACP:
    """The runtime `acp`. Each turn is one process, which goes on with the session that the agent itself keeps."""

    Options = acp_setting.Options
    reports = True

    def __init__(self, options: acp_setting.Options) -> None:
        self.options = options
        self.tools = not (options.harness and acp_setting.PRESETS[options.harness].questions)

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where there is no such command."""
        preset = acp_setting.preset(self.options, agent)
        word = (self.options.command or preset.command)[0]
        await begins(Program(preset.title, word, preset.remedy, says=False), self.options, agent, environment)

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        return telling(lambda tell: Work(Setting(turn, self.options), inbox, tell).run(), f"acp-{turn.session_id}")


class Work:
    """One turn, from the start of the process to its end."""

    def __init__(self, setting: Setting, inbox: AsyncIterator[Message], tell: MemoryObjectSendStream[Event]) -> None:
        self.setting, self.inbox, self.tell, self.turn = setting, inbox, tell, setting.turn
        self.name = setting.preset.title
        self.memory = Memory.read(self.turn.folder)
        self.story = Story(setting.preset, setting.work, self.memory, self.turn.agent.file)
        self.questions = Questions(self.story, tell.send, partial(drop, tell), bool(self.turn.tools))
        self.ways: list[str] = []
        self.session = self.keyed = ""
        self.begun = self.deaf = False
        self._asking: asyncio.Task[PromptResponse] | None = None

    async def run(self) -> None:
        async with self.tell:
            child = Child(self.setting.begun())
            try:
                await child.start()
                end = await self._converse(child)
            finally:
                await child.close()
            await self.tell.send(end)

    async def _converse(self, child: Child) -> Finished:
        client = cast(Client, self.questions)
        connection = ClientSideConnection(client, Pipe(child, self._told), use_unstable_protocol=True)
        try:
            with self._translated(child):
                await self._begin(connection, child)
                return await self._talk(connection)
        finally:
            await self._leave(connection, child)

    async def _told(self, session: str, update: Json) -> None:
        if not self.begun or self.deaf or session not in ("", self.session):
            return  # what was said in turns before this one, or elsewhere
        for event in self.story.tell(update):
            await self.tell.send(event)

    async def _begin(self, connection: ClientSideConnection, child: Child) -> None:
        seconds = self.setting.options.start_seconds
        try:
            async with asyncio.timeout(seconds):
                about = await connection.initialize(PROTOCOL_VERSION, CAN, Implementation(name="frontdesk", version="0"))
                opened = await self._opened(connection, self._known(about))
                await self._choose(connection, opened, "mode", self.setting.mode)
                await self._choose(connection, opened, "model", self.turn.agent.model)
        except TimeoutError as error:
            raise Unavailable(child.slow(seconds)) from error
        lost = self.turn.resume and self.turn.resume != self.session
        self.memory.of(self.session)
        known = await asyncio.to_thread(claude_bill.counted, claude_bill.config(self.setting.environment), self.session)
        self.memory.counts_from(known)
        await self.tell.send(Started(self.session, self.session, model(opened) or self.turn.agent.model))
        if lost:
            await self.tell.send(Notice(LOST.format(self.name), "warning"))
        self.begun = True

    def _known(self, about: InitializeResponse) -> AgentCapabilities:
        if about.protocol_version != PROTOCOL_VERSION:
            asked = f"version {about.protocol_version} of ACP, and frontdesk version {PROTOCOL_VERSION}"
            raise Unavailable(f"{self.name} speaks {asked}; bring it up to date, or {self.setting.preset.remedy}.")
        self.ways = [way.name for way in about.auth_methods or ()]
        self.keyed = next((way.id for way in about.auth_methods or () if words.KEYED.search(way.id)), "")
        return about.agent_capabilities or AgentCapabilities()

    async def _opened(self, connection: ClientSideConnection, can: AgentCapabilities) -> Opened:
        """Some log in only where they are told to, though the key stands in their environment."""
        try:
            return await self._open(connection, can)
        except RequestError as error:
            if error.code != words.LOGIN or not self.keyed:
                raise
            with suppress(RequestError):  # then it asks again for what it needs
                await connection.authenticate(self.keyed)
        return await self._open(connection, can)

    async def _open(self, connection: ClientSideConnection, can: AgentCapabilities) -> Opened:
        """The session of the turn before, if the agent can find it; else another."""
        offers = can.session_capabilities
        given: dict[str, Any] = {"cwd": str(self.setting.work), "mcp_servers": self.setting.servers(can), **acp_setting.OWN}
        if offers and offers.additional_directories and self.setting.files:
            given["additional_directories"] = self.setting.files
        self.session = self.turn.resume
        with self._forgotten():
            if self.session and offers and offers.resume:
                return await connection.resume_session(session_id=self.session, **given)
            if self.session and can.load_session:
                return await connection.load_session(session_id=self.session, **given)
        opened = await connection.new_session(**given)
        self.session = opened.session_id
        return opened

    @contextmanager
    def _forgotten(self) -> Iterator[None]:
        try:
            yield
        except RequestError as error:
            if error.code == words.LOGIN:
                raise

    async def _choose(self, connection: ClientSideConnection, opened: Opened, what: str, wanted: str) -> None:
        """Raises Unavailable where the agent does not know it."""
        if not wanted:
            return
        options = [option for option in opened.config_options or () if option.category == what]
        modes = [mode.id for mode in opened.modes.available_modes] if opened.modes and what == "mode" else []
        try:
            if options:
                await connection.set_config_option(options[0].id, self.session, wanted)
            elif modes:
                await connection.set_session_mode(self.session, wanted)
            else:
                raise Unavailable(f"{self.name} lets nobody choose a {what} over ACP: take {wanted!r} out of {self.turn.agent.file}.")
        except RequestError as error:
            there = words.offered(wanted, modes or choices(options))
            raise Unavailable(f"{self.name} does not know the {what} {wanted!r}; correct {self.turn.agent.file}. {there}") from error

    async def _talk(self, connection: ClientSideConnection) -> Finished:
        listening = self.questions.listen(self.turn, self.inbox, self._later)
        async with meanwhile(listening, f"acp-inbox-{self.turn.session_id}"):
            with coding.heard(self.turn, self.questions.notes):
                return await self._prompts(connection)

    async def _prompts(self, connection: ClientSideConnection) -> Finished:
        """The prompt, then one by one what was said meanwhile: some agents would mix up two prompts at once."""
        end, more = await self._prompt(connection, self._worded()), self.questions.notes
        while more and end.state == "completed":
            said, more[:] = "\n\n".join(more), []
            end = await self._prompt(connection, [said])
        return end

    def _worded(self) -> list[str]:
        again = [AGAIN] if self.turn.again and self.session == self.turn.resume else []
        prompt = "\n\n".join([*coding.unheard(self.turn), *again, self.turn.prompt])
        if not self.turn.instructions or self.turn.instructions == self.memory.instructions:
            return [prompt]
        self.memory.instructions = self.turn.instructions
        return [f"Your instructions in this conversation, from those who set you up:\n\n{self.turn.instructions}", prompt]

    async def _prompt(self, connection: ClientSideConnection, said: list[str]) -> Finished:
        self.story.begin()
        self._asking = asyncio.create_task(connection.prompt(self.session, [text_block(text) for text in said]))
        await asyncio.wait([self._asking])
        try:
            answer = self._asking.result()
            events = [*self.story.end(answer.stop_reason, counted(answer))]
        except RequestError as error:
            if error.code == words.LOGIN:
                raise
            events = [*self.story.spent(None), *self.story.failed(str(error), error.data)]
        self.memory.write(self.turn.folder)
        *rest, end = events
        for event in rest:
            await self.tell.send(event)
        return cast(Finished, end)

    async def _later(self, said: str) -> None:
        """It is the next prompt."""
        self.questions.notes.append(said)

    async def _leave(self, connection: ClientSideConnection, child: Child) -> None:
        """End the process: politely if it has nothing to do any more."""
        asking = self._asking
        self.deaf = True
        try:
            if asking and not asking.done() and not self.turn.leaving() and child.code is None:
                with suppress(ConnectionError, RuntimeFailed, TimeoutError):  # one that hangs may not hear it any more
                    await asyncio.wait_for(connection.cancel(self.session), GRACE)
                    await asyncio.wait([asking], timeout=GRACE)
            await child.close(politely=asking is not None and asking.done())
            await connection.close()
        finally:
            child.kill()
            if asking:
                asking.cancel()

    @contextmanager
    def _translated(self, child: Child) -> Iterator[None]:
        """The one place where the SDK's errors become ours."""
        try:
            yield
        except RequestError as error:
            file = self.turn.agent.file
            login = words.login(self.name, file, self.ways)
            raise self._failed(login if error.code == words.LOGIN else words.failure(self.name, str(error), error.data, file)) from error
        except ValidationError as error:
            raise self._failed(f"{self.name} said something that ACP does not know ({error.title}). Bring it up to date.") from error
        except Unavailable:
            raise
        except (ConnectionError, RuntimeFailed) as error:
            raise self._failed(child.why() if self.begun else child.unfit()) from error

    def _failed(self, why: str) -> RuntimeFailed:
        return RuntimeFailed(why) if self.begun else Unavailable(why)


def counted(answer: PromptResponse) -> Usage | None:
    if (used := answer.usage) is None:
        return None
    return Usage(used.input_tokens + (used.cached_write_tokens or 0), used.output_tokens, used.cached_read_tokens or 0)


def model(opened: Opened) -> str:
    return next((str(option.current_value) for option in opened.config_options or () if option.category == "model"), "")


def choices(options: list[Any]) -> list[str]:
    return [str(getattr(each, "value", "")) for option in options for each in getattr(option, "options", ()) if getattr(each, "value", "")]
