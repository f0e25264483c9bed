"""Claude Code's tools, questions, text and errors in words for people. Pure."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.agent import Agent
from bot.event import Event, Option, Part, Question, StepKind, Text, Thought
from bot.message import Answer

Given = Mapping[str, Any]
KINDS: dict[str, StepKind] = {
    "Read": "read", "NotebookRead": "read", "Edit": "edit", "Write": "edit", "MultiEdit": "edit", "NotebookEdit": "edit",
    "Bash": "execute", "BashOutput": "execute", "KillShell": "execute", "Monitor": "execute", "Grep": "search", "Glob": "search",
    "LS": "search", "ToolSearch": "search", "WebSearch": "search", "WebFetch": "fetch", "Agent": "agent", "Task": "agent",
    "ExitPlanMode": "think", "EnterPlanMode": "think",
}  # fmt: skip
LONG = 80
KEY = "ANTHROPIC_API_KEY"
PROOFS = (
    KEY, "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "LITELLM_API_BASE",
    "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY",
)  # fmt: skip


def kind(tool: str) -> StepKind:
    return KINDS.get(tool, "other")


def title(tool: str, given: Given, folder: Path) -> str:
    """A step in a few words: what it is for where the model said so, else what it is done to."""
    match tool:
        case "Read" | "Write" | "Edit" | "MultiEdit" | "NotebookEdit" | "NotebookRead":
            verb = {"read": "Read", "edit": "Write" if tool == "Write" else "Edit"}[kind(tool)]
            text = f"{verb} {near(str(given.get('file_path') or given.get('notebook_path') or 'a file'), folder)}"
        case "Bash":
            text = str(given.get("description") or f"Run: {first(given.get('command'))}")
        case "Grep":
            text = f"Search for '{first(given.get('pattern'))}'" + within(given, folder)
        case "Glob":
            text = f"Look for files like {first(given.get('pattern'))}" + within(given, folder)
        case "WebSearch":
            text = f"Search the web for '{first(given.get('query'))}'"
        case "WebFetch":
            text = f"Fetch {first(given.get('url'))}"
        case "Agent" | "Task":
            text = f"Sub-agent: {first(given.get('description'))}"
        case "ExitPlanMode":
            text = "Propose a plan"
        case _:
            text = str(given.get("description") or named(tool))
    return short(first(text), LONG)


def detail(tool: str, given: Given, folder: Path) -> str:
    """What a step's title leaves out, where it is short."""
    match tool:
        case "Bash":
            return short(first(given.get("command")), 200) if given.get("description") else ""
        case "Agent" | "Task":
            return str(given.get("subagent_type", ""))
        case _ if tool in KINDS:
            return ""
        case _:
            return short(", ".join(f"{key}: {value}" for key, value in given.items() if isinstance(value, str | int | float)), 200)


def question(tool: str, why: str | None) -> str:
    """What a person is asked before this tool is used."""
    match tool:
        case "Bash":
            text = "Run this command?"
        case "Write":
            text = "Write this file?"
        case "Edit" | "MultiEdit" | "NotebookEdit":
            text = "Change this file?"
        case "Read" | "NotebookRead":
            text = "Read this file?"
        case "WebFetch":
            text = "Fetch this page?"
        case "ExitPlanMode":
            text = "Go on with this plan?"
        case _:
            text = f"Use {named(tool)}?"
    return f"{text} ({why.rstrip('.')})" if why else text


def questioned(call: str, given: Given) -> Question:
    """What the agent asks by this call of its own."""
    return Question(call, "question", tuple(_part(str(number), part) for number, part in enumerate(given.get("questions") or ())))


def _part(id: str, part: Given) -> Part:
    options = tuple(Option(str(option.get("label", "")), str(option.get("description", ""))) for option in part.get("options") or ())
    return Part(id, str(part.get("question", "")), options, str(part.get("header", "")), bool(part.get("multiSelect")), free_text=True)


def answered(given: Given, answer: Answer) -> dict[str, str]:
    """The answers as Claude Code takes them: by the question's text, several joined, and a note with the last."""
    texts = [str(part.get("question", "")) for part in given.get("questions") or ()]
    told = {text: ", ".join(answer.parts[str(number)]) for number, text in enumerate(texts) if answer.parts.get(str(number))}
    if told and answer.note:
        last = list(told)[-1]
        told[last] = f"{told[last]} ({answer.note})"
    return told


