"""Codex's items and errors in words for people. Pure."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.event import StepKind
from bot.runtimes.claude_words import first, near
from bot.runtimes.claude_words import pretty as pretty
from bot.runtimes.claude_words import short as short
from bot.runtimes.codex_setting import OLDEST, REMEDY

Json = Mapping[str, Any]
LONG = 80
SHELLS = re.compile(r"(.*/)?(ba|z|da)?sh")
AGENTS = {"spawnAgent": "Begin a sub-agent", "wait": "Wait for sub-agents", "closeAgent": "End a sub-agent"}
STATUS = re.compile(r"\b[45]\d\d\b")


def shown(item: Json, folder: Path) -> tuple[str, StepKind, str] | None:
    """A step's title, kind and detail; None for an item that is no step."""
    match item:
        case {"type": "commandExecution", "command": str(command)}:
            title, kind = acted(item, script(command), folder)
            return title, kind, script(command)
        case {"type": "fileChange", "changes": list(changes)}:
            return titled("Edit " + ", ".join(near(str(change.get("path")), folder) for change in changes)), "edit", ""
        case {"type": "mcpToolCall", "server": str(server), "tool": str(tool)}:
            return titled(f"{server}: {tool.replace('_', ' ')}"), "other", given(item.get("arguments"))
        case {"type": "dynamicToolCall", "tool": str(tool)}:
            return titled(tool.replace("_", " ")), "other", given(item.get("arguments"))
        case {"type": "webSearch"}:
            return searched(item)
        case {"type": "collabAgentToolCall", "tool": str(tool)}:
            return AGENTS.get(tool, "Talk with a sub-agent"), "agent", str(item.get("prompt") or "")
        case {"type": "imageView", "path": str(path)}:
            return titled(f"Look at {near(path, folder)}"), "read", ""
        case {"type": "imageGeneration"}:
            return "Make a picture", "other", str(item.get("revisedPrompt") or "")
        case _:
            return None


def acted(item: Json, text: str, folder: Path) -> tuple[str, StepKind]:
    """What Codex itself knows of a command: one that only looks is no more than that."""
    match item.get("commandActions"):
        case [{"type": "read", "name": str(), "path": str(path)}]:
            return titled(f"Read {near(path, folder)}"), "read"
        case [{"type": "search", "query": str(query)}]:
            return titled(f"Search for '{query}'"), "search"
        case [{"type": "listFiles"}]:
            return titled(f"Look for files: {text}"), "search"
        case _:
            return titled(f"Run: {text}"), "execute"


def searched(item: Json) -> tuple[str, StepKind, str]:
    match item.get("action"):
        case {"type": "openPage" | "findInPage", "url": str(url)}:
            return titled(f"Fetch {url}"), "fetch", ""
        case _:
            query = str(item.get("query") or "")
            return titled(f"Search the web for '{query}'" if query else "Search the web"), "search", ""


def script(command: str) -> str:
    """What a shell is told, where Codex only wraps it: /bin/bash -lc 'touch a' is touch a."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    wrapped = len(words) == 3 and SHELLS.fullmatch(words[0]) and words[1] in ("-c", "-lc")
    return words[2] if wrapped else command


def changed(changes: Sequence[Json], folder: Path) -> str:
    """All that would be done to files."""
    return "\n\n".join(_change(change, folder) for change in changes)


def _change(change: Json, folder: Path) -> str:
    path, diff = near(str(change.get("path")), folder), str(change.get("diff", "")).rstrip("\n")
    match change.get("kind"):
        case {"type": "add"}:
            return f"New file {path}:\n{diff}"
        case {"type": "delete"}:
            return f"Delete {path}:\n{diff}"
        case {"move_path": str(target)}:
            return f"Move {path} to {near(target, folder)}:\n{diff}"
        case _:
            return f"Change {path}:\n{diff}"


def titled(text: str) -> str:
    return short(first(text), LONG)


def given(arguments: Any) -> str:
    if not isinstance(arguments, Mapping):
        return short(str(arguments or ""), 200)
    return short(", ".join(f"{key}: {value}" for key, value in arguments.items() if isinstance(value, str | int | float)), 200)


def named(info: Any) -> tuple[str, int | None]:
    """Codex's word for an error, and the HTTP status that came with it."""
    match info:
        case str():
            return info, None
        case {**only} if only:
            name, inside = next(iter(only.items()))
            status = inside.get("httpStatusCode") if isinstance(inside, Mapping) else None
            return str(name), status if isinstance(status, int) else None
        case _:
            return "", None


