"""What the stand-in of an A2A agent does: the `!` lines of its prompt, one after the other.

    !say TEXT              an artifact, in pieces
    !artifact ID TEXT      an artifact of this id, whole; said again, it replaces what it was
    !think TEXT            a thought, as a status
    !status TEXT           a status in words
    !snapshot TEXT         the same words again and again, each time with one more
    !tool NAME {JSON}      a tool call, as a status
    !file NAME TEXT        a file, as an artifact
    !link NAME URL         a file that is elsewhere
    !data {JSON}           an artifact of data
    !ask QUESTION | A | B  wait for an answer, then go on with the lines below
    !approve {JSON}        wait for a person's leave, in kagent's way
    !decided               say what came with the last answer, in kagent's way
    !piece TEXT            the next piece of the answer by the status, as ADK tells it; then the whole by !whole TEXT
    !auth URL              wait until somebody has signed in
    !answer                say what the last answer was
    !slow SECONDS          wait between the pieces from here on
    !hold                  wait until the test calls `release`
    !shell COMMAND         run this, told as a tool call and what it gave
    !leave COMMAND         the same, once a person allows it
    !toolresult            say what came of the last of these, or of the last question
    !usage IN OUT          count these tokens, as the last status tells
    !done TEXT             complete, with these words in the last status
    !error TEXT            fail
    !reject TEXT           reject the task
    !message TEXT          answer with a message, without a task (only as the first line)

A prompt without such lines is echoed.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from a2a.helpers.proto_helpers import new_data_part, new_raw_part, new_task_from_user_message, new_text_part, new_url_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.tasks import TaskUpdater
from a2a.types import Message, Part, TaskState
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

LINE = re.compile(r"^[ \t]*!(\w+)[ \t]*(.*)$", re.MULTILINE)
PIECE = 12
HITL = "https://kagent.dev/extensions/hitl/v1"
ARTIFACTS = ("say", "answer", "toolresult", "decided", "artifact", "data", "file", "link")
ENDS = {"done": TaskState.TASK_STATE_COMPLETED, "error": TaskState.TASK_STATE_FAILED, "reject": TaskState.TASK_STATE_REJECTED}
Script = list[tuple[str, str]]


class Scripted(AgentExecutor):
    """Does what the lines say; a question's other lines wait for the answer."""

    def __init__(self) -> None:
        self.waiting: dict[str, Script] = {}
        self.answers: dict[str, str] = {}
        self.held: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.folder, self.results, self.costs = Path(), dict[str, str](), False
        self.children: list[asyncio.subprocess.Process] = []
        self.letters: list[Message] = []
        self.canceled: list[str] = []

    async def execute(self, context: RequestContext, queue: EventQueue) -> None:
        assert context.message is not None
        self.letters.append(context.message)
        act = Act(self, context, queue)
        script = self.waiting.pop(act.task, None)
        if script is None:
            text = context.get_user_input()
            script = LINE.findall(text) or [("say", f"echo: {text}")]
        else:
            self.answers[act.task] = context.get_user_input()
        if script[0][0] == "message":
            await queue.enqueue_event(act.update.new_agent_message([new_text_part(script[0][1])]))
            return
        if context.current_task is None:
            await queue.enqueue_event(new_task_from_user_message(context.message))
        await act.update.start_work()
        await act.play(script)

    async def run(self, command: str) -> str:
        process = await asyncio.create_subprocess_shell(f"exec {command}", cwd=self.folder, stdout=asyncio.subprocess.PIPE)
        self.children.append(process)
        said, _ = await process.communicate()
        return said.decode().strip()

    async def end(self) -> None:
        """Nothing of what was run stays."""
        for child in self.children:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def cancel(self, context: RequestContext, queue: EventQueue) -> None:
        self.canceled.append(context.task_id or "")
        await TaskUpdater(queue, context.task_id or "", context.context_id or "").cancel()


