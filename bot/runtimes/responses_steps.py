"""The tools that a model uses on its platform, as steps. Pure."""

import json
from typing import Any

from bot.event import Step, StepKind, StepStatus
from bot.runtimes.claude_words import first, pretty, short

Json = dict[str, Any]
LONG = 80
KINDS: dict[str, StepKind] = {
    "web_search_call": "search", "file_search_call": "search", "code_interpreter_call": "execute", "local_shell_call": "execute",
    "shell_call": "execute", "apply_patch_call": "edit", "mcp_call": "other", "image_generation_call": "other", "computer_call": "other",
    "function_call": "other", "custom_tool_call": "other",
}  # fmt: skip
FAILED = ("failed", "incomplete")


def step(item: Json, *, done: bool) -> Step | None:
    """None for what is no tool's use."""
    kind = KINDS.get(str(item.get("type")))
    if kind is None:
        return None
    status: StepStatus = "working" if not done else "failed" if item.get("status") in FAILED or item.get("error") else "completed"
    detail = short(first(item.get("error")), 300) if item.get("error") else short(first(item.get("arguments") or item.get("input")), 200)
    return Step(str(item.get("call_id") or item.get("id")), short(first(title(item)), LONG), kind, status, detail)


def title(item: Json) -> str:
    match item:
        case {"type": "web_search_call"}:
            action = item.get("action") or {}
            return f"Search the web for '{first(action.get('query'))}'" if action.get("query") else "Search the web"
        case {"type": "file_search_call"}:
            return f"Search files for '{', '.join(map(str, item.get('queries') or ()))}'"
        case {"type": "code_interpreter_call"}:
            return f"Run: {first(item.get('code'))}"
        case {"type": "local_shell_call" | "shell_call"}:
            action = item.get("action") or {}
            return f"Run: {' '.join(map(str, action.get('command') or action.get('commands') or ()))}"
        case {"type": "apply_patch_call"}:
            return "Edit files"
        case {"type": "image_generation_call"}:
            return "Draw an image"
        case {"type": "computer_call"}:
            return "Use a computer"
        case _:
            return named(item)


def named(item: Json) -> str:
    name = str(item.get("name") or "a tool").replace("_", " ")
    server = item.get("server_label")
    return f"{server}: {name}" if server else name


def exact(item: Json) -> str:
    """All that would be done."""
    given = item.get("arguments")
    try:
        text = pretty(json.loads(given)) if isinstance(given, str) else pretty(given or {})
    except (ValueError, TypeError):
        text = str(given)
    return f"{named(item)} {text}"
