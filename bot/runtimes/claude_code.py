"""Agents that run on Claude Code, in a process of their own on this machine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from anyio.streams.memory import MemoryObjectSendStream
from claude_agent_sdk import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ClaudeSDKError,
    ProcessError,
    ResultError,
    ResultMessage,
    SessionStore,
)

from bot.agent import Agent
from bot.errors import RuntimeFailed, StoreFailed, Unavailable
from bot.event import Event, Notice, Started
from bot.message import Message
from bot.ports import Turn
from bot.runtimes import claude_setting, coding, gateway
from bot.runtimes.child import Child
from bot.runtimes.claude_bill import counted
from bot.runtimes.claude_memory import Memory
from bot.runtimes.claude_process import Process
from bot.runtimes.claude_questions import Questions
from bot.runtimes.claude_setting import Setting
from bot.runtimes.claude_story import Story
from bot.runtimes.claude_transcript import Copy, Transcript, knows
from bot.runtimes.claude_words import PROOFS, missing, short
from bot.runtimes.fit import Program, begins
from bot.runtimes.telling import drop, telling

PROGRAM = Program("Claude Code", str(claude_setting.BUNDLED), claude_setting.REMEDY)
MEMORY = "memory"  # under this key it is kept for other replicas
PARKING = 1.0  # seconds in which Claude Code may put a question off


class ClaudeCode:
    """The runtime `claude_code`. Each turn is one process, which goes on with the transcript in the session's folder."""

    Options = claude_setting.Options
    reports = True

    def __init__(self, options: claude_setting.Options) -> None:
        self.options = options

    async def reach(self, agent: Agent, environment: Mapping[str, str]) -> None:
        """Raises Unavailable where it cannot start, or has no key: each session has a home of its own, which no login of ours reaches."""
        if not any(environment.get(name) for name in PROOFS):
            raise Unavailable(f"Claude Code has no credentials. {missing(agent, environment)}")
        await begins(PROGRAM, self.options, agent, environment)

    def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncGenerator[Event, None]:
        work = Work(Setting(turn, self.options), inbox)
        return telling(work.run, f"claude-{turn.session_id}", work.leave)