class Act:
    """One run through a script."""

    def __init__(self, executor: Scripted, context: RequestContext, queue: EventQueue) -> None:
        self.executor, self.task = executor, context.task_id or ""
        self.update = TaskUpdater(queue, self.task, context.context_id or "")
        self.slow, self.over = 0.0, False
        self.usage: dict[str, Any] | None = None

    async def play(self, script: Script) -> None:
        while script and not self.over:
            word, rest = script.pop(0)
            await (self.tell(word, rest) if word in ARTIFACTS else self.act(word, rest, script))
        if not self.over:
            await self.end(TaskState.TASK_STATE_COMPLETED)

    async def end(self, state: TaskState, text: str = "", *parts: Part) -> None:
        self.over = True
        await self.update.update_status(state, self.letter(text, *parts) if text else None, metadata=self.usage)

    async def ask(self, state: TaskState, script: Script, text: str, data: dict[str, Any]) -> None:
        self.executor.waiting[self.task] = list(script)
        await self.end(state, text, *([new_data_part(data)] if data else []))

    def letter(self, text: str, *parts: Part, **metadata: Any) -> Message:
        return self.update.new_agent_message([*([new_text_part(text)] if text else []), *parts], metadata=metadata or None)

    async def work(self, letter: Message) -> None:
        await self.update.update_status(TaskState.TASK_STATE_WORKING, letter)
        await asyncio.sleep(self.slow)

    async def shell(self, command: str) -> None:
        call = {"id": uuid4().hex, "name": "Bash", "args": {"command": command}}
        await self.work(self.letter("", new_data_part(call), kind="tool_call"))
        said = self.executor.results[self.task] = await self.executor.run(command)
        await self.work(self.letter("", new_data_part({"id": call["id"], "name": "Bash", "response": said}), kind="tool_result"))

    async def say(self, text: str) -> None:
        id, pieces = uuid4().hex, list(cut(text))
        for number, piece in enumerate(pieces):
            await self.update.add_artifact([new_text_part(piece)], id, "answer", append=number > 0, last_chunk=number == len(pieces) - 1)
            await asyncio.sleep(self.slow)

    async def tell(self, word: str, rest: str) -> None:
        name, _, more = rest.partition(" ")
        match word:
            case "say":
                await self.say(rest)
            case "answer":
                await self.say(f"you said: {self.executor.answers.get(self.task, 'nothing')}")
            case "toolresult":
                await self.say(f"the tools said: {self.executor.results.get(self.task) or self.executor.answers.get(self.task, '')}")
            case "decided":
                await self.say(json.dumps(MessageToDict(self.executor.letters[-1].metadata)[HITL]))
            case "artifact":
                await self.update.add_artifact([new_text_part(more)], name)
            case "data":
                await self.update.add_artifact([new_data_part(json.loads(rest))])
            case "file":
                await self.update.add_artifact([new_raw_part(more.encode(), "text/plain", name)])
            case "link":
                await self.update.add_artifact([new_url_part(more, "text/html", name)])

    async def act(self, word: str, rest: str, script: Script) -> None:
        name, _, more = rest.partition(" ")
        match word:
            case "think":
                await self.work(self.letter(rest, kind="thought"))
            case "status":
                await self.work(self.letter(rest))
            case "snapshot":
                for number in range(len(rest.split())):
                    await self.work(self.letter(" ".join(rest.split()[: number + 1])))
            case "tool":
                await self.work(self.letter("", new_data_part({"tool": name, "input": json.loads(more or "{}")}), kind="tool_call"))
            case "ask":
                question, *options = [part.strip() for part in rest.split("|")]
                data = {"question": question, "options": options} if options else {}
                await self.ask(TaskState.TASK_STATE_INPUT_REQUIRED, script, question, data)
            case "approve":
                self.executor.waiting[self.task] = list(script)
                letter = self.letter("", **{HITL: json.loads(rest)})
                letter.extensions.append(HITL)
                self.over = True
                await self.update.update_status(TaskState.TASK_STATE_INPUT_REQUIRED, letter)
            case "leave":
                call = {"id": "call-1", "name": "Bash", "args": {"command": rest}}
                script.insert(0, ("allowed", rest))
                await self.act("approve", json.dumps({"type": "tool_approval_request", "tools": [call]}), script)
            case "allowed":
                told = MessageToDict(self.executor.letters[-1].metadata)[HITL]["approvals"]
                await (self.shell(rest) if all(each["approved"] for each in told) else self.say("It was not allowed."))
            case "shell":
                await self.shell(rest)
            case "piece" | "whole":
                await self.work(self.letter(rest, adk_partial=word == "piece"))
            case "auth":
                await self.ask(TaskState.TASK_STATE_AUTH_REQUIRED, script, "Please sign in.", {"url": rest})
            case "slow":
                self.slow = float(rest)
            case "hold":
                await self.executor.held[rest].wait()
            case "usage":
                cost = {"cost_usd": int(name) / 1e6} if self.executor.costs else {}
                self.usage = {"usage": {"input_tokens": int(name), "output_tokens": int(more), **cost}}
            case "done" | "error" | "reject":
                await self.end(ENDS[word], rest)
            case _:
                await self.end(TaskState.TASK_STATE_FAILED, f"There is no !{word}.")


def cut(text: str) -> Iterator[str]:
    size = max(PIECE, len(text) // 500)
    for start in range(0, len(text), size):
        yield text[start : start + size]
