"""A call at a webhook as people try it in a shell, with all that its filter and its prompt speak of."""

import json
import re
from shlex import quote
from typing import Any

from bot.triggers.hook import Hook

SPOKEN = re.compile(r"\bbody((?:\.[a-z_]\w*)+)(?:\s*==\s*(?:'([^'\n]*)'|\"([^\"\n]*)\"))?", re.I)
SIGNATURE = '$(printf %s "$body" | openssl dgst -sha256 -hmac "${}" -r | cut -d" " -f1)'
NOW = "webhookTimestamp"


def curl(hook: Hook, site: str) -> str:
    """Its secret stands in its variable. `site` is where webhooks are served, such as http://127.0.0.1:8765."""
    url, body = f"{site}{hook.path}", json.dumps(_body(hook), ensure_ascii=False)
    start = f'curl {url} -H "Content-Type: application/json"'
    signature = SIGNATURE.format(hook.variable)
    match hook.asks.source:
        case "generic":
            return f'{start} -H "Authorization: Bearer ${hook.variable}" -d {quote(body)}'
        case "github":
            event = _event(hook).partition(".")[0]
            return f'body={quote(body)}; {start} -H "X-GitHub-Event: {event}" -H "X-Hub-Signature-256: sha256={signature}" -d "$body"'
        case "linear":
            before, after = body.split(f'"{NOW}": 0', 1)
            timed = f"{quote(before)}'\"{NOW}\": '$(date +%s)000{quote(after)}"
            return f'body={timed}; {start} -H "Linear-Signature: {signature}" -d "$body"'


def _event(hook: Hook) -> str:
    """The first that it wants."""
    return hook.asks.events[0] if hook.asks.events else {"github": "push", "linear": "Issue"}.get(hook.asks.source, "")


def _body(hook: Hook) -> dict[str, Any]:
    event, _, action = _event(hook).partition(".")
    told: dict[str, dict[str, Any]] = {
        "generic": {"title": "An example"},
        "github": {"action": action or "opened"},
        "linear": {"type": event, NOW: 0, "action": action or "create"},
    }
    body = told[hook.asks.source]
    for path, one, other in SPOKEN.findall(f"{hook.asks.filter}\n{hook.asks.prompt}"):
        _put(body, path.strip(".").split("."), one or other)
    return body


def _put(body: dict[str, Any], path: list[str], value: str) -> None:
    """Say it there, where nothing stands yet."""
    *boxes, name = path
    for box in boxes:
        inner = body.setdefault(box, {})
        if not isinstance(inner, dict):
            return
        body = inner
    body.setdefault(name, value or f"an example of {name}")