class Work:
    """One turn, from the start of the process to its end."""

    tell: MemoryObjectSendStream[Event]
    story: Story
    questions: Questions

    def __init__(self, setting: Setting, inbox: AsyncIterator[Message]) -> None:
        self.setting, self.inbox, self.turn = setting, inbox, setting.turn
        self.sent: dict[str, None] = {}
        self.begun = False

    async def run(self, tell: MemoryObjectSendStream[Event]) -> None:
        self.tell = tell
        async with tell:
            self.setting.furnish()
            memory, transcript = await self._recalled()
            session = self.turn.resume if transcript else str(uuid4())
            memory.of(session, self.setting.work)
            memory.counts_from(await asyncio.to_thread(counted, self.setting.kept, session))
            process = Process(self.setting.begun(session, transcript is not None, memory))
            self._know(memory)
            prompt = await asyncio.to_thread(worded, self.turn, transcript)
            lost = self.turn.resume and not transcript and not (self.turn.again and self.turn.number == 1)
            notices = [Notice(coding.LOST, "warning")] if lost else []
            try:
                with self._translated(process):
                    await self._converse(process, session, prompt, notices)
            finally:
                with suppress(StoreFailed):
                    await self.turn.keep.append(MEMORY, [memory.model_dump_json()] if self.begun else [])
            if self.story.end:
                await self.tell.send(self.story.end)

    async def leave(self, task: "asyncio.Task[None]") -> None:
        """Put a question off that is open, so that the next process is asked it again."""
        if self.begun and not task.done() and self.questions.park():
            await asyncio.wait([task], timeout=PARKING)

    async def _recalled(self) -> tuple[Memory, Path | None]:
        """What is known of the conversation: from another replica, if that has gone on with it. Raises StoreFailed."""
        known = Transcript(self.setting.kept, self.turn.resume, self.setting.work)
        memory = Memory.read(self.turn.folder)
        if await known.restore(self.turn.keep):
            kept = await self.turn.keep.load(MEMORY)
            memory = Memory.model_validate_json(kept[-1] if kept else "{}")
        elif memory.work not in ("", str(self.setting.work)):
            return memory, None
        return memory, known.file

    def _know(self, memory: Memory) -> None:
        key = gateway.REMEDY if self.turn.gateway[0] else missing(self.turn.agent, self.turn.environment)
        self.story = Story(self.setting.work, self.turn.agent.file, memory, lambda: memory.write(self.turn.folder), key)
        self.questions = Questions(self.story, self.turn, self.tell.send, partial(drop, self.tell))

    async def _converse(self, process: Process, session: str, prompt: str, notices: list[Notice]) -> None:
        client = ClaudeSDKClient(self._asked_for(), process)
        try:
            await self._connect(client, process)
            self.begun = True
            await self.tell.send(Started(session, session, self._model(await client.get_server_info())))
            for notice in notices:
                await self.tell.send(notice)
            await self._talk(client, prompt)
            process.done = True
        finally:
            try:
                await client.disconnect()
                await process.close()  # the SDK closes only what it has connected
            finally:
                process.kill()
                if client._query:  # the SDK leaves it open where its disconnect is cancelled
                    client._query.close_receive_stream()

    def _asked_for(self) -> ClaudeAgentOptions:
        """What the SDK itself does; the rest stands in the process's command line."""
        return ClaudeAgentOptions(
            system_prompt={"type": "preset", "preset": "claude_code", "snapshot": False},  # the instructions name who asks: new each turn
            can_use_tool=self.questions.ask,
            hooks={"PreToolUse": [self.questions.hook]},
            verbatim_prompts=True,  # what people write is no command of Claude Code, and names no file to read
            session_store=cast(SessionStore, Copy(self.turn.keep)),
            session_store_flush="eager",
            env={"CLAUDE_CONFIG_DIR": str(self.setting.kept)},
        )

    async def _connect(self, client: ClaudeSDKClient, process: Process) -> None:
        seconds = self.setting.options.start_seconds
        try:
            async with asyncio.timeout(seconds):
                await client.connect()
        except TimeoutError as error:
            raise Unavailable(process.child.slow(seconds)) from error

    def _model(self, info: dict[str, Any] | None) -> str:
        wanted = self.turn.agent.model or "default"
        resolved = {model.get("value"): model.get("resolvedModel") for model in (info or {}).get("models", ())}
        return str(resolved.get(wanted) or self.turn.agent.model)

    async def _talk(self, client: ClaudeSDKClient, prompt: str) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self.sent = {self.questions.parked: None} if self.questions.parked else {}
                if not self.questions.answered:
                    await self._send(client, prompt)
                listening = group.create_task(self.questions.listen(self.turn, self.inbox, partial(self._send, client)))
                await self._read(client)
                listening.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _send(self, client: ClaudeSDKClient, text: str) -> None:
        self.sent[number := str(uuid4())] = None
        said = {"type": "user", "uuid": number, "message": {"role": "user", "content": text}, "parent_tool_use_id": None}
        await client.query(one(said))

    async def _read(self, client: ClaudeSDKClient) -> None:
        async for message in client.receive_messages():
            if isinstance(message, ResultMessage):
                if message.deferred_tool_use:
                    return self.story.park(message.deferred_tool_use.id, message.total_cost_usd or 0.0)
                self._account(message)
            for event in self.story.tell(message):
                await self.tell.send(event)
            if self.story.hopeless or (self.story.end and not self.sent and self.story.state in ("", "idle")):
                return
        raise ProcessError("it ended without a result")

    def _account(self, result: ResultMessage) -> None:
        """Cross off what the result answers: something said in the middle is taken into what runs, or has its own result later."""
        unnamed = next(iter(self.sent), "") if result.origin is None else ""
        for number in result.user_message_uuids or [result.user_message_uuid or unnamed]:
            self.sent.pop(number, None)

    @contextmanager
    def _translated(self, process: Process) -> Iterator[None]:
        """The one place where the SDK's errors become ours."""
        try:
            yield
        except ClaudeSDKError as error:
            raise (RuntimeFailed if self.begun else Unavailable)(ended(error, process.child, self.begun)) from error


async def one(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield message


def worded(turn: Turn, transcript: Path | None) -> str:
    """What is said first: for a turn that was cut, to go on, and the answer that it had waited for."""
    return coding.begun(turn, transcript is not None, turn.again and transcript is not None and knows(transcript, turn.prompt))


def ended(error: ClaudeSDKError, child: Child, begun: bool) -> str:
    """Why the process is not there any more."""
    match error:
        case _ if child.broken:
            return child.broken
        case ResultError(errors=[*said]) if said:
            return f"Claude Code could not begin: {short('; '.join(said), 300)}"
        case ProcessError(exit_code=int()):
            return child.why() if begun else child.unfit()
        case _:
            return f"Claude Code has gone in the middle of its work. It said: {short(child.complaint or 'nothing', 300)}"