def plain(message: str) -> str:
    """What the model's API said, which Codex may hand on as JSON."""
    try:
        error = json.loads(message)["error"]
        return str(error["message"])
    except (ValueError, KeyError, TypeError):
        return message


def failure(error: Json, file: str, remedy: str) -> str:
    """Why a turn failed, and what helps: `remedy`, if it is the key."""
    message = str(error.get("message", ""))
    name, status = named(error.get("codexErrorInfo"))
    found = STATUS.search(message)
    code = f" ({status or (found[0] if found else '')})" if status or found else ""
    said = short(" ".join(plain(message).split()), 300)
    if name == "unauthorized" or status in (401, 403):
        return f"The model's API did not accept the key{code}. {remedy}"
    name = "rateLimitExceeded" if code == " (429)" and name == "responseTooManyFailedAttempts" else name
    match name:
        case "usageLimitExceeded" | "sessionBudgetExceeded":
            return f"The usage limit of the OpenAI account is used up{code}. Wait until it begins anew, or raise it. It said: {said}"
        case "rateLimitExceeded":
            return f"The model's rate limit is used up{code}. Try again later, or raise the limit. It said: {said}"
        case "serverOverloaded" | "flexUnavailable" | "policyCapacityUnavailable":
            return f"The model is overloaded{code}. Nothing is wrong here; try again in a few minutes."
        case "modelNotFound":
            return f"The model's API does not know this model{code}; correct `model:` in {file}. It said: {said}"
        case "contextWindowExceeded":
            return "The conversation has become too long for the model. Begin a new thread, or ask for less at once."
        case "sandboxError":
            return f"Codex could not make its sandbox; choose another `options.commands` in {file}. It said: {said}"
        case "badRequest":
            return f"The model's API refused the request{code}, and would again; correct `model:` in {file} if it is that. It said: {said}"
    if name == "internalServerError" or code.startswith(" (5"):
        return f"The model's API failed{code}. Try again in a few minutes. It said: {said}"
    if status == 404 or (status is None and found and found[0] == "404"):
        return f"The model's API does not know what was asked for (404), mostly the model; correct `model:` in {file}. It said: {said}"
    if name in ("httpConnectionFailed", "responseStreamConnectionFailed", "responseStreamDisconnected") and not code:
        where = f"its address (OPENAI_BASE_URL, or options.base_url in {file}) and the network"
        return f"The model's API cannot be reached, or broke off. Look at {where}. Codex said: {said}"
    return f"Codex stopped with an error{code}; try again, or look at its log. It said: {said}"


def missing(file: str, key: str, environment: Mapping[str, str]) -> str:
    """What to do about a key that is not there, or not taken."""
    if key not in environment:
        return f"Put a valid {key} into frontdesk's environment, and name it under `environment:` in {file}."
    return f"Put a valid {key} into frontdesk's environment in place of the one that is there, and start frontdesk again."


def old(agent: str) -> str:
    """What to say about a Codex that calls itself so (frontdesk/0.169.0 …), if it is too old; else nothing."""
    found = re.search(r"/(\d+)\.(\d+)(\.\d+)?", agent)
    if found is None or (int(found[1]), int(found[2])) >= OLDEST:
        return ""
    return f"Codex {found[0][1:]} is too old: it has to be {OLDEST[0]}.{OLDEST[1]} or newer; {REMEDY}."
