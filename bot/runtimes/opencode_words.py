"""OpenCode's permissions and errors in words for people. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.runtimes import coding
from bot.runtimes.claude_words import pretty, short

Json = dict[str, Any]


def asked(request: Json) -> str:
    """What a person is asked."""
    patterns = ", ".join(map(str, request.get("patterns", ())))
    match request.get("permission"):
        case "external_directory":
            return f"Go outside the agent's folder ({patterns})?"
        case "doom_loop":
            return "It has done the same several times. Let it go on?"
        case permission:
            return coding.question(str(permission))


def always(request: Json) -> str:
    """What a person would allow for the session."""
    patterns = ", ".join(str(pattern) for pattern in request.get("always") or ())
    return f"{request.get('permission')}: whatever fits {patterns}" if patterns else ""


def exact(request: Json, call: tuple[str, Mapping[str, Any]] | None) -> str:
    """All that would be done: the whole call if it is known, else all that OpenCode says of it."""
    if call and call[1]:
        return coding.exact(*call)
    return pretty({name: request[name] for name in ("permission", "patterns", "metadata") if request.get(name)})


def failure(error: Json, file: str) -> str:
    """Why the model did not answer, and what helps."""
    data = error.get("data") or {}
    said, status = str(data.get("message") or error.get("name") or "nothing"), data.get("statusCode")
    match error.get("name"):
        case "ProviderAuthError":
            return coding.failure(401, said, file)
        case "ContextOverflowError":
            return "The conversation has become longer than the model can read. Begin a new thread."
        case _ if "api key" in said.lower() and status is None:
            return f"OpenCode has no credentials for this model. {coding.key(file)} It said: {short(said, 300)}"
        case _ if "model not found" in said.lower():
            remedy = f"correct `model:` in {file}, or name its provider's key there"
            return f"OpenCode does not know this model; {remedy}. It said: {short(said, 300)}"
        case _:
            return coding.failure(status if isinstance(status, int) else None, said, file)


def retried(status: Json) -> str:
    return f"The model's provider fails ({short(str(status.get('message') or 'no reason given'), 200)}); trying again."
