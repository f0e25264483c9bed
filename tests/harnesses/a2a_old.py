"""An agent on a2a-sdk 0.3, as its owner would write it; it does what the `!` lines say, some of them in the way of kagent 0.9."""

import asyncio
import json
import re
import sys
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2AStarletteApplication
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, DataPart, FilePart, FileWithBytes, Message, Part, TaskState, TextPart
from a2a.utils import new_task

LINE = re.compile(r"^[ \t]*!(\w+)[ \t]*(.*)$", re.MULTILINE)
PIECE = 12
NUMBERS = count(1)


def words(message: Message) -> str:
    return "\n".join(part.root.text for part in message.parts if isinstance(part.root, TextPart))


def data(message: Message) -> list[Any]:
    return [part.root.data for part in message.parts if isinstance(part.root, DataPart)]


class Scripted(AgentExecutor):
    def __init__(self) -> None:
        self.waiting: dict[str, list[tuple[str, str]]] = {}
        self.commands: dict[str, str] = {}
        self.results: dict[str, str] = {}
        self.usage: dict[str, dict[str, Any]] = {}

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        message, task = context.message, context.current_task
        assert message
        if task is None:
            task = new_task(message)
            await event_queue.enqueue_event(task)
        update = TaskUpdater(event_queue, task.id, task.context_id)
        script = self.waiting.pop(task.id, None) or LINE.findall(words(message)) or [("say", words(message))]
        await update.start_work()
        if command := self.commands.pop(task.id, ""):
            script.insert(0, ("allowed", command))
        while script:
            word, rest = script.pop(0)
            if await self.act(update, word, rest, message):
                self.waiting[task.id] = script
                return
        await update.update_status(TaskState.completed, final=True, metadata=self.usage.get(task.id))

    async def act(self, update: TaskUpdater, word: str, rest: str, heard: Message) -> bool:
        """Whether it waits for an answer now."""
        match word:
            case "say":
                await self.say(update, rest)
            case "heard":
                await self.say(update, f"you said: {words(heard)} {json.dumps(data(heard))}")
            case "slow":
                await asyncio.sleep(float(rest))
            case "piece" | "whole":
                await self.tell(update, TextPart(text=rest), kagent_adk_partial=word == "piece")
            case "think":
                await self.tell(update, TextPart(text=rest), kind="thought")
            case "tool":
                await self.tell(update, DataPart(data={"id": f"call-{next(NUMBERS)}", "name": rest, "args": {}}))
            case "shell":
                await self.shell(update, rest)
            case "leave":
                call = {"id": "call-1", "name": "Bash", "args": {"command": rest}}
                self.commands[update.task_id] = rest
                return await self.act(update, "confirm", json.dumps(call), heard)
            case "allowed":
                allowed = [each.get("decision_type") for each in data(heard)] == ["approve"]
                await (self.shell(update, rest) if allowed else self.say(update, "It was not allowed."))
            case "toolresult":
                await self.say(update, f"the tools said: {self.results.get(update.task_id) or words(heard)}")
            case "usage":
                given, made = map(int, rest.split())
                self.usage[update.task_id] = {"usage": {"input_tokens": given, "output_tokens": made, "cost_usd": given / 1e6}}
            case "hold":
                await asyncio.sleep(60)
            case "error":
                await update.failed(update.new_agent_message([Part(root=TextPart(text=rest))]))
                return True
            case "file":
                content = FileWithBytes(bytes="aGVsbG8=", name=rest, mime_type="text/plain")
                await update.add_artifact([Part(root=FilePart(file=content))])
            case "ask":
                question, *options = [part.strip() for part in rest.split("|")]
                asked = [Part(root=DataPart(data={"question": question, "options": options}))] if options else []
                await update.requires_input(update.new_agent_message([Part(root=TextPart(text=question)), *asked]))
                return True
            case "confirm":
                asked = {"name": "adk_request_confirmation", "id": "c", "args": {"originalFunctionCall": json.loads(rest)}}
                marks = {"kagent_type": "function_call", "kagent_is_long_running": True}
                part = Part(root=DataPart(data=asked, metadata=marks))
                await update.update_status(TaskState.working, update.new_agent_message([part]))
                await update.requires_input(update.new_agent_message([part]))
                return True
        return False

    async def shell(self, update: TaskUpdater, command: str) -> None:
        call = {"id": f"call-{next(NUMBERS)}", "name": "Bash", "args": {"command": command}}
        await self.tell(update, DataPart(data=call))
        process = await asyncio.create_subprocess_shell(f"exec {command}", stdout=asyncio.subprocess.PIPE)
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        self.results[update.task_id] = said.decode().strip()
        await self.tell(update, DataPart(data={"id": call["id"], "name": "Bash", "response": self.results[update.task_id]}))

    async def say(self, update: TaskUpdater, text: str) -> None:
        id = f"artifact-{next(NUMBERS)}"
        size = max(PIECE, len(text) // 500)
        for start in range(0, len(text), size):
            part = Part(root=TextPart(text=text[start : start + size]))
            await update.add_artifact([part], id, append=start > 0, last_chunk=start + size >= len(text))
            await asyncio.sleep(0.005)

    async def tell(self, update: TaskUpdater, part: TextPart | DataPart, **metadata: Any) -> None:
        await update.update_status(TaskState.working, update.new_agent_message([Part(root=part)], metadata))
        await asyncio.sleep(0.005)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        Path(f"canceled-{context.task_id}").touch()  # noqa: ASYNC240
        await TaskUpdater(event_queue, context.task_id or "", context.context_id or "").cancel()


url = f"http://127.0.0.1:{sys.argv[1]}/"
card = AgentCard(
    name="Old", description="Does what it is told.", version="1", url=url, skills=[], capabilities=AgentCapabilities(streaming=True),
    default_input_modes=["text/plain"], default_output_modes=["text/plain"],
)  # fmt: skip
app = A2AStarletteApplication(card, DefaultRequestHandler(Scripted(), InMemoryTaskStore())).build()
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