def exact(tool: str, given: Given) -> str:
    """All that would be done, nothing left out: a person decides by this alone."""
    match tool, given:
        case "Bash", {"command": str(text)}:
            return text + rest(given, "command", "description")
        case "Read" | "NotebookRead", {"file_path": str(path)}:
            return path + rest(given, "file_path")
        case "Write", {"file_path": str(path), "content": str(text)}:
            return f"{path}\n\n{text}" + rest(given, "file_path", "content")
        case "Edit", {"file_path": str(path), "old_string": str(old), "new_string": str(new)}:
            more = rest({key: value for key, value in given.items() if value is not False}, "file_path", "old_string", "new_string")
            return "\n".join([path, "", *marked("-", old), *marked("+", new)]) + more
        case "ExitPlanMode", {"plan": str(plan)}:
            return plan
        case _:
            return pretty(given)


def marked(mark: str, text: str) -> list[str]:
    return [f"{mark} {line}" for line in text.split("\n")] if text else []


def rest(given: Given, *told: str) -> str:
    more = {key: value for key, value in given.items() if key not in told}
    return f"\n\n{pretty(more)}" if more else ""


def pretty(given: Any) -> str:
    return json.dumps(given, indent=2, ensure_ascii=False)


def within(given: Given, folder: Path) -> str:
    return f" in {near(str(given['path']), folder)}" if given.get("path") else ""


def near(path: str, folder: Path) -> str:
    """The path as seen from the folder."""
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path


def named(tool: str) -> str:
    """mcp__github__create_issue is github: create issue."""
    parts = tool.removeprefix("mcp__").split("__")
    return ": ".join(part.replace("_", " ") for part in parts) if tool.startswith("mcp__") else tool


def first(text: Any) -> str:
    lines = str(text or "").strip().splitlines()
    return lines[0] + (" …" if len(lines) > 1 else "") if lines else ""


def short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def content(result: Any) -> str:
    """The text of a tool's result."""
    if isinstance(result, str):
        return result
    return "\n".join(str(block.get("text", "")) for block in result or () if isinstance(block, dict))


def streamed(event: Mapping[str, Any], said: bool) -> Iterator[Event]:
    """What is said piece by piece; `said` tells that something was said before."""
    match event:
        case {"type": "content_block_start", "content_block": {"type": "text"}} if said:
            yield Text("\n\n")
        case {"delta": {"type": "text_delta", "text": str(text)}}:
            yield Text(text)
        case {"delta": {"type": "thinking_delta", "thinking": str(text)}}:
            yield Thought(text)


def missing(agent: Agent, environment: Mapping[str, str]) -> str:
    """What to do about a key that is not there, or not taken."""
    if KEY not in agent.environment:
        return f"Put a valid {KEY} into frontdesk's environment, and name it under `environment:` in {agent.file}."
    if environment.get(KEY):
        return f"Put a valid {KEY} into frontdesk's environment in place of the one that is there, and start frontdesk again."
    return f"Set {KEY} in frontdesk's environment, where {agent.file} expects it, and start frontdesk again."


def failure(text: str, status: int | None, file: str, key: str) -> str:
    """Why Claude's API refused, and what helps: `key`, if it is that. `text` is what Claude Code said of it."""
    said = short(" ".join(text.split()), 300)
    match status:
        case 401 | 403:
            return f"Claude did not accept the credentials ({status}). {key}"
        case None if "logged in" in said.lower() or "login" in said.lower():
            return f"Claude Code has no credentials: it is not logged in. {key}"
        case 400 if "No connected db" in said:  # so says a LiteLLM that has no database to look in
            return f"LiteLLM does not know the key (400). {key}"
        case 404:
            return f"Claude's API does not know what was asked for (404), mostly the model; correct `model:` in {file}. It said: {said}"
        case 429:
            return f"Claude's rate limit is used up (429). Try again later, or raise the limit. It said: {said}"
        case 529:
            return "Claude is overloaded (529). Nothing is wrong here; try again in a few minutes."
        case int() if status >= 500:
            return f"Claude's API failed ({status}). Try again in a few minutes. It said: {said}"
        case int():
            return f"Claude's API refused the request ({status}), and would again; it said: {said}"
        case _:
            return f"Claude's API cannot be reached, or broke off. Look at ANTHROPIC_BASE_URL and the network. Claude Code said: {said}"
