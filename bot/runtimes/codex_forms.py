"""Codex's requests as questions, and people's answers as Codex takes them. Pure."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.event import ALLOW, ALLOW_SESSION, Option, Part, Question, permission
from bot.message import Answer
from bot.runtimes import codex_words as words
from bot.runtimes import coding
from bot.runtimes.rpc import Json

YES, NO = "Yes", "No"
PASSING = {"threadId", "turnId", "itemId", "startedAtMs", "reason"}  # what differs although the same would be done


def asked(id: str, method: str, params: Json, changes: list[Json], folder: Path) -> Question | None:
    """None for what nobody can answer in a thread."""
    match method:
        case "item/commandExecution/requestApproval":
            held = "the very same again, and nothing else" if prints(method, params, changes) else ""
            return permission(id, because(_command(params), params), exact(params, folder), session=held)
        case "item/fileChange/requestApproval":
            text = "Change these files?" if len(changes) > 1 else "Change this file?"
            held = f"what it changes in {'these files' if len(changes) > 1 else 'this file'}" if prints(method, params, changes) else ""
            return permission(id, because(text, params), _files(params, changes, folder), session=held)
        case "item/permissions/requestApproval":
            return permission(id, because("Give these rights?", params), words.pretty(params.get("permissions")))
        case "item/tool/requestUserInput":
            return Question(id, "question", tuple(_part(part) for part in params.get("questions") or ()))
        case "mcpServer/elicitation/request":
            return _elicited(id, params)
        case _:
            return None


def prints(method: str, params: Json, changes: list[Json]) -> set[str]:
    """What a person allows by allowing this for the session: the very same again, or the same kind of change of the same files."""
    match method:
        case "item/commandExecution/requestApproval" if params.get("kind") in (None, "command"):
            allowed = {words.pretty({key: params[key] for key in sorted(params.keys() - PASSING)})}
        case "item/fileChange/requestApproval" if not params.get("grantRoot"):
            allowed = {words.pretty([change.get("path"), change.get("kind")]) for change in changes}
        case _:
            allowed = set()
    return {hashlib.sha256(f"{method}\n{each}".encode()).hexdigest() for each in allowed}


def because(text: str, params: Json) -> str:
    reason = str(params.get("reason") or "").strip().rstrip(".")
    return f"{text} ({reason})" if reason else text


def _command(params: Json) -> str:
    if params.get("networkApprovalContext"):
        return "Reach this address?"
    return "Type this into a command that runs?" if params.get("kind") == "writeStdin" else "Run this command?"


def exact(params: Json, folder: Path) -> str:
    """All that would be done, nothing left out: a person decides by this alone."""
    lines = [words.script(str(params["command"]))] if params.get("command") else []
    if network := params.get("networkApprovalContext"):
        lines.append(words.pretty(network))
    if params.get("cwd") and Path(str(params["cwd"])) != folder:
        lines.append(f"in {params['cwd']}")
    if more := params.get("additionalPermissions"):
        lines.append(f"with these rights:\n{words.pretty(more)}")
    return "\n\n".join(lines) or words.pretty(params)


def _files(params: Json, changes: list[Json], folder: Path) -> str:
    root = params.get("grantRoot")
    what = words.changed(changes, folder) if changes else words.pretty(params)
    return f"{what}\n\nand write in {root} from now on" if root else what


def _part(part: Json) -> Part:
    options = tuple(Option(str(option.get("label", "")), str(option.get("description", ""))) for option in part.get("options") or ())
    return Part(
        str(part.get("id")), str(part.get("question", "")), options, str(part.get("header", "")),
        free_text=bool(part.get("isOther")) or not options, secret=bool(part.get("isSecret")),
    )  # fmt: skip


def _elicited(id: str, params: Json) -> Question | None:
    """What an MCP server asks: a form, a yes or no where its form is empty, or to open a page."""
    server, text = params.get("serverName"), str(params.get("message", ""))
    match params:
        case {"mode": "form", "requestedSchema": {"properties": dict(fields)}} if fields:
            needed = params["requestedSchema"].get("required") or ()
            return Question(id, "form", tuple(_field(str(name), field, text, name in needed) for name, field in fields.items()))
        case {"mode": "form"}:
            return permission(id, text or f"Use {server}?", f"{server}: {text}\n\n{words.pretty(params.get('_meta') or {})}")
        case {"mode": "url", "url": str(url)}:
            return permission(id, text or f"{server} asks you to open a page; did you?", f"{server}: {url}")
        case _:
            return None


def _field(name: str, field: Json, text: str, needed: bool) -> Part:
    asks = " ".join(filter(None, [str(field.get("title") or name), str(field.get("description") or "")]))
    inside = field.get("items") if isinstance(field.get("items"), Mapping) else field
    labels = list(choices(inside or {}))
    multi = field.get("type") == "array"
    return Part(name, asks if needed else f"{asks} (may stay empty)", tuple(map(Option, labels)), text, multi, free_text=not labels)


def choices(field: Json) -> dict[str, Any]:
    """What may be chosen: labels, and what the server takes for each."""
    match field:
        case {"type": "boolean"}:
            return {YES: True, NO: False}
        case {"oneOf": list(each)} | {"anyOf": list(each)}:
            return {str(one.get("title") or one.get("const")): one.get("const") for one in each}
        case {"enum": list(values)}:
            return dict(zip(map(str, field.get("enumNames") or values), values, strict=False))
        case _:
            return {}


def reply(method: str, params: Json, question: Question, answer: Answer) -> Json:
    decision = next(iter(answer.parts.get("decision", ())), "")
    match method:
        case "item/tool/requestUserInput":
            return {"answers": {part: {"answers": list(told)} for part, told in _answers(question, answer).items()}}
        case "item/permissions/requestApproval":
            granted = params.get("permissions") if decision in (ALLOW, ALLOW_SESSION) else {}
            return {"permissions": granted, "scope": "session" if decision == ALLOW_SESSION else "turn"}
        case "mcpServer/elicitation/request" if question.kind == "form":
            return _filled(params, answer)
        case "mcpServer/elicitation/request":
            kept = {"_meta": {"persist": "session"}} if decision == ALLOW_SESSION else {}
            return {"action": "accept" if decision in (ALLOW, ALLOW_SESSION) else "decline", "content": None, **kept}
        case _:
            return {"decision": {ALLOW: "accept", ALLOW_SESSION: "acceptForSession"}.get(decision, "decline")}


def _answers(question: Question, answer: Answer) -> dict[str, tuple[str, ...]]:
    """Every question with an answer; a note, or that there is none, stands with the first."""
    told = {part.id: tuple(answer.parts.get(part.id, ())) for part in question.parts}
    first = question.parts[0].id if question.parts else ""
    if answer.note:
        told[first] = (*told.get(first, ()), answer.note)
    elif not any(told.values()):
        told[first] = (coding.NOBODY,)
    return told


def _filled(params: Json, answer: Answer) -> Json:
    if not any(answer.parts.values()):
        return {"action": "decline"}
    fields = params["requestedSchema"]["properties"]
    told = {name: chosen for name, chosen in answer.parts.items() if chosen and name in fields}
    return {"action": "accept", "content": {name: value(fields[name], chosen) for name, chosen in told.items()}}


def value(field: Json, told: tuple[str, ...]) -> Any:
    """What was chosen or typed, as the form's type."""
    if field.get("type") == "array":
        known = choices(field.get("items") or {})
        return [known.get(word, word) for word in told]
    known = choices(field)
    if told[0] in known:
        return known[told[0]]
    try:
        return {"integer": int, "number": float}.get(str(field.get("type")), str)(told[0])
    except ValueError:
        return told[0]
