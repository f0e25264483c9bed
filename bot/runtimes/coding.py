"""How people's words are put to harnesses; and the tools of OpenCode and Pi, which have the same, in words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot import nofollow
from bot.event import StepKind
from bot.message import Answer, Message
from bot.ports import Turn
from bot.prompt import line
from bot.runtimes.claude_words import first, marked, near, pretty, rest, short, within

Given = Mapping[str, Any]
KINDS: dict[str, StepKind] = {
    "read": "read", "write": "edit", "edit": "edit", "apply_patch": "edit", "bash": "execute", "grep": "search", "glob": "search",
    "find": "search", "ls": "search", "list": "search", "websearch": "search", "webfetch": "fetch", "task": "agent",
}  # fmt: skip
LONG = 80
UNHEARD = "unheard.json"  # in the session's folder: what people said to a turn that ended before its agent was told
PAIR = {"oldText", "newText"}
AGAIN = (
    "The process that you ran in was restarted in the middle of your work on the last request. What you did before is done: look at how "
    "things stand, do nothing twice, and go on until the request is fulfilled."
)
LOST = "What was said before in this conversation is not on this machine any more; the agent knows only the last message."
LATE = "An answer came when the agent did not wait for it any more."
NOBODY = "The person did not answer. Do not ask the same again; go on without it, or say what you need."


def kind(tool: str) -> StepKind:
    return KINDS.get(tool, "other")


def title(tool: str, given: Given, folder: Path) -> str:
    """A step in a few words: what it is for where the model said so, else what it is done to."""
    match tool:
        case "bash":
            text = str(given.get("description") or f"Run: {first(given.get('command'))}")
        case "read" | "edit" | "write":
            text = f"{tool.capitalize()} {near(path(given) or 'a file', folder)}"
        case "grep":
            text = f"Search for '{first(given.get('pattern'))}'" + within(given, folder)
        case "glob" | "find":
            text = f"Look for files like {first(given.get('pattern'))}" + within(given, folder)
        case "ls" | "list":
            text = f"List {near(path(given) or '.', folder)}"
        case "webfetch":
            text = f"Fetch {first(given.get('url'))}"
        case "websearch":
            text = f"Search the web for '{first(given.get('query'))}'"
        case "task":
            text = f"Sub-agent: {first(given.get('description'))}"
        case "apply_patch":
            text = "Edit files"
        case _:
            text = str(given.get("description") or tool.replace("_", " "))
    return short(first(text), LONG)


def detail(tool: str, given: Given) -> str:
    """What a step's title leaves out, where it is short."""
    match tool:
        case "bash":
            return short(first(given.get("command")), 200)
        case "task":
            return str(given.get("subagent_type", ""))
        case _ if tool in KINDS:
            return ""
        case _:
            return short(", ".join(f"{key}: {value}" for key, value in given.items() if isinstance(value, str | int | float)), 200)


def question(tool: str) -> str:
    """What a person is asked before this tool is used."""
    match kind(tool), tool:
        case "execute", _:
            return "Run this command?"
        case _, "write":
            return "Write this file?"
        case "edit", _:
            return "Change this file?"
        case "read", _:
            return "Read this file?"
        case "fetch", _:
            return "Fetch this page?"
        case "agent", _:
            return "Start this sub-agent?"
        case _:
            return f"Use {tool.replace('_', ' ')}?"


def exact(tool: str, given: Given) -> str:
    """All that would be done, nothing left out: a person decides by this alone."""
    match tool, given:
        case "bash", {"command": str(text)}:
            return text + rest(given, "command", "description")
        case "write", {"content": str(text)} if path(given):
            return f"{path(given)}\n\n{text}" + rest(given, "filePath", "path", "content")
        case "edit", {"oldString": str(old), "newString": str(new)} if path(given):
            more = rest({key: value for key, value in given.items() if value is not False}, "filePath", "path", "oldString", "newString")
            return "\n".join([path(given), "", *marked("-", old), *marked("+", new)]) + more
        case "edit", {"edits": list(edits)} if path(given) and all(isinstance(edit, dict) and edit.keys() == PAIR for edit in edits):
            changes = [[*marked("-", str(edit["oldText"])), *marked("+", str(edit["newText"]))] for edit in edits]
            return "\n\n".join([path(given), *map("\n".join, changes)]) + rest(given, "path", "edits")
        case _:
            return pretty(given)


def path(given: Given) -> str:
    return str(given.get("filePath") or given.get("path") or "")


def said(turn: Turn, message: Message) -> str:
    """What somebody says while the agent works; with their name where it is not who asked."""
    author = message.author
    return message.text if author.id == turn.person.id else f"{line(author.name or author.id)} says: {message.text}"


def begun(turn: Turn, found: bool, known: bool) -> str:
    """What is said first: for a turn that was cut, to go on. `found` tells of the conversation, `known` of this very request in it."""
    if not turn.again or not found:
        return turn.prompt
    if turn.answer:
        return f"{AGAIN}\n\n{turn.prompt}"
    return AGAIN if known else f"{AGAIN} The request was:\n\n{turn.prompt}"


@contextmanager
def heard(turn: Turn, more: list[str]) -> Iterator[None]:
    """While it lasts, `more` is what people said and the agent was not given yet: what is left of it begins the next turn's words.

    What an earlier turn had left is said by now; a turn that is cut is asked all of it again.
    """
    try:
        yield
    finally:
        if not turn.leaving():
            file = turn.folder / UNHEARD
            nofollow.write(file, json.dumps(more)) if more else file.unlink(missing_ok=True)


def unheard(turn: Turn) -> list[str]:
    """What was left so by an earlier turn."""
    try:
        words: list[str] = json.loads((turn.folder / UNHEARD).read_text("utf-8"))
    except FileNotFoundError:
        return []
    return words


def refused(answer: Answer) -> str:
    """Why something was not done, for the agent."""
    return f"A person denied this. {answer.note}".strip() if answer.parts or answer.note else NOBODY


def failure(status: int | None, said: str, file: str) -> str:
    """Why the model's provider refused, and what helps. `said` is what the harness said of it."""
    said = short(" ".join(said.split()), 300)
    match status:
        case 401 | 403:
            return f"The model's provider did not accept the credentials ({status}). {key(file)} It said: {said}"
        case 404:
            return (
                f"The model's provider does not know what it was asked (404), mostly the model; correct `model:` in {file}. It said: {said}"
            )
        case 429:
            return f"The rate limit of the model's provider is used up (429). Try again later, or raise the limit. It said: {said}"
        case int() if status >= 500:
            return f"The model's provider failed ({status}). Try again in a few minutes. It said: {said}"
        case int():
            return f"The model's provider refused the request ({status}), and would again; it said: {said}"
        case _:
            return f"The agent stopped with an error: {said}"


def key(file: str) -> str:
    return f"Put a valid key into frontdesk's environment, and name it under `environment:` in {file}."
