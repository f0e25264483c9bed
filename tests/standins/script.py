"""What a stand-in model does: the `!` lines of the prompt.

    !think TEXT            reason
    !say TEXT              speak; may be repeated
    !tool NAME {JSON}      call a tool; consecutive lines are calls at once
    !toolresult            say what the last tool results were
    !history               say how many messages of people the request holds, and the newest
    !slow SECONDS          wait between the pieces from here on
    !error STATUS [TYPE]   answer with this HTTP status
    !usage IN OUT          count these tokens
    !helped TEXT           say this when the turn is over and it is asked what would have helped it

A model's turn ends after its tool calls; the next request, which holds their results, goes on with the lines below. How far
a script has got is read from the request alone, so any number of tests may share one server. A prompt without such lines is
echoed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

HELPED = "what would have helped you?"
LINE = re.compile(r"^[ \t]*!(\w+)[ \t]*(.*)$", re.MULTILINE)
TAGS = (
    r"system-reminder|command-\w+|local-command-\w+|environment_context|user_instructions|INSTRUCTIONS|permissions instructions|"
    r"collaboration_mode|skills_instructions|apps_instructions|plugins_instructions"
)
NOISE = re.compile(rf"<({TAGS})\b.*?</\1>", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One thing in a request: what a person said, what the model did, or what a tool answered."""

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    calls: int = 0


@dataclass(frozen=True)
class Block:
    """One thing that the model says or does; `text` of a tool is its input, as JSON. `delay` in seconds, between its pieces."""

    kind: Literal["say", "think", "tool"]
    text: str
    name: str = ""
    delay: float = 0.0


@dataclass
class Reply:
    blocks: list[Block] = field(default_factory=list)
    status: int = 200
    kind: str = "api_error"
    tokens: tuple[int, int] | None = None

    def say(self, text: str, delay: float = 0.0) -> None:
        self.blocks.append(Block("say", text, delay=delay))

    @property
    def calls(self) -> bool:
        return any(block.kind == "tool" for block in self.blocks)


def person(text: str) -> list[Line]:
    """What a person said, without what a harness added in tags: nothing, if that is all."""
    clean = NOISE.sub("", text).strip()
    return [Line("user", clean)] if clean else []


def acts(script: str) -> list[list[tuple[str, str]]]:
    """The script's lines, parted into the turns of the model: one ends where its tool calls do."""
    turns: list[list[tuple[str, str]]] = [[]]
    for name, rest in LINE.findall(script):
        if turns[-1] and turns[-1][-1][0] == "tool" and name != "tool":
            turns.append([])
        turns[-1].append((name, rest.strip()))
    return turns


def decide(lines: Sequence[Line]) -> Reply:
    """The whole model."""
    reply = Reply()
    people = [(place, line.text) for place, line in enumerate(lines) if line.role == "user"]
    place, prompt = next(((place, text) for place, text in reversed(people) if LINE.search(text)), people[-1] if people else (-1, ""))
    if people and HELPED in people[-1][1]:
        said = next((LINE.findall(text) for _, text in reversed(people) if "!helped" in text), [("helped", "[]")])
        _play([("say" if name == "helped" else name, rest) for name, rest in said if name in ("slow", "helped")], lines, reply)
        return reply
    turns = acts(prompt)
    done = sum(1 for line in lines[place + 1 :] if line.role == "assistant" and line.calls)
    if not turns[0] or (people[-1][1] != prompt and not _between(lines)):
        reply.say(f"echo: {people[-1][1][-400:]}" if people else "echo:")
    elif done >= len(turns):
        reply.say("(the script is over)")
    else:
        _play(turns[done], lines, reply)
    return reply


def _between(lines: Sequence[Line]) -> bool:
    """Whether the last of these go on with the tools that the model called."""
    last = max((place for place, line in enumerate(lines) if line.role == "assistant"), default=-1)
    return any(line.role == "tool" for line in lines[last + 1 :])


def _play(act: list[tuple[str, str]], lines: Sequence[Line], reply: Reply) -> None:
    delay = 0.0
    for name, rest in act:
        match name:
            case "say":
                reply.say(rest, delay)
            case "think":
                reply.blocks.append(Block("think", rest, delay=delay))
            case "tool":
                tool, _, given = rest.partition(" ")
                reply.blocks.append(Block("tool", given.strip() or "{}", tool, delay))
            case "toolresult":
                reply.say("the tools said: " + " | ".join(line.text.strip() for line in _results(lines)), delay)
            case "history":
                people = [line.text for line in lines if line.role == "user"]
                reply.say(f"{len(people)} messages, the newest: {people[-1]}", delay)
            case "slow":
                delay = float(rest)
            case "error":
                status, _, kind = rest.partition(" ")
                reply.status, reply.kind = int(status), kind or "api_error"
            case "helped":
                pass
            case "usage":
                given, _, told = rest.partition(" ")
                reply.tokens = int(given), int(told)
            case _:
                reply.say(f"(no such line: !{name})", delay)


def _results(lines: Sequence[Line]) -> list[Line]:
    """The results that came last."""
    found: list[Line] = []
    for line in reversed(lines):
        if line.role == "tool":
            found.insert(0, line)
        elif found and line.role == "assistant":
            break
    return found
