"""Says back what it is told, and does what lines that begin with ! ask for. For trying Frontdesk without any key, and for its tests."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import RuntimeFailed
from bot.event import Artifact, Event, Finished, Item, Option, Part, Plan, Question, Started, Step, Text, Thought, Usage, permission
from bot.message import Message
from bot.ports import Turn
from bot.runtimes.echo_find import find

HELP = """\
!say TEXT · !think TEXT · !step TITLE · !plan one | two | three · !done (with what the plan is at) · !ask QUESTION | option | option
!approve COMMAND · !slow SECONDS (before each line that follows)
!file NAME TEXT · !cost USD · !fail TEXT · !find TITLE | WHAT | CHANGE (in a digest) · {answer} stands for the last answer"""


class EchoOptions(BaseModel):
    """The `options` of an agent that says back what it is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: bool = False
    """Whether what is said meanwhile is taken in at once, rather than waiting for the next turn."""
    slow: float = Field(default=0, ge=0, le=60)
    """Seconds before each line of its answer."""


@dataclass
class Script:
    """What is left to do; it is all that `resume` has to hold."""

    lines: list[str]
    done: int = 0
    answer: str = ""
    slow: float = 0.0
    plan: list[str] = field(default_factory=list)
    at: int = 0

    def dump(self) -> str:
        return json.dumps(vars(self))


class Echo:
    """Needs nothing, and holds nothing open: a question ends its turn, and the rest of the script waits in `resume`."""

    Options = EchoOptions

    def __init__(self, options: EchoOptions) -> None:
        self.options = options

    async def run(self, turn: Turn, inbox: AsyncIterator[Message]) -> AsyncIterator[Event]:
        script = _script(turn, self.options.slow)
        yield Started(script.dump(), model="echo")
        heard: asyncio.Queue[str] = asyncio.Queue()
        ear = asyncio.create_task(_listen(inbox, heard)) if self.options.listen else None
        try:
            while script.done < len(script.lines):
                await asyncio.sleep(script.slow)
                if (line := script.lines[script.done]).startswith("!find "):
                    script.lines[script.done] = f"!say {await find(turn, line.removeprefix('!find '))}"
                for event in [*(events := list(_next(script, turn))), *_added(heard)]:
                    yield event
                if any(isinstance(event, Finished) for event in events):
                    return
            await _deafen(ear)
            for event in _added(heard):  # what was taken has to be answered
                yield event
            yield Finished("completed")
        finally:
            await _deafen(ear)


async def _listen(inbox: AsyncIterator[Message], heard: "asyncio.Queue[str]") -> None:
    async for message in inbox:
        await heard.put(message.text)


async def _deafen(ear: "asyncio.Task[None] | None") -> None:
    if ear:
        ear.cancel()
        await asyncio.wait([ear])


def _added(heard: "asyncio.Queue[str]") -> Iterator[Event]:
    while not heard.empty():
        yield Text(f"(You added: {heard.get_nowait()})\n")


def _script(turn: Turn, slow: float) -> Script:
    """The rest of the script where an answer came, else a new one."""
    if turn.answer and turn.resume:
        script = Script(**json.loads(turn.resume))
        script.answer = ", ".join(word for chosen in turn.answer.parts.values() for word in chosen)
        if script.done >= len(script.lines):
            script.lines.append("!say You answered: {answer}")
        return script
    if any(line.lstrip().startswith("!") for line in turn.prompt.splitlines()):
        return Script([line.strip() for line in turn.prompt.splitlines() if line.lstrip().startswith("!")], slow=slow)
    return Script([f"!say You said: {line}" if n == 0 else f"!say {line}" for n, line in enumerate(turn.prompt.splitlines())], slow=slow)


def _next(script: Script, turn: Turn) -> Iterator[Event]:
    script.done += 1
    yield from _do(script.lines[script.done - 1], script, turn)


def _do(line: str, script: Script, turn: Turn) -> Iterator[Event]:
    verb, _, rest = line.lstrip("!").partition(" ")
    rest = rest.replace("{answer}", script.answer)
    call, first = f"{turn.number}.{script.done}", rest.partition("|")[0].strip()
    options = tuple(Option(option.strip()) for option in rest.split("|")[1:])
    match verb:
        case "say":
            yield Text(rest + "\n")
        case "think":
            yield Thought(rest)
        case "step":
            yield Step(call, rest, "other", "working")
            yield Step(call, rest, "other", "completed")
        case "plan":
            script.plan, script.at = [item.strip() for item in rest.split("|")], 0
            yield _plan(script)
        case "done":
            script.at += 1
            yield _plan(script)
        case "slow":
            script.slow = _number(verb, rest)
        case "cost":
            yield Usage(1000, 100, 0, _number(verb, rest))
        case "file":
            name, _, text = rest.partition(" ")
            yield _file(turn, name, text)
        case "fail":
            raise RuntimeFailed(rest or "The script said to fail.")
        case "ask":
            yield from _wait(Question(call, "question", (Part("answer", first, options, free_text=not options),)), script)
        case "approve":
            yield from _wait(permission(call, "May I run this command?", rest), script)
        case _:
            yield Text(f"There is no !{verb}. There are:\n{HELP}\n")


def _plan(script: Script) -> Plan:
    at = script.at
    return Plan(tuple(Item(text, "done" if n < at else "in_progress" if n == at else "pending") for n, text in enumerate(script.plan)))


def _number(verb: str, said: str) -> float:
    """Raises RuntimeFailed."""
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", said.strip(), re.ASCII):
        raise RuntimeFailed(f"!{verb} takes a number, like `!{verb} 0.5`, and not {said.strip()!r}. Correct it, and say it all again.")
    return float(said)


def _wait(question: Question, script: Script) -> Iterator[Event]:
    yield Started(script.dump(), model="echo")
    yield question
    yield Finished("input_required")


def _file(turn: Turn, name: str, text: str) -> Artifact:
    folder = turn.folder / "out"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name.replace("/", "_")
    path.write_text(text)
    return Artifact(path.name, "text/plain", str(path))
