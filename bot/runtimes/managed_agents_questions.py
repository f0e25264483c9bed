"""What a managed agent is told, and where it waits for a person: as our questions, and the answers as it wants them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.event import ALLOW, Question, permission
from bot.ports import Turn
from bot.runtimes import asking, coding
from bot.runtimes import claude_words as words
from bot.runtimes.attached import Attached

Json = dict[str, Any]
LIKE = {
    "bash": "Bash", "read": "Read", "write": "Write", "edit": "Edit", "glob": "Glob", "grep": "Grep", "web_fetch": "WebFetch",
    "web_search": "WebSearch",
}  # fmt: skip
APPROVAL = "agent.approval"
"""What waits for a person in the inbox of LiteLLM's platform, as if it were a call."""
CALLS = ("agent.tool_use", "agent.mcp_tool_use", "agent.custom_tool_use", APPROVAL)
ANSWERS = {
    "user.tool_confirmation": "tool_use_id", "user.custom_tool_result": "custom_tool_use_id", "user.approval": "approval_id",
}  # fmt: skip


def tool(call: Json) -> str:
    name = str(call.get("name") or "a tool")
    server = call.get("mcp_server_name")
    return f"mcp__{server}__{name}" if server else LIKE.get(name, name)


def given(call: Json) -> Mapping[str, Any]:
    """What the tool is called with."""
    input = call.get("input")
    return input if isinstance(input, dict) else {} if input is None else {"input": input}


def waiting(events: Iterable[Json]) -> dict[str, Json]:
    """The calls that wait for a person after all of these, oldest first."""
    calls: dict[str, Json] = {}
    wanted: list[str] = []
    for event in events:
        match event:
            case {"type": str(kind), "id": str(id)} if kind in CALLS:
                calls[id] = event
            case {"type": "session.status_idle", "stop_reason": {"type": "requires_action", "event_ids": [*ids]}}:
                wanted = [str(id) for id in ids]
            case {"type": str(kind)} if name := ANSWERS.get(kind):
                wanted = [id for id in wanted if id != event.get(name)]
            case {"type": "session.status_running" | "session.status_terminated"}:
                wanted = []
    return {id: calls[id] for id in wanted if id in calls}


def asked(call: Json) -> Question:
    id = str(call["id"])
    if call["type"] == "agent.custom_tool_use":
        return Question(id, "question", (asking.part("answer", str(call.get("name")), call.get("input") or {}),))
    if call["type"] == APPROVAL:
        return permission(id, str(given(call).get("title") or "May the agent do this?"), _item(given(call)))
    return permission(id, words.question(tool(call), None), exact(call))


def _item(item: Mapping[str, Any]) -> str:
    """All that is to be approved."""
    told = [str(item.get(name) or "").strip() for name in ("title", "body", "args_json")]
    return "\n\n".join(text for text in told if text)


def exact(call: Json) -> str:
    """All that would be done: one that is not like any we know is told with its name."""
    text = words.exact(tool(call), given(call))
    return text if tool(call) in LIKE.values() else f"{words.named(tool(call))} {text}"


def answered(call: Json, turn: Turn) -> Json:
    """Where somebody said something else instead of an answer, that is the answer; but never a leave."""
    id, answer = str(call["id"]), turn.answer
    mine = answer if answer and answer.question == id else None
    if call["type"] == "agent.custom_tool_use":
        text = asking.result(asked(call).parts[0], mine, turn.prompt)
        return {"type": "user.custom_tool_result", "custom_tool_use_id": id, "content": [{"type": "text", "text": text}]}
    allowed = mine is not None and mine.parts.get("decision") == (ALLOW,)
    why = coding.refused(mine) if mine else f"A person did not allow this. They said: {turn.prompt}"
    if call["type"] == APPROVAL:
        return {"type": "user.approval", "approval_id": id, "accepted": allowed, "feedback": "" if allowed else why}
    if allowed:
        return {"type": "user.tool_confirmation", "tool_use_id": id, "result": "allow"}
    return {"type": "user.tool_confirmation", "tool_use_id": id, "result": "deny", "deny_message": why}


def block(file: Attached) -> Json:
    """A file as a part of a message."""
    if file.kind == "text":
        return {"type": "document", "title": file.name, "source": {"type": "text", "media_type": file.media_type, "data": file.data}}
    source = {"type": "base64", "media_type": file.media_type, "data": file.data}
    return {"type": "image", "source": source} if file.kind == "picture" else {"type": "document", "title": file.name, "source": source}
