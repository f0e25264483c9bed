"""What a graph's tools and errors are in words for people; those of DeepAgents are much like Claude Code's. Pure."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.agent import Agent
from bot.event import StepKind
from bot.runtimes import claude_words as words
from bot.runtimes.claude_words import short

Given = Mapping[str, Any]
LIKE = {
    "execute": "Bash", "read_file": "Read", "write_file": "Write", "edit_file": "Edit", "glob": "Glob", "grep": "Grep", "ls": "LS",
    "task": "Agent",
}  # fmt: skip
CODE = re.compile(r"\b(?:Error code|status|HTTP)[: ]+(\d{3})\b")


def kind(tool: str) -> StepKind:
    return words.kind(LIKE.get(tool, tool))


def title(tool: str, given: Given, folder: Path) -> str:
    """A step in a few words."""
    if tool == "ls":
        return short(f"List {words.near(str(given.get('path') or '.'), folder)}", words.LONG)
    return words.title(LIKE[tool], given, folder) if tool in LIKE else short(tool.replace("_", " "), words.LONG)


def detail(tool: str, given: Given, folder: Path) -> str:
    return words.detail(LIKE.get(tool, tool), given, folder)


def question(tool: str, why: str) -> str:
    """What a person is asked before this tool is used; `why` is what the graph's author wrote."""
    text = words.question(LIKE[tool], None) if tool in LIKE else f"Use {tool.replace('_', ' ')}?"
    return f"{text} ({short(why, 300)})" if why else text


def exact(tool: str, given: Given) -> str:
    """All that would be done."""
    return words.exact(LIKE[tool], given) if tool in LIKE else f"{tool} {words.pretty(given)}"


def failure(name: str, reason: str, agent: Agent) -> str:
    """Why the graph stopped, and what helps. `reason` is what was said of the error; servers mostly keep it to themselves."""
    said = short(" ".join(reason.split()), 300)
    if not said:
        return f"The graph stopped with an error ({name or 'of no name'}). Its server does not say more; look into that server's log."
    code = int(found[1]) if (found := CODE.search(said)) else 0
    match code:
        case 401 | 403:
            key = f"Put a valid key into frontdesk's environment, and name it under `environment:` in {agent.file}."
            return f"The model's provider did not accept the credentials ({code}). {key} It said: {said}"
        case 404:
            return f"The model's provider does not know what it was asked (404), mostly the model; correct it in the graph. It said: {said}"
        case 429:
            return f"The rate limit of the model's provider is used up (429). Try again later, or raise the limit. It said: {said}"
        case int() if code >= 500:
            return f"The model's provider failed ({code}). Try again in a few minutes. It said: {said}"
        case _:
            return f"The graph stopped with an error ({name}): {said}"
